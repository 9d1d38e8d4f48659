/** Use case: what the lake holds, what waits and what needs a person; nothing is changed. */

import { findUnknown, findUnread, lookAtDerivedDays, lookAtPeriods, type PeriodLook, readAllRecords } from '#lake/commit/reconcile';
import { lookAtInputs } from '#lake/inputs';
import { findKindOfRecord, sayPeriod } from '#lake/kinds';
import { dayOfPeriod, isSourceName, RAW_PREFIX, type TablePeriod } from '#lake/layout';
import { isOfThisFormat, type LedgerRecord } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { findTwins, type Twins } from '#lake/twins';

export interface StateTotals {
    /** State of sources. `waiting`: a raw object that the ledger does not know, or knows otherwise. */
    state: LedgerRecord['state'] | 'waiting';
    sources: number;
    rowsRead: number;
    rowsKept: number;
    rowsRejected: number;
    sizeBytes: number;
    firstDay: string | null;
    lastDay: string | null;
}

export interface Problem {
    /**
     * What is wrong. `empty`: sources that could be read, and of which not one row counts. `older`: sources in the figures as an older version of
     * the program read them; of those that wait. `behind`: those that were read with inputs that no longer hold. `unknown`: raw objects of kinds that
     * this program does not know; it leaves them alone. `unreadable`: periods whose objects are damaged, or could not be read now.
     */
    kind: 'failed' | 'empty' | 'waiting' | 'older' | 'behind' | 'unconsolidated' | 'underived' | 'unreadable' | 'unknown';
    /** Raw keys, or periods as people see them. */
    subjects: string[];
    /** How long the first subject has waited. */
    waitingMs?: number;
    /** Only of `unreadable`: what is wrong with the first subject, and what to do. */
    why?: string;
}

export interface LakeStatus {
    states: StateTotals[];
    /** Days that have figures of any kind. */
    days: { count: number; first: string | undefined; last: string | undefined };
    /** What needs a person; empty where nothing does. */
    problems: Problem[];
    /** Sources that are to be read, and periods that are to be brought up. */
    undone: { sources: string[]; periods: TablePeriod[] };
    /** Sources that may count the same rows twice: worth a look, but they may have been meant to. */
    twins: Twins[];
}

/** The state of a record as people see it. What an earlier program failed to read, and is no source by its name, needs nobody. */
export function stateOf({ state, source }: LedgerRecord): LedgerRecord['state'] {
    return state === 'failed' && !isSourceName(source) ? 'skipped' : state;
}

/** What the lake holds at one look. Reads every ledger record and every period's object. */
export async function readLakeStatus(store: ObjectStore, { now }: { now: Date }): Promise<LakeStatus> {
    const records = await readAllRecords(store);
    const waiting = new Set(await findUnread(store, records));
    const isOlder = (key: string): boolean => {
        const record = records.get(sourceId(key));
        return record !== undefined && record.version !== null && !isOfThisFormat(record);
    };
    const behind = await findBehindIn(waiting, { store, records });
    const isInFigures = (key: string): boolean => isOlder(key) || behind.has(key);
    const totals = new Map<StateTotals['state'], StateTotals>();
    for (const record of records.values()) {
        // What a record of a kind that is not known says, only those tell who know it: `unknown`.
        if (!waiting.has(record.source) && findKindOfRecord(record)) {
            add(totals, stateOf(record), record);
        }
    }
    let oldestMs = 0;
    for await (const { key, sizeBytes, modifiedAt } of waiting.size > 0 ? store.list(RAW_PREFIX) : []) {
        if (waiting.has(key)) {
            oldestMs = isInFigures(key) ? oldestMs : Math.max(oldestMs, now.getTime() - modifiedAt.getTime());
            add(totals, 'waiting', {
                size_bytes: sizeBytes,
                rows_read: 0,
                rows_kept: 0,
                rows_rejected: 0,
                first_day: null,
                last_day: null,
            });
        }
    }
    const settled = [...records.values()].filter(({ source }) => !waiting.has(source));
    const inState = (wanted: LedgerRecord['state']): string[] =>
        settled
            .filter((record) => stateOf(record) === wanted)
            .map(({ source }) => source)
            .sort();
    const periods = await lookAtPeriods(store);
    const derived = await lookAtDerivedDays(store);
    const undone = (looks: readonly PeriodLook[]): string[] =>
        looks.filter(({ isDone, fault }) => !isDone && !fault).map(({ of }) => sayPeriod(of));
    const notDone = [...periods, ...derived].filter(({ isDone }) => !isDone).map(({ of }) => of);
    const unreadable = [...periods, ...derived].filter(({ fault }) => fault !== undefined);
    const problems: Problem[] = [
        { kind: 'failed', subjects: inState('failed') },
        { kind: 'empty', subjects: inState('empty') },
        { kind: 'waiting', subjects: [...waiting].filter((key) => !isInFigures(key)).sort(), waitingMs: oldestMs },
        { kind: 'older', subjects: [...waiting].filter(isOlder).sort() },
        { kind: 'behind', subjects: [...behind].filter((key) => !isOlder(key)).sort() },
        { kind: 'unconsolidated', subjects: undone(periods) },
        { kind: 'underived', subjects: undone(derived) },
        { kind: 'unreadable', subjects: unreadable.map(({ of }) => sayPeriod(of)), why: unreadable[0]?.fault?.message ?? '' },
        { kind: 'unknown', subjects: await findUnknown(store) },
    ];
    const states = (['done', 'empty', 'failed', 'skipped', 'retracted', 'waiting'] as const).flatMap((state) => totals.get(state) ?? []);
    return {
        states,
        days: countDays(periods),
        problems: problems.filter(({ subjects }) => subjects.length > 0),
        undone: { sources: [...waiting], periods: notDone },
        twins: findTwins(settled),
    };
}

/** The raw keys among `keys` whose record counts and names an input with another version than holds now. */
async function findBehindIn(
    keys: Iterable<string>,
    { store, records }: { store: ObjectStore; records: ReadonlyMap<string, LedgerRecord> },
): Promise<Set<string>> {
    const inputs = lookAtInputs(store);
    const behind = new Set<string>();
    for (const key of keys) {
        const record = records.get(sourceId(key));
        if (record && record.version !== null && !(await inputs.areOf(findKindOfRecord(record)?.inputs, record.inputs))) {
            behind.add(key);
        }
    }
    return behind;
}

type Counted = Pick<LedgerRecord, 'rows_read' | 'rows_kept' | 'rows_rejected' | 'size_bytes' | 'first_day' | 'last_day'>;

function add(totals: Map<StateTotals['state'], StateTotals>, state: StateTotals['state'], record: Counted): void {
    const empty = { state, sources: 0, rowsRead: 0, rowsKept: 0, rowsRejected: 0, sizeBytes: 0, firstDay: null, lastDay: null };
    const before = totals.get(state) ?? empty;
    totals.set(state, {
        state,
        sources: before.sources + 1,
        rowsRead: before.rowsRead + record.rows_read,
        rowsKept: before.rowsKept + record.rows_kept,
        rowsRejected: before.rowsRejected + record.rows_rejected,
        sizeBytes: before.sizeBytes + record.size_bytes,
        firstDay: [before.firstDay, record.first_day].filter((day) => day !== null).sort()[0] ?? null,
        lastDay:
            [before.lastDay, record.last_day]
                .filter((day) => day !== null)
                .sort()
                .at(-1) ?? null,
    });
}

/** Days of merged objects that something counts to; one that cannot be read is there. */
function countDays(looks: readonly PeriodLook[]): LakeStatus['days'] {
    const days = [...new Set(looks.filter(({ isEmpty }) => !isEmpty).map(({ of }) => dayOfPeriod(of.period)))].sort();
    return { count: days.length, first: days[0], last: days.at(-1) };
}
