/** A source as the pages of Quality have it. */

export interface SourceRow {
    source: string;
    site: string;
    kind: string;
    state: string;
    rowsRead: string | null;
    rowsKept: string | null;
    rowsRejected: string | null;
    metricsRejected: string | null;
    rowsSkipped: string | null;
    sizeBytes: string | null;
    firstDay: string | null;
    lastDay: string | null;
    readAtMs: number | null;
    readAs: string | null;
    profiles: string | null;
    dateOrder: string | null;
    durationUnit: string | null;
    durationUnitBy: string | null;
    rejected: string | null;
    skipped: string | null;
    error: string | null;
    doubts: readonly { text: string; remedy: string }[];
    /** What to do, of a source that needs a person. */
    next: string | null;
    twins: { how: string; others: number } | null;
}

const TITLES: Readonly<Record<string, string>> = {
    done: 'done',
    failed: 'failed',
    empty: 'empty',
    waiting: 'waiting',
    unknown: 'unknown kind',
    skipped: 'skipped',
    retracted: 'retracted',
};

/** What the states mean, for who meets them first. */
const MEANINGS: Readonly<Record<string, string>> = {
    done: 'its rows are in the figures',
    failed: 'it could not be used at all',
    empty: 'it could be read, and not one row of it counts',
    waiting: 'it lies in the lake, and was not read yet',
    unknown: 'it is of a kind that this flowlake does not know, and left alone',
    skipped: 'it lies beside the others by right, and is none of them',
    retracted: 'it was taken out of the figures',
};

/** The state as a word in a frame; those that need a person stand out. */
export function StateMark({ state }: { state: string }) {
    return (
        <span class={`state is-${state}`} title={MEANINGS[state]}>
            {TITLES[state] ?? state}
        </span>
    );
}
