/** Reading messages of four metrics against DuckDB with one thread, the bytes of a reading, and an hour of readings merged. The figures are exact and the same. */
import { createWriteStream } from 'node:fs';
import { mkdir, open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { contributionKey } from '#lake/layout';
import { commitLedger, type LedgerRecord } from '#lake/ledger';
import { writeTyped } from '#lake/parquet';
import { emptyRows } from '#lake/rows';
import { sourceId } from '#lake/source-id';
import { openDirectoryStore } from '#lake/store/directory';
import { ABSENT } from '#lake/store/object-store';
import { readAhead } from '#lake/store/read-ahead';
import { openScratchFile } from '#lake/store/scratch-file';
import { columnNamed } from '#lake/tables';
import { telemetry } from '#lake/telemetry/kind';
import { readings } from '#lake/telemetry/tables';
import { pickRows } from '#lake/typed-parts';
import { bigintAt, numbersOf, type TypedRows, textAt, textsOf, toTyped } from '#lake/typed-rows';
import { type BenchOptions, type Finding, inTurn, sayRatio } from './measure.ts';
import { runNode } from './run-program.ts';

const DEVICES = 5_800;
const METRICS = ['temperature', 'humidity', 'battery', 'co2'];
/** A device sends once a minute: an hour has 1.4 million readings. */
const MESSAGES = 350_000;
const HOUR = '2026-01-05T10';
/** Sources that an hour is merged of. */
const SOURCES = 12;

const PROFILE = {
    name: 'bench',
    device: { path: 'device' },
    time: { path: 'time' },
    metrics: METRICS.map((name) => ({ name, path: name, digits: 3 })),
};

export async function* benchTelemetry({ folder, isQuick }: BenchOptions): AsyncGenerator<Finding> {
    const messages = isQuick ? 14_000 : MESSAGES;
    const path = await writeSample(folder, messages);
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const duckdb = await instance.connect();
    let rows = toTyped(readings, emptyRows(readings));
    const read = async (): Promise<void> => {
        rows = await readSample(path, messages);
    };
    const columns = await inTurn(isQuick ? 1 : 5, async () => void (await duckdb.run(columnsSql(path))), read);
    const sameColumns = await figuresInDuckdb(duckdb, { message: '0' });
    const all = await inTurn(isQuick ? 1 : 5, () => readAsTable(duckdb, path), read);
    const sameAll = await figuresInDuckdb(duckdb, { message: "cast('0x' || message as ubigint)" });
    const size = (await stat(path)).size;
    const speed = (ms: number): string => `${Math.round(messages / ms)} thousand messages/s, ${Math.round(size / ms / 1000)} MB/s`;
    yield {
        what: 'reading messages of four metrics (CPU)',
        found: `${speed(all.b.cpuMs)}, ${Math.round((rows.count / all.b.cpuMs) * 1000).toLocaleString('en')} readings/s`,
        goal: { text: '150 thousand messages/s', isMet: messages / all.b.cpuMs >= 150 },
    };
    yield {
        what: '  DuckDB into device, metric, time, value alone',
        found: `${sayRatio(columns.a.cpuMs / columns.b.cpuMs)}  (${columns.a.cpuMs.toFixed(0)} / ${columns.b.cpuMs.toFixed(0)} ms)`,
        goal: { text: 'at least 3x', isMet: columns.a.cpuMs / columns.b.cpuMs >= 3 },
        isEqual: sameColumns === figuresOf(rows, { withMessage: false }),
    };
    yield {
        what: '  DuckDB with identity, repeats merged, sorted',
        found: `${sayRatio(all.a.cpuMs / all.b.cpuMs)}  (${all.a.cpuMs.toFixed(0)} / ${all.b.cpuMs.toFixed(0)} ms)`,
        isEqual: sameAll === figuresOf(rows, { withMessage: true }),
    };
    yield* benchBytes(duckdb, { folder, rows, messages });
    duckdb.closeSync();
    instance.closeSync();
    yield await benchHour({ folder, rows });
}

async function* benchBytes(
    duckdb: DuckDBConnection,
    { folder, rows, messages }: { folder: string; rows: TypedRows; messages: number },
): AsyncGenerator<Finding> {
    const [own, other] = [join(folder, 'readings.parquet'), join(folder, 'readings-duckdb.parquet')];
    await writeFile(own, writeTyped(readings, rows));
    await duckdb.run(`copy (select * from read_parquet('${own}')) to '${other}' (format parquet, codec 'zstd')`);
    const [size, theirs] = [(await stat(own)).size, (await stat(other)).size];
    const [difference] = (
        await duckdb.runAndReadAll(`select count(*) from (from read_parquet('${own}') except all from read_parquet('${other}'))`)
    ).getRows();
    yield {
        what: 'bytes of a reading, and of a message',
        found: `${(size / rows.count).toFixed(2)} and ${(size / messages).toFixed(1)}; DuckDB, zstd: ${(theirs / rows.count).toFixed(2)} and ${(theirs / messages).toFixed(1)}`,
        isEqual: difference?.[0] === 0n,
    };
}

/** An hour whose readings stand in several sources, some of them in two. */
async function benchHour({ folder, rows }: { folder: string; rows: TypedRows }): Promise<Finding> {
    const directory = join(folder, 'telemetry-lake');
    const store = openDirectoryStore(directory);
    for (let number = 0; number < SOURCES; number += 1) {
        const raw = `raw/kind=telemetry/bench-${number}.jsonl`;
        const source = sourceId(raw);
        const version = `1-${'0'.repeat(16)}`;
        const part = pick(rows, (row) => row % SOURCES === number || (row % 10 === 0 && (row + 1) % SOURCES === number));
        await store.put(
            contributionKey(telemetry.contributions, { period: HOUR, source, version }),
            writeTyped(telemetry.contributions, part),
        );
        const counts = { commits: 1, rows_read: part.count, rows_kept: part.count, rows_rejected: 0, size_bytes: 0 };
        const record = { source: raw, version, versions: { [version]: [HOUR] }, ...counts, state: 'done', inputs: {} };
        await commitLedger(store, { source, record: record as unknown as LedgerRecord, etag: ABSENT });
    }
    const script = fileURLToPath(new URL('./merge-period.ts', import.meta.url));
    const { cpuMs, wallMs, peakMb, stdout } = runNode([script, directory, readings.name, HOUR]);
    return {
        what: `an hour of ${(rows.count / 1e6).toFixed(1)} million readings of ${SOURCES} sources merged`,
        found: `${(cpuMs / 1000).toFixed(1)} s CPU, ${(wallMs / 1000).toFixed(1)} s, ${peakMb.toFixed(0)} MB, process start included`,
        goal: { text: 'under 10 s and 1 GB', isMet: cpuMs < 10_000 && peakMb < 1000 },
        isEqual: Number(stdout) === rows.count,
    };
}

/** The rows that are picked. */
function pick(rows: TypedRows, isPicked: (row: number) => boolean): TypedRows {
    return pickRows(readings, rows, Int32Array.from({ length: rows.count }, (_, row) => row).filter(isPicked));
}

/** Writes an hour of messages in the order of time; one of a hundred comes twice. */
async function writeSample(folder: string, messages: number): Promise<string> {
    await mkdir(folder, { recursive: true });
    const path = join(folder, `messages-${messages}.jsonl`);
    await pipeline(Readable.from(linesOf(messages)), createWriteStream(path));
    return path;
}

function* linesOf(messages: number): Generator<string> {
    let seed = 1;
    /** A whole number from 0 to below `end`. */
    const draw = (end: number): number => {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((seed / 2 ** 32) * end);
    };
    for (let message = 0; message < messages; message += 1) {
        const at = new Date(Date.parse(`${HOUR}:00:00Z`) + Math.floor((message * 3_600_000) / messages)).toISOString();
        const line = `{"device":"sensor-${message % DEVICES}","time":"${at}","temperature":${(15 + draw(1500) / 100).toFixed(2)},"humidity":${(30 + draw(400) / 10).toFixed(1)},"battery":${(3 + draw(900) / 1000).toFixed(3)},"co2":${400 + draw(1200)}}\n`;
        yield message % 100 === 0 ? line + line : line;
    }
}

/** Reads the sample as a source of a lake is read. @returns the rows of its hour */
async function readSample(path: string, messages: number): Promise<TypedRows> {
    const file = await open(path);
    try {
        const outcome = await telemetry.read(
            {
                site: 'main',
                sizeBytes: (await file.stat()).size,
                open: () => readAhead(file),
                readRange: async () => new Uint8Array(0),
                reject: async () => undefined,
                input: async () => ({ version: 1, document: PROFILE }),
                openScratch: () => openScratchFile(`${path}-scratch`),
            },
            { profile: PROFILE.name },
        );
        if (!outcome.ok || outcome.rowsRejected > 0 || outcome.rowsRead < messages) {
            throw new Error(`the sample cannot be read: ${JSON.stringify(outcome)}`);
        }
        const rows = outcome.periods.get(HOUR);
        outcome.periods.close?.();
        if (!rows) {
            throw new Error('the sample has no readings');
        }
        return rows;
    } finally {
        await file.close();
    }
}

const TYPES = { device: 'VARCHAR', time: 'TIMESTAMP', ...Object.fromEntries(METRICS.map((name) => [name, 'DECIMAL(28,9)'])) };
const LIST = METRICS.map((name) => `'${name}'`).join();

/** The fields that are needed, with their types, as rows of device, metric, time and value: DuckDB need not guess. */
function columnsSql(path: string): string {
    const columns = Object.entries(TYPES).map(([name, type]) => `${name}: '${type}'`);
    return `create or replace temp table found as
        select device, unnest([${LIST}]) as metric, epoch_ms(time) as at_ms, unnest([${METRICS.join()}]) as value, 1 as copies
        from read_json('${path}', format = 'newline_delimited', columns = {${columns.join()}})`;
}

/** What the reader does: also each message known by the hash of its bytes, repeats merged, rows sorted. */
async function readAsTable(duckdb: DuckDBConnection, path: string): Promise<void> {
    const lines = `read_csv('${path}', columns = {line: 'VARCHAR'}, delim = chr(1), header = false, quote = '', escape = '')`;
    await duckdb.run(`create or replace temp table unsorted as
        select j.device, unnest([${LIST}]) as metric, epoch_ms(j.time) as at_ms, message, unnest([${METRICS.map((name) => `j.${name}`).join()}]) as value
        from (select from_json(line, '${JSON.stringify(TYPES)}') as j, left(sha256(line), 16) as message from ${lines})`);
    await duckdb.run(`create or replace temp table found as
        select device, metric, at_ms, message, min(value) as value, count(*) as copies from unsorted group by all order by 1, 2, 3, 4`);
}

/** Figures of each device's metric, as one text. */
async function figuresInDuckdb(duckdb: DuckDBConnection, { message }: { message: string }): Promise<string> {
    const found = await duckdb.runAndReadAll(`
        select device, metric, sum(copies)::bigint, sum(cast(value * 1000000000 as hugeint) * copies)::varchar, sum(at_ms * copies)::varchar, sum(${message}::hugeint)::varchar
        from found group by 1, 2 order by 1, 2`);
    return found.getRows().map(String).join('\n');
}

function figuresOf(rows: TypedRows, { withMessage }: { withMessage: boolean }): string {
    const [device, metric, message] = [textsOf(rows, 'device'), textsOf(rows, 'metric'), textsOf(rows, 'message')];
    const [at, value, copies] = ['at_ms', 'value', 'copies'].map((name) => wholeNumbers(rows, name)) as [bigint[], bigint[], bigint[]];
    const figures = new Map<string, [bigint, bigint, bigint, bigint]>();
    for (let row = 0; row < rows.count; row += 1) {
        const key = `${textAt(device, row)},${textAt(metric, row)}`;
        const [count, values, times, messages] = figures.get(key) ?? [0n, 0n, 0n, 0n];
        const times_ = copies[row] ?? 0n;
        figures.set(key, [
            count + times_,
            values + (value[row] ?? 0n) * times_,
            times + (at[row] ?? 0n) * times_,
            messages + (withMessage ? BigInt(`0x${textAt(message, row)}`) : 0n),
        ]);
    }
    return [...figures].map(([key, sums]) => [key, ...sums].join()).join('\n');
}

function wholeNumbers(rows: TypedRows, name: string): bigint[] {
    const { width, words } = numbersOf(rows, columnNamed(readings, name));
    return Array.from({ length: rows.count }, (_, row) => bigintAt(words, row * width, width));
}
