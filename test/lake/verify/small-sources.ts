/** A few sources of which every figure is known, and lakes of them that go with their test. */
import { afterEach, expect } from '@jest/globals';
import { nameOfPeriod, type TablePeriod } from '#lake/layout';
import type { Difference } from '#lake/verify/findings';
import { rowOf } from '#lake/verify/say-difference';
import { verifyLake } from '#lake/verify/verify';
import { ofDay } from '#test/support/flow-tables';
import { type Flow, type HandmadeLake, makeLake, type Source, sourceOf } from './handmade-lake.ts';

export const DAY_1 = '2024-05-01';
export const DAY_2 = '2024-05-02';
export const A = '10.0.0.1';
export const B = '10.0.0.2';
export const C = 'fe80::1';

export const FIRST: Flow[] = [
    [A, B, DAY_1, 100, 1],
    [A, B, DAY_1, 250, 4],
    [B, A, DAY_1, 7, 0],
    [A, C, DAY_2, 9_007_199_254_740_993n, 2],
];
export const SECOND: Flow[] = [[A, B, DAY_1, 5, 9]];

export const first = sourceOf('raw/first.csv', FIRST);
export const second = sourceOf('raw/second.csv', SECOND);
export const berlin = sourceOf('raw/site=berlin/first.csv', SECOND);

const lakes: HandmadeLake[] = [];

/** A lake of these sources, gone after the test. */
export async function lakeOf(sources: Source[], options?: { folder: string }): Promise<HandmadeLake> {
    const lake = await makeLake(sources, options);
    lakes.push(lake);
    return lake;
}

afterEach(async () => {
    await Promise.all(lakes.splice(0).map((lake) => lake.remove()));
});

/** What `verify` of the lake finds, each difference by its columns. */
export async function differencesOf(lake: HandmadeLake): Promise<DifferenceRow[]> {
    const { differences, differenceCount, verdict } = await verifyLake({ store: lake.store });
    expect(differenceCount).toBe(differences.length);
    expect(verdict).toBe(differences.length === 0 ? 'equal' : 'different');
    return rowsOf(differences);
}

export type DifferenceRow = ReturnType<typeof rowOf>;

/** Differences as `verify` prints them. */
export function rowsOf(differences: readonly Difference[]): DifferenceRow[] {
    return differences.map((difference) => rowOf(difference));
}

/** The days of `pair_days` as a result's `mends` has them. */
export function byName(...days: string[]): Map<string, TablePeriod> {
    return new Map(days.map((day) => [nameOfPeriod(ofDay(day)), ofDay(day)]));
}
