/**
 * Two kinds of data that no code of the lake knows, beside flows on a local AWS: deployed by `cdk deploy` of the tree that has them, read and merged
 * by its Lambdas, asked through Trino over its catalog. `npm run test:kinds` makes that tree.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { kindOfTable } from '#lake/kinds';
import { mergedKey } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import { type LocalAthena, startAthena } from '#test/aws/support/athena';
import { bucket, environment, queueOf, s3, settled, store, until } from '#test/aws/support/deployed';
import { type Ran, runFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';

const HEADER = 'instant,gauge,level\n';
const FILES = {
    'in/site=bay/harbour.gauge': `${HEADER}2026-01-05T13:05:00Z,pier,-120
2026-01-05T13:25:00Z,pier,
2026-01-05T13:45:00Z,buoy,
2026-01-05T14:00:00Z,pier,80
no reading
2026-01-06T00:00:00Z,pier,-999999999999999
`,
    'in/island.gauge': `${HEADER}2026-01-05T13:30:00Z,pier,500\n`,
    'flows/monday.csv': 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts\n10.0.0.1,10.0.0.2,05/01/2026 13:00:00,7,3\n',
};
const HOUR_13 = mergedKey(kindOfTable('gauges_hours').merged, '2026-01-05T13');
const DAY_5 = mergedKey(kindOfTable('tides_days').merged, '2026-01-05');
const HOURS =
    "select site, gauge, day, readings, level_mm_sum, level_mm_sum_sq, level_mm_min, level_mm_max from gauges_hours where day >= '2026-01-01' order by day, site, gauge, readings, level_mm_sum";
const DAYS = "select * from tides_days where day >= '2026-01-01' order by day, site, gauge";

let folder: string;
let athena: LocalAthena;

/** Runs the program on the deployed lake. */
function run(...words: string[]): Promise<Ran> {
    return runFlowlake(words, { folder, environment: { ...environment, HOME: folder, AWS_ENDPOINT_URL_ATHENA: athena.url } });
}

/** The rows that a command prints of the deployed lake; it must end well. */
async function rowsOf(...words: string[]): Promise<Record<string, unknown>[]> {
    const { exitCode, stdout, stderr } = await run('--output', 'json', ...words);
    expect({ words, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ words, exitCode: 0, stderr: '' });
    return JSON.parse(stdout);
}

/** The text that a query gives on the lake of the folder, whose files were uploaded there too. */
async function askedHere(sql: string): Promise<string> {
    return (await runFlowlake(['--lake', 'lake', '--output', 'json', 'query', sql], { folder })).stdout;
}

async function write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
}

beforeAll(async () => {
    folder = await makeFolder();
    athena = await startAthena({ bucket, environment: process.env });
    await Promise.all(Object.entries(FILES).map(([path, text]) => write(path, text)));
    for (const words of [
        ['upload', '--kind', 'gauges', 'in'],
        ['upload', '--kind', 'tides', 'in'],
        ['upload', 'flows'],
    ]) {
        const there = await run(...words);
        expect({ words, ...there }).toMatchObject({ words, exitCode: 0 });
        expect(await runFlowlake(['--lake', 'lake', ...words], { folder })).toMatchObject({ exitCode: 0 });
    }
}, 300_000);

afterAll(() => athena?.stop());

describe('figures of made-up kinds on AWS', () => {
    test('are those of a lake in a directory, by the hour and by the day, nulls and values below zero too', async () => {
        for (const sql of [
            HOURS,
            DAYS,
            'select * from pair_days',
            "select * from gauges_summaries where day >= '2026-01-01' order by day, site, gauge, readings, level_mm_sum",
        ]) {
            const { stdout } = await run('--output', 'json', 'query', sql);
            expect(JSON.parse(stdout).length).toBeGreaterThan(0);
            expect(stdout).toBe(await askedHere(sql));
        }
        const hours = await rowsOf('query', `select gauge, level_mm_sum, level_mm_min from (${HOURS}) where site = 'bay'`);
        expect(hours).toEqual(
            expect.arrayContaining([
                { gauge: 'buoy', level_mm_sum: 0, level_mm_min: null },
                { gauge: 'pier', level_mm_sum: -120, level_mm_min: -120 },
            ]),
        );
        const largest = await run('--output', 'json', 'query', "select level_mm_sum_sq from tides_days where day = '2026-01-06'");
        expect(largest.stdout).toContain('999999999999998000000000000001');
    });

    test('stand in sources and rejects with what their reader found', async () => {
        const bySource =
            'select source, state, gauges, lowest_reading, rows_read, rows_rejected, pairs, dialect from sources order by source';
        expect(await rowsOf('query', bySource)).toContainEqual({
            source: 'raw/kind=gauges/site=bay/harbour.gauge',
            state: 'done',
            gauges: 2,
            lowest_reading: '-999999999999999',
            rows_read: 6,
            rows_rejected: 1,
            pairs: null,
            dialect: null,
        });
        const rejected = { source: 'raw/kind=tides/site=bay/harbour.gauge', line_number: 6, reason: 'unreadable', line: 'no reading' };
        expect(await rowsOf('query', 'select source, line_number, reason, line from tides_rejects')).toEqual([rejected]);
        expect(await rowsOf('rejects', rejected.source)).toEqual([rejected]);
        expect(await rowsOf('rejects')).toEqual([{ ...rejected, source: rejected.source.replace('tides', 'gauges') }, rejected]);
    });

    test('are verified, explained and in order', async () => {
        expect(await run('verify')).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/equal/i) });
        expect(await run('status')).toMatchObject({ exitCode: 0 });
        const parts = await run('explain', '--kind', 'gauges', 'pier', '2026-01-05T13');
        expect(parts).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('raw/kind=gauges/site=bay/harbour.gauge') });
        const lines = await rowsOf('explain', '--kind', 'tides', 'buoy', '2026-01-05', '--lines');
        expect(lines.map(({ line_number, line }) => [line_number, line])).toEqual([[4, '2026-01-05T13:45:00Z,buoy,']]);
    });

    test('one that is wrong is found, and mended', async () => {
        const [hour, other] = await Promise.all([HOUR_13, HOUR_13.replace('13.parquet', '14.parquet')].map((key) => store.get(key)));
        await store.put(HOUR_13, other!.bytes);
        expect(await run('verify')).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('2026-01-05T13') });
        expect(await run('verify', '--repair')).toMatchObject({ exitCode: 0 });
        expect(await run('verify')).toMatchObject({ exitCode: 0 });
        expect(Buffer.from((await store.get(HOUR_13))!.bytes)).toEqual(Buffer.from(hour!.bytes));
    });
});

describe('files of made-up kinds on AWS', () => {
    const put = (Key: string, Body: string, Metadata = {}) => s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body, Metadata }));
    const KEY = 'raw/kind=gauges/site=sea/put.gauge';

    test('come into the figures from any tool, with their reading options, and go and come with retract and reconcile', async () => {
        await put(KEY, `${HEADER}2026-02-01T23:59:59Z,light,-7\n`, { datum: 'chart' });
        await settled();
        const figures = () => rowsOf('query', "select level_mm_sum, readings from gauges_hours where site = 'sea' and day = '2026-02-01'");
        expect(await figures()).toEqual([{ level_mm_sum: 993, readings: 1 }]);
        expect(await run('retract', KEY)).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`Took 1 row of ${KEY}`) });
        expect(await figures()).toEqual([]);
        expect(await run('verify')).toMatchObject({ exitCode: 0 });

        // Nobody is told of a record that is gone, nor of an object.
        await put(KEY, `${HEADER}2026-02-01T23:59:59Z,light,-8\n`);
        await settled();
        await store.delete(`ledger/${sourceId(KEY)}.json`);
        await store.delete(DAY_5);
        expect(await run('status')).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('waiting') });
        const sent = await rowsOf('reconcile');
        expect(sent).toContainEqual({ what: 'sent to be summarized', of: KEY });
        expect(sent).toContainEqual({ what: 'sent to be consolidated', of: 'tides_days 2026-01-05' });
        await settled();
        expect(await figures()).toEqual([{ level_mm_sum: -8, readings: 1 }]);
        expect(await run('status')).toMatchObject({ exitCode: 0 });
        expect(await run('verify')).toMatchObject({ exitCode: 0 });
    });

    test('are named where they cannot be read, and asked for again', async () => {
        await put('raw/kind=tides/odd.gauge', 'a,b\n');
        await settled();
        const { exitCode, stdout, stderr } = await run('status');
        expect({ exitCode, said: stdout + stderr }).toEqual({ exitCode: 1, said: expect.stringContaining('raw/kind=tides/odd.gauge') });
        expect(await run('retract', 'raw/kind=tides/odd.gauge')).toMatchObject({ exitCode: 0 });
        expect(await run('status')).toMatchObject({ exitCode: 0 });
    });

    test('leave their figures when they are freed', async () => {
        const before = await rowsOf('query', HOURS);
        const { exitCode, stdout } = await run('prune', '--raw-before', '2026-01-07');
        expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining('raw/kind=tides/site=bay/harbour.gauge') });
        expect(await store.head('raw/kind=gauges/site=bay/harbour.gauge')).toBeUndefined();
        expect(await store.head(KEY)).toBeDefined();
        expect(await rowsOf('query', HOURS)).toEqual(before);
        expect(await run('verify', '--allow-pruned')).toMatchObject({ exitCode: 0 });
    });
});

test('a message of an earlier version, which names a day and no table, is worked off for the first kind', async () => {
    const key = mergedKey(kindOfTable('pair_days').merged, '2026-01-05');
    const before = (await store.get(key))!.bytes;
    await store.delete(key);
    const body = JSON.stringify({ day: '2026-01-05', uploaded_at: new Date().toISOString() });
    await (await queueOf('consolidateQueue')).send([{ body, group: '2026-01-05' }]);
    await until(async () => (await store.head(key)) !== undefined, 'the day is written');
    await settled();
    expect(Buffer.from((await store.get(key))!.bytes)).toEqual(Buffer.from(before));
});

describe('doctor', () => {
    const wrong = async () => {
        const { exitCode, stdout } = await run('--output', 'json', 'doctor');
        const findings: { check: string; result: string; todo: string }[] = JSON.parse(stdout);
        return { exitCode, checks: findings.map(({ check }) => check), wrong: findings.filter(({ result }) => result !== 'ok') };
    };

    test('looks at every table of every kind, and finds the deployment sound', async () => {
        const { exitCode, checks, wrong: found } = await wrong();
        expect([exitCode, found]).toEqual([0, []]);
        for (const table of ['pair_days', 'gauges_hours', 'gauges_summaries', 'tides_days', 'tides_summaries']) {
            expect(checks).toEqual(expect.arrayContaining([`table ${table}`, `days of ${table}`]));
        }
        expect(checks).toEqual(expect.arrayContaining(['table gauges_rejects', 'table tides_rejects']));
    });

    test('finds hours that Athena does not see, and what lies among them', async () => {
        await write('early.gauge', `${HEADER}2024-12-31T23:00:00Z,pier,1\n`);
        expect(await run('upload', '--kind', 'gauges', 'early.gauge')).toMatchObject({ exitCode: 0 });
        expect(await rowsOf('query', "select * from gauges_hours where day = '2024-12-31'")).toEqual([]);
        await store.put('gauges_hours/day=2026-01-05/copy.parquet', new Uint8Array(4));
        const { exitCode, wrong: found } = await wrong();
        expect([exitCode, found.map(({ check }) => check)]).toEqual([
            1,
            ['days of gauges_hours', 'days of gauges_summaries', 'stray files of gauges_hours'],
        ]);
        await store.delete('gauges_hours/day=2026-01-05/copy.parquet');
    });
});
