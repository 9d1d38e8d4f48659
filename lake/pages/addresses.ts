/** Which registered devices have, or had, these addresses. */
import { z } from '@hono/zod-openapi';
import { UsageError } from '#lake/errors';
import { definePage } from './page.ts';
import { AddressText } from './pair.ts';

/** Addresses of one question: both ends of a page of pairs, and room. */
const MAX_ADDRESSES = 1000;

export const addressesPage = definePage<{ of: string[] }>({
    name: 'addresses',
    /** `of`: the addresses, commas between them. */
    parameters: z.strictObject({
        of: z
            .string()
            .default('')
            .transform((text) => [...new Set(text.split(',').filter((one) => one.trim() !== ''))].map((one) => AddressText.parse(one))),
    }),
    reads: ({ of }) => (of.length === 0 ? [] : [{ table: 'devices' }]),
    async answer({ of }, { ask }) {
        if (of.length > MAX_ADDRESSES) {
            throw new UsageError(`At most ${MAX_ADDRESSES} addresses at a time, these are ${of.length}`);
        }
        if (of.length === 0) {
            return { devices: [] };
        }
        const { rows } = await ask(
            `select ip, site, device, profile, place, valid_from, valid_to
from devices
where ip in (${of.map(() => 'cast(? as varchar)').join(', ')})
order by ip, site, device, valid_from`,
            { parameters: of },
        );
        return {
            devices: rows.map(([ip, site, device, profile, place, from, to]) => ({
                ip: String(ip),
                site: String(site),
                device: String(device),
                profile: String(profile),
                place: place === null ? null : String(place),
                from: from === null ? null : String(from),
                to: to === null ? null : String(to),
            })),
        };
    },
});
