/** `flowlake history`: every version of a source, what it contributed and when. */
import { type Context, defineCommand } from '#cli/command';
import { flag } from '#cli/option';
import type { Value } from '#lake/query/query-engine';
import type { SourceVersion } from '#lake/reports/source-history';
import type { ObjectStore } from '#lake/store/object-store';

const COLUMNS = [
    ['number', 'bigint'],
    ['state', 'varchar'],
    ['committed_at', 'varchar'],
    ['ended_at', 'varchar'],
    ['days', 'bigint'],
    ['first_day', 'varchar'],
    ['last_day', 'varchar'],
    ['rows_read', 'bigint'],
    ['rows_kept', 'bigint'],
    ['rows_rejected', 'bigint'],
    ['flows', 'bigint'],
    ['pairs', 'bigint'],
    ['date_order', 'varchar'],
    ['duration_unit', 'varchar'],
    ['size_bytes', 'bigint'],
    ['content', 'varchar'],
    ['error', 'varchar'],
] as const;

const DAY_COLUMNS = [
    ['number', 'bigint'],
    ['state', 'varchar'],
    ['day', 'varchar'],
    ['flows', 'bigint'],
    ['pairs', 'bigint'],
] as const;

export const history = defineCommand({
    name: 'history',
    summary: 'every version of a source: when it was committed, how it was read, what it contributed',
    details:
        'States: live (its rows are in the figures), failed (the file could not be used), superseded (a later version took its place), ' +
        'retracted. date_order and duration_unit are those that upload was told; empty where it was told none. flows are those of its ' +
        'summaries, which only the live version still has. An empty cell is not known: ledger records of older versions of this program do ' +
        'not remember what came before their last commit.',
    arguments: { source: { meaning: 'a raw key, or how it ends: monday.csv', count: 'one' } },
    options: { days: flag('--days', 'a row for each day that a version contributed to') },
    examples: [
        { line: 'history raw/site=berlin/monday.csv', does: 'a row for each version, the oldest first' },
        { line: 'history monday.csv --days', does: 'the days of each, where only one source ends so' },
    ],
    async run({ arguments: { source: name }, options, ...context }) {
        const { useLake } = await import('#cli/use-lake');
        const { batchOf } = await import('#cli/draw/batch-of');
        const { findRecord } = await import('#cli/find-record');
        const { printRows } = await import('#cli/draw/print-rows');
        return useLake(context, async (lake) => {
            const { versionsOf } = await import('#lake/reports/source-history');
            const store = await lake.store();
            const record = await findRecord(name, store);
            if (record.source !== name) {
                await context.stderr.write(`${record.source}\n`);
            }
            const rows: Value[][] = [];
            for (const version of versionsOf(record)) {
                const summaries = await readSummaries(version, { source: record.source, store, context });
                rows.push(...(options.days ? dayRows(version, summaries) : [versionRow(version, summaries)]));
            }
            const columns = (options.days ? DAY_COLUMNS : COLUMNS).map(([name, type]) => ({ name, type }));
            await printRows({ columns, batches: batchOf(rows) }, context);
            return 0;
        });
    },
});

interface DayFlows {
    flows: bigint;
    pairs: bigint;
}

/** By day, of a version that still has its summaries; says which of them are missing. */
async function readSummaries(
    { version, state, days }: SourceVersion,
    { source, store, context }: { source: string; store: ObjectStore; context: Pick<Context, 'signal' | 'stderr'> },
): Promise<Map<string, DayFlows>> {
    const { default: pMap } = await import('p-map');
    const { sourceId, summaryKey } = await import('#lake/layout');
    const { readPairRows } = await import('#lake/parquet');
    const { CALLS_AT_ONCE } = await import('#lake/store/object-store');
    const found = new Map<string, DayFlows>();
    const readDay = async (day: string): Promise<void> => {
        const key = summaryKey({ day, source: sourceId(source), version });
        const object = await store.get(key);
        if (object) {
            const { flows } = await readPairRows(object.bytes);
            found.set(day, { flows: flows.reduce((sum, count) => sum + count, 0n), pairs: BigInt(flows.length) });
        } else {
            await context.stderr.write(`${key} is missing: run flowlake verify --repair\n`);
        }
    };
    await pMap(state === 'live' ? days : [], readDay, { concurrency: CALLS_AT_ONCE, signal: context.signal });
    return found;
}

function versionRow(
    { number, content, state, committedAt, endedAt, days, commit }: SourceVersion,
    summaries: Map<string, DayFlows>,
): Value[] {
    const sorted = [...days].sort();
    const flows = [...summaries.values()].reduce((sum, day) => sum + day.flows, 0n);
    const counts = [commit?.rows_read, commit?.rows_kept, commit?.rows_rejected].map(orNull);
    return [
        BigInt(number),
        state,
        committedAt,
        endedAt,
        BigInt(days.length),
        sorted[0] ?? null,
        sorted.at(-1) ?? null,
        ...counts,
        state === 'live' ? flows : null,
        orNull(commit?.pairs),
        commit?.options?.dateOrder ?? null,
        commit?.options?.durationUnit ?? null,
        orNull(commit?.size_bytes),
        content,
        commit?.error ?? null,
    ];
}

function dayRows({ number, state, days }: SourceVersion, summaries: Map<string, DayFlows>): Value[][] {
    return [...days].sort().map((day) => {
        const { flows = null, pairs = null } = summaries.get(day) ?? {};
        return [BigInt(number), state, day, flows, pairs];
    });
}

function orNull(count: number | undefined): bigint | null {
    return count === undefined ? null : BigInt(count);
}
