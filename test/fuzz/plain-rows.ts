/** What rows of flows come to, of tables and of JSON, by docs/reading.md alone: which days are the file's, and the figures of those that are kept. */
import type { Order, PlainDate } from './plain-fields.ts';

/** The file cannot be used at all. */
export class Unusable extends Error {}

export interface PlainReject {
    lineNumber: number;
    reason: string;
    line: string;
    /** Where in the file it begins: several may stand on one line. */
    at: number;
}

const MAX_REJECT_LINE = 4096;

/** The bytes of a row, each one character, as a reject shows them. */
export function shownLine(written: string): string {
    return Buffer.from(written.slice(0, MAX_REJECT_LINE * 4), 'latin1')
        .toString('utf8')
        .slice(0, MAX_REJECT_LINE);
}

export interface GoodRow {
    reject: (reason: string) => void;
    date: Exclude<PlainDate, { reason: string }>;
    /** What is wrong with the numbers behind the date. */
    reason: string | undefined;
    source: string;
    destination: string;
    /** Duration and packets; no duration where the cell says nothing. */
    values: (bigint | null)[];
}

/** Dialects in which dates of January 1970 are what is left of others. */
export const CUT_DATES = ['cicflowmeter', 'nfdump'];

export interface Totals {
    dateOrder: string | null;
    pairs: number;
    /**
     * Totals by day, source and destination: flows, flows with a duration, then sum, sum of squares, smallest and largest of durations and of
     * packets; null where no flow has a duration.
     */
    totals: Map<string, (bigint | null)[]>;
}

/** Decides how dates are written and which days are the file's, and adds up the rows that are left. */
export function settleDates(
    rows: GoodRow[],
    rejects: PlainReject[],
    { dateOrder, dialect }: { dateOrder?: Order; dialect: string },
): Totals {
    const good = rows.filter(({ reason }) => reason === undefined);
    const witnesses = { dmy: 0, mdy: 0 };
    const epochs = { s: 0, ms: 0, us: 0, ns: 0 };
    for (const { date } of good) {
        if (date.kind === 'slash') {
            witnesses.dmy += date.mdy === undefined ? 1 : 0;
            witnesses.mdy += date.dmy === undefined ? 1 : 0;
        }
        if (date.kind === 'epoch') {
            epochs[date.unit] += 1;
        }
    }
    const order = witnesses.mdy > witnesses.dmy ? 'mdy' : 'dmy';
    const most = Math.max(...Object.values(epochs));
    const epochUnit = (['s', 'ms', 'us', 'ns'] as const).find((unit) => epochs[unit] === most);
    const dayOf = ({ date }: GoodRow): string | undefined => {
        if (date.kind === 'epoch') {
            return date.unit === epochUnit || most === 0 ? date.day : undefined;
        }
        return date.kind === 'slash' ? date[order] : date.day;
    };
    const days = good.flatMap((row) => dayOf(row) ?? []).filter((day) => day >= '1990');
    const middle = days.sort()[Math.ceil(days.length / 2) - 1];
    const lastYear = String(Math.min(9999, Number(middle?.slice(0, 4)) + 5));
    const isFar = (day: string): boolean => middle !== undefined && (day < '1990' || day > lastYear + middle.slice(4));
    const totals: Totals['totals'] = new Map();
    const pairs = new Set<string>();
    const kinds = new Set<string>();
    for (const row of rows) {
        const { reject, date, reason, source, destination, values } = row;
        const day = dayOf(row);
        const isCut = CUT_DATES.includes(dialect) && date.kind !== 'epoch' && day?.startsWith('1970-01-') === true;
        const why = day === undefined ? 'date_against_order' : isCut || isFar(day) ? 'date_implausible' : reason;
        if (day === undefined || why !== undefined) {
            reject(why ?? '');
            continue;
        }
        kinds.add(date.kind);
        pairs.add(`${source} ${destination}`);
        addUp(totals, `${day} ${source} ${destination}`, values);
    }
    rejects.sort((a, b) => a.at - b.at);
    const isSettled = witnesses.dmy + witnesses.mdy > 0;
    const unambiguous = kinds.has('dotted')
        ? 'dmy'
        : kinds.has('ymd')
          ? 'ymd'
          : kinds.has('epoch') || kinds.has('instant')
            ? 'epoch'
            : null;
    const found = isSettled ? order : kinds.has('slash') ? 'assumed' : unambiguous;
    const hasNoOrder = kinds.size > 0 && [...kinds].every((kind) => kind === 'epoch' || kind === 'instant');
    return { dateOrder: hasNoOrder ? 'epoch' : (dateOrder ?? found), pairs: pairs.size, totals };
}

function addUp(totals: Totals['totals'], key: string, values: (bigint | null)[]): void {
    const before = totals.get(key);
    const flows = (before?.[0] ?? 0n) + 1n;
    const timed = (before?.[1] ?? 0n) + (values[0] === null ? 0n : 1n);
    const figures = values.flatMap((value, measure) => {
        const [sum, squares, min, max] = before?.slice(2 + measure * 4, 6 + measure * 4) ?? [0n, 0n, null, null];
        return value === null
            ? [sum!, squares!, min!, max!]
            : [
                  sum! + value,
                  squares! + value * value,
                  min === null || value < min! ? value : min!,
                  max === null || value > max! ? value : max!,
              ];
    });
    totals.set(key, [flows, timed, ...figures]);
}
