/**
 * Two kinds of data that only tests know: levels of water gauges, merged by the hour (`gauges`) and by the day (`tides`), from lines
 * `<instant>,<gauge>,<level>` in UTC; an empty level is a reading that measured nothing. They have what flows have not: hours, nulls, values below zero, and
 * inputs: a scale `{"zero_mm": 250}` says where its zero is, and a line `scale <name>` behind the header that the levels below it are read by that one.
 */
import { UsageError } from '#lake/errors';
import type { Accounts, Found, Kind, ReadOutcome, SourceBytes } from '#lake/kind';
import { mergeRows } from '#lake/merge-rows';
import type { Value } from '#lake/query/query-engine';
import { emptyRows, type Rows } from '#lake/rows';
import { key, type MergedColumn, type MergedTable, merged, type PeriodLength, text, whole } from '#lake/tables';
import { type TypedRows, toTyped } from '#lake/typed-rows';
import { derivedOfGauges } from './gauge-days.ts';

const HEADER = 'instant,gauge,level';
const LINE = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ,([a-z0-9-]+),(-?\d{1,15})?$/;

const SCALE = /^scale ([a-z0-9-]+)$/;

function nullable(column: MergedColumn): MergedColumn {
    return { ...column, nullable: true };
}

const COLUMNS: readonly MergedColumn[] = [
    key('site', 'where the gauge stands'),
    key('gauge', 'name of the gauge'),
    merged('readings', 'sum', 'readings merged here, with or without a level'),
    merged('level_mm_sum', 'sum', 'sum of the levels', 'millimetres'),
    { ...merged('level_mm_sum_sq', 'sum', 'sum of the squares of the levels', 'square millimetres'), type: 'decimal(38,0)' },
    nullable(merged('level_mm_min', 'min', 'lowest level; null where none was measured', 'millimetres')),
    nullable(merged('level_mm_max', 'max', 'highest level; null where none was measured', 'millimetres')),
];

function tableOf(name: string, per: PeriodLength): MergedTable {
    return {
        name,
        prefix: `${name}/`,
        format: 'parquet',
        per,
        grain: `gauge and ${per}`,
        columns: COLUMNS,
        rowName: 'gauge {gauge} at site {site}',
    };
}

interface Reading {
    lineNumber: number;
    line: string;
    period: string;
    gauge: string;
    level: bigint | null;
}

type Line = Reading | { lineNumber: number; line: string; reason: 'unreadable' | 'no_scale' };

/** Where the zero of a scale is, in millimetres; undefined where there is no such scale, or it does not say. */
async function zeroOf({ input }: Pick<SourceBytes, 'input'>, name: string): Promise<bigint | undefined> {
    return zeroIn((await input(name))?.document);
}

function zeroIn(document: unknown): bigint | undefined {
    const zero = typeof document === 'object' && document !== null && 'zero_mm' in document ? document.zero_mm : undefined;
    return typeof zero === 'number' && Number.isSafeInteger(zero) ? BigInt(zero) : undefined;
}

interface Reader {
    per: PeriodLength;
    /** Added to each level. */
    offset: bigint;
    /** The scale of the first lines; none where it is not given. */
    scale?: string | undefined;
}

/** Lines of a small file, behind its header; undefined where it has another one. */
async function linesOf(source: Pick<SourceBytes, 'open' | 'input'>, { per, offset, scale }: Reader): Promise<Line[] | undefined> {
    const chunks: Buffer[] = [];
    for await (const chunk of source.open()) {
        chunks.push(Buffer.from(chunk));
    }
    const [header, ...lines] = Buffer.concat(chunks).toString().split('\n');
    if (header !== HEADER) {
        return undefined;
    }
    const found: Line[] = [];
    let zero = scale === undefined ? 0n : await zeroOf(source, scale);
    for (const [at, line] of lines.entries()) {
        const named = SCALE.exec(line)?.[1];
        if (named !== undefined) {
            zero = await zeroOf(source, named);
            continue;
        }
        const [, day = '', hour = '', gauge = '', level = ''] = LINE.exec(line) ?? [];
        const place = { lineNumber: at + 2, line };
        if (line === '') {
            continue;
        }
        if (day === '') {
            found.push({ ...place, reason: 'unreadable' });
        } else if (zero === undefined) {
            found.push({ ...place, reason: 'no_scale' });
        } else {
            const period = per === 'day' ? day : `${day}T${hour}`;
            found.push({ ...place, period, gauge, level: level === '' ? null : BigInt(level) + offset + zero });
        }
    }
    return found;
}

function rowOf(table: MergedTable, { gauge, level }: Reading, site: string): Rows {
    const rows = emptyRows(table, 1);
    return {
        ...rows,
        site: [site],
        gauge: [gauge],
        readings: BigInt64Array.of(1n),
        level_mm_sum: BigInt64Array.of(level ?? 0n),
        level_mm_sum_sq: [(level ?? 0n) ** 2n],
        level_mm_min: [level],
        level_mm_max: [level],
    };
}

/** A kind of gauges; `datum` of its options is added to each level. */
function kindOfGauges(name: string, per: PeriodLength, accounts?: Accounts): Kind {
    const mergedTable = tableOf(`${name}_${per}s`, per);
    const contributions = tableOf(`${name}_summaries`, per);
    const nothingFound: Found = { gauges: 0, lowest_reading: null };
    const readerOf = ({ datum, scale }: Readonly<Record<string, string>>): Reader => ({
        per,
        offset: datum === 'chart' ? 1000n : 0n,
        scale,
    });
    return {
        name,
        format: 1,
        merged: mergedTable,
        contributions,
        rejects: {
            name: `${name}_rejects`,
            prefix: `${name}_rejects/`,
            format: 'jsonl.gz',
            grain: 'rejected line',
            columns: [
                text('source', 'raw key'),
                text('version', 'version'),
                whole('line_number', 'line, from 1'),
                text('reason', 'why'),
                text('line', 'as read'),
            ],
        },
        found: [whole('gauges', 'distinct gauges of the kept lines'), text('lowest_reading', 'the lowest level, as text', true)],
        nothingFound,
        inputs: {
            prefix: `${name}_scales/`,
            noun: per === 'hour' ? 'scale' : 'tide-scale',
            presets: async () => new Map([['basin', { zero_mm: 100 }]]),
            async check(document) {
                if (zeroIn(document) === undefined) {
                    throw new UsageError('zero_mm must be a whole number of millimetres');
                }
                return undefined;
            },
            async tryOut(document, { bytes, topic = '' }) {
                const input = async () => ({ version: 0, document });
                const open = async function* () {
                    yield bytes;
                };
                const lines = await linesOf({ open, input }, { ...readerOf({}), scale: 'tried' });
                const rows = (lines ?? []).map((line): Value[] =>
                    'reason' in line ? [topic, null, null, line.reason] : [topic, line.gauge, line.level, null],
                );
                return {
                    columns: [
                        { name: 'topic', type: 'varchar' },
                        { name: 'gauge', type: 'varchar' },
                        { name: 'level_mm', type: 'bigint' },
                        { name: 'problem', type: 'varchar' },
                    ],
                    rows,
                    isUsable: rows.some(([, gauge]) => gauge !== null),
                };
            },
        },
        options: [
            {
                name: 'datum',
                flag: 'datum',
                choices: ['sea', 'chart'],
                meaning: 'what levels are above: the mean sea level, or the chart datum 1,000 mm below it',
            },
            { name: 'scale', flag: 'scale', meaning: 'the scale that levels are read by, where the file names none' },
        ],
        isLikelyName: (file) => file.endsWith('.gauge'),
        ...(accounts && { accounts }),
        async inspect(bytes) {
            const lines = await linesOf({ open: () => bytes, input: async () => undefined }, readerOf({}));
            return lines ? { is: 'usable' } : { is: 'unusable', why: `no usable header: looked for ${HEADER}` };
        },
        async read(source, options): Promise<ReadOutcome> {
            const lines = await linesOf(source, readerOf(options));
            if (!lines) {
                return { ok: false, error: `no usable header: looked for ${HEADER}`, found: nothingFound };
            }
            const rejects = lines.filter((line) => 'reason' in line);
            if (rejects.length > 0) {
                await source.reject(rejects.map(({ lineNumber, reason, line }) => ({ line_number: lineNumber, reason, line })));
            }
            const readings = lines.filter((line) => 'period' in line);
            const periods = new Map<string, TypedRows>();
            for (const period of [...new Set(readings.map((reading) => reading.period))].sort()) {
                const rows = readings
                    .filter((reading) => reading.period === period)
                    .map((reading) => rowOf(contributions, reading, source.site));
                periods.set(period, toTyped(contributions, mergeRows(rows, { table: contributions, period })));
            }
            const levels = readings.flatMap(({ level }) => level ?? []).sort((a, b) => (a < b ? -1 : 1));
            const found = { gauges: new Set(readings.map(({ gauge }) => gauge)).size, lowest_reading: levels[0]?.toString() ?? null };
            return { ok: true, rowsRead: lines.length, rowsRejected: rejects.length, found, periods };
        },
        async trace(source, { key: [gauge], period, options, onRow }) {
            const lines = await linesOf(source, readerOf(options));
            for (const line of lines ?? []) {
                if ('period' in line && line.gauge === gauge && line.period === period) {
                    onRow({ lineNumber: line.lineNumber, values: { readings: 1n, level_mm: line.level ?? 0n }, line: line.line });
                }
            }
            return lines ? undefined : 'it has no header any more';
        },
        doubtsOf: ({ gauges: count }) => (count === 0 ? [{ text: '{files} have no gauge', remedy: 'look at them' }] : []),
        secondReader: async () => (await import('./gauges-by-sql.ts')).secondReaderOf(per),
    };
}

const byTheHour = kindOfGauges('gauges', 'hour');

/** A kind by the hour, with derived tables; nothing is said of what must balance. */
export const gauges: Kind = { ...byTheHour, derived: derivedOfGauges(byTheHour.merged) };

/** A kind by the day, with accounts. */
export const tides = kindOfGauges('tides', 'day', { rows: 'readings', keys: 'gauges' });
