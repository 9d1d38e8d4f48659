/** Finds which columns of a file hold what, by the names in its header and never by their positions. */
import type { DurationUnit } from '../options.ts';
import { parseRow, trimBlanks } from './csv-row.ts';

/** What the lake reads of a row, in the order in which the checks are made. */
export const ROLES = ['src_ip', 'dst_ip', 'timestamp', 'flow_duration', 'fwd_pkts'] as const;
export type Role = (typeof ROLES)[number];

/** Known spellings; compared without case and surrounding blanks. */
const SPELLINGS: Record<Role, readonly string[]> = {
    src_ip: ['Src IP', 'Source IP', 'src_ip', 'id.orig_h'],
    dst_ip: ['Dst IP', 'Destination IP', 'dst_ip', 'id.resp_h'],
    timestamp: ['Timestamp', 'Date', 'ts'],
    flow_duration: ['Flow Duration', 'flow_duration', 'duration'],
    fwd_pkts: ['Tot Fwd Pkts', 'Total Fwd Packet', 'Total Fwd Packets', 'tot_fwd_pkts', 'orig_pkts'],
};

const TITLES: Record<Role, string> = {
    src_ip: 'source address',
    dst_ip: 'destination address',
    timestamp: 'timestamp',
    flow_duration: 'duration',
    fwd_pkts: 'forward packets',
};

export interface Dialect {
    name: 'cicflowmeter' | 'python-cicflowmeter' | 'zeek';
    /** What durations are written in unless the uploader says otherwise. */
    durationUnit: DurationUnit;
    /** Smallest number that is a timestamp in epoch seconds; elsewhere than in Zeek a smaller one may be a serial day or a clock. */
    minEpochSeconds: number;
}

const ZEEK: Dialect = { name: 'zeek', durationUnit: 's', minEpochSeconds: 0 };
const PYTHON_CICFLOWMETER: Dialect = { name: 'python-cicflowmeter', durationUnit: 's', minEpochSeconds: 100_000_000 };
const CICFLOWMETER: Dialect = { name: 'cicflowmeter', durationUnit: 'us', minEpochSeconds: 100_000_000 };

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
}

/** A header and where the first row begins (`next`), or why there is none. */
export type FoundHeader = { ok: true; header: Header; next: number } | { ok: false; error: string };

const SEPARATORS = [',', ';', '\t'].map((separator) => separator.charCodeAt(0));

/**
 * Finds the needed columns in the header row that begins at `start`, under the separator that shows the most of them (or the one
 * given). The bytes must hold the row's line end.
 */
export function findHeader(
    bytes: Buffer,
    { start, end, separators = SEPARATORS }: { start: number; end: number; separators?: readonly number[] },
): FoundHeader {
    let best: { found: Map<Role, number>; names: string[]; separator: number; next: number } | undefined;
    for (const separator of separators) {
        const row = parseRow(bytes, { start, end, separator });
        const names = row.cells.map((name) => trimBlanks(name, separator));
        const found = row.end === 'line end' ? findRoles(names) : new Map<Role, number>();
        if (!best || found.size > best.found.size || (found.size === 0 && best.found.size === 0 && names.length > best.names.length)) {
            best = { found, names, separator, next: row.next };
        }
    }
    const found = best?.found ?? new Map<Role, number>();
    const missing = ROLES.filter((role) => !found.has(role));
    if (!best || missing.length > 0) {
        return { ok: false, error: describeMissing(missing, best?.names ?? []) };
    }
    const position = (role: Role): number => found.get(role) ?? -1;
    const columns = {
        src_ip: position('src_ip'),
        dst_ip: position('dst_ip'),
        timestamp: position('timestamp'),
        flow_duration: position('flow_duration'),
        fwd_pkts: position('fwd_pkts'),
    };
    const { names, separator, next } = best;
    const lastNeeded = Math.max(...Object.values(columns));
    return { ok: true, header: { dialect: dialectOf(names[columns.src_ip] ?? ''), separator, names, columns, lastNeeded }, next };
}

/** True if a header row may go on behind `end`: under some separator a quoted name is still open there. */
export function isHeaderOpen(bytes: Buffer, { start, end }: { start: number; end: number }): boolean {
    return SEPARATORS.some((separator) => parseRow(bytes, { start, end, separator }).end === 'more');
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

function findRoles(names: readonly string[]): Map<Role, number> {
    const normalized = names.map(normalize);
    const found = new Map<Role, number>();
    for (const role of ROLES) {
        const spellings = SPELLINGS[role].map(normalize);
        const at = normalized.findIndex((name) => spellings.includes(name));
        if (at >= 0) {
            found.set(role, at);
        }
    }
    return found;
}

function dialectOf(sourceColumn: string): Dialect {
    const name = normalize(sourceColumn);
    return name === 'id.orig_h' ? ZEEK : name === 'src_ip' ? PYTHON_CICFLOWMETER : CICFLOWMETER;
}

function describeMissing(missing: readonly Role[], names: readonly string[]): string {
    const lookedFor = missing.map((role) => `${TITLES[role]} (${SPELLINGS[role].join(', ')})`).join(', ');
    const shown = names.slice(0, 8).map((name) => JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name));
    const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : '';
    return `no usable header: looked for ${lookedFor}; found ${shown.join(', ') || 'nothing'}${more}`;
}

function normalize(name: string): string {
    return name.toLowerCase();
}
