/** Figures of any table side by side, and which figures are possible: what the judge knows of a table is in its columns. */
import { flows } from '#lake/flows/kind';
import { flowMeasures } from '#lake/flows/tables';
import type { Accounts } from '#lake/kind';
import { key, type MergedColumn, type MergedTable, measure, merged } from '#lake/tables';
import { compareFigures } from '#lake/verify/compare';
import { type Engine, openEngine } from '#lake/verify/engine';
import { type Difference, openFindings } from '#lake/verify/findings';
import { findImpossible, rulesOf } from '#lake/verify/impossible';
import { columnsOf } from '#lake/verify/table-sql';
import { gauges } from '#test/kinds/gauges';

let engine: Engine;

beforeAll(async () => {
    engine = await openEngine();
});

afterAll(async () => {
    await engine.close();
});

function tableOf(...figures: MergedColumn[]): MergedTable {
    return {
        name: 'meters',
        prefix: 'meters/',
        format: 'parquet',
        per: 'day',
        grain: 'meter and day',
        // Words of SQL are names like any other.
        columns: [key('site', 'where'), key('order', 'which'), ...figures],
        rowName: '{order} at {site}',
    };
}

function nullable(column: MergedColumn): MergedColumn {
    return { ...column, nullable: true };
}

describe('figures side by side', () => {
    const table = tableOf(nullable(merged('count', 'sum', 'n')), { ...nullable(merged('name', 'max', 'a text')), type: 'string' });
    const row = (order: string, count: string, name: string): string =>
        `select 'main' as site, '${order}' as "order", '2026-01-05' as period, ${count}::hugeint as count, ${name}::varchar as name`;

    async function compare(inLake: string[], recomputed: string[]) {
        const findings = openFindings({ maxListed: 10 });
        const none = `${row('', 'null', 'null')} limit 0`;
        const all = (rows: string[]): string => (rows.length === 0 ? none : rows.join(' union all '));
        await compareFigures(
            engine,
            { table, about: { kind: 'row', table: 'meters' }, inLake: all(inLake), recomputed: all(recomputed) },
            findings,
        );
        expect(findings.count).toBe(findings.listed.length);
        return findings.listed.map(({ key: of, figure, in_lake, recomputed: right }) => [of?.order, figure, in_lake, right]);
    }

    test('are equal where both are null, and differ where one is', async () => {
        expect(await compare([row('a', 'null', 'null')], [row('a', 'null', 'null')])).toEqual([]);
        expect(await compare([row('a', '0', `''`)], [row('a', 'null', 'null')])).toEqual([
            ['a', 'count', 0n, null],
            ['a', 'name', '', null],
        ]);
        expect(await compare([row('a', 'null', `'x'`)], [row('a', '1', `'y'`)])).toEqual([
            ['a', 'count', null, 1n],
            ['a', 'name', 'x', 'y'],
        ]);
    });

    test('tell a row of nulls that is missing, one that is too many, and one that stands there twice', async () => {
        expect(await compare([], [row('a', 'null', 'null')])).toEqual([['a', 'rows', null, 1n]]);
        expect(await compare([row('a', 'null', 'null')], [])).toEqual([['a', 'rows', 1n, null]]);
        expect(await compare([row('a', 'null', 'null'), row('a', 'null', 'null')], [row('a', 'null', 'null')])).toEqual([
            ['a', 'rows', 2n, 1n],
        ]);
    });
});

describe('what is possible', () => {
    test('of flows is told by their accounts, each figure once', () => {
        expect(rulesOf(flows).map(({ figure }) => figure)).toEqual([
            'flows',
            'timed_flows',
            ...flowMeasures.flatMap((measure) => [
                ...[`${measure}_min`, `${measure}_sum`, `${measure}_sum_sq`],
                ...(measure === 'flow_duration_us' ? [`${measure}_max`] : []),
            ]),
        ]);
    });

    test('of measures without accounts is only what their merge words say: no sum, no sign, no count', () => {
        expect(rulesOf(gauges).map(({ figure, expected }) => `${figure} ${expected}`)).toEqual([
            'readings a value',
            'level_mm_sum a value',
            'level_mm_sum_sq a value',
            'level_mm_min no larger than the largest',
        ]);
    });

    test('is nothing of two columns that are named alike and are of other units, types or words', () => {
        const rulesBeside = (one: MergedColumn, other: MergedColumn): string[] =>
            rulesOf({ merged: tableOf(nullable(one), nullable(other)) }).map(({ figure }) => figure);
        expect(rulesBeside(merged('heat_min', 'min', 'm', 'kelvin'), merged('heat_max', 'max', 'm', 'kelvin'))).toEqual(['heat_min']);
        expect(rulesBeside(merged('heat_min', 'min', 'm', 'kelvin'), merged('heat_max', 'max', 'm', 'celsius'))).toEqual([]);
        expect(rulesBeside(merged('heat_min', 'sum', 'minutes'), merged('heat_max', 'max', 'm'))).toEqual([]);
        expect(rulesBeside(merged('heat_min', 'min', 'm'), merged('heat_max', 'sum', 'm'))).toEqual([]);
        expect(rulesBeside(merged('heat_min', 'min', 'm'), { ...merged('heat_max', 'max', 'm'), type: 'string' })).toEqual([]);
    });

    const table = tableOf(
        merged('n', 'sum', 'how many'),
        ...measure('w', 'watts', 'what is drawn').map((one) => (one.name === 'w_max' ? nullable(one) : one)),
    );

    /** What is found of rows `(order, n, sum, sum_sq, min, max)`. */
    async function find(values: string[], accounts?: Accounts) {
        await engine.run(`create or replace temp table found (${columnsOf(table)})`);
        for (const value of values) {
            await engine.run(`insert into found (site, "order", period, n, w_sum, w_sum_sq, w_min, w_max) values ('main', ${value})`);
        }
        const findings = openFindings({ maxListed: 10 });
        const kind = { merged: table, ...(accounts && { accounts }) };
        await findImpossible(engine, { kind, table: 'found', about: { kind: 'summary', table: 'meters' } }, findings);
        return findings.listed.map(({ key: of, figure, in_lake }: Difference) => [of?.order, figure, in_lake]);
    }

    test('is a negative minimum, a null largest and a sum of anything where nobody counts; not a smallest above it, a missing value, a row twice', async () => {
        expect(await find([`'a', 'd', 1, -5, 0, -9, -2`, `'b', 'd', 1, 0, 0, 3, null`])).toEqual([]);
        expect(
            await find([`'a', 'd', 1, 5, 25, 6, 5`, `'b', 'd', null, 5, 25, 5, 5`, `'c', 'd', 1, 5, 25, 5, 5`, `'c', 'd', 1, 5, 25, 5, 5`]),
        ).toEqual([
            ['b', 'n', null],
            ['a', 'w_min', 6n],
            ['c', 'rows', 2n],
        ]);
    });

    test('is by accounts none of these, up to the largest whole numbers', async () => {
        const accounts = { rows: 'n', measures: ['w'] };
        const most = 2n ** 63n - 1n;
        expect(await find([`'a', 'd', 1, ${most}, ${most * most}, ${most}, ${most}`], accounts)).toEqual([]);
        expect(await find([`'a', 'd', 2, 10, 50, 5, 5`, `'b', 'd', 2, 11, 50, 5, 5`, `'c', 'd', 2, 10, 24, 5, 5`], accounts)).toEqual([
            ['b', 'w_sum', 11n],
            ['c', 'w_sum_sq', 24n],
        ]);
        expect(
            await find([`'a', 'd', 1, -5, 25, -5, -5`, `'b', 'd', 1, 5, 25, 5, null`, `'c', 'd', 0, 0, 0, 0, 0`], accounts),
        ).toMatchObject(
            expect.arrayContaining([
                ['a', 'w_min', -5n],
                ['b', 'w_min', 5n],
                ['c', 'n', 0n],
            ]),
        );
    });

    test('is by accounts of a measure that not every row has no bound without a value, no value without bounds, and no more values than rows', async () => {
        const withCounts = tableOf(
            merged('n', 'sum', 'how many'),
            merged('w_n', 'sum', 'how many have w'),
            ...measure('w', 'watts', 'w', { mayLack: true }),
        );
        const accounts = { rows: 'n', measures: ['w'], counts: { w: 'w_n' } };
        await engine.run(`create or replace temp table found (${columnsOf(withCounts)})`);
        const rowsOfCounts = [
            // Right: no values, some, all.
            `'a', 'd', 3, 0, 0, 0, null, null`,
            `'b', 'd', 3, 2, 10, 50, 5, 5`,
            `'c', 'd', 3, 3, 15, 75, 5, 5`,
            // Wrong: bounds, sums, and counts that do not go together.
            `'e', 'd', 3, 0, 0, 0, 5, 5`,
            `'f', 'd', 3, 0, 7, 49, null, null`,
            `'g', 'd', 3, 1, 5, 25, null, null`,
            `'h', 'd', 3, 4, 20, 100, 5, 5`,
            `'i', 'd', 3, 1, 15, 75, 5, 5`,
            `'j', 'd', 3, null, 15, 75, 5, 5`,
        ];
        for (const values of rowsOfCounts) {
            await engine.run(`insert into found (site, "order", period, n, w_n, w_sum, w_sum_sq, w_min, w_max) values ('main', ${values})`);
        }
        const findings = openFindings({ maxListed: 100 });
        await findImpossible(
            engine,
            { kind: { merged: withCounts, accounts }, table: 'found', about: { kind: 'summary', table: 'meters' } },
            findings,
        );
        const found = findings.listed.map(({ key: of, figure }: Difference) => `${of?.order} ${figure}`);
        expect(found.sort()).toEqual([
            'e w_max',
            'e w_min',
            'f w_sum',
            'f w_sum_sq',
            'g w_max',
            'g w_min',
            'g w_sum',
            'g w_sum_sq',
            'h w_n',
            'i w_sum',
            'j w_n',
            'j w_sum',
        ]);
    });
});
