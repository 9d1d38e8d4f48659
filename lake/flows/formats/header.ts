/** The header of a text with separators: which dialect it is of, and where the needed columns stand. */
import { isIP } from 'node:net';
import { parseRow, trimBlanks } from './csv-row.ts';
import { commonDialect, RATES } from './dialects/common.ts';
import { type Dialect, findColumn, hasAny, normalize, ROLES, type Role, TITLES } from './dialects/dialect.ts';
import { REFUSALS } from './dialects/refusals.ts';
import { DIALECTS, FIRST_DIALECT } from './dialects.ts';

export interface Header {
    dialect: Dialect;
    /** The separator's byte. */
    separator: number;
    /** Names as written, trimmed. */
    names: readonly string[];
    /** Position of each role's column, from 0. */
    columns: Readonly<Record<Role, number>>;
    /** Position of the last column that is needed. */
    lastNeeded: number;
    /** Positions of the columns that tell rows which are no flows; -1 for one that the file lacks. */
    kindColumns: readonly number[];
    /** Columns that witness the unit of durations, where the file has them: a rate of packets, and the packets beside the forward ones that it counts. */
    witness: { rate: number; backward: number | undefined } | undefined;
    /** Position of the last column that is looked at in a row that is taken with care. */
    lastRead: number;
    /** Position of the column that tells flows by its bytes; -1 where there is none, and every plain row is a flow. */
    plainKind: number;
    /** Position of the last column that is looked at in a row that is taken on the fast path. */
    lastSplit: number;
}

/** A header and where the first row begins (`next`), or why there is none; `isUnlike` where no column is known. */
export type FoundHeader = { ok: true; header: Header; next: number } | { ok: false; error: string; isUnlike?: boolean };

const BLANK = ' '.charCodeAt(0);
const SEPARATORS = [',', ';', '\t', '|'].map((separator) => separator.charCodeAt(0));

export interface FindHeaderOptions {
    start: number;
    end: number;
    /** What may separate the names; where it is not said, what each dialect allows. */
    separators?: readonly number[];
    /** The dialects that it may be of. */
    dialects?: readonly Dialect[];
}

/**
 * Finds the needed columns in the header row that begins at `start`, under the separator that shows the most of them (or the one
 * given). The bytes must hold the row's line end.
 */
export function findHeader(bytes: Buffer, { start, end, separators, dialects = DIALECTS }: FindHeaderOptions): FoundHeader {
    const rows = new Map<number, { names: string[]; next: number } | undefined>();
    const namesUnder = (separator: number): { names: string[]; next: number } | undefined => {
        if (!rows.has(separator)) {
            // The caller of a later header knows where its row begins.
            const from = separators ? start : behindBlanks(bytes, { start, separator });
            const row = parseRow(bytes, { start: from, end, separator });
            const names = row.cells.map((name) => trimBlanks(name, separator));
            rows.set(separator, row.end === 'line end' ? { names, next: row.next } : undefined);
        }
        return rows.get(separator);
    };
    const candidates = dialects.flatMap((dialect) =>
        (separators ?? separatorsOf(dialect)).map((separator) => ({ dialect, separator, names: namesUnder(separator)?.names ?? [] })),
    );
    const found = pickHeader(candidates, 'no usable header');
    return found.ok ? { ...found, next: namesUnder(found.header.separator)?.next ?? end } : found;
}

/** The header of a table whose columns have names of their own, with no separator between them; `lacking` says what it is called without them. */
export function findColumns(names: readonly string[], lacking: string): { ok: true; header: Header } | { ok: false; error: string } {
    const [separator = 0] = SEPARATORS;
    return pickHeader(
        DIALECTS.map((dialect) => ({ dialect, separator, names })),
        lacking,
    );
}

interface Candidate {
    dialect: Dialect;
    separator: number;
    names: readonly string[];
}

/** The header of the first candidate that has all that its dialect needs, or what the closest one lacks. */
function pickHeader(candidates: readonly Candidate[], lacking: string): { ok: true; header: Header } | Exclude<FoundHeader, { ok: true }> {
    let closest: { missing: readonly Role[]; names: readonly string[]; dialect: Dialect } | undefined;
    for (const { dialect, separator, names } of candidates) {
        const header = headerOf(dialect, names, separator);
        if ('columns' in header) {
            return { ok: true, header };
        }
        const isCloser =
            !closest ||
            header.missing.length < closest.missing.length ||
            (dialect === FIRST_DIALECT && header.missing.length === closest.missing.length && names.length > closest.names.length);
        closest = isCloser ? { ...header, names, dialect } : closest;
    }
    for (const { names } of candidates) {
        const refusal = REFUSALS.find(({ has, hasNot = [] }) => has.every((name) => hasAny(names, [name])) && !hasAny(names, hasNot));
        if (refusal) {
            return { ok: false, error: refusal.error };
        }
    }
    const { missing, ...about } = closest ?? { missing: ROLES, names: [], dialect: FIRST_DIALECT };
    const isUnlike = missing.length === ROLES.length;
    return { ok: false, error: `${lacking}: ${describeMissing({ missing, ...about })}`, isUnlike };
}

/** The beginning of a row: where blanks separate, those at a line's beginning separate nothing. */
export function behindBlanks(bytes: Buffer, { start, separator }: { start: number; separator: number }): number {
    let at = start;
    while (separator === BLANK && bytes[at] === BLANK) {
        at += 1;
    }
    return at;
}

/** The header that a file without one might have had, where its first row tells by what tool it was written. */
export function findHeadless(bytes: Buffer, { start, end }: { start: number; end: number }): Header | undefined {
    for (const dialect of DIALECTS.filter(({ headless }) => headless !== undefined)) {
        for (const separator of separatorsOf(dialect)) {
            const row = parseRow(bytes, { start: behindBlanks(bytes, { start, separator }), end, separator });
            const cells = row.cells.map((cell) => trimBlanks(cell, separator));
            // Where blanks separate, those at a line's end separate nothing.
            const last = separator === BLANK ? cells.findLastIndex((cell) => cell !== '') : cells.length - 1;
            const found = row.end === 'line end' ? dialect.headless?.find(({ isRow }) => isRow(cells.slice(0, last + 1))) : undefined;
            const header = found && headerOf(dialect, found.names, separator);
            if (header && 'columns' in header) {
                return header;
            }
        }
    }
    return undefined;
}

const ALL_SEPARATORS = [...new Set(DIALECTS.flatMap(separatorsOf))];

function separatorsOf({ separators }: Dialect): readonly number[] {
    return separators?.map((separator) => separator.charCodeAt(0)) ?? SEPARATORS;
}

/** True if a header row may go on behind `end`: under some separator a quoted name is still open there. */
export function isHeaderOpen(bytes: Buffer, { start, end }: { start: number; end: number }): boolean {
    return ALL_SEPARATORS.some((separator) => parseRow(bytes, { start, end, separator }).end === 'more');
}

/** True if a row's cells (up to the last needed one) are the header once more. */
export function isRepeatedHeader(cells: readonly string[], header: Header): boolean {
    const { columns, names, separator } = header;
    return ROLES.every((role) => {
        const cell = cells[columns[role]];
        return cell !== undefined && normalize(trimBlanks(cell, separator)) === normalize(names[columns[role]] ?? '');
    });
}

/** True if two headers have the same columns in the same order. */
export function haveSameNames(one: Header, other: Header): boolean {
    return one.names.length === other.names.length && one.names.every((name, at) => normalize(name) === normalize(other.names[at] ?? ''));
}

const SOURCE_NAMES = new Set(DIALECTS.flatMap(({ columns }) => columns.src_ip.map(normalize)));

/** True if one of the cells is what some tool calls the source address: the row may be a header. */
export function hasSourceName(cells: readonly string[], separator: number): boolean {
    return cells.some((cell) => SOURCE_NAMES.has(normalize(trimBlanks(cell, separator))));
}

/** True if one of the row's cells, trimmed, is an address: the row is no header. */
export function hasAddress(cells: readonly string[]): boolean {
    return cells.some((cell) => isIP(cell) !== 0);
}

/** What the names of a Zeek log may be: those that all mixtures have. */
export const ZEEK_DIALECTS: readonly Dialect[] = [FIRST_DIALECT];

function headerOf(dialect: Dialect, names: readonly string[], separator: number): Header | { missing: readonly Role[] } {
    const place = (role: Role): number => findColumn(names, dialect.columns[role]);
    const missing = ROLES.filter((role) => place(role) < 0);
    if (missing.length > 0 || dialect.alsoHas?.every((name) => hasAny(names, [name])) === false) {
        return { missing: missing.length > 0 ? missing : ROLES };
    }
    const columns = {
        src_ip: place('src_ip'),
        dst_ip: place('dst_ip'),
        timestamp: place('timestamp'),
        flow_duration: place('flow_duration'),
        fwd_pkts: place('fwd_pkts'),
    };
    const lastNeeded = Math.max(...Object.values(columns));
    const kindColumns = (dialect.rowKind?.columns ?? []).map((spellings) => findColumn(names, spellings));
    const told = dialect === FIRST_DIALECT ? commonDialect(names, names[columns.src_ip] ?? '') : dialect;
    const witness = dialect.isEnd === true ? undefined : findWitness(names);
    const lastRead = Math.max(lastNeeded, ...kindColumns, witness?.rate ?? 0, witness?.backward ?? 0);
    const plainKind = findColumn(names, dialect.rowKind?.plain ?? []);
    return {
        dialect: told,
        separator,
        names,
        columns,
        lastNeeded,
        kindColumns,
        witness,
        lastRead,
        plainKind,
        lastSplit: told.isUnitOpen === true ? lastRead : Math.max(lastNeeded, plainKind),
    };
}

function findWitness(names: readonly string[]): Header['witness'] {
    const [all, backward, forward] = [RATES.all, RATES.backwardPackets, RATES.forward].map((spellings) => findColumn(names, spellings));
    if (all !== undefined && all >= 0 && backward !== undefined && backward >= 0) {
        return { rate: all, backward };
    }
    return forward !== undefined && forward >= 0 ? { rate: forward, backward: undefined } : undefined;
}

function describeMissing({ missing, names, dialect }: { missing: readonly Role[]; names: readonly string[]; dialect: Dialect }): string {
    const lookedFor = missing.map((role) => `${TITLES[role]} (${dialect.columns[role].join(', ')})`).join(', ');
    const shown = names.slice(0, 8).map((name) => JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name));
    const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : '';
    return `looked for ${lookedFor}; found ${shown.join(', ') || 'nothing'}${more}`;
}
