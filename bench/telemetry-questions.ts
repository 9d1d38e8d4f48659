/** Two questions that people ask first, start of the process included: a device's month out of a thousand devices, and one metric's hours of a year. */
import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mergedKey } from '#lake/layout';
import { writeRows } from '#lake/parquet';
import type { Rows } from '#lake/rows';
import { withWords } from '#lake/tables';
import { metricHours } from '#lake/telemetry/derived-tables';
import { readings } from '#lake/telemetry/tables';
import { type BenchOptions, type Finding, median } from './measure.ts';
import { inRounds, PROGRAM, type Ran, runNode } from './run-program.ts';

const METRICS = ['battery', 'co2', 'humidity', 'temperature'];
const FIRST_DAY = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A device reports each ten minutes. */
const STEP_MS = 600_000;
const GOAL_MS = 500;
const DUCKDB = import.meta.resolve('@duckdb/node-api');

export async function* benchTelemetryQuestions({ folder, isQuick }: BenchOptions): AsyncGenerator<Finding> {
    const [devices, days, year] = isQuick ? [50, 2, 5] : [1000, 30, 365];
    const rounds = isQuick ? 1 : 5;
    const lake = join(folder, 'fleet');
    makeReadings(lake, { devices, days });
    makeHours(lake, { devices, days: year });
    const device = `device-${String(devices >> 1).padStart(4, '0')}`;
    yield await ask(join(folder, 'month.mjs'), {
        what: `readings of one of ${devices} devices, ${days} days`,
        words: ['--lake', lake, 'readings', device, '--metric', 'temperature', '--last', '10000', '--output', 'csv'],
        // Its values alone, in the order of time.
        figuresOf: ({ stdout }) =>
            stdout
                .split('\n')
                .slice(1, -1)
                .map((line) => line.split(',')[5])
                .join(' '),
        sql: `select string_agg(value, ' ' order by at_ms) from read_parquet('${lake}/readings/*/*.parquet') where device = '${device}' and metric = 'temperature'`,
        rounds,
    });
    const sql = "select cast(sum(n) as bigint) as n, min(min) as least, max(max) as most from metric_hours where metric = 'co2'";
    yield await ask(join(folder, 'year.mjs'), {
        what: `metric_hours of one of ${METRICS.length} metrics, ${year} days`,
        words: ['--lake', lake, 'query', sql, '--output', 'csv'],
        figuresOf: ({ stdout }) => stdout.split('\n')[1] ?? '',
        sql: `select concat_ws(',', sum(n), min(min), max(max)) from read_parquet('${lake}/metric_hours/*/*.parquet') where metric = 'co2'`,
        rounds,
    });
}

interface Question {
    what: string;
    words: readonly string[];
    figuresOf: (ran: Ran) => string;
    /** The same figures by somebody's own query, as one text. */
    sql: string;
    rounds: number;
}

async function ask(script: string, { what, words, figuresOf, sql, rounds }: Question): Promise<Finding> {
    await writeFile(
        script,
        `import { DuckDBInstance } from ${JSON.stringify(DUCKDB)};
const connection = await (await DuckDBInstance.create(':memory:')).connect();
process.stdout.write(String((await connection.runAndReadAll(${JSON.stringify(sql)})).getRows()[0][0]));
process.exit();
`,
    );
    const { ours, theirs } = inRounds(rounds, { ours: () => runNode([PROGRAM, ...words]), theirs: () => runNode([script]) });
    const [wallMs, ownMs] = [ours, theirs].map((runs) => median(runs.map((run) => run.wallMs))) as [number, number];
    return {
        what: `${what} (wall)`,
        found: `${wallMs.toFixed(0)} ms  (DuckDB's own query ${ownMs.toFixed(0)} ms)`,
        goal: { text: `under ${GOAL_MS} ms`, isMet: wallMs < GOAL_MS },
        isEqual: figuresOf(ours[0] as Ran) === theirs[0]?.stdout,
    };
}

/** An object for each hour. */
function makeReadings(lake: string, { devices, days }: { devices: number; days: number }): void {
    for (let hour = 0; hour < days * 24; hour += 1) {
        const fromMs = FIRST_DAY + hour * HOUR_MS;
        put(
            lake,
            mergedKey(readings, new Date(fromMs).toISOString().slice(0, 'yyyy-mm-ddThh'.length)),
            writeRows(readings, hourOf(fromMs, devices)),
        );
    }
}

/** Days that are one and the same object: what is asked does not look at their times. */
function makeHours(lake: string, { devices, days }: { devices: number; days: number }): void {
    const table = withWords(metricHours);
    const pathOf = (day: number) => join(lake, mergedKey(metricHours, new Date(FIRST_DAY + day * DAY_MS).toISOString().slice(0, 10)));
    put(lake, mergedKey(metricHours, new Date(FIRST_DAY).toISOString().slice(0, 10)), writeRows(table, hoursOf(devices)));
    for (let day = 1; day < days; day += 1) {
        mkdirSync(dirname(pathOf(day)), { recursive: true });
        linkSync(pathOf(0), pathOf(day));
    }
}

function put(lake: string, key: string, bytes: Uint8Array): void {
    mkdirSync(dirname(join(lake, key)), { recursive: true });
    writeFileSync(join(lake, key), bytes);
}

function namesOf(devices: number): string[] {
    return Array.from({ length: devices }, (_, at) => `device-${String(at).padStart(4, '0')}`);
}

function hourOf(fromMs: number, devices: number): Rows {
    const rows = namesOf(devices).flatMap((device, at) =>
        METRICS.flatMap((metric, which) =>
            Array.from({ length: HOUR_MS / STEP_MS }, (_, step) => {
                const ms = fromMs + step * STEP_MS + at;
                return {
                    device,
                    metric,
                    ms: BigInt(ms),
                    value: BigInt((((ms / STEP_MS) * 7919 + at * 31 + which) % 1000) | 0) * 100_000_000n,
                    message: String(ms),
                };
            }),
        ),
    );
    const times = BigInt64Array.from(rows, ({ ms }) => ms);
    return {
        site: rows.map(() => 'main'),
        device: rows.map(({ device }) => device),
        metric: rows.map(({ metric }) => metric),
        at_ms: times,
        message: rows.map(({ message }) => message),
        measured_at: times,
        received_ms: times,
        value: rows.map(({ value }) => value),
        text: rows.map(() => null),
        clock: rows.map(() => 'device'),
        profile: rows.map(() => 'bench'),
        copies: BigInt64Array.from(rows, () => 1n),
    };
}

function hoursOf(devices: number): Rows {
    const rows = namesOf(devices).flatMap((device, at) =>
        METRICS.flatMap((metric, which) =>
            Array.from({ length: 24 }, (_, hour) => ({ device, metric, hour, value: BigInt((at * 31 + which * 7 + hour) % 500) })),
        ),
    );
    const all = (value: bigint) => BigInt64Array.from(rows, () => value);
    const values = rows.map(({ value }) => value);
    const hours = BigInt64Array.from(rows, ({ hour }) => BigInt(FIRST_DAY + hour * HOUR_MS));
    return {
        site: rows.map(() => 'main'),
        device: rows.map(({ device }) => device),
        metric: rows.map(({ metric }) => metric),
        hour_ms: hours,
        hour: BigInt64Array.from(rows, ({ hour }) => BigInt(hour)),
        digits: rows.map(() => 1n),
        n: all(6n),
        sum: values.map((value) => value * 6n),
        sum_sq: values.map((value) => value * value * 6n),
        min: values,
        max: values,
        first_value: values,
        first_ms: hours,
        last_value: values,
        last_ms: hours,
        longest_gap_ms: all(600_000n),
        gap_limit_ms: all(3_600_000n),
        area: values.map((value) => value * 3_000_000n),
        area_ms: rows.map(() => 3_000_000n),
    };
}
