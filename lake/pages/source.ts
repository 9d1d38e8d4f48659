/** One source: how it was read, what doubts there are, and every version that it had. */
import { z } from '@hono/zod-openapi';
import { NotFoundError } from '#lake/errors';
import { nameInputs } from '#lake/inputs';
import { readLedger } from '#lake/ledger';
import { versionsOf } from '#lake/reports/source-history';
import { sourceId } from '#lake/source-id';
import { findTwins } from '#lake/twins';
import { readKnownSources } from './known-sources.ts';
import { definePage } from './page.ts';
import { rowOf } from './quality.ts';

/** Versions that are shown, the newest ones. */
const MOST_VERSIONS = 100;

export const sourcePage = definePage<{ source: string }>({
    name: 'source',
    parameters: z.strictObject({ source: z.string() }),
    reads: () => [],
    async answer({ source }, { lake, now }) {
        const store = await lake.store();
        const { sources, unreadable } = await readKnownSources(store, { now: now() });
        const one = sources.find((known) => known.source === source);
        const fault = unreadable.find(({ key }) => key.includes(sourceId(source)));
        if (!one) {
            throw new NotFoundError(
                fault
                    ? `What the ledger says of ${source} cannot be read: ${fault.why}`
                    : `No source ${source}: flowlake query "select source from sources" lists them`,
            );
        }
        const twins = findTwins(sources).find((group) => group.sources.includes(source));
        const { record } = await readLedger(store, sourceId(source));
        const versions = record ? versionsOf(record) : [];
        return {
            ...rowOf(one, { now: now(), twin: twins && { how: twins.how, others: twins.sources.length - 1 } }),
            twinSources: twins?.sources.filter((other) => other !== source).slice(0, MOST_VERSIONS) ?? [],
            options: one.options,
            inputs: record?.inputs ? nameInputs(record.inputs) : null,
            versionCount: versions.length,
            versions: versions
                .slice(-MOST_VERSIONS)
                .reverse()
                .map(({ number, state, committedAt, endedAt, days, commit }) => ({
                    number,
                    state,
                    committedMs: committedAt === null ? null : Date.parse(committedAt),
                    endedMs: endedAt === null ? null : Date.parse(endedAt),
                    periods: days.length,
                    rowsRead: commit ? String(commit.rows_read) : null,
                    rowsKept: commit ? String(commit.rows_kept) : null,
                    rowsRejected: commit ? String(commit.rows_rejected) : null,
                    sizeBytes: commit ? String(commit.size_bytes) : null,
                    error: commit?.error ?? null,
                })),
        };
    },
});
