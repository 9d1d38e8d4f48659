/** Questions that a pass over the files answers: with the rows of the SQL, or not at all. */
import { mkdir, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { pairDays } from '#lake/flows/tables';
import type { DirectoryLake } from '#lake/lake';
import { openLake } from '#lake/open-lake';
import { writeParquetTable } from '#lake/parquet';
import { answerByPass } from '#lake/query/pass';
import type { QueryResult, Value } from '#lake/query/query-engine';
import { readQuery } from '#lake/query/sql-files';
import { pairDaysKey } from '#test/support/flow-tables';
import { dayAfter, type Flow, openFixture } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';

const signal = new AbortController().signal;

/** Parameters of the query: site, last day, first day, number of rows. */
type Asked = [site: string | null, to: string | null, from: string | null, top: bigint];

const EVERYTHING: Asked = [null, null, null, 100_000n];

interface Answer {
    columns: QueryResult['columns'];
    rows: Value[][];
}

async function collect({ columns, batches }: QueryResult): Promise<Answer> {
    const rows: Value[][] = [];
    for await (const batch of batches) {
        rows.push(...batch);
    }
    return { columns, rows };
}

async function askPass(directory: string, parameters: Asked): Promise<Answer | undefined> {
    const answer = await answerByPass(directory, { name: 'anomalies', parameters, signal });
    return answer && collect(answer);
}

async function withLake<T>(directory: string, use: (lake: DirectoryLake) => Promise<T>): Promise<T> {
    const lake = (await openLake({ kind: 'directory', name: directory, directory }, { environment: {}, signal })) as DirectoryLake;
    try {
        return await use(lake);
    } finally {
        await lake.close();
    }
}

const askLake = (directory: string, parameters: Asked): Promise<Answer> =>
    withLake(directory, async (lake) => collect(await lake.ask('anomalies', parameters)));

const askSql = (directory: string, parameters: Asked): Promise<Answer> =>
    withLake(directory, async (lake) => collect(await (await lake.engine()).query(readQuery('anomalies'), { parameters })));

/** What came of it: the answer, or the words of the error. */
async function outcome(answer: Promise<Answer>): Promise<Answer | string> {
    return answer.catch((error: Error) => `${error.name}: ${error.message}`);
}

/** Values with many ties, large ones that a double still tells apart, and nothing at all. */
const values = fc.oneof(
    { weight: 9, arbitrary: fc.bigInt({ min: 98n, max: 102n }) },
    { weight: 2, arbitrary: fc.bigInt({ min: 0n, max: 5000n }) },
    { weight: 1, arbitrary: fc.bigInt({ min: 2n ** 49n, max: 2n ** 49n + 9n }) },
    { weight: 1, arbitrary: fc.constant(0n) },
);

/** Names whose order in UTF-8 is not that of UTF-16 among them. */
const names = fc.constantFrom('a', 'B', 'fe80::1', '\ufb01', '\u{1f600}');

const day = fc.integer({ min: 0, max: 90 }).map((count) => dayAfter(count, '2024-02-01'));

const lakes = fc.record({
    flows: fc.array(
        fc.record({
            site: fc.constantFrom('main', 'berlin'),
            src: names,
            dst: fc.constantFrom('x', 'y'),
            day,
            duration: fc.oneof({ weight: 3, arbitrary: values }, { weight: 1, arbitrary: fc.constant(null) }),
            packets: values,
        }),
        { minLength: 900, maxLength: 1400, size: 'max' },
    ),
    // The same surge for all pairs makes equal scores, which names alone put in order.
    surge: fc.array(day, { maxLength: 2 }),
    asked: fc.array(
        fc.tuple(
            fc.constantFrom(null, null, 'berlin', 'nowhere'),
            fc.option(day),
            fc.option(day),
            fc.constantFrom(0n, 1n, 3n, 20n, 10_000n),
        ),
        { minLength: 4, maxLength: 4 },
    ),
});

test('gives the rows of the SQL, value by value and in its order', async () => {
    let found = 0;
    await fc.assert(
        fc.asyncProperty(lakes, async ({ flows, surge, asked }) => {
            const steady: Flow[] = Array.from({ length: 90 }, (_, at) =>
                ['a', '\ufb01', '\u{1f600}'].map((src) => ({
                    day: dayAfter(at, '2024-02-01'),
                    site: 'steady',
                    src,
                    duration: surge.includes(dayAfter(at, '2024-02-01')) ? 90_000n : 1000n,
                    packets: surge.includes(dayAfter(at, '2024-02-01')) ? 900n : 10n,
                })),
            ).flat();
            const { directory, engine } = await openFixture([...flows, ...steady]);
            for (const parameters of [EVERYTHING, ...asked]) {
                const answer = await askPass(directory, parameters);
                const sql = await collect(await engine.query(readQuery('anomalies'), { parameters }));
                expect(answer).toEqual(sql);
                found += sql.rows.length;
            }
            await engine.close();
        }),
        // Shrinking takes minutes, and what differs is seen without.
        { numRuns: 6, endOnFailure: true },
    );
    expect(found).toBeGreaterThan(200);
});

test('tells what is just large enough from what is not', async () => {
    const pairs = Array.from({ length: 16 }, (_, at) => ({ src: `10.0.0.${at}`, surge: BigInt(1685 + at) }));
    const flows = pairs.flatMap(({ src, surge }) =>
        Array.from({ length: 30 }, (_, at) => ({ src, day: dayAfter(at), packets: at === 29 ? surge : 1000n })),
    );
    const { directory } = await openFixture(flows);
    const answer = await askPass(directory, EVERYTHING);
    expect(answer).toEqual(await askSql(directory, EVERYTHING));
    // 1 more than the value is 1.6905 times 1 more than the usual one.
    expect(answer?.rows.map(([, , , , , value]) => value)).toEqual([1700n, 1699n, 1698n, 1697n, 1696n, 1695n, 1694n, 1693n, 1692n]);
});

test('judges weekends by weekends', async () => {
    const isWeekend = (at: number): boolean => at % 7 >= 5;
    const flows = Array.from({ length: 40 }, (_, at) => ({ day: dayAfter(at), packets: isWeekend(at) && at !== 34 ? 10n : 1000n }));
    const { directory } = await openFixture(flows);
    const answer = await askPass(directory, EVERYTHING);
    expect(answer?.rows.map(([, , , found, , , usual]) => [found, usual])).toEqual([[dayAfter(34), 10n]]);
    expect(answer).toEqual(await askSql(directory, EVERYTHING));
});

/** Days of one pair that surges on the last one. */
const surging: Flow[] = Array.from({ length: 30 }, (_, at) => ({ day: dayAfter(at), packets: at === 29 ? 5000n : 100n }));

/** A row of pair_days with these figures beside its key. */
interface Figures {
    flows?: bigint | null;
    timed?: bigint | null;
    duration?: bigint;
    packets?: bigint | null;
    src?: string;
}

function rowOf({ src = '10.0.0.1', flows = 1n, timed = flows, duration = 1000n, packets = 100n }: Figures): unknown[] {
    return ['main', src, '10.0.0.2', flows, timed, duration, 0n, duration, duration, packets, 0n, packets, packets];
}

async function putDay(
    directory: string,
    key: string,
    rows: unknown[][],
    columns: readonly { name: string; type: string }[] = pairDays.columns,
) {
    await mkdir(dirname(join(directory, key)), { recursive: true });
    await writeFile(join(directory, key), writeParquetTable({ columns, rows }));
}

const dayOf = (at: number): string => pairDaysKey(dayAfter(at));

/** Has the day at place 10 hold these rows in place of its own. */
const atTen =
    (...figures: Figures[]) =>
    (directory: string) =>
        putDay(directory, dayOf(10), figures.map(rowOf));

const columnsBut = (name: string) => pairDays.columns.filter((column) => column.name !== name);

const withoutColumn = (name: string) => (directory: string) => {
    const place = pairDays.columns.findIndex((column) => column.name === name);
    return putDay(directory, dayOf(10), [rowOf({}).toSpliced(place, 1)], columnsBut(name));
};

describe('what the pass is not sure of is left to SQL, which answers or says what is wrong', () => {
    test.each<[string, (directory: string) => Promise<unknown>]>([
        ['a figure that doubles do not tell from the next one', atTen({ packets: 2n ** 53n + 1n })],
        ['a figure at the end of its column', atTen({ duration: 2n ** 63n - 1n, flows: 2n ** 63n - 1n })],
        ['a figure below 0', atTen({ packets: -5n })],
        ['a null', atTen({ packets: null })],
        ['a null in a column that another one stands in for', atTen({ timed: null }, { src: '9', timed: 1n })],
        ['a pair that stands twice in a day', atTen({}, {})],
        ['a day in two files', (directory) => putDay(directory, dayOf(10).replace('part-00', 'part-01'), [rowOf({ src: '9' })])],
        ['a folder of a day that is none', (directory) => putDay(directory, dayOf(10).replace('-15', '-35'), [rowOf({})])],
        ['a folder of a day that its month lacks', (directory) => putDay(directory, pairDaysKey('2026-02-30'), [rowOf({})])],
        ['a folder whose name has no day', (directory) => putDay(directory, dayOf(10).replace('-15', '-xx'), [rowOf({})])],
        ['a file without a figure', withoutColumn('fwd_pkts_sum')],
        ['a file without a key', withoutColumn('dst_ip')],
        [
            'a column of another type',
            (directory) =>
                putDay(
                    directory,
                    dayOf(10),
                    [rowOf({})],
                    pairDays.columns.map((column) => ({ ...column, type: column.name === 'fwd_pkts_sum' ? 'decimal(38,0)' : column.type })),
                ),
        ],
        ['a file that was cut off', (directory) => truncate(join(directory, dayOf(10)), 500)],
        ['a file with nothing in it', (directory) => truncate(join(directory, dayOf(10)), 0)],
        ['a folder in the place of a file', (directory) => mkdir(join(directory, dayOf(40)), { recursive: true })],
    ])('%s', async (_, change) => {
        const { directory } = await openFixture(surging);
        expect((await askPass(directory, EVERYTHING))?.rows).toHaveLength(1);
        await change(directory);
        expect(await askPass(directory, EVERYTHING)).toBeUndefined();
        expect(await outcome(askLake(directory, EVERYTHING))).toEqual(await outcome(askSql(directory, EVERYTHING)));
    });

    test('a linked file, and none is followed', async () => {
        const { directory } = await openFixture(surging);
        await rename(join(directory, dayOf(10)), join(directory, 'elsewhere'));
        await symlink(join(directory, 'elsewhere'), join(directory, dayOf(10)));
        const answer = await outcome(askLake(directory, EVERYTHING));
        expect(answer).toMatch(/^StorageError: .*part-00\.parquet is a symbolic link, and a lake follows none/);
        expect(answer).toBe(await outcome(askSql(directory, EVERYTHING)));
    });
});

test('reads no day after the last one asked for', async () => {
    const { directory } = await openFixture(surging);
    await truncate(join(directory, dayOf(29)), 100);
    expect(await askPass(directory, [null, dayAfter(28), null, 9n])).toEqual(await askSql(directory, [null, dayAfter(28), null, 9n]));
    expect(await askPass(directory, EVERYTHING)).toBeUndefined();
});

test('takes the flows of files of before for timed ones', async () => {
    const { directory } = await openFixture(surging.map((flow) => ({ ...flow, duration: flow.packets! })));
    for (let at = 0; at < 20; at += 1) {
        await putDay(directory, dayOf(at), [rowOf({ duration: 100n }).toSpliced(4, 1)], columnsBut('timed_flows'));
    }
    const answer = await askPass(directory, EVERYTHING);
    expect(answer).toEqual(await askSql(directory, EVERYTHING));
    expect(answer?.rows.map(([, , , , measure]) => measure)).toEqual(['flow_duration_us_sum', 'fwd_pkts_sum']);
});

test('reads files of other writers: nullable columns, dictionaries, another compression, several row groups', async () => {
    const pairs = Array.from({ length: 2500 }, (_, at) => `10.0.${at >> 8}.${at & 255}`);
    const { directory } = await openFixture(surging.flatMap((flow) => pairs.map((src) => ({ ...flow, src }))));
    const before = await askSql(directory, EVERYTHING);
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    for (let at = 0; at < 30; at += 1) {
        const path = join(directory, dayOf(at));
        await rename(path, `${path}.before`);
        await connection.run(
            `copy (from read_parquet('${path}.before')) to '${path}' (format parquet, compression zstd, row_group_size 2048)`,
        );
    }
    instance.closeSync();
    expect(before.rows).toHaveLength(2500);
    expect(await askPass(directory, EVERYTHING)).toEqual(before);
});

test('answers of an empty lake and of one that is not there, with the columns of the SQL', async () => {
    const directory = await makeFolder();
    expect(await askPass(directory, EVERYTHING)).toEqual(await askSql(directory, EVERYTHING));
    expect((await askPass(join(directory, 'missing'), EVERYTHING))?.rows).toEqual([]);
});

test('ends when it is interrupted', async () => {
    const { directory } = await openFixture(surging);
    const interruption = new AbortController();
    const answer = answerByPass(directory, { name: 'anomalies', parameters: EVERYTHING, signal: interruption.signal });
    interruption.abort(new Error('stopped'));
    await expect(answer).rejects.toThrow('stopped');
});

test('knows of no other question', async () => {
    const { directory } = await openFixture(surging);
    for (const name of ['top_pairs', 'constructor', 'toString']) {
        expect(await answerByPass(directory, { name, parameters: [], signal })).toBeUndefined();
    }
});
