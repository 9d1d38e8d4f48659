/** `flowlake rebuild` of made-up kinds on a local AWS: the deployed job writes the very figures that the Lambdas had written, hours and days. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { kindOfTable } from '#lake/kinds';
import { mergedKey, type TablePeriod } from '#lake/layout';
import { readContains, readRows } from '#lake/parquet';
import { environment, settled, store } from '#test/aws/support/deployed';
import { startGlue } from '#test/aws/support/glue';
import { type Ran, runFlowlake } from '#test/support/flowlake';
import type { GlueServer } from '#test/support/glue-server';
import { makeFolder } from '#test/support/temporary';

const HEADER = 'instant,gauge,level\n';
const NORTH = `${HEADER}2025-06-01T09:00:00Z,a,-999999999999999
2025-06-01T09:59:59Z,a,
2025-06-01T09:10:00Z,b,
2025-06-01T10:00:00Z,a,-1
2025-06-01T23:59:59Z,o,1
2025-06-02T00:00:00Z,a,3
`;
const SOUTH = `${HEADER}2025-06-01T09:30:00Z,a,-999999999999998\n2025-06-01T09:31:00Z,c,0\n`;

/** Every period that the files have something for. */
const PERIODS: readonly TablePeriod[] = [
    ...['2025-06-01T09', '2025-06-01T10', '2025-06-01T23', '2025-06-02T00'].map((period) => ({ table: 'gauges_hours', period })),
    ...['2025-06-01', '2025-06-02'].map((period) => ({ table: 'tides_days', period })),
];
const [LOST_HOUR, DAMAGED_HOUR, , , LOST_DAY] = PERIODS as [TablePeriod, TablePeriod, TablePeriod, TablePeriod, TablePeriod];
const keyOf = ({ table, period }: TablePeriod): string => mergedKey(kindOfTable(table).merged, period);

let glue: GlueServer;
let folder: string;

function run(...words: string[]): Promise<Ran> {
    return runFlowlake(words, { folder, environment: { ...environment, HOME: folder, AWS_ENDPOINT_URL_GLUE: glue.url } });
}

/** What a period's object has: each row, and the versions that it comes from. */
async function contentOf(of: TablePeriod) {
    const { bytes } = (await store.get(keyOf(of)))!;
    return { rows: await readRows(kindOfTable(of.table).merged, bytes), contains: [...readContains(bytes)].sort() };
}

async function upload(name: string, text: string): Promise<void> {
    await writeFile(join(folder, name), text);
    for (const kind of ['gauges', 'tides']) {
        expect(await run('upload', '--kind', kind, '--site', 'delta', name)).toMatchObject({ exitCode: 0 });
    }
    await settled();
}

beforeAll(async () => {
    folder = await makeFolder();
    glue = await startGlue({ environment: process.env, folder });
    await upload('north.gauge', NORTH);
    await upload('south.gauge', SOUTH);
}, 120_000);

afterAll(() => glue?.stop());

test('hours and days that Spark writes are those that TypeScript had written, digit by digit, nulls too', async () => {
    const before = await Promise.all(PERIODS.map(contentOf));
    expect(before[0]?.rows).toMatchObject({
        gauge: ['a', 'b', 'c'],
        level_mm_sum: BigInt64Array.of(-1999999999999997n, 0n, 0n),
        level_mm_sum_sq: [1999999999999994000000000000005n, 0n, 0n],
        level_mm_min: [-999999999999999n, null, 0n],
    });
    await store.delete(keyOf(LOST_HOUR));
    await store.delete(keyOf(LOST_DAY));
    await store.put(keyOf(DAMAGED_HOUR), Buffer.from('damaged by somebody'));
    const { exitCode, stdout, stderr } = await run('--output', 'json', 'rebuild', '--from', '2025-06-01', '--to', '2025-06-01', '--anew');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(stdout)).toEqual([
        { table: 'gauges_hours', period: '2025-06-01T09', what: 'written', sources: 2, rows: 3 },
        { table: 'gauges_hours', period: '2025-06-01T10', what: 'written', sources: 1, rows: 1 },
        { table: 'gauges_hours', period: '2025-06-01T23', what: 'written', sources: 1, rows: 1 },
        { table: 'tides_days', period: '2025-06-01', what: 'written', sources: 2, rows: 4 },
    ]);
    expect(await Promise.all(PERIODS.map(contentOf))).toEqual(before);
}, 400_000);

test('what Spark wrote is verified, asked for, and gone on with by the Lambdas', async () => {
    expect(await run('verify', '--allow-pruned')).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/equal/i) });
    await upload('late.gauge', `${HEADER}2025-06-01T09:20:00Z,b,-5\n`);
    expect((await contentOf(LOST_HOUR)).rows).toMatchObject({
        readings: BigInt64Array.of(3n, 2n, 1n),
        level_mm_sum: BigInt64Array.of(-1999999999999997n, -5n, 0n),
        level_mm_max: [-999999999999998n, -5n, 0n],
    });
    expect(await run('verify', '--allow-pruned')).toMatchObject({ exitCode: 0 });
});
