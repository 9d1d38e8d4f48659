/** The Athena adapter in front of Trino, the engine inside Athena, over Glue tables and views: the same answers as DuckDB gives. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GlueClient } from '@aws-sdk/client-glue';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { createAthenaClient, openAthena } from '#lake/query/athena';
import type { QueryEngine, Value } from '#lake/query/query-engine';
import { QUERY_NAMES, type QueryName, readQuery, VIEW_NAMES } from '#lake/query/sql-files';
import { createS3Client } from '#lake/store/s3-client';
import { makeFleet } from '#test/engines/support/make-fleet';
import { ASKED_OF_TELEMETRY } from '#test/engines/support/questions';
import { type AthenaServer, startAthenaServer } from '#test/support/athena-server';
import { dayAfter, type Flow, openFixture, putRejects, putSource, rowsOf } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';
import { makeBucket } from './support/buckets.ts';
import { freePort } from './support/ministack.ts';
import { startTrino, type Trino, trinoMissing } from './support/trino.ts';
import { openTrinoBackend } from './support/trino-backend.ts';
import { createCatalog } from './support/trino-catalog.ts';

const missing = trinoMissing();

/** Sixty days of four pairs, and of one that came later; every week one day is a hundred times as large, and one pair’s sums are more than a double holds exactly. */
const flows: Flow[] = Array.from({ length: 60 }, (_, at) => [
    {
        day: dayAfter(at),
        site: 'berlin',
        src: '10.0.0.1',
        packets: at % 7 === 3 ? 10_000n : 100n + BigInt(at),
        duration: 10n ** 15n + 7n * BigInt(at),
    },
    { day: dayAfter(at), site: 'berlin', src: '10.0.0.2', packets: 3n, duration: 9_000_000_000_000_077n },
    { day: dayAfter(at), site: 'osaka', src: '10.0.0.1', packets: BigInt(at * at) },
    ...(at >= 35 ? [{ day: dayAfter(at), site: 'berlin', src: '10.0.0.3', packets: 2n }] : []),
    ...(at % 3 === 0 ? [{ day: dayAfter(at), site: 'Zürich', src: 'fe80::1', dst: "it's", packets: 0n, duration: 0n }] : []),
]).flat();

const QUESTIONS: readonly (readonly [QueryName, readonly Value[]])[] = [
    ['pair_report', ['10.0.0.1', '10.0.0.2', null, null, null]],
    ['pair_report', ['10.0.0.1', '10.0.0.2', 'berlin', dayAfter(20), dayAfter(10)]],
    ['pair_report', ['fe80::1', "it's", 'Zürich', null, dayAfter(10)]],
    ['pair_report', ['10.0.0.1', "' or '1' = '1", null, null, null]],
    ['top_pairs', [null, null, null, 'duration', 10n]],
    ['top_pairs', ['berlin', dayAfter(3), dayAfter(9), 'packets', 1n]],
    ['top_pairs', [null, dayAfter(50), null, 'flows', 3n]],
    ['busiest_days', [null, null, null, 5n]],
    ['busiest_days', ['osaka', dayAfter(3), dayAfter(5), 99n]],
    ['pair_changes', [null, dayAfter(0), dayAfter(49), dayAfter(30), dayAfter(30), 50n]],
    ['pair_changes', ['berlin', dayAfter(20), dayAfter(40), dayAfter(33), dayAfter(33), 1n]],
    ['report_both_ways', ['10.0.0.2', '10.0.0.1', '10.0.0.1', '10.0.0.2', null, null, null]],
    ['usual_both_ways', ['10.0.0.2', '10.0.0.1', '10.0.0.1', '10.0.0.2', 'berlin', dayAfter(50), dayAfter(20)]],
    ['anomalies', [null, null, null, 50n]],
    ['anomalies', ['berlin', dayAfter(45), dayAfter(30), 50n]],
    ['nearest_pairs', ['10.0.0.2', '10.0.0.1', 5n]],
    ['features', [dayAfter(20), dayAfter(5)]],
    ['rejects', [null, 10n]],
    ['rejects', ['raw/b.csv', 1n]],
    ...ASKED_OF_TELEMETRY,
];

(missing === undefined ? describe : describe.skip)(`Athena with Trino inside${missing === undefined ? '' : `: ${missing}`}`, () => {
    let trino: Trino;
    let server: AthenaServer;
    let duckDb: QueryEngine;
    let athena: QueryEngine;

    beforeAll(async () => {
        const s3 = createS3Client({ environment: process.env });
        const glue = new GlueClient({});
        const bucket = await makeBucket(s3);
        const folder = await makeFolder();
        await makeFleet(folder, 'lake');
        const fixture = await openFixture(flows, { directory: join(folder, 'lake') });
        duckDb = fixture.engine;
        for (const source of ['raw/a.csv', 'raw/b.csv']) {
            await putSource(fixture.directory, { source, version: '2-0000000000000002' });
            for (const version of ['1-0000000000000001', '2-0000000000000002']) {
                const rejects = [2, 3].map((line_number) => ({ line_number, reason: 'nan', line: `${version}, "ß"\t${line_number}` }));
                await putRejects(fixture.directory, { source, version }, rejects);
            }
        }
        for (const entry of await readdir(fixture.directory, { recursive: true, withFileTypes: true })) {
            if (entry.isFile()) {
                const path = join(entry.parentPath, entry.name);
                const bytes = await readFile(path);
                // The lake itself writes a ledger record on one line.
                const Body = path.includes('/ledger/') ? bytes.toString().replaceAll(/\n\s*/g, '') : bytes;
                await s3.send(new PutObjectCommand({ Bucket: bucket, Key: path.slice(fixture.directory.length + 1), Body }));
            }
        }
        trino = await startTrino({ port: await freePort(), endpoint: String(process.env.AWS_ENDPOINT_URL), environment: process.env });
        const database = bucket.replaceAll('-', '_');
        await createCatalog({ glue, bucket, database, url: trino.url, days: { first: '2025-12-01', last: '2026-12-31' } });
        server = await startAthenaServer({
            backend: openTrinoBackend(trino.url),
            s3,
            output: `s3://${bucket}/query-results/`,
            workgroups: { lake: {} },
        });
        const client = createAthenaClient({ environment: { ...process.env, AWS_ENDPOINT_URL_ATHENA: server.url } });
        athena = openAthena({ client, s3, database, workgroup: 'lake' });
    }, 240_000);

    afterAll(async () => {
        await server?.stop();
        await trino?.stop();
    });

    /** What may be named otherwise by the two engines, as one. */
    const typeOf = (type: string): string => type.replace('hugeint', 'decimal(38,0)');

    test.each(QUESTIONS)('answers %s of %j as DuckDB does', async (name, parameters) => {
        const rows = await rowsOf(athena, readQuery(name), parameters);
        expect(rows).toEqual(await rowsOf(duckDb, readQuery(name), parameters));
        expect(rows.length > 0).toBe(!parameters.includes("' or '1' = '1"));
    });

    test('leaves out none of the questions', () => {
        expect(new Set(QUESTIONS.map(([name]) => name))).toEqual(new Set(QUERY_NAMES));
    });

    test.each([...VIEW_NAMES, 'pair_days', 'sources'])('has the columns, types and rows of %s that DuckDB has', async (name) => {
        const { columns } = await athena.query(`select * from ${name} limit 1`);
        const ofDuckDb = (await duckDb.query(`select * from ${name} limit 1`)).columns;
        expect(columns).toEqual(ofDuckDb.map((column) => ({ ...column, type: typeOf(column.type) })));
        const inOrder = `select * from ${name} order by ${columns.map((_, at) => at + 1).join(', ')}`;
        const rows = await rowsOf(athena, inOrder);
        expect(rows.length).toBeGreaterThan(0);
        expect(rows).toEqual(await rowsOf(duckDb, inOrder));
    });

    test.each<[QueryName, Value[], Value[]]>([
        ['pair_report', ['10.0.0.1', '10.0.0.2', 'berlin', dayAfter(9), null], ['10.0.0.1', '10.0.0.2', 'berlin', null, null]],
        ['anomalies', [null, dayAfter(9), null, 9n], [null, null, null, 9n]],
        ['busiest_days', [null, dayAfter(10), dayAfter(19), 9n], [null, null, null, 9n]],
        ['top_pairs', [null, dayAfter(50), null, 'flows', 9n], [null, null, null, 'flows', 9n]],
    ])('reads of %s only the days that can count', async (name, ofTenDays, ofAll) => {
        const scanned = async (parameters: Value[]) => (await athena.query(readQuery(name), { parameters })).scanned?.bytes ?? Number.NaN;
        const part = (await scanned(ofTenDays)) / (await scanned(ofAll));
        expect(part).toBeGreaterThan(0.1);
        expect(part).toBeLessThan(0.25);
    });

    test('takes every kind of parameter', async () => {
        const values: Value[] = [
            "it's '; --",
            '',
            2n ** 100n,
            -(2n ** 63n),
            2n ** 63n - 1n,
            -5n,
            0.1,
            1e300,
            Number.NaN,
            Number.NEGATIVE_INFINITY,
            true,
        ];
        const [row] = await rowsOf(athena, `select ${values.map((_, at) => `? as c${at}`).join(', ')}, cast(? as varchar) as nothing`, [
            ...values,
            null,
        ]);
        expect(Object.values(row!)).toEqual([...values, null]);
    });

    test('reads many rows from the file that they were written to', async () => {
        const rows = await rowsOf(
            athena,
            "select a * 100 + b as x, nullif(cast(b as varchar), '7') as word from unnest(sequence(0, 24)) s(a) cross join unnest(sequence(0, 99)) t(b) order by 1",
        );
        expect(rows).toEqual(Array.from({ length: 2500 }, (_, at) => ({ x: BigInt(at), word: at % 100 === 7 ? null : String(at % 100) })));
    });

    test('tells where the SQL is wrong', async () => {
        await expect(athena.query('select day,\n    nope from pair_days')).rejects.toThrow(
            /COLUMN_NOT_FOUND: line 2:5: Column 'nope' cannot be resolved/,
        );
        await expect(athena.query('selec 1')).rejects.toThrow(/Only statements that read/);
        await expect(athena.query('select from')).rejects.toThrow(/SYNTAX_ERROR: line 1:8/);
        expect((await rowsOf(athena, 'show tables')).map((row) => Object.values(row)[0])).toContain('pair_running');
    });

    test('stops what is aborted', async () => {
        const controller = new AbortController();
        const endless =
            'select count(*) from unnest(sequence(1, 10000)) a(x) cross join unnest(sequence(1, 10000)) b(y) cross join unnest(sequence(1, 10000)) c(z)';
        const asked = athena.query(endless, { signal: controller.signal });
        setTimeout(() => controller.abort(new Error('enough')), 1_000);
        await expect(asked).rejects.toThrow('enough');
        expect(server.count('StopQueryExecution')).toBe(1);
        expect(await rowsOf(athena, 'select 1 as one')).toEqual([{ one: 1n }]);
    });
});
