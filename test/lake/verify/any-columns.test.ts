/** The judge reads, merges and compares columns of every type: by its own SQL, and to what the lake's own merge comes to. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mergeRows } from '#lake/merge-rows';
import { writeRows } from '#lake/parquet';
import type { Rows } from '#lake/rows';
import { compareFigures } from '#lake/verify/compare';
import { type Engine, openEngine } from '#lake/verify/engine';
import { openFindings } from '#lake/verify/findings';
import { findImpossible } from '#lake/verify/impossible';
import { findLyingStatistics, loadRows, type ParquetFile } from '#lake/verify/parquet-rows';
import { figureNames, keyNames, listed, mergedFigures } from '#lake/verify/table-sql';
import { MAX_VALUE, MEASURED, measured, rowsOfMeasured, sensorHours } from '#test/support/sensor-table';
import { makeFolder } from '#test/support/temporary';

const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);
const PERIOD = '2026-01-05T13';
const KEYS = listed(keyNames(sensorHours));
const COLUMNS = `${KEYS}, period, ${listed(figureNames(sensorHours))}`;
let engine: Engine;

beforeAll(async () => {
    engine = await openEngine();
});

afterAll(async () => {
    await engine.close();
});

async function writeFiles(lists: readonly Rows[]): Promise<ParquetFile[]> {
    // Another one each time: what the engine has read of a path it may remember.
    const folder = await makeFolder();
    const files = lists.map((_, at) => {
        const key = `sensor_hours/day=2026-01-05/13.${String(at).padStart(16, '0')}.1.parquet`;
        return { key, path: join(folder, key) };
    });
    for (const [at, { path }] of files.entries()) {
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, writeRows(sensorHours, lists[at] as Rows));
    }
    return files;
}

/** Loads the rows; every file must be sound. */
async function load(name: string, lists: readonly Rows[]): Promise<ParquetFile[]> {
    const files = await writeFiles(lists);
    const { damaged, wrongTypes, unsorted } = await loadRows(engine, name, { table: sensorHours, files });
    expect([[...damaged], [...wrongTypes], unsorted]).toEqual([[], [], []]);
    return files;
}

/** Differences between rows of an object and what contributions come to by SQL. */
async function compare(inLake: Rows, contributions: readonly Rows[]) {
    await load('given', contributions);
    await engine.run(
        `create or replace temp table expected as select ${KEYS}, period, ${mergedFigures(sensorHours)} from given group by ${KEYS}, period`,
    );
    const files = await load('held', [inLake]);
    expect(await findLyingStatistics(engine, 'held', { table: sensorHours, files })).toEqual(new Map());
    const findings = openFindings({ maxListed: 100 });
    await compareFigures(
        engine,
        {
            table: sensorHours,
            about: { kind: 'row', table: sensorHours.name },
            inLake: `select ${COLUMNS} from held`,
            recomputed: `select ${COLUMNS} from expected`,
        },
        findings,
    );
    return findings;
}

test('rows that the lake merges are those that the judge merges by SQL', async () => {
    const split = fc.array(fc.tuple(measured, fc.nat(3)), { maxLength: 40 });
    await fc.assert(
        fc.asyncProperty(split, async (list) => {
            const lists = [0, 1, 2, 3].map((file) => rowsOfMeasured(list.filter(([, of]) => of === file).map(([one]) => one)));
            const findings = await compare(mergeRows(lists, { table: sensorHours, period: PERIOD }), lists);
            expect(findings.listed).toEqual([]);
        }),
        { numRuns: 12 * RUNS },
    );
});

test('a figure of another value is told as queries show it, with the key of its row', async () => {
    const [right, wrong] = [{}, { value: MAX_VALUE, until: 0n, note: null, received_ms: 6n }].map((some) =>
        rowsOfMeasured([{ ...MEASURED, note: 'as is', until: 1_767_619_800_500n, ...some }]),
    );
    const findings = await compare(wrong as Rows, [right as Rows]);
    const key = { site: 'main', sensor: '7', at_ms: '1767619800000', unit: 'a' };
    expect(findings.listed.filter(({ figure }) => ['value', 'until', 'note', 'received_ms'].includes(figure))).toEqual(
        [
            ['received_ms', 6n, 5n],
            ['value', '9999999999999999999.999999999', '21.300000000'],
            ['note', null, 'as is'],
            ['until', '1970-01-01 00:00:00', '2026-01-05 13:30:00.5'],
        ].map(([figure, in_lake, recomputed]) => ({
            kind: 'row',
            table: 'sensor_hours',
            key,
            period: PERIOD,
            figure,
            in_lake,
            recomputed,
        })),
    );
});

test('a row that is missing and one that is too many are told by a figure that always has a value', async () => {
    const findings = await compare(rowsOfMeasured([MEASURED, { ...MEASURED, sensor: -1n }]), [
        rowsOfMeasured([MEASURED, { ...MEASURED, sensor: 8n }]),
    ]);
    expect(findings.listed.map(({ key, figure, in_lake, recomputed }) => [key?.sensor, figure, in_lake, recomputed])).toEqual([
        ['-1', 'measured_at', '2026-01-05 13:30:00', null],
        ['8', 'measured_at', null, '2026-01-05 13:30:00'],
    ]);
});

test('rows out of their order are found, also where only a number is', async () => {
    const rows = rowsOfMeasured([MEASURED, { ...MEASURED, sensor: 20n }]);
    const files = await writeFiles([{ ...rows, sensor: BigInt64Array.of(20n, 7n) }]);
    expect((await loadRows(engine, 'held', { table: sensorHours, files })).unsorted).toEqual([files[0]?.key]);
});

test.each([
    ['value', 'decimal(28,9)', 'DECIMAL(38,0)', 'DECIMAL(28,9)'],
    ['until', 'timestamp', 'BIGINT', 'TIMESTAMP'],
    ['note', 'string', 'BIGINT', 'VARCHAR'],
] as const)('a column %s of another type than %s is told', async (name, type, found, expected) => {
    const other = found === 'BIGINT' ? 'bigint' : 'decimal(38,0)';
    const table = {
        ...sensorHours,
        columns: sensorHours.columns.map((column) => (column.name === name ? ({ ...column, type: other } as const) : column)),
    };
    expect(sensorHours.columns.find((column) => column.name === name)?.type).toBe(type);
    const [file] = await writeFiles([rowsOfMeasured([MEASURED])]);
    await writeFile(file?.path ?? '', writeRows(table, { ...rowsOfMeasured([MEASURED]), [name]: [5n] }));
    const { wrongTypes } = await loadRows(engine, 'held', { table: sensorHours, files: file ? [file] : [] });
    expect([...wrongTypes.values()]).toEqual([[{ name, found, expected }]]);
});

test('statistics that leave a decimal or an instant out are told', async () => {
    const files = await load('held', [rowsOfMeasured([MEASURED, { ...MEASURED, sensor: 8n, value: -5n, until: 0n }])]);
    await load('other', [rowsOfMeasured([MEASURED])]);
    await engine.run(`update held set value = value - 1, until = until - interval 1 millisecond, lowest = lowest - 1`);
    const lies = (await findLyingStatistics(engine, 'held', { table: sensorHours, files })).get(files[0]?.key ?? '') ?? [];
    expect(lies.map((text) => text.split(',')[0]).sort()).toEqual(['column lowest', 'column until', 'column value']);
});

test('a value is wanted where one must be, of whatever type', async () => {
    await load('held', [rowsOfMeasured([MEASURED])]);
    await engine.run('update held set measured_at = null, total = null, clock = null');
    const findings = openFindings({ maxListed: 100 });
    await findImpossible(engine, { kind: { merged: sensorHours }, table: 'held', about: { kind: 'row', table: 'sensor_hours' } }, findings);
    expect(findings.listed.map(({ figure, in_lake, recomputed }) => [figure, in_lake, recomputed])).toEqual([
        ['measured_at', null, 'a value'],
        ['total', null, 'a value'],
        ['clock', null, 'a value'],
    ]);
});
