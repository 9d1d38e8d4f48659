/** The lines of gauges counted once more, by SQL alone: each line by the scale that the last line `scale <name>` before it names. */
import type { SecondReader } from '#lake/kind';
import type { PeriodLength } from '#lake/tables';
import { gaugeDerivations } from './gauge-days-by-sql.ts';

const READING = "'[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z,[a-z0-9-]+,(-?[0-9]{1,15})?'";

export function secondReaderOf(per: PeriodLength): SecondReader {
    return {
        derivations: gaugeDerivations,
        async recompute(engine, { open, input }, { datum, scale = '' }) {
            let whole = '';
            for await (const chunk of open()) {
                whole += Buffer.from(chunk).toString();
            }
            if (!whole.startsWith('instant,gauge,level\n')) {
                return undefined;
            }
            await engine.run('create or replace table gauge_scales (scale varchar, zero hugeint)');
            await engine.run("insert into gauge_scales values ('', 0)");
            for (const name of new Set([scale, ...[...whole.matchAll(/^scale ([a-z0-9-]+)$/gm)].map(([, named = '']) => named)])) {
                const { document } = (await input(name)) ?? {};
                const zero = Object.entries(document ?? {}).find(([field]) => field === 'zero_mm')?.[1];
                if (Number.isSafeInteger(zero)) {
                    await engine.run(`insert into gauge_scales values ('${name}', ${zero})`);
                }
            }
            await engine.run('create or replace table gauge_lines (place bigint, line varchar)');
            const texts = async function* () {
                yield {
                    sql: 'insert into gauge_lines select generate_subscripts(lines, 1), unnest(lines) from (select string_split(?, chr(10))[2:] as lines)',
                    text: whole,
                };
            };
            await engine.runForEach(texts());
            const offset = datum === 'chart' ? 1000 : 0;
            await engine.run(`
                create or replace temp table gauge_readings as
                with scaled as (
                    select line,
                        coalesce(last_value(nullif(regexp_extract(line, '^scale ([a-z0-9-]+)$', 1), '') ignore nulls) over (order by place), '${scale}') as scale
                    from gauge_lines
                )
                select split_part(line, ',', 2) as gauge, substr(line, 1, ${per === 'day' ? 10 : 13}) as period,
                    cast(nullif(split_part(line, ',', 3), '') as hugeint) + ${offset} + zero as level
                from scaled join gauge_scales using (scale)
                where regexp_full_match(line, ${READING})`);
            await engine.run(`
                create or replace temp table source_periods as
                select gauge, period, count(*) as readings, coalesce(sum(level), 0) as level_mm_sum, coalesce(sum(level * level), 0) as level_mm_sum_sq,
                    min(level) as level_mm_min, max(level) as level_mm_max
                from gauge_readings
                group by all`);
            const [total] = await engine.rows(`
                select count(*) as kept, (select count(*) from gauge_lines where line <> '' and not regexp_full_match(line, 'scale [a-z0-9-]+')) as read,
                    (select count(*) from gauge_lines where regexp_full_match(line, ${READING})) as readable, count(distinct gauge) as gauges,
                    cast(min(level) as varchar) as lowest, substr(min(period), 1, 10) as first_day, substr(max(period), 1, 10) as last_day
                from gauge_readings`);
            const kept = Number(total?.kept);
            const [read, readable] = [Number(total?.read), Number(total?.readable)];
            const textOf = (name: string): string | null => (typeof total?.[name] === 'string' ? (total[name] as string) : null);
            return {
                fields: {
                    gauges: Number(total?.gauges),
                    lowest_reading: textOf('lowest'),
                    rows_read: read,
                    rows_kept: kept,
                    rows_rejected: read - kept,
                    first_day: textOf('first_day'),
                    last_day: textOf('last_day'),
                },
                rejects: new Map(
                    Object.entries({ unreadable: BigInt(read - readable), no_scale: BigInt(readable - kept) }).filter(
                        ([, count]) => count > 0n,
                    ),
                ),
            };
        },
    };
}
