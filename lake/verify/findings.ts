/** What verifying a lake finds: figures that differ, and what must be known beside them. */

/** One figure that is not what the second reading says. */
export interface Difference {
    /** What the figure belongs to: a pair's day, a whole day, a source, its rejects, or what it contributes to a pair's day. */
    kind: 'pair_day' | 'day' | 'source' | 'rejects' | 'summary';
    source?: string;
    site?: string;
    src_ip?: string;
    dst_ip?: string;
    day?: string;
    /** Column of the table, or what was counted. */
    figure: string;
    /** null: it is not there. */
    in_lake: bigint | string | null;
    /** null: it should not be there. */
    recomputed: bigint | string | null;
}

/** What must be known beside the differences. Only after `raw_gone` is the verdict as good as without it. */
export interface Note {
    kind: /** The raw file is not there: its committed summaries were taken instead. */
        | 'raw_gone'
        /** The raw file is another one than the ledger knows: its committed summaries were taken; `flowlake reconcile` reads it. */
        | 'raw_changed'
        /** The raw file has no ledger record: it is in no figure until `flowlake reconcile` reads it. */
        | 'not_summarized'
        /** It is there, but this reading has no way through it; its committed summaries were taken. */
        | 'not_followed'
        /** It is there, or may be, and could not be read: nothing is said about it. */
        | 'could_not_read'
        /** Sources came or went while the lake was verified: differences may be no more than that. */
        | 'changed_meanwhile';
    /** Object that the note is about. */
    key: string;
    text: string;
}

/** Takes what is found; differences are all counted, and the first ones kept. */
export interface Findings {
    readonly listed: readonly Difference[];
    readonly count: number;
    readonly notes: readonly Note[];
    /** So many more differences are kept. */
    readonly room: number;
    add(...differences: Difference[]): void;
    /** Counts differences that are not listed. */
    addUnlisted(count: number): void;
    note(kind: Note['kind'], key: string, text: string): void;
}

export function openFindings({ maxListed }: { maxListed: number }): Findings {
    const listed: Difference[] = [];
    const notes: Note[] = [];
    let count = 0;
    return {
        listed,
        notes,
        get count() {
            return count;
        },
        get room() {
            return Math.max(0, maxListed - listed.length);
        },
        add(...differences) {
            count += differences.length;
            listed.push(...differences.slice(0, Math.max(0, maxListed - listed.length)));
        },
        addUnlisted(more) {
            count += more;
        },
        note(kind, key, text) {
            notes.push({ kind, key, text });
        },
    };
}
