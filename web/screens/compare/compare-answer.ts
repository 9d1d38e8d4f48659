/** What the server answers of two periods, and how subjects, measures and changes are named. */

export interface Measure {
    /** In the address. */
    name: 'packets' | 'duration' | 'flows';
    title: string;
    unit: string;
}

export const MEASURES: readonly [Measure, ...Measure[]] = [
    { name: 'packets', title: 'Packets', unit: 'packets' },
    { name: 'duration', title: 'Duration', unit: 'µs' },
    { name: 'flows', title: 'Flows', unit: 'flows' },
];

export interface Subject {
    name: 'pair' | 'device' | 'site';
    title: string;
    several: string;
}

export const SUBJECTS: readonly [Subject, ...Subject[]] = [
    { name: 'pair', title: 'Pair', several: 'Pairs' },
    { name: 'device', title: 'Device (address)', several: 'Addresses' },
    { name: 'site', title: 'Site', several: 'Sites' },
];

export interface Compared {
    from: string;
    to: string;
    before_from: string;
    before_to: string;
    site: string | undefined;
    measure: Measure;
    by: Subject;
}

export type ChangeName = 'new' | 'gone' | 'grown' | 'shrunk' | 'same';

/** How a change is written: a mark and a word, never a colour alone. */
export const CHANGE_WORDS: Readonly<Record<ChangeName, { mark: string; word: string }>> = {
    new: { mark: '+', word: 'New' },
    gone: { mark: '×', word: 'Gone' },
    grown: { mark: '▲', word: 'Grown' },
    shrunk: { mark: '▼', word: 'Shrunk' },
    same: { mark: '=', word: 'Same' },
};

export interface ChangeTotals {
    change: ChangeName;
    number: string;
    before_sum: string;
    after_sum: string;
}

interface Period {
    from: string;
    to: string;
    /** Days of the period, and those that the lake has flows of. */
    asked: number;
    there: number;
}

export type TotalsAnswer =
    | { state: 'no_flows' }
    | { state: 'no_days'; first: string; last: string }
    | { state: 'found'; before: Period; after: Period; changes: readonly ChangeTotals[] };

export type FoundTotals = Extract<TotalsAnswer, { state: 'found' }>;

export interface ChangedRow extends Readonly<Record<string, string>> {
    site: string;
    change: ChangeName;
    before_sum: string;
    after_sum: string;
    difference: string;
    distance: string;
}

/** The exact sum of figures. */
export function sumOf(figures: readonly string[]): bigint {
    return figures.reduce((sum, figure) => sum + BigInt(figure), 0n);
}

const PARTS = 1_000_000n;

/** `part` of `all`, from 0 to 1, rounded towards a half: 0 and 1 are exact. Null of nothing. */
export function shareOf(part: bigint, all: bigint): number | null {
    if (all === 0n) {
        return null;
    }
    if (part === 0n || part === all) {
        return part === 0n ? 0 : 1;
    }
    const parts = (part * PARTS) / all;
    return Number(parts < 1n ? 1n : parts >= PARTS ? PARTS - 1n : parts) / Number(PARTS);
}
