/** What a kind of data is: one value, with all that the rest of the house needs to know of it. lake/kinds.ts lists the kinds that there are. */

import type { QueryResult, Value } from '#lake/query/query-engine';
import type { ByteRange, ByteStream, Scratch } from '#lake/store/object-store';
import type { Column, DayTable, MergedTable, Table } from '#lake/tables';
import type { TypedRows } from '#lake/typed-rows';

export interface Kind {
    /** Name in raw keys (`raw/kind=<name>/`) and on the command line. Lower case letters, digits and dashes. */
    name: string;
    /**
     * Number that is part of what a version of a source was read from. Raise it when the same bytes would be read otherwise, and
     * `reconcile` reads every source again. A program that meets a ledger record of a higher one stops, else it would put its older figures
     * in the place of the newer ones.
     */
    format: number;
    /** Format of objects that do not say theirs and have all columns: they are older than the saying. Of a kind that is younger every object says it. */
    unsaidFormat?: number;
    /** Table of what the sources come to together: one object per period. */
    merged: MergedTable;
    /** Table of what each source contributes to each period: the columns and period of `merged`, one object per version and period. */
    contributions: MergedTable;
    /** Table of what could not be used, one object per version. Its first columns are `source` and `version`. */
    rejects: Table;
    /** What a reading finds out about a source beside the counts of its rows: columns of table `sources`, each a field of the ledger record. */
    found: readonly Column[];
    /** The fields of a ledger record that `found` describes (and others that are kept in no table), where nothing was read. */
    nothingFound: Found;
    /** Documents of the lake that readings of the kind may ask for by name: `SourceBytes.input`. */
    inputs?: Inputs;
    /** How an uploader may say that a file must be read. Their order is part of what a version was read from: new ones go to the end. */
    options: readonly ReadingOption[];
    /**
     * True if a file of this name must be one of the kind's: one in a folder that cannot be used fails then, where another is left out. What a file is
     * its content decides.
     */
    isLikelyName(name: string): boolean;
    /**
     * The key columns that people ask for figures by, without `site`: the first ones of the key, where the others are more than a person knows, as the
     * identity of a message is. All of them where it is left out.
     */
    askedBy?: readonly string[];
    /** Brings values of key columns that a person typed into the form that the tables have; without it they are taken as they are. */
    toStoredKey?(typed: readonly string[]): string[];
    /**
     * What the beginning of a file tells of it; what its end does too, where `parts` are there and the format keeps its table of contents at the end. Reads
     * no more of it than that takes.
     */
    inspect(bytes: ByteStream, parts?: ByRange): Promise<Inspection>;
    /** Reads a source to its end. Memory grows with what is merged, not with the rows. Errors of the stream pass through. */
    read(source: SourceBytes, options: ReadingOptions): Promise<ReadOutcome>;
    /**
     * Hashes of the first 1, 2, 4, ... rows that are kept, as `ReadOutcome.beginning` has them; no more of the source is read than that takes. By
     * them a source that another one begins with is known. A kind without it has such sources counted.
     */
    beginning?(source: ByRange & Pick<SourceBytes, 'open' | 'input' | 'signal'>, options: ReadingOptions): Promise<readonly string[]>;
    /**
     * Reads a source once more and tells of each row that is part of one key's figures in one period.
     * @returns why the source cannot be read, else undefined
     */
    trace(source: SourceBytes, wanted: Traced): Promise<string | undefined>;
    /** What a person should know of how a source was read with these options, each in one sentence for all files that it holds for. */
    doubtsOf(record: Found, context: { options: ReadingOptions; now: Date }): readonly Doubt[];
    /**
     * True if each row tells its site itself, as a chain of messages of many sites needs it. Else all rows of a source are of the site that its raw key names.
     */
    hasOwnSites?: boolean;
    /** What must balance between rows, figures and keys: `verify` looks for it, `history` and `explain` show shares by it. */
    accounts?: Accounts;
    /**
     * A second way to read a source, which shares neither the reading of rows nor the arithmetic with `read`: for `verify`. Without one a source is
     * verified by its contributions alone.
     */
    secondReader?: () => Promise<SecondReader>;
    /** Tables that are computed from the merged objects. */
    derived?: readonly DerivedTable[];
    /** Questions of `sql/<kind>/queries` by their names, which one pass over the merged objects answers faster than SQL: for a lake in a directory. */
    passes?: Readonly<Record<string, Pass>>;
}

/** The documents that readings of a kind may ask for: their place, their name among people, and what comes with the program. lake/inputs.ts reads and adds them. */
export interface Inputs {
    /** Prefix of their keys, with the final slash. No other table or kind has it. */
    prefix: string;
    /** What people call one of them: `profile`. It is the name of the command that lists and adds them. */
    noun: string;
    /** Beginning of the names of the views that inputs are made into. */
    viewPrefix?: string;
    /** The view that an input is made into, over the kind's tables: its text is the same for every engine. */
    viewOf?(document: unknown): Promise<{ name: string; sql: string }>;
    /** Name of one that comes with the program, for examples in the help. */
    example?: string;
    /** Documents that come with the program, by name. None holds in a lake before it was added there: so a newer program changes no figure by itself. */
    presets?(): Promise<ReadonlyMap<string, unknown>>;
    /** Lets documents pass that readings can use. @returns the name that one gives itself, if it does @throws UsageError that names each fault */
    check?(document: unknown): Promise<string | undefined>;
    /** Reads one payload by a document, and tells what comes of it. */
    tryOut?: TryInput;
    /** A small payload that a document reads, under one of these topics; undefined where no plain one does. */
    exampleOf?(
        document: unknown,
        options: { device: string; topics: readonly string[]; now: Date },
    ): Promise<{ topic: string; payload: string } | undefined>;
}

/** @returns a row for each thing that was read, or why it was not; `isUsable` is false where nothing of the payload could be used */
export type TryInput = (
    document: unknown,
    payload: TriedPayload,
) => Promise<{ columns: QueryResult['columns']; rows: Value[][]; isUsable: boolean }>;

/** A payload, and what is known of its way; what is left out is not known. */
export interface TriedPayload {
    bytes: Uint8Array;
    topic?: string | undefined;
    /** Device as authenticated. */
    device?: string | undefined;
    /** Headers by their names in lower case. */
    headers?: Readonly<Record<string, string>> | undefined;
    /** Partition key of a stream. */
    key?: string | undefined;
    /** True if the broker sent it again to a new subscription. */
    isRetained?: boolean | undefined;
    arrivedAt: Date;
}

/** An input as it was when it was asked for. Versions never change: a corrected document is another version. */
export interface Input {
    /** Number of the version, from 1. */
    version: number;
    /** Value of its JSON. */
    document: unknown;
}

/**
 * A table that is computed from a kind's merged objects and the inputs that it asks for, and from nothing else: one object per day, which says what it
 * was made of. docs/design.md ("Derived tables") has the rules.
 */
export interface DerivedTable {
    table: DayTable;
    /** Number that the objects say. Raise it when the same merged rows would come to others: `reconcile` derives every day again. */
    format: number;
    /** True if a day begins with what the day before it ended with; else each merged object is looked at for itself. */
    isChained: boolean;
    /**
     * What one merged object comes to. Pure: equal rows, inputs and opening state give equal rows in equal order and an equal closing state, with no
     * clock and no other reading. Called for each merged object of the day that has rows, ascending, so that one without rows changes nothing.
     */
    derive(part: DayPart): Promise<DerivedPart>;
    /**
     * Rows of a chained table that stand for the state that the day closes with, once in each object: what is open then. Pure as `derive` is.
     */
    atEnd?(closing: Json, context: Pick<DayPart, 'input'>): Promise<TypedRows>;
    /** The merged object that a row came of, by its period; not of a chained table, whose rows are all derived anew when one changes. */
    partOf?(rows: TypedRows, context: { day: string }): (row: number) => string;
}

/** A merged object that has rows, and what came before it. */
export interface DayPart {
    /** The object's period: a day, or an hour of it. */
    period: string;
    /** Its rows, at least one. */
    rows: TypedRows;
    /** The document of this name as it is now, the same however often it is asked for; undefined where there is none. What was asked for is named in the object. */
    input(name: string): Promise<Input | undefined>;
    /** The state behind the object before this one, of this day or an earlier one; null where there is none, and where the table is not chained. */
    opening: Json;
}

/** What a merged object comes to. */
export interface DerivedPart {
    /** Rows of the table, in the order in which they are to stand. */
    rows: TypedRows;
    /** The state behind the object, of a chained table. Its properties have one order, whatever way they came about. */
    closing?: Json;
}

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/**
 * Answers a question from the merged objects, which come in the order of their periods. `parameters` are those of the SQL.
 * @returns the answer that SQL would give, row by row; undefined where SQL must be asked, because the objects are not such that both surely agree
 */
export type Pass = (objects: Iterable<MergedObject>, parameters: readonly Value[]) => Promise<PassAnswer | undefined>;

/** The object of a period of the merged table. */
export interface MergedObject {
    period: string;
    /** Hands the object's bytes out for as long as `use` takes. */
    read(use: (bytes: ByRange) => Promise<void>): Promise<void>;
}

export interface PassAnswer {
    columns: QueryResult['columns'];
    rows: Value[][];
}

/** How the rows of a source, the figures of its contributions and what the ledger says of it hang together. */
export interface Accounts {
    /**
     * The figure that counts rows of sources: at least 1 in every row. Over a source's contributions it adds up to the source's
     * `rows_kept`, or to the column of `found` that `total` names: a row of a source may come to many, as a message comes to readings.
     */
    rows: string;
    total?: string;
    /** The column of `found` that counts the rows of `rejects` beside one for each rejected row: parts of rows that could not be used. */
    partsRejected?: string;
    /** The column of `found` that says how many keys (without `site`) a source has, in whatever periods. */
    keys?: string;
    /**
     * Measures that are never below 0: `<name>_sum`, `<name>_sum_sq`, `<name>_min` and `<name>_max` are of as many values as `rows` says, or as the
     * measure's own figure among `counts` does.
     */
    measures?: readonly string[];
    /**
     * Figures that count the values of a measure, by the measure's name, where not every counted row has one. Where there is no value at all the
     * smallest and the largest are null.
     */
    counts?: Readonly<Record<string, string>>;
}

/** A second way to read a source, for `verify`: figures by SQL, in a database of its own. */
export interface SecondReader {
    /**
     * Leaves the figures of the source in table `source_periods` (key columns but site, which it has only of a kind with `hasOwnSites`, `period` as text, figures), made anew.
     * @returns what the ledger should say of the source; undefined where it cannot be used
     * @throws NotFollowedError for a source that this reading does not follow, DamagedFileError for one whose bytes end too early or cannot be
     * unpacked (both of lake/verify/second-reading.ts), OverflowError where a sum leaves its column
     */
    recompute(engine: SqlEngine, source: SecondSource, options: ReadingOptions): Promise<Recount | undefined>;
    /** Second ways to compute the kind's derived tables, by their names. A table without one is not judged. */
    derivations?: Readonly<Record<string, SecondDerivation>>;
}

/** A second way to compute a day of a derived table. */
export interface SecondDerivation {
    /**
     * Leaves the rows that the day's object should have in table `derived_rows` (all columns of the derived table), from table `day_rows`: the rows of
     * the day's merged objects as they were recomputed (all columns and `period`, numbers wider than in a file).
     * @returns the state that the day closes with; null where the table is not chained
     */
    derive(engine: SqlEngine, day: SecondDay): Promise<Json>;
    /** What a state of a chained table says, fact by fact, so that two of them can be compared. @throws Error for what is no state */
    factsOf?(state: Json): StateFact[];
}

export interface SecondDay {
    /** The state that the day opens with; null where there is none before it. */
    opening: Json;
    /** The input of that name as it is now, as `DayPart.input`. */
    input: DayPart['input'];
}

/** One thing that a state says of what the key columns name: `last reading`, `2026-01-05T09:00:00.000Z`. */
export interface StateFact {
    key: Readonly<Record<string, string>>;
    figure: string;
    value: string;
}

/** A source as a second reader gets it. */
export interface SecondSource {
    /** Hands out the bytes from the beginning, as often as it is called. */
    open(): ByteStream;
    /** The file's name without its folders: some tools tell by nothing else what a file holds. */
    name: string;
    /** Site that the raw key names. */
    site: string;
    /** The input of that name, as `SourceBytes.input`, in the version that the source was read with by its record. */
    input: SourceBytes['input'];
}

/** The database that a second reader counts in. */
export interface SqlEngine {
    run(sql: string): Promise<void>;
    rows(sql: string): Promise<Record<string, unknown>[]>;
    /** Rows some thousands at a time, in the order of the query, without holding all of them. Nothing else may be asked until it has ended. */
    batches(sql: string): AsyncIterable<Record<string, unknown>[]>;
    /**
     * Runs one statement for each text, its only parameter, side by side and in no certain order. The texts are taken as they are needed. The
     * statements see no temporary tables: those are of one connection.
     */
    runForEach(work: AsyncIterable<{ sql: string; text: string }>): Promise<void>;
}

/** What the ledger should say of a source: its fields by their names, and its rejects by reason. */
export interface Recount {
    fields: Readonly<Record<string, string | number | null>>;
    rejects: ReadonlyMap<string, bigint>;
}

/** What the beginning of a file tells. */
export type Inspection =
    /** `saysHow`: true if the file itself says what an option that is needed would say. */
    | { is: 'usable'; saysHow?: boolean }
    /** Nothing of it can be used; `why` says what was looked for and what was found, `what` in a few words what it is (`a PDF document`), if that is known. */
    | {
          is: 'unusable';
          why: string;
          what?: string | undefined;
          /** True if nothing in it is like a file of the kind: in a folder it is left out, whatever its name. */
          isUnlike?: boolean;
      }
    /** A file that is surely none of the kind's, but lies beside them by right: left out, and no failure. `what` is as people say it: `Zeek dns log`. */
    | { is: 'other'; what: string };

/** A fact about a source, by its column's name. */
export type Found = Readonly<Record<string, string | number | null>>;

export interface ReadingOption {
    /** Name in the ledger, in camel case. */
    name: string;
    /** Name in the raw object's metadata and on the command line (behind `--`). */
    flag: string;
    /** The values that it may have; without them it names an input of the kind, which must be there. */
    choices?: readonly string[];
    /** True if no file can be read without it, but one that says so itself (`Inspection`): an upload that does not say it is refused. */
    isNeeded?: boolean;
    meaning: string;
}

/** What was said of how to read a source, by the options' names; what is not said is found out. */
export type ReadingOptions = Readonly<Record<string, string>>;

/** Bytes of which any part can be read. */
export interface ByRange {
    /** The file's name without its folders, where it has one: some tools tell by nothing else what a file holds. */
    name?: string;
    sizeBytes: number;
    /** The bytes from `start` up to `end`, which is exclusive; fewer where the file ends before. */
    readRange(range: ByteRange): Promise<Uint8Array<ArrayBuffer>>;
}

/** A source's bytes: what `open` hands out and what `readRange` does are the same. */
export interface SourceBytes extends ByRange {
    /** Site that the raw key names. */
    site: string;
    /** Hands out the bytes from the beginning. Rejects and traced rows that were handed over before do not count any more. */
    open(): ByteStream;
    /** Takes rejects as they are met, some thousands at a time: the columns of `rejects` behind `source` and `version`. */
    reject(rows: readonly Readonly<Record<string, unknown>>[]): Promise<void>;
    /**
     * The input of that name, of `Kind.inputs`: the same answer however often one reading asks. What was asked for is part of what the source was read
     * from, also where there is none of that name (undefined): once it has another version the source is read again.
     */
    input(name: string): Promise<Input | undefined>;
    /** Opens room for what does not fit memory. Without it all stays in memory. */
    openScratch?: (() => Scratch) | undefined;
    signal?: AbortSignal | undefined;
}

/** Rows of table `contributions` by period, ascending. A reader may make those of a period each time they are asked for. */
export interface Periods extends Iterable<[string, TypedRows]> {
    keys(): Iterable<string>;
    get(period: string): TypedRows | undefined;
    /** Frees what the rows stand in outside of memory: they cannot be asked for any more. Calling twice is safe. */
    close?(): void;
}

export type ReadOutcome =
    | {
          ok: true;
          rowsRead: number;
          rowsRejected: number;
          found: Found;
          /** See `Kind.beginning`. */
          beginning?: readonly string[];
          /** True if the source says itself that there was nothing to keep, or nothing that may count: then none that is kept is no loss. */
          isEmptyByRight?: boolean;
          /** Whoever has read closes them. */
          periods: Periods;
      }
    /** The source cannot be used at all: nothing of it counts. The error says what was looked for and what was found. */
    | {
          ok: false;
          error: string;
          found: Found;
          /** True if it is surely none of the kind's files, but one that lies beside them by right; see `Inspection`. */
          isOther?: boolean;
      };

export interface Traced {
    /** Values of the key columns but `site`, in their order: of those that `Kind.askedBy` names. */
    key: readonly string[];
    period: string;
    /** The options that the source was read with, and what was found then. */
    options: ReadingOptions;
    found: Found;
    onRow(row: TracedRow): void;
}

export interface TracedRow {
    /** Place of the row in the source: for text the line, from 1. */
    lineNumber: number;
    /** What it adds to each measure, null where it has none; a measure `x` is summed up in column `x_sum`, or `x` itself. */
    values: Readonly<Record<string, bigint | null>>;
    /** The row as read, bytes that are not UTF-8 replaced, cut at 4,096 characters. */
    line: string;
}

export interface Doubt {
    /** What is not certain: `Nothing in {files} tells day from month`. `{files}` stands for how many files, and which. */
    text: string;
    /** What was done, and what to type where it is wrong. */
    remedy: string;
}
