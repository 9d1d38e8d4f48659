/** The time that a device's screen shows, as its address says it. */

const DAY_MS = 86_400_000;

export interface Range {
    fromMs: number;
    /** Exclusive. */
    untilMs: number;
    /** Texts of the address: days, the last one inclusive, or instants. */
    from: string;
    to: string;
}

/** The range of an address; what it does not say is the week before the last reading. */
export function rangeOf(query: URLSearchParams, { firstMs, lastMs }: { firstMs: number; lastMs: number }): Range {
    const to = query.get('to') ?? dayOf(lastMs);
    const untilMs = endOf(to);
    const from = query.get('from') ?? dayOf(Math.max(firstMs, untilMs - 7 * DAY_MS));
    return { from, to, fromMs: beginningOf(from), untilMs };
}

/** Text of an address for an instant; a day where it is the beginning of one. */
export function sayFrom(ms: number): string {
    return ms % DAY_MS === 0 ? dayOf(ms) : sayInstantOf(ms);
}

/** Text of an address for an exclusive end; the day before where it is the beginning of one. */
export function sayUntil(ms: number): string {
    return ms % DAY_MS === 0 ? dayOf(ms - 1) : sayInstantOf(ms);
}

function sayInstantOf(ms: number): string {
    return new Date(ms).toISOString().replace(/(:00)?\.000Z$/, 'Z');
}

export function dayOf(ms: number): string {
    return new Date(ms).toISOString().slice(0, 'yyyy-mm-dd'.length);
}

function beginningOf(text: string): number {
    return Date.parse(text.length === 10 ? `${text}T00:00:00Z` : withZone(text));
}

function endOf(text: string): number {
    return text.length === 10 ? beginningOf(text) + DAY_MS : Date.parse(withZone(text));
}

/** All times are UTC. */
function withZone(text: string): string {
    return text.endsWith('Z') ? text : `${text}Z`;
}
