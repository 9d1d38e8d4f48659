/** Questions that were asked in this browser. They stay in it, and its user can delete them. */

export interface AskedBefore {
    /** What the address of the screen says: the question. */
    search: string;
    /** SQL, or a question's name with its values, to be recognized by. */
    title: string;
    atMs: number;
    rows: number;
    tookMs: number;
    costUsd?: number;
}

/** Questions that are remembered of each lake. */
const MAX_QUESTIONS = 100;

function placeOf(lake: string): string {
    return `flowlake-asked ${lake}`;
}

/** What was asked of the lake, the last one first. */
export function readHistory(lake: string): AskedBefore[] {
    try {
        const read: unknown = JSON.parse(localStorage.getItem(placeOf(lake)) ?? '[]');
        return Array.isArray(read) ? read.filter(isAsked) : [];
    } catch {
        // A browser that keeps nothing, or something else of this name.
        return [];
    }
}

/** Remembers a question, once, as the last one. @returns what is remembered now */
export function remember(lake: string, asked: AskedBefore): AskedBefore[] {
    return write(lake, [asked, ...readHistory(lake).filter(({ search }) => search !== asked.search)].slice(0, MAX_QUESTIONS));
}

/** Forgets a question, or all. @returns what is remembered now */
export function forget(lake: string, search?: string): AskedBefore[] {
    return write(lake, search === undefined ? [] : readHistory(lake).filter((one) => one.search !== search));
}

function write(lake: string, history: AskedBefore[]): AskedBefore[] {
    try {
        if (history.length === 0) {
            localStorage.removeItem(placeOf(lake));
        } else {
            localStorage.setItem(placeOf(lake), JSON.stringify(history));
        }
    } catch {
        // Full, or not allowed: the history is a convenience.
    }
    return history;
}

function isAsked(value: unknown): value is AskedBefore {
    const one = value as Partial<Record<keyof AskedBefore, unknown>> | null;
    return (
        typeof one === 'object' &&
        one !== null &&
        typeof one.search === 'string' &&
        typeof one.title === 'string' &&
        typeof one.atMs === 'number'
    );
}
