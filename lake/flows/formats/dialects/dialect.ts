/** What a dialect is: how a tool names the columns of its text, and what else the reader must know of it. */
import type { SkipReason } from '../../flow-sink.ts';
import type { DurationUnit } from '../../options.ts';
import type { UnitBy } from '../format.ts';

/** What the lake reads of a row, in the order in which the checks are made. */
export const ROLES = ['src_ip', 'dst_ip', 'timestamp', 'flow_duration', 'fwd_pkts'] as const;
export type Role = (typeof ROLES)[number];

/** Spellings of each role's column; compared without case and surrounding blanks. */
export type Spellings = Readonly<Record<Role, readonly string[]>>;

export interface Dialect {
    /** What the ledger calls it. */
    name: string;
    /** The columns that it must have. */
    columns: Spellings;
    /** True if `flow_duration` is the time when the flow ended: the duration is what lies between. */
    isEnd?: boolean;
    /** Columns that it must have beside those, so that it is not taken for another. */
    alsoHas?: readonly string[];
    /** What durations are written in unless the rows or the uploader say otherwise, and what tells so. */
    unit(names: readonly string[]): { unit: DurationUnit; by: UnitBy };
    /** Smallest number that is a timestamp in epoch seconds; where a tool writes nothing else but epochs that is 0. */
    minEpochSeconds: number;
    /** What may separate its fields, where that is not a comma, semicolon or tab. */
    separators?: readonly string[];
    /** Lines with nothing else in them behind which no rows come until another header does. */
    trailers?: readonly string[];
    /** Looks at columns that tell rows which are no flows. */
    rowKind?: RowKind;
    /** True if a written date of January 1970 is one that lost its end; see docs/reading.md. */
    isWithoutJanuary1970?: boolean;
    /** True if nothing but the rows tells the unit of its durations: all of them are asked. */
    isUnitOpen?: boolean;
    /** True if it writes durations as whole numbers: a fraction speaks against the unit that the names tell. */
    isDurationWhole?: boolean;
    /** Names of its columns where the file has no header: these names, if the first row looks like it. */
    headless?: readonly { names: readonly string[]; isRow(cells: readonly string[]): boolean }[];
}

/** The unit that was given, where the dialect writes durations that it can be of. */
export function givenUnit({ isEnd }: Dialect, { durationUnit }: { durationUnit?: DurationUnit | undefined }): DurationUnit | undefined {
    return isEnd === true ? undefined : durationUnit;
}

/** Columns that tell what a row is, and how. */
export interface RowKind {
    columns: readonly (readonly string[])[];
    /** Takes the cells of these columns, '' where the file lacks one. @returns why the row is no flow, or an error that makes the file unusable */
    of(cells: readonly string[]): SkipReason | { error: string } | undefined;
    /** The column that tells flows by its bytes; a row of a file without it is one if it has all that is needed. */
    plain: readonly string[];
    /** True if a row with this field in that column, and with addresses and times, is surely a flow; the others are left to `of`. */
    isFlow(bytes: Buffer, start: number, end: number): boolean;
}

/** What each role's column holds, for people. */
export const TITLES: Readonly<Record<Role, string>> = {
    src_ip: 'source address',
    dst_ip: 'destination address',
    timestamp: 'timestamp',
    flow_duration: 'duration',
    fwd_pkts: 'forward packets',
};

/** Numbers from here on are timestamps; below a number may be the serial day of a spreadsheet, a clock or a compact date. */
export const SERIAL_DAYS_END = 100_000_000;

export const seconds = (): { unit: DurationUnit; by: UnitBy } => ({ unit: 's', by: 'named' });
export const milliseconds = (): { unit: DurationUnit; by: UnitBy } => ({ unit: 'ms', by: 'named' });
export const microseconds = (): { unit: DurationUnit; by: UnitBy } => ({ unit: 'us', by: 'named' });

/** True if a header has a column of one of these names. */
export function hasAny(names: readonly string[], wanted: readonly string[]): boolean {
    return findColumn(names, wanted) >= 0;
}

/** Place of the first column with one of the spellings; -1 where there is none. */
export function findColumn(names: readonly string[], spellings: readonly string[]): number {
    const wanted = spellings.map(normalize);
    return names.findIndex((name) => wanted.includes(normalize(name)));
}

export function normalize(name: string): string {
    return name.toLowerCase();
}
