/** Days of derived tables are what their merged objects, inputs and opening state come to, and say so. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { consolidate } from '#lake/commit/consolidate';
import { derive, deriveOnward, isDerived } from '#lake/commit/derive';
import { summarize } from '#lake/commit/summarize';
import type { Kind } from '#lake/kind';
import { kinds } from '#lake/kinds';
import { mergedKey } from '#lake/layout';
import { readRows, readState } from '#lake/parquet';
import type { ObjectStore } from '#lake/store/object-store';
import { withWords } from '#lake/tables';
import { gauges } from '#test/kinds/gauges';
import { memoryStore } from '#test/support/memory-store';

const DAY = '2026-01-05';
const NEXT = '2026-01-06';
const LATER = '2026-01-09';
const [tops, floods] = (gauges.derived ?? []).map(({ table }) => table) as [any, any];

let store: ObjectStore;
/** Keys in the order in which they are read whole. */
let reads: string[];
let puts: number;

const MOST_PUTS = 1000;

beforeAll(() => {
    (kinds as unknown as Kind[]).push(gauges);
});

beforeEach(() => {
    const inner = memoryStore();
    reads = [];
    puts = 0;
    store = {
        ...inner,
        async get(key) {
            reads.push(key);
            return inner.get(key);
        },
        async put(key, ...rest) {
            puts += 1;
            // A worker that turns in circles is a failure, and no test without end.
            expect(puts).toBeLessThan(MOST_PUTS);
            return inner.put(key, ...rest);
        },
    };
});

/** Puts a file of lines `<hour>,<gauge>,<level>`, an hour as `2026-01-05T13`, and brings its hours up to it. @returns what is built on them */
async function put(name: string, ...lines: string[]) {
    const key = `raw/kind=gauges/${name}`;
    const text = lines.map((line) => `${line.replace(',', ':00:00Z,')}\n`);
    await store.put(key, Buffer.from(`instant,gauge,level\n${text.join('')}`));
    const { periods } = await summarize(key, { store, now: () => new Date() });
    const built = new Map<string, { table: string; period: string }>();
    for (const of of periods) {
        for (const day of (await consolidate(of, { store })).derived) {
            built.set(`${day.table} ${day.period}`, day);
        }
    }
    reads = [];
    return [...built.values()];
}

async function deriveAll(...days: string[]): Promise<number> {
    let writes = 0;
    for (const { name } of [tops, floods]) {
        for await (const done of deriveOnward(name, days, { store })) {
            if ('error' in done) {
                throw done.error;
            }
            writes += done.outcome.writes;
        }
    }
    return writes;
}

async function setLimit(mm: number, version: number): Promise<void> {
    await store.put(`gauges_scales/limit/${version}.json`, Buffer.from(JSON.stringify({ mm })));
    await store.put('gauges_scales/limit.json', Buffer.from(JSON.stringify({ version })));
}

async function rowsOf(table: any, day: string): Promise<string[] | undefined> {
    const object = await store.get(mergedKey(table, day));
    if (!object) {
        return undefined;
    }
    const rows = (await readRows(withWords(table), object.bytes)) as Record<string, ArrayLike<unknown>>;
    const names = table.columns.map(({ name }: { name: string }) => name);
    return Array.from({ length: rows.site!.length }, (_, at) => names.map((name: string) => String(rows[name]![at])).join(' '));
}

describe('a day that is derived', () => {
    test('has what each of its merged objects comes to, and the state goes from one to the next', async () => {
        expect(await put('a', `${DAY}T13,pier,150`, `${DAY}T14,pier,`, `${DAY}T20,pier,90`, `${DAY}T20,lock,100`)).toEqual([
            { table: 'gauge_tops', period: DAY },
            { table: 'floods', period: DAY },
        ]);
        expect(await deriveAll(DAY)).toBe(2);
        expect(await rowsOf(tops, DAY)).toEqual([
            `main lock ${DAY}T20 1 0`,
            `main pier ${DAY}T13 1 50`,
            `main pier ${DAY}T14 1 null`,
            `main pier ${DAY}T20 1 -10`,
        ]);
        expect(await rowsOf(floods, DAY)).toEqual([`main pier ${DAY}T13 ${DAY}T20`]);
        expect(await deriveAll(DAY)).toBe(0);
    });

    test('opens with the state of the nearest earlier day that has an object, and one that comes between changes those behind it', async () => {
        await put('a', `${DAY}T13,pier,150`);
        await put('c', `${LATER}T01,pier,90`);
        await deriveAll(DAY, LATER);
        expect(await rowsOf(floods, LATER)).toEqual([`main pier ${DAY}T13 ${LATER}T01`]);
        await put('b', `${NEXT}T02,pier,20`, `${NEXT}T03,pier,120`);
        expect(await deriveAll(NEXT)).toBe(3);
        expect(await rowsOf(floods, NEXT)).toEqual([`main pier ${DAY}T13 ${NEXT}T02`]);
        expect(await rowsOf(floods, LATER)).toEqual([`main pier ${NEXT}T03 ${LATER}T01`]);
        expect((await derive({ table: 'floods', period: NEXT }, { store })).next).toBeUndefined();
    });

    test.each(['2025-12-31', '2025-01-31', '2026-01-01'])(
        'opens with the state of %s where that is the nearest, in whatever month',
        async (before) => {
            await put('a', '2024-11-30T13,pier,20', `${before}T13,pier,150`);
            await put('b', '2026-02-01T02,pier,20', '2026-02-02T02,pier,20');
            await deriveAll('2024-11-30', before, '2026-02-01', '2026-02-02');
            expect(await rowsOf(floods, '2026-02-01')).toEqual([`main pier ${before}T13 2026-02-01T02`]);
            expect(await rowsOf(floods, '2026-02-02')).toEqual([]);
        },
    );

    test('stays with an object without rows when its last reading goes, which changes nothing for the days behind it', async () => {
        await put('a', `${DAY}T13,pier,150`);
        await put('b', `${NEXT}T02,pier,20`);
        await put('c', `${LATER}T01,pier,90`);
        await deriveAll(DAY, NEXT, LATER);
        expect(await rowsOf(floods, LATER)).toEqual([]);
        await put('b');
        await deriveAll(NEXT);
        expect(await rowsOf(tops, NEXT)).toEqual([]);
        expect(await rowsOf(floods, NEXT)).toEqual([]);
        expect(await rowsOf(floods, LATER)).toEqual([`main pier ${DAY}T13 ${LATER}T01`]);
        expect(await deriveAll(DAY, NEXT, LATER)).toBe(0);
    });

    test('has no object where there is no merged one', async () => {
        expect(await deriveAll(DAY)).toBe(0);
        expect(await rowsOf(tops, DAY)).toBeUndefined();
        expect(await isDerived({ table: 'floods', period: DAY }, { store })).toBe(true);
    });

    test('is derived anew when an input gets another version, or comes to be', async () => {
        await put('a', `${DAY}T13,pier,150`);
        await put('b', `${NEXT}T02,pier,130`);
        await deriveAll(DAY, NEXT);
        await setLimit(120, 1);
        expect(await isDerived({ table: 'gauge_tops', period: DAY }, { store })).toBe(false);
        await deriveAll(DAY, NEXT);
        expect(await rowsOf(tops, DAY)).toEqual([`main pier ${DAY}T13 1 30`]);
        expect(await isDerived({ table: 'gauge_tops', period: DAY }, { store })).toBe(true);
        await setLimit(140, 2);
        await deriveAll(DAY, NEXT);
        expect(await rowsOf(tops, DAY)).toEqual([`main pier ${DAY}T13 1 10`]);
        expect(await rowsOf(floods, NEXT)).toEqual([`main pier ${DAY}T13 ${NEXT}T02`]);
    });

    test('reads the one hour that has changed, and of a chained table all of them', async () => {
        await put('a', `${DAY}T13,pier,150`, `${DAY}T14,pier,160`, `${DAY}T15,pier,170`);
        await deriveAll(DAY);
        await put('b', `${DAY}T14,pier,90`);
        await deriveAll(DAY);
        expect(reads.filter((key) => key.startsWith('gauges_hours/'))).toEqual(
            ['14', '13', '14', '15'].map((hour) => `gauges_hours/day=${DAY}/${hour}.parquet`),
        );
        expect(await rowsOf(tops, DAY)).toEqual([`main pier ${DAY}T13 1 50`, `main pier ${DAY}T14 2 60`, `main pier ${DAY}T15 1 70`]);
    });

    test('is written whatever a damaged object of it holds', async () => {
        await put('a', `${DAY}T13,pier,150`);
        for (const table of [tops, floods]) {
            await store.put(mergedKey(table, DAY), Buffer.from('rubbish'));
            expect(await isDerived({ table: table.name, period: DAY }, { store })).toBe(false);
        }
        expect(await deriveAll(DAY)).toBe(2);
        expect(await rowsOf(tops, DAY)).toEqual([`main pier ${DAY}T13 1 50`]);
    });

    test('is derived anew for another format of its table, and not by a version that does not know that one', async () => {
        await put('a', `${DAY}T13,pier,150`);
        await deriveAll(DAY);
        const [derived] = gauges.derived ?? [];
        derived!.format = 2;
        try {
            expect(await isDerived({ table: 'gauge_tops', period: DAY }, { store })).toBe(false);
            expect(await deriveAll(DAY)).toBe(1);
            expect(await isDerived({ table: 'gauge_tops', period: DAY }, { store })).toBe(true);
        } finally {
            derived!.format = 1;
        }
        await expect(derive({ table: 'gauge_tops', period: DAY }, { store })).rejects.toThrow(
            `gauge_tops/day=${DAY}/part-00.parquet was derived by a newer version of flowlake (format 2 of gauge_tops, this one has 1): install that one`,
        );
    });

    test('says which object is damaged that it is made of, and what to type', async () => {
        await put('a', `${DAY}T13,pier,150`);
        await put('b', `${NEXT}T13,pier,150`);
        await deriveAll(DAY, NEXT);
        const before = (await store.get(mergedKey(floods, DAY)))!.bytes;
        readState(before)!.fill(0);
        await store.put(mergedKey(floods, DAY), before);
        await store.put(`gauges_hours/day=${NEXT}/14.parquet`, Buffer.from('rubbish'));
        await expect(derive({ table: 'gauge_tops', period: NEXT }, { store })).rejects.toThrow(
            `gauges_hours/day=${NEXT}/14.parquet cannot be read as Parquet`,
        );
        await expect(derive({ table: 'floods', period: NEXT }, { store })).rejects.toThrow(
            `floods/day=${DAY}/part-00.parquet has no state that can be read: flowlake rebuild --from ${DAY} --to ${DAY} --anew derives it anew`,
        );
        expect((await derive({ table: 'floods', period: DAY }, { store, anew: true })).writes).toBe(1);
    });

    test('is what it comes to anew, whatever was added, taken away and published before', async () => {
        const random = randomOf(7);
        for (let round = 0; round < 25; round += 1) {
            const lines = [DAY, NEXT, LATER].flatMap((day) =>
                ['03', '04', '17'].flatMap((hour) =>
                    random(2) === 0 ? [] : [`${day}T${hour},${['pier', 'lock'][random(2)]},${random(4) === 0 ? '' : 40 + random(120)}`],
                ),
            );
            const told = await put(['a', 'b', 'c'][random(3)] as string, ...lines);
            if (random(5) === 0) {
                await setLimit(80 + random(40), round + 1);
                await deriveAll(DAY, NEXT, LATER);
            }
            await deriveAll(...new Set(told.map(({ period }) => period)));
            const fresh = memoryStore();
            for (const prefix of ['gauges_hours/', 'gauges_scales/']) {
                for await (const { key } of store.list(prefix)) {
                    await fresh.put(key, (await store.get(key))!.bytes);
                }
            }
            const kept = store;
            const found = await allRows();
            store = fresh;
            await deriveAll(DAY, NEXT, LATER);
            expect({ round, rows: found }).toEqual({ round, rows: await allRows() });
            store = kept;
        }
    }, 60_000);
});

async function allRows(): Promise<unknown> {
    const rows: unknown[] = [];
    for (const table of [tops, floods]) {
        for (const day of [DAY, NEXT, LATER]) {
            rows.push(`${table.name} ${day}`, await rowsOf(table, day));
        }
    }
    return rows;
}

/** Whole numbers from 0 to below a limit, the same for the same seed. */
function randomOf(seed: number): (limit: number) => number {
    let state = seed;
    return (limit) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor((state / 2 ** 32) * limit);
    };
}
