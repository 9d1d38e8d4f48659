/**
 * Two kinds of data that only tests know: levels of water gauges, merged by the hour (`gauges`) and by the day (`tides`), from lines
 * `<instant>,<gauge>,<level>` in UTC; an empty level is a reading that measured nothing. They have what flows have not: hours, nulls, values below zero.
 */
import type { Accounts, Found, Kind, ReadOutcome, SourceBytes } from '#lake/kind';
import { mergeRows } from '#lake/merge-rows';
import { emptyRows, type Rows } from '#lake/rows';
import { key, type MergedColumn, type MergedTable, merged, type PeriodLength, text, whole } from '#lake/tables';
import { type TypedRows, toTyped } from '#lake/typed-rows';

const HEADER = 'instant,gauge,level';
const LINE = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ,([a-z0-9-]+),(-?\d{1,15})?$/;

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

type Line = Reading | { lineNumber: number; line: string; reason: 'unreadable' };

/** Lines of a small file, behind its header; undefined where it has another one. */
async function linesOf(source: Pick<SourceBytes, 'open'>, per: PeriodLength, offset: bigint): Promise<Line[] | undefined> {
    const chunks: Buffer[] = [];
    for await (const chunk of source.open()) {
        chunks.push(Buffer.from(chunk));
    }
    const [header, ...lines] = Buffer.concat(chunks).toString().split('\n');
    if (header !== HEADER) {
        return undefined;
    }
    return lines.flatMap((line, at): Line[] => {
        const [, day = '', hour = '', gauge = '', level = ''] = LINE.exec(line) ?? [];
        const place = { lineNumber: at + 2, line };
        if (line === '') {
            return [];
        }
        if (day === '') {
            return [{ ...place, reason: 'unreadable' }];
        }
        return [{ ...place, period: per === 'day' ? day : `${day}T${hour}`, gauge, level: level === '' ? null : BigInt(level) + offset }];
    });
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
    const offsetOf = (options: Readonly<Record<string, string>>): bigint => (options.datum === 'chart' ? 1000n : 0n);
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
        options: [
            {
                name: 'datum',
                flag: 'datum',
                choices: ['sea', 'chart'],
                meaning: 'what levels are above: the mean sea level, or the chart datum 1,000 mm below it',
            },
        ],
        isLikelyName: (file) => file.endsWith('.gauge'),
        ...(accounts && { accounts }),
        async inspect(bytes) {
            const lines = await linesOf({ open: () => bytes }, per, 0n);
            return lines ? { is: 'usable' } : { is: 'unusable', why: `no usable header: looked for ${HEADER}` };
        },
        async read(source, options): Promise<ReadOutcome> {
            const lines = await linesOf(source, per, offsetOf(options));
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
            const lines = await linesOf(source, per, offsetOf(options));
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

/** A kind by the hour; nothing is said of what must balance. */
export const gauges = kindOfGauges('gauges', 'hour');

/** A kind by the day, with accounts. */
export const tides = kindOfGauges('tides', 'day', { rows: 'readings', keys: 'gauges' });
