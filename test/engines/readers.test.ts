/** Readers beside SQL engines: they take the folder as it is, an emptied day too, and docs/format.md tells how each comes to exact figures. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { pairDays } from '#lake/flows/tables';
import { openDuckDb } from '#lake/query/duckdb';
import { derivedTables } from '#lake/telemetry/derivations';
import { readings } from '#lake/telemetry/tables';
import { emptiedDayOfBefore } from '#test/support/emptied-day';
import { pairDaysKey } from '#test/support/flow-tables';
import { runFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';
import { answerOf } from './support/compare.ts';
import { makeFleet } from './support/make-fleet.ts';
import { type PageLine, readPageLines, readPageScript, runLine, TRAPS, type Trap } from './support/page-lines.ts';
import { FOLDER_READERS, readersMissing, readFolder } from './support/readers.ts';
import { expectExact, expectTrap } from './support/traps.ts';

const COLUMNS = pairDays.columns.map(({ name }) => name);
const TELEMETRY = [readings, ...derivedTables.map(({ table }) => table)];
const EMPTIED_DAY = '2026-02-20';

let folder: string;
/** Rows of pair_days as DuckDB has them: the day and all columns of each row as text. */
let wanted: string[][];

beforeAll(async () => {
    const missing = readersMissing();
    if (missing !== undefined) {
        throw new Error(missing);
    }
    const home = await makeFolder();
    folder = join(home, 'lake');
    await writeFile(
        join(home, 'emptied.csv'),
        'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts\n10.0.0.1,10.0.0.2,20/02/2026 10:00:00,5,5\n',
    );
    for (const line of [
        'sample captures --flows 24000 --days 24',
        '--lake lake upload captures --date-order dmy',
        '--lake lake upload emptied.csv --date-order dmy',
        '--lake lake retract emptied.csv',
    ]) {
        const { exitCode, stderr } = await runFlowlake(line, { folder: home });
        expect({ line, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ line, exitCode: 0, stderr: '' });
    }
    const engine = await openDuckDb({ directory: folder });
    const { rows } = await answerOf(engine, { sql: `select day, ${COLUMNS.join(', ')} from pair_days order by day, site, src_ip, dst_ip` });
    await engine.close();
    wanted = rows.map((row) => row.map(String));
});

test('the lake has an emptied day and squares that leave 64 bits', async () => {
    expect(wanted.length).toBeGreaterThan(2_000);
    expect(wanted.filter(([day]) => day === EMPTIED_DAY)).toEqual([]);
    expect(await readEmptied()).toEqual([]);
    expect(figures('flow_duration_us_sum').some((sum) => sum * sum >= 2n ** 63n)).toBe(true);
});

describe.each(FOLDER_READERS)('%s', (reader) => {
    test('reads the whole folder, an emptied day among the others, to the figures of DuckDB', async () => {
        const found = await readFolder({ folder, reader });
        expect(found.columns).toEqual(COLUMNS);
        expect(found.rows.map((row) => row.join(' ')).sort()).toEqual(wanted.map((row) => row.join(' ')).sort());
    });
});

describe('tables of telemetry', () => {
    beforeAll(() => makeFleet(join(folder, '..'), 'lake'));

    const asked = TELEMETRY.flatMap((table) => (['pyarrow', 'polars', 'datafusion'] as const).map((reader) => ({ table, reader })));

    test.each(asked)('$table.name, read by $reader, has the figures of DuckDB', async ({ table, reader }) => {
        const columns = table.columns.map(({ name }) => name);
        const engine = await openDuckDb({ directory: folder });
        const { rows } = await answerOf(engine, { sql: `select day, ${columns.join(', ')} from ${table.name}` });
        await engine.close();
        const found = await readFolder({ folder, reader, table: table.name });
        expect(found.columns).toEqual(columns);
        expect(rows.length).toBeGreaterThan(700);
        expect(found.rows.map((row) => JSON.stringify(row)).sort()).toEqual(
            rows.map((row) => JSON.stringify(row.map((value) => value?.toString() ?? null))).sort(),
        );
    });
});

describe.each(['datafusion', 'daft'] as const)('%s', (reader) => {
    test('refuses the whole folder for one emptied day of an older flowlake, until its repair', async () => {
        await writeFile(join(folder, pairDaysKey(EMPTIED_DAY)), emptiedDayOfBefore());
        await expect(readFolder({ folder, reader })).rejects.toThrow(/Expected list element type of Struct but got Byte/);
        const { exitCode } = await runFlowlake(`--lake ${folder} verify --repair`, { folder });
        expect(exitCode).toBe(0);
        expect((await readFolder({ folder, reader })).rows).toHaveLength(wanted.length);
    });
});

describe('a line of docs/format.md', () => {
    const lines = readPageLines();
    const inPython = lines.filter(({ reader }) => !['Spark', 'Trino'].includes(reader));

    test('is there for every reader, and one for every trap', () => {
        const readers = ['pandas', 'fastparquet', 'pyarrow', 'Polars', 'Daft', 'DuckDB', 'DataFusion', 'ClickHouse', 'Spark', 'Trino'];
        expect(new Set(lines.map(({ reader }) => reader))).toEqual(new Set(readers));
        expect(new Set(lines.map(({ trap }) => trap))).toEqual(new Set(TRAPS));
    });

    const named = inPython.map((line): [string, string, PageLine] => [line.reader, line.wrong, line]);

    test.each(named)('%s: %s is what the page says', async (_, wrong, line) => {
        // Files that are read side by side can come in order by chance.
        for (let left = line.trap === 'in any order' ? 20 : 1; left > 0; left -= 1) {
            const answer = await runLine(line, wrong, { folder });
            if (left === 1 || answer.values?.join() !== exactOf(line.trap).join()) {
                expectTrap(answer, { trap: line.trap, exact: exactOf(line.trap) });
                return;
            }
        }
    });

    test.each(named.map(([reader, , line]): [string, string, PageLine] => [reader, line.right, line]))(
        '%s: %s is exact',
        async (_, right, line) => {
            expectExact(await runLine(line, right, { folder }), { trap: line.trap, exact: exactOf(line.trap) });
        },
    );

    test('of hyparquet makes doubles of decimals, or has all their digits', async () => {
        const program = `${readPageScript(folder)}\nreturn { rounded, exact };`;
        const AsyncFunction = (async () => undefined).constructor as FunctionConstructor;
        const run = new AsyncFunction('asyncBufferFromFile', 'parquetReadObjects', 'parquetMetadataAsync', program);
        const { rounded, exact } = await run(asyncBufferFromFile, parquetReadObjects, parquetMetadataAsync);
        const ofDay = wanted
            .filter(([day]) => day === '2026-01-05')
            .map((row) => BigInt(row[COLUMNS.indexOf('flow_duration_us_sum_sq') + 1]!));
        expect(exact).toEqual(ofDay);
        expect(rounded).toEqual(ofDay.map(Number));
        expect(rounded.map(BigInt)).not.toEqual(ofDay);
    });
});

/** What a line should give: whole numbers, days, or keys in their order. */
function exactOf(trap: Trap): string[] {
    switch (trap) {
        case 'rounded to a double':
            return figures('flow_duration_us_sum_sq').map(String);
        case 'not there':
            return wanted.map(([day = '']) => day);
        case 'in any order':
            return wanted.map((row) => row.slice(0, 4).join(' '));
        default:
            return figures('flow_duration_us_sum').map((sum) => String(sum * sum));
    }
}

function figures(column: string): bigint[] {
    return wanted.map((row) => BigInt(row[COLUMNS.indexOf(column) + 1] ?? ''));
}

async function readEmptied(): Promise<Record<string, unknown>[]> {
    return parquetReadObjects({ file: await asyncBufferFromFile(join(folder, pairDaysKey(EMPTIED_DAY))) });
}
