/** Shows every version of a source: how it was read, and what it contributes. */
import pMap from 'p-map';
import type { RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { findRecord } from '#cli/find-record';
import { useLake } from '#cli/use-lake';
import { nameInputs } from '#lake/inputs';
import type { Kind } from '#lake/kind';
import { kindOfSource } from '#lake/kinds';
import { contributionKey } from '#lake/layout';
import { readRows } from '#lake/parquet';
import type { ResultColumn, Value } from '#lake/query/query-engine';
import { type SourceVersion, versionsOf } from '#lake/reports/source-history';
import { countRows } from '#lake/rows';
import { sourceId } from '#lake/source-id';
import { CALLS_AT_ONCE, type ObjectStore } from '#lake/store/object-store';

/** Prints a row for each version of the one source that is named, or with `isByPeriod` for each period of each. */
export async function showHistory(name: string, { isByPeriod }: { isByPeriod: boolean }, context: RunContext): Promise<number> {
    return useLake(context, async (lake) => {
        const store = await lake.store();
        const record = await findRecord(name, store);
        if (record.source !== name) {
            await context.stderr.write(`${record.source}\n`);
        }
        const kind = kindOfSource(record.source, record);
        const rows: Value[][] = [];
        for (const version of versionsOf(record)) {
            const counted = await readContributions(version, { kind, source: record.source, store, context });
            rows.push(...(isByPeriod ? periodRows(version, { kind, counted }) : [versionRow(version, { kind, counted })]));
        }
        await printRows({ columns: isByPeriod ? periodColumnsOf(kind) : columnsOf(kind), batches: batchOf(rows) }, context);
        return 0;
    });
}

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
        ...(kind.inputs ? [varchar('inputs')] : []),
        bigint('size_bytes'),
        varchar('content'),
        varchar('error'),
    ];
}

function periodColumnsOf(kind: Kind): ResultColumn[] {
    const words = ['state', kind.merged.per].map((name) => ({ name, type: 'varchar' }));
    return [{ name: 'number', type: 'bigint' }, ...words, ...countsOf(kind).map((name) => ({ name, type: 'bigint' }))];
}

/** Names of what is counted of contributions: the rows of the file where the kind counts them, then the rows that they merge to. */
function countsOf({ accounts }: Kind): string[] {
    return [...(accounts ? [accounts.rows] : []), accounts?.keys ?? 'merged_rows'];
}

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
    context: Pick<RunContext, 'signal' | 'stderr'>;
}

/** What each period's contribution counts, of a version that still has them; says which of them are missing. */
async function readContributions(
    { version, state, days }: SourceVersion,
    { kind, source, store, context }: ReadContributionsOptions,
): Promise<Map<string, Counted>> {
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
        ...(kind.inputs ? [commit?.inputs ? nameInputs(commit.inputs) : null] : []),
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
