/** The pairs that may be meant by one that is not there. */
import { z } from '@hono/zod-openapi';
import { readQuery } from '#lake/query/sql-files';
import { definePage } from './page.ts';
import { AddressText } from './pair.ts';

export const nearestPairsPage = definePage<{ src: string; dst: string; limit: number }>({
    name: 'nearest-pairs',
    parameters: z.strictObject({ src: AddressText, dst: AddressText, limit: z.coerce.number().int().min(1).max(100).default(5) }),
    reads: () => [{ table: 'pair_days' }],
    async answer({ src, dst, limit }, { ask }) {
        const { rows } = await ask(readQuery('nearest_pairs'), { parameters: [src, dst, BigInt(limit)] });
        return {
            pairs: rows.map(([site, nearSrc, nearDst, likeness, days, flows]) => ({
                site: String(site),
                src: String(nearSrc),
                dst: String(nearDst),
                likeness: String(likeness),
                days: String(days),
                flows: String(flows),
            })),
        };
    },
});
