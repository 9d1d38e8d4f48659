/** Every table, view and query: DuckDB, Trino on the deployed catalog and Spark answer alike, and plain readers see the same, whoever wrote the files. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetTableCommand, GlueClient, type TableInput, UpdateTableCommand } from '@aws-sdk/client-glue';
import { deploymentOf } from '#lake/deployment';
import { pairDays } from '#lake/flows/tables';
import { mergedKey } from '#lake/layout';
import { readContains, readRows, writeRows } from '#lake/parquet';
import { createAthenaClient, openAthena } from '#lake/query/athena';
import { openDuckDb } from '#lake/query/duckdb';
import type { QueryEngine } from '#lake/query/query-engine';
import { QUERY_NAMES, readView } from '#lake/query/sql-files';
import { describeBucket } from '#lake/store/s3-bucket';
import { type LocalAthena, startAthena } from '#test/aws/support/athena';
import { bucket, s3, store } from '#test/aws/support/deployed';
import { trinoMissing } from '#test/aws/support/trino';
import { dayAfter, putFlows } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';
import { type Answer, answerOf, differencesOf, sayCompared } from './support/compare.ts';
import { makeLakes, putLake, WRITERS, type Writer } from './support/lake-variants.ts';
import { type LineAnswer, readPageLines } from './support/page-lines.ts';
import { ASKED_QUERIES, EMPTY_ANSWERS, QUESTIONS, type Question } from './support/questions.ts';
import { groupsOf, READERS, readersMissing, readFiles, typesOf, wantedOf } from './support/readers.ts';
import { type Spark, sparkMissing, startSpark } from './support/spark.ts';
import { expectExact, expectTrap } from './support/traps.ts';

let spark: Spark;
let athena: LocalAthena;
let lakes: Record<Writer, string>;
let database = '';
let openTrino: () => Promise<QueryEngine>;
const wanted = new Map<string, Answer>();

beforeAll(async () => {
    const missing = [sparkMissing(), trinoMissing(), readersMissing()].find((what) => what !== undefined);
    if (missing !== undefined) {
        throw new Error(missing);
    }
    spark = startSpark(process.env);
    lakes = await makeLakes({ folder: await makeFolder(), spark });
    athena = await startAthena({ bucket, environment: process.env });
    const { deployment } = deploymentOf((await describeBucket({ bucket, client: s3 })).tags);
    database = deployment.database ?? '';
    const client = createAthenaClient({ environment: { ...process.env, AWS_ENDPOINT_URL_ATHENA: athena.url } });
    openTrino = async () => openAthena({ client, s3, database, workgroup: deployment.workgroup ?? '' });
});

afterAll(async () => {
    await athena?.stop();
    await spark?.stop();
    process.stdout.write(`${sayCompared()}\n`);
});

test('no query of sql/ is left out', () => {
    expect(ASKED_QUERIES).toEqual(new Set(QUERY_NAMES));
});

/** DuckDB over what TypeScript wrote: what all others are held to. test/sql holds it to reference figures. */
test.each(QUESTIONS)('$name has rows to compare', async (question) => {
    const engine = await openDuckDb({ directory: lakes.typescript });
    const answer = await answerOf(engine, question);
    await engine.close();
    expect(answer.rows.length === 0).toBe(EMPTY_ANSWERS.has(question.name));
    wanted.set(question.name, answer);
});

describe.each(WRITERS)('pair days written by %s', (writer) => {
    const engines: [string, () => Promise<QueryEngine>][] = [
        ['DuckDB', () => openDuckDb({ directory: lakes[writer] })],
        ['Spark', () => spark.open(lakes[writer])],
        ['Trino', () => openTrino()],
    ];
    // Of telemetry all three lakes have the same files.
    const questions = QUESTIONS.filter(({ isOfTelemetry }) => writer === 'typescript' || !isOfTelemetry);

    beforeAll(() => putLake({ store, folder: lakes[writer] }));

    describe.each(engines)('%s', (_, open) => {
        let engine: QueryEngine;
        beforeAll(async () => {
            engine = await open();
        });
        afterAll(() => engine.close());

        test.each(questions)('$name', async (question) => {
            expect(differencesOf(await answerOf(engine, question), wantedAnswer(question.name))).toEqual([]);
        });
    });

    describe.each(READERS)('%s', (reader) => {
        test('reads the types, the rows in their order, nulls where no flow has a duration, and statistics that hold', async () => {
            const days = await readFiles({ folder: lakes[writer], reader });
            expect(days.map(({ columns }) => columns)).toEqual(days.map(() => typesOf(reader)));
            expect(differencesOf({ columns: [], rows: days.flatMap(({ rows }) => rows) }, wantedOf(wantedAnswer('pair_days')))).toEqual([]);
            expect(days.map(({ groups }) => groups)).toEqual(days.map(groupsOf));
        });
    });
});

describe('a pair whose figures leave the 38 digits that engines have', () => {
    let folder: string;
    beforeAll(async () => {
        folder = await makeFolder();
        const flow = { site: 'berlin', src: '10.0.0.1', dst: '::1', duration: 9n * 10n ** 18n };
        await putFlows(folder, [
            { ...flow, day: dayAfter(0) },
            { ...flow, day: dayAfter(1) },
            { day: dayAfter(1), packets: 5n },
        ]);
        await putLake({ store, folder });
    });

    const engines: [string, () => Promise<QueryEngine>][] = [
        ['DuckDB', () => openDuckDb({ directory: folder })],
        ['Spark', () => spark.open(folder)],
        ['Trino', () => openTrino()],
    ];

    test.each(engines)('is an error of %s that names pair and day, and the others are answered', async (_, open) => {
        const engine = await open();
        for (const view of ['pair_running', 'pair_stats', 'pair_features']) {
            await expect(answerOf(engine, { sql: `select * from ${view}` })).rejects.toThrow(
                /flow_duration_us of 10\.0\.0\.1 to ::1 at site berlin is too large for exact statistics on 2026-01-0[56]/,
            );
            expect((await answerOf(engine, { sql: `select * from ${view} where site = 'main'` })).rows).toHaveLength(1);
        }
        await engine.close();
    });
});

describe('a lake without anything in it', () => {
    let folder: string;
    beforeAll(async () => {
        folder = await makeFolder();
        await putLake({ store, folder });
    });

    const engines: [string, () => Promise<QueryEngine>][] = [
        ['Spark', () => spark.open(folder)],
        ['Trino', () => openTrino()],
    ];

    test.each(engines)('has the columns of DuckDB and no row for %s, whatever is asked of telemetry', async (_, open) => {
        const [duckDb, engine] = [await openDuckDb({ directory: folder }), await open()];
        for (const question of QUESTIONS.filter(({ isOfTelemetry }) => isOfTelemetry)) {
            const empty = await answerOf(duckDb, question);
            expect(empty.rows).toEqual([]);
            expect(differencesOf(await answerOf(engine, question), empty)).toEqual([]);
        }
        await Promise.all([duckDb.close(), engine.close()]);
    });
});

describe('a line of docs/format.md', () => {
    beforeAll(() => putLake({ store, folder: lakes.typescript }));

    const engines: Readonly<Record<string, () => Promise<QueryEngine>>> = {
        Spark: () => spark.open(lakes.typescript),
        Trino: () => openTrino(),
    };
    const lines = readPageLines().flatMap((line) =>
        engines[line.reader] ? [{ ...line, open: engines[line.reader] as () => Promise<QueryEngine> }] : [],
    );

    test.each(lines)('of $reader is wrong and right as it says: $wrong', async ({ reader, days, wrong, trap, right, open }) => {
        const { columns, rows } = wantedAnswer('pair_days');
        const place = columns.findIndex(({ name }) => name === 'flow_duration_us_sum');
        const exact = rows.map((row) => String(BigInt(row[place] as bigint) ** 2n));
        const engine = await open();
        // The lake's jobs have it on; the page speaks of Spark as it comes.
        const setAnsi = async (isOn: boolean): Promise<unknown> =>
            reader === 'Spark' && answerOf(engine, { sql: `set spark.sql.ansi.enabled = ${isOn}` });
        const ask = async (code: string): Promise<LineAnswer> =>
            answerOf(engine, { sql: code.replace('from days', `from ${days}`) }).then(
                (answer) => ({ values: answer.rows.map(String) }),
                (error: Error) => ({ error: error.message }),
            );
        try {
            await setAnsi(false);
            expectTrap(await ask(wrong), { trap, exact });
            expectExact(await ask(right), { trap, exact });
        } finally {
            await setAnsi(true);
            await engine.close();
        }
    });

    test('is there for Spark and for Trino', () => {
        expect(lines.map(({ reader }) => reader)).toEqual(Object.keys(engines));
    });
});

describe('the comparison notices', () => {
    beforeAll(() => putLake({ store, folder: lakes.typescript }));

    const allPairDays = QUESTIONS.find(({ name }) => name === 'pair_days') as Question;
    const pairRunning = QUESTIONS.find(({ name }) => name === 'pair_running') as Question;

    test('a digit of one figure that was flipped in one file of Spark', async () => {
        const folder = await makeFolder();
        await cp(lakes.spark, folder, { recursive: true });
        const path = join(folder, mergedKey(pairDays, dayAfter(7)));
        const bytes = new Uint8Array(await readFile(path));
        const rows = await readRows(pairDays, bytes);
        const squares = rows.flow_duration_us_sum_sq as bigint[];
        squares[3] = (squares[3] ?? 0n) ^ 1n;
        await writeFile(path, writeRows(pairDays, rows, { contains: readContains(bytes) }));
        const engine = await openDuckDb({ directory: folder });
        const found = differencesOf(await answerOf(engine, allPairDays), wantedAnswer('pair_days'));
        expect(found).toEqual([expect.stringMatching(/^flow_duration_us_sum_sq of row \d+ is \d+ instead of \d+ \(/)]);
        await engine.close();
    });

    test.each([
        ['fwd_pkts_max', 'string'],
        ['fwd_pkts_max', 'int'],
        ['flow_duration_us_sum_sq', 'decimal(38,2)'],
        ['flow_duration_us_sum', 'double'],
    ])('that %s has become %s in the catalog', async (column, type) => {
        const glue = new GlueClient({});
        const { Table } = await glue.send(new GetTableCommand({ DatabaseName: database, Name: 'pair_days' }));
        const { Name, TableType, Parameters, PartitionKeys, StorageDescriptor } = Table ?? {};
        const asIt: TableInput = { Name: Name ?? '', TableType, Parameters, PartitionKeys, StorageDescriptor };
        const Columns = StorageDescriptor?.Columns?.map((each) => (each.Name === column ? { ...each, Type: type } : each));
        await glue.send(
            new UpdateTableCommand({
                DatabaseName: database,
                TableInput: { ...asIt, StorageDescriptor: { ...StorageDescriptor, Columns } },
            }),
        );
        const engine = await openTrino();
        const found = await answerOf(engine, allPairDays).then(
            (answer) => differencesOf(answer, wantedAnswer('pair_days')),
            (error: Error) => [error.message],
        );
        await glue.send(new UpdateTableCommand({ DatabaseName: database, TableInput: asIt }));
        expect(found).not.toEqual([]);
        expect(differencesOf(await answerOf(engine, allPairDays), wantedAnswer('pair_days'))).toEqual([]);
        await engine.close();
    });

    test('a view that takes the engine’s own deviation', async () => {
        const exact = 'sqrt(duration_spread) / nullif(running_timed_days, 0) as flow_duration_us_running_stddev_pop';
        const own =
            'stddev_pop(flow_duration_us_sum) over (partition by site, src_ip, dst_ip order by day rows between unbounded preceding and current row) as flow_duration_us_running_stddev_pop';
        const text = readView('pair_running').replace(exact, own);
        expect(text).toContain(own);
        const sql = pairRunning.sql.replace(' from pair_running', ` from (${text}\n) as changed`);
        for (const engine of [await openDuckDb({ directory: lakes.typescript }), await spark.open(lakes.typescript), await openTrino()]) {
            const found = differencesOf(await answerOf(engine, { sql }), wantedAnswer('pair_running'));
            expect(found).toEqual(expect.arrayContaining([expect.stringMatching(/^flow_duration_us_running_stddev_pop of row/)]));
            await engine.close();
        }
    });
});

function wantedAnswer(name: string): Answer {
    const answer = wanted.get(name);
    if (answer === undefined) {
        throw new Error(`nothing to compare ${name} with`);
    }
    return answer;
}
