/** A table that no kind has, with every type of column and every merge word, and a key of numbers: for what must hold for any table. */
import fc from 'fast-check';
import { emptyRows, type Rows } from '#lake/rows';
import { first, key, type MergedTable, merged, wholeKey } from '#lake/tables';

export const sensorHours: MergedTable = {
    name: 'sensor_hours',
    prefix: 'sensor_hours/',
    format: 'parquet',
    codec: 'zstd',
    per: 'hour',
    grain: 'sensor, instant and hour',
    columns: [
        key('site', 'where it stands'),
        wholeKey('sensor', 'its number, which may be below zero'),
        wholeKey('at_ms', 'when it was measured', 'milliseconds since 1970'),
        key('unit', 'what it was measured in'),
        { ...merged('measured_at', 'min', 'the same instant'), type: 'timestamp' },
        { ...merged('seen_until', 'max', 'when it was last seen'), type: 'timestamp', nullable: true },
        { ...merged('lowest', 'min', 'the lowest value'), type: 'decimal(28,9)', nullable: true },
        { ...merged('total', 'sum', 'sum of the values'), type: 'decimal(28,9)' },
        { ...merged('total_or_null', 'sum', 'sum of the values; null where there is none'), type: 'decimal(28,9)', nullable: true },
        first('received_ms', 'bigint', 'when it came'),
        first('value', 'decimal(28,9)', 'what was measured', { nullable: true }),
        first('note', 'string', 'what somebody said of it', { nullable: true }),
        first('clock', 'string', 'whose clock it was'),
        first('until', 'timestamp', 'how long it holds', { nullable: true }),
        first('cubes', 'decimal(38,0)', 'a large number', { nullable: true }),
        merged('copies', 'sum', 'how often it came'),
    ],
    rowName: 'sensor {sensor} of {site} at {at_ms} in {unit}',
};

/** One measurement, as a row of its own. */
export interface Measured {
    site: string;
    sensor: bigint;
    at_ms: bigint;
    unit: string;
    value: bigint | null;
    received_ms: bigint;
    note: string | null;
    clock: string;
    until: bigint | null;
    cubes: bigint | null;
}

const BIGINT = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

/** Largest decimal(28,9), in billionths. */
export const MAX_VALUE = 10n ** 28n - 1n;

/** Instants that every engine names: those of the years 1 to 9999. */
const instant = fc.bigInt({ min: -62_135_596_800_000n, max: 253_402_300_799_999n });

/** Texts that sort differently by their bytes and by UTF-16. */
const text = fc.constantFrom('main', 'Zürich', 'z', 'Ａ', '\u{1f6b0}', '�', '');

/** Few of each, so that keys meet and rows are equal in some columns. */
export const measured: fc.Arbitrary<Measured> = fc.record({
    site: text,
    sensor: fc.constantFrom(0n, 1n, -1n, 2n ** 32n, -(2n ** 31n), BIGINT.max, BIGINT.min),
    at_ms: fc.constantFrom(0n, 1_767_619_800_000n, -1n),
    unit: fc.constantFrom('a', 'b'),
    value: fc.option(
        fc.oneof(fc.constantFrom(0n, -1n, 21_300_000_000n, MAX_VALUE, -MAX_VALUE), fc.bigInt({ min: -MAX_VALUE, max: MAX_VALUE })),
    ),
    received_ms: fc.constantFrom(-5n, 0n, 7n, BIGINT.max),
    note: fc.option(text),
    clock: text,
    until: fc.option(fc.oneof(fc.constantFrom(0n, -1n), instant)),
    cubes: fc.option(fc.constantFrom(0n, 5n, -(10n ** 38n - 1n), 10n ** 38n - 1n)),
});

type Row = Record<string, bigint | string | null>;

/** The row that a measurement is by itself. Values are shared out so that no sum of some hundred leaves its column. */
function rowOf(one: Measured): Row {
    const share = (one.value ?? 0n) / 1000n;
    return {
        ...one,
        measured_at: one.at_ms,
        seen_until: one.until,
        lowest: one.value,
        total: share,
        total_or_null: one.value === null ? null : share,
        copies: 1n,
    };
}

const KEYS = ['site', 'sensor', 'at_ms', 'unit'];
const FIRSTS = ['received_ms', 'value', 'note', 'clock', 'until', 'cubes'];

function compareValues(a: bigint | string | null, b: bigint | string | null): number {
    if (a === null || b === null) {
        return Number(a === null) - Number(b === null);
    }
    if (typeof a === 'string' && typeof b === 'string') {
        return Buffer.compare(Buffer.from(a), Buffer.from(b));
    }
    return a < b ? -1 : a > b ? 1 : 0;
}

function compareBy(names: readonly string[], a: Row, b: Row): number {
    return names.reduce((order, name) => order || compareValues(a[name] ?? null, b[name] ?? null), 0);
}

/** Two values by a merge word; a null says nothing. */
function mergeValues(word: string, a: bigint | null, b: bigint | null): bigint | null {
    if (a === null || b === null) {
        return a ?? b;
    }
    return word === 'sum' ? a + b : (word === 'min') === a < b ? a : b;
}

/** The rows of these measurements, one for each key, by a plain reading of what the merge words mean. */
export function rowsOfMeasured(list: readonly Measured[]): Rows {
    const sorted = list.map(rowOf).sort((a, b) => compareBy(KEYS, a, b));
    const merge = (a: Row, b: Row): Row => {
        const firsts = compareBy(FIRSTS, a, b) <= 0 ? a : b;
        return Object.fromEntries(
            sensorHours.columns.map(({ name, merge: word }) => [
                name,
                word === 'key' || word === 'first'
                    ? (firsts[name] ?? null)
                    : mergeValues(word, a[name] as bigint | null, b[name] as bigint | null),
            ]),
        );
    };
    const merged: Row[] = [];
    for (const row of sorted) {
        const before = merged.at(-1);
        if (before && compareBy(KEYS, before, row) === 0) {
            merged[merged.length - 1] = merge(before, row);
        } else {
            merged.push(row);
        }
    }
    return columnsOf(merged);
}

/** The rows of measurements that are sorted, each of another key. */
function rowsOfSorted(list: readonly Measured[]): Rows {
    return columnsOf(list.map(rowOf));
}

function columnsOf(list: readonly Row[]): Rows {
    const rows = emptyRows(sensorHours, list.length) as Record<string, any>;
    for (const [at, row] of list.entries()) {
        for (const { name } of sensorHours.columns) {
            rows[name][at] = row[name];
        }
    }
    return rows;
}

/** The rows as texts, one for each; units of decimals and timestamps as they are. */
export function textOfSensors(rows: Rows): string[] {
    const names = sensorHours.columns.map(({ name }) => name);
    return Array.from({ length: rows.sensor?.length ?? 0 }, (_, at) => JSON.stringify(names.map((name) => String(rows[name]?.[at]))));
}

/** A measurement for tests to change. */
export const MEASURED: Measured = {
    site: 'main',
    sensor: 7n,
    at_ms: 1_767_619_800_000n,
    unit: 'a',
    value: 21_300_000_000n,
    received_ms: 5n,
    note: null,
    clock: 'device',
    until: null,
    cubes: null,
};

/** Rows of many groups, in which values repeat more or less; every seventh has no value, every fifth no note. */
export function manySensorRows(count: number): Rows {
    const list = Array.from({ length: count }, (_, at): Measured => {
        const level = BigInt(at % (1 + Math.floor(at / 5_000) * 1_000)) * 1_000_000_007n;
        return {
            ...MEASURED,
            sensor: BigInt(Math.floor(at / 100)) - 3n,
            at_ms: MEASURED.at_ms + BigInt(at % 100),
            value: at % 7 === 0 ? null : at % 2 === 0 ? level : -level,
            note: at % 5 === 0 ? null : `note ${at % 3 === 0 ? at : 'again'}`,
            received_ms: BigInt(at),
            until: at % 4 === 0 ? null : BigInt(at) * 1_000n,
            cubes: at % 3 === 0 ? null : BigInt(at) ** 5n,
        };
    });
    return rowsOfSorted(list);
}
