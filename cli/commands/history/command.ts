/** `flowlake history`: every version of a source, what it contributed and when. */
import { type Context, defineCommand } from '#cli/command';
import { flag } from '#cli/option';
import type { Kind } from '#lake/kind';
import type { ResultColumn, Value } from '#lake/query/query-engine';
import type { SourceVersion } from '#lake/reports/source-history';
import type { ObjectStore } from '#lake/store/object-store';

/** Columns of a table of versions; those that are counted by kind are named by `countsOf`. */
function columnsOf(kind: Kind): ResultColumn[] {
    const bigint = (name: string): ResultColumn => ({ name, type: 'bigint' });
    const varchar = (name: string): ResultColumn => ({ name, type: 'varchar' });
    const { per } = kind.merged;
    return [
        bigint('number'),
        varchar('state'),
        varchar('committed_at'),
        varchar('ended_at'),
        bigint(`${per}s`),
        varchar(`first_${per}`),
        varchar(`last_${per}`),
        bigint('rows_read'),
        bigint('rows_kept'),
        bigint('rows_rejected'),
        ...countsOf(kind).map(bigint),
        ...kind.options.map(({ flag: name }) => varchar(name.replaceAll('-', '_'))),
        bigint('size_bytes'),
        varchar('content'),
        varchar('error'),
    ];
}

function periodColumnsOf(kind: Kind): ResultColumn[] {
    const words = ['state', kind.merged.per].map((name) => ({ name, type: 'varchar' }));
    return [{ name: 'number', type: 'bigint' }, ...words, ...countsOf(kind).map((name) => ({ name, type: 'bigint' }))];
}

/** What is counted of contributions: the rows of the file where the kind counts them, then the rows that they merge to. */
function countsOf({ accounts }: Kind): string[] {
    return [...(accounts ? [accounts.rows] : []), accounts?.keys ?? 'merged_rows'];
}

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
            const { kindOf } = await import('#lake/kinds');
            const kind = kindOf(record.source);
            const rows: Value[][] = [];
            for (const version of versionsOf(record)) {
                const counted = await readContributions(version, { kind, source: record.source, store, context });
                rows.push(...(options.days ? periodRows(version, { kind, counted }) : [versionRow(version, { kind, counted })]));
            }
            await printRows({ columns: options.days ? periodColumnsOf(kind) : columnsOf(kind), batches: batchOf(rows) }, context);
            return 0;
        });
    },
});

/** What a contribution counts, null where the kind does not count it. */
interface Counted {
    /** Rows of the file that are merged in it. */
    sourceRows: bigint | null;
    rows: bigint;
}

interface ReadContributionsOptions {
    kind: Kind;
    source: string;
    store: ObjectStore;
    context: Pick<Context, 'signal' | 'stderr'>;
}

/** By period, of a version that still has its contributions; says which of them are missing. */
async function readContributions(
    { version, state, days }: SourceVersion,
    { kind, source, store, context }: ReadContributionsOptions,
): Promise<Map<string, Counted>> {
    const { default: pMap } = await import('p-map');
    const { contributionKey, sourceId } = await import('#lake/layout');
    const { readRows } = await import('#lake/parquet');
    const { countRows } = await import('#lake/rows');
    const { CALLS_AT_ONCE } = await import('#lake/store/object-store');
    const { contributions, accounts } = kind;
    const found = new Map<string, Counted>();
    const readPeriod = async (period: string): Promise<void> => {
        const key = contributionKey(contributions, { period, source: sourceId(source), version });
        const object = await store.get(key);
        if (object) {
            const rows = await readRows(contributions, object.bytes);
            const counts = accounts ? Array.from<unknown>(rows[accounts.rows] ?? []) : undefined;
            const sourceRows = counts?.reduce<bigint>((sum, count) => sum + (typeof count === 'bigint' ? count : 0n), 0n) ?? null;
            found.set(period, { sourceRows, rows: BigInt(countRows(contributions, rows)) });
        } else {
            await context.stderr.write(`${key} is missing: run flowlake verify --repair\n`);
        }
    };
    await pMap(state === 'live' ? days : [], readPeriod, { concurrency: CALLS_AT_ONCE, signal: context.signal });
    return found;
}

interface Shown {
    kind: Kind;
    counted: ReadonlyMap<string, Counted>;
}

function versionRow({ number, content, state, committedAt, endedAt, days, commit }: SourceVersion, { kind, counted }: Shown): Value[] {
    const { accounts } = kind;
    const sorted = [...days].sort();
    const live = state === 'live' ? [...counted.values()] : undefined;
    const sourceRows = live?.reduce((sum, one) => sum + (one.sourceRows ?? 0n), 0n) ?? null;
    // A key that has rows in several periods is one of them all.
    const keys = accounts?.keys === undefined ? (live?.reduce((sum, { rows }) => sum + rows, 0n) ?? null) : orNull(commit?.[accounts.keys]);
    return [
        BigInt(number),
        state,
        committedAt,
        endedAt,
        BigInt(days.length),
        sorted[0] ?? null,
        sorted.at(-1) ?? null,
        ...[commit?.rows_read, commit?.rows_kept, commit?.rows_rejected].map(orNull),
        ...(accounts ? [sourceRows] : []),
        keys,
        ...kind.options.map(({ name }) => commit?.options?.[name] ?? null),
        orNull(commit?.size_bytes),
        content,
        commit?.error ?? null,
    ];
}

function periodRows({ number, state, days }: SourceVersion, { kind, counted }: Shown): Value[][] {
    return [...days].sort().map((period) => {
        const { sourceRows = null, rows = null } = counted.get(period) ?? {};
        return [BigInt(number), state, period, ...(kind.accounts ? [sourceRows] : []), rows];
    });
}

function orNull(count: unknown): bigint | null {
    return typeof count === 'number' ? BigInt(count) : null;
}
