/** A table that no kind has, by hour, with every merge word and nulls: for what must hold for any table. */
import fc from 'fast-check';
import { emptyRows, type Rows } from '#lake/rows';
import { key, type MergedColumn, type MergedTable, merged } from '#lake/tables';

function nullable(column: MergedColumn): MergedColumn {
    return { ...column, nullable: true };
}

export const gaugeHours: MergedTable = {
    name: 'gauge_hours',
    prefix: 'gauge_hours/',
    format: 'parquet',
    per: 'hour',
    grain: 'gauge and hour',
    columns: [
        key('site', 'where it stands'),
        key('gauge', 'which one'),
        merged('readings', 'sum', 'how many'),
        merged('level_sum', 'sum', 'sum of the levels, which may be below zero', 'millimetres'),
        { ...merged('level_sum_sq', 'sum', 'sum of their squares', 'square millimetres'), type: 'decimal(38,0)' },
        nullable(merged('level_min', 'min', 'the lowest; null where none was measured', 'millimetres')),
        nullable(merged('level_max', 'max', 'the highest; null where none was measured', 'millimetres')),
    ],
    rowName: 'gauge {gauge} of {site}',
};

/** One reading: a level, or that there was none. */
export interface Reading {
    site: string;
    gauge: string;
    level: bigint | null;
}

/** Texts that sort differently by their bytes and by UTF-16. */
export const reading: fc.Arbitrary<Reading> = fc.record({
    site: fc.constantFrom('main', 'Zürich', 'z', 'Ａ', '\u{1f6b0}', '�'),
    gauge: fc.constantFrom('a', 'ab', 'b', '\u{10000}', ''),
    level: fc.option(fc.bigInt({ min: -(2n ** 55n), max: 2n ** 55n })),
});

/** The rows of these readings, counted one by one and sorted by the bytes of their keys. */
export function rowsOfReadings(readings: readonly Reading[]): Rows {
    const groups = new Map<string, Reading[]>();
    for (const one of readings) {
        const name = `${one.site}\n${one.gauge}`;
        groups.set(name, [...(groups.get(name) ?? []), one]);
    }
    const bytesOf = (name: string): Buffer[] => name.split('\n').map((text) => Buffer.from(text));
    const sorted = [...groups].sort(([a], [b]) => {
        const [[siteA, gaugeA], [siteB, gaugeB]] = [bytesOf(a), bytesOf(b)] as [[Buffer, Buffer], [Buffer, Buffer]];
        return Buffer.compare(siteA, siteB) || Buffer.compare(gaugeA, gaugeB);
    });
    const rows = emptyRows(gaugeHours, sorted.length) as Record<string, any>;
    sorted.forEach(([name, list], at) => {
        const [site, gauge] = name.split('\n');
        const levels = list.flatMap(({ level }) => level ?? []).sort((a, b) => (a < b ? -1 : 1));
        rows.site.push(site);
        rows.gauge.push(gauge);
        rows.readings[at] = BigInt(list.length);
        rows.level_sum[at] = levels.reduce((sum, level) => sum + level, 0n);
        rows.level_sum_sq.push(levels.reduce((sum, level) => sum + level * level, 0n));
        rows.level_min.push(levels[0] ?? null);
        rows.level_max.push(levels.at(-1) ?? null);
    });
    return rows;
}

/** The rows as texts, one for each. */
export function textOfRows(rows: Rows): string[] {
    const names = gaugeHours.columns.map(({ name }) => name);
    return Array.from({ length: rows.site?.length ?? 0 }, (_, at) => names.map((name) => String(rows[name]?.[at])).join(' '));
}
