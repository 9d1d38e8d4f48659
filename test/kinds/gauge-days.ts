/**
 * Two derived tables that only tests know, of the made-up gauges: what each hour of a gauge came to (`gauge_tops`, not chained), and floods (`floods`,
 * chained), which begin where a level is at the limit or above and end where one is below it again. The limit is an input of the lake, `limit`.
 */
import type { DayPart, DerivedTable, Json } from '#lake/kind';
import type { Rows } from '#lake/rows';
import { type DayTable, type MergedTable, text, whole, withWords } from '#lake/tables';
import { textAt, textsOf, toPlain, toTyped } from '#lake/typed-rows';

/** The limit where the lake has none. */
const USUAL_LIMIT_MM = 100n;

interface Level {
    site: string;
    gauge: string;
    readings: bigint;
    lowest: bigint | null;
    highest: bigint | null;
}

function levelsOf(merged: MergedTable, { rows }: DayPart): Level[] {
    const plain = toPlain(merged, rows) as Record<string, ArrayLike<unknown>>;
    return Array.from({ length: rows.count }, (_, at) => ({
        site: plain.site?.[at] as string,
        gauge: plain.gauge?.[at] as string,
        readings: plain.readings?.[at] as bigint,
        lowest: plain.level_mm_min?.[at] as bigint | null,
        highest: plain.level_mm_max?.[at] as bigint | null,
    }));
}

async function limitOf({ input }: DayPart): Promise<bigint> {
    const { document } = (await input('limit')) ?? {};
    return document === undefined ? USUAL_LIMIT_MM : BigInt((document as { mm: number }).mm);
}

/** A table whose rows are sorted by the first three columns. */
function dayTable(name: string, grain: string, columns: DayTable['columns']): DayTable {
    const sortedBy = columns.slice(0, 3).map((column) => column.name);
    return { name, prefix: `${name}/`, format: 'parquet', per: 'day', grain, columns, sortedBy };
}

const TOPS = dayTable('gauge_tops', 'gauge and hour', [
    text('site', 'where the gauge stands'),
    text('gauge', 'name of the gauge'),
    text('hour', 'the hour, UTC'),
    whole('readings', 'readings of the hour'),
    whole('over_limit_mm', 'highest level above the limit; null where none was measured', { unit: 'millimetres', nullable: true }),
]);

const FLOODS = dayTable('floods', 'gauge and flood that ended on the day', [
    text('site', 'where the gauge stands'),
    text('gauge', 'name of the gauge'),
    text('began', 'first hour at the limit or above it, UTC'),
    text('ended', 'first hour below the limit, UTC'),
]);

/** The derived tables of a kind of gauges. */
export function derivedOfGauges(merged: MergedTable): DerivedTable[] {
    return [
        {
            table: TOPS,
            format: 1,
            isChained: false,
            partOf(rows) {
                const hours = textsOf(rows, 'hour');
                return (row) => textAt(hours, row);
            },
            async derive(part) {
                const limit = await limitOf(part);
                const levels = levelsOf(merged, part);
                const rows: Rows = {
                    site: levels.map(({ site }) => site),
                    gauge: levels.map(({ gauge }) => gauge),
                    hour: levels.map(() => part.period),
                    readings: BigInt64Array.from(levels, ({ readings }) => readings),
                    over_limit_mm: levels.map(({ highest }) => (highest === null ? null : highest - limit)),
                };
                return { rows: toTyped(withWords(TOPS), rows) };
            },
        },
        {
            table: FLOODS,
            format: 1,
            isChained: true,
            async derive(part) {
                const limit = await limitOf(part);
                // By `<site> <gauge>`, the hour in which its flood began.
                const state = new Map(Object.entries((part.opening ?? {}) as Record<string, string>));
                const ended: { site: string; gauge: string; began: string }[] = [];
                for (const { site, gauge, lowest, highest } of levelsOf(merged, part)) {
                    const name = `${site} ${gauge}`;
                    const began = state.get(name);
                    if (began === undefined && highest !== null && highest >= limit) {
                        state.set(name, part.period);
                    } else if (began !== undefined && lowest !== null && lowest < limit) {
                        ended.push({ site, gauge, began });
                        state.delete(name);
                    }
                }
                const rows: Rows = {
                    site: ended.map(({ site }) => site),
                    gauge: ended.map(({ gauge }) => gauge),
                    began: ended.map(({ began }) => began),
                    ended: ended.map(() => part.period),
                };
                const closing: Json = Object.fromEntries([...state].sort(([a], [b]) => (a < b ? -1 : 1)));
                return { rows: toTyped(withWords(FLOODS), rows), closing: state.size === 0 ? null : closing };
            },
        },
    ];
}
