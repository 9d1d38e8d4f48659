/** What verifying a lake finds: figures that differ, and what must be known beside them. */

import type { TablePeriod } from '#lake/layout';

/** What a difference belongs to; lake/verify/say-difference.ts says it in the words of the table. */
export type DifferenceKind =
    /** A figure of a row of a merged object. */
    | 'row'
    /** A merged object, as a whole or by its columns' types. */
    | 'period'
    /** What a merged object contains. */
    | 'contents'
    /** What a derived object says that it was made of. */
    | 'made_of'
    /** The state that a derived object ends with. */
    | 'state'
    /** What the ledger says of a source. */
    | 'source'
    /** What a source contributes to a period. */
    | 'summary'
    | 'rejects'
    /** An object that cannot be read whole by every reader, or whose bytes are others than were written. */
    | 'damaged'
    /** A leftover that counts nowhere. */
    | 'dead_object'
    /** An object that nothing in the ledger explains. */
    | 'orphan';

/** One figure that is not what the second reading says, or one object that is not as it should be. */
export interface Difference {
    kind: DifferenceKind;
    /** Raw key. */
    source?: string;
    /** Name of the merged or derived table that it is about, or that the object contributes to. */
    table?: string;
    /** The row, by the table's key columns. */
    key?: Readonly<Record<string, string>>;
    /** Period of the table, a day or an hour; for a strange object the day that its key names. */
    period?: string;
    /** Column of the table, or what was counted. */
    figure: string;
    /** What the lake has; null where it is not there, or is null. */
    in_lake: bigint | string | null;
    /** What it should be; null where it should not be there, or be null. */
    recomputed: bigint | string | null;
}

/** What must be known beside the differences: it could not be checked, or not from the raw file. */
export interface Note {
    kind: /** The raw file is not there: its committed summaries were taken instead. */
        | 'raw_gone'
        /** The raw file is another one than the ledger knows: its committed summaries were taken; `flowlake reconcile` reads it. */
        | 'raw_changed'
        /** The source was read with another version of an input than holds now: it was read again with that very version; `flowlake reconcile` reads it with the one that holds. */
        | 'input_changed'
        /** The raw file has no ledger record: it is in no figure until `flowlake reconcile` reads it. */
        | 'not_summarized'
        /** The raw file is there and no second reader has a way through it: the committed summaries were taken. */
        | 'not_followed'
        /** An object is there, or may be, and could not be read: nothing is said about it. */
        | 'could_not_read'
        /** Neither raw file nor summary tells what was contributed to some periods: they are not compared, and nothing can mend it. */
        | 'lost'
        /** Sources came or went while the lake was verified: differences may be no more than that. */
        | 'changed_meanwhile';
    /** Object that the note is about. */
    key: string;
    text: string;
}

/** What would mend the differences, as far as anything would. */
export interface Mends {
    /** Raw keys of sources that must be read anew under a new commit, each with its version that must make way. */
    readAnew: Map<string, string>;
    /** Periods whose object must be built anew, by their names: from its contributions, a derived day from merged objects. */
    buildAnew: Map<string, TablePeriod>;
    /** Raw keys of sources whose differences nothing but a backup mends. */
    beyondMending: Set<string>;
    /** Periods that must be left as they are, by their names: what they contain is the last trace of something. */
    lost: Map<string, TablePeriod>;
}

/** Takes what is found; differences are all counted, and the first ones kept. */
export interface Findings {
    readonly listed: readonly Difference[];
    readonly count: number;
    readonly notes: readonly Note[];
    readonly mends: Mends;
    /** How many more differences are kept. */
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
        mends: { readAnew: new Map(), buildAnew: new Map(), beyondMending: new Set(), lost: new Map() },
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
