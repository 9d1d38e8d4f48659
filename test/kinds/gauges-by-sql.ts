/** The lines of gauges counted once more, by SQL alone. */
import type { SecondReader } from '#lake/kind';
import type { PeriodLength } from '#lake/tables';

export function secondReaderOf(per: PeriodLength): SecondReader {
    return {
        async recompute(engine, { open }, options) {
            let whole = '';
            for await (const chunk of open()) {
                whole += Buffer.from(chunk).toString();
            }
            if (!whole.startsWith('instant,gauge,level\n')) {
                return undefined;
            }
            await engine.run('create or replace table gauge_lines (line varchar)');
            const texts = async function* () {
                yield { sql: 'insert into gauge_lines select unnest(string_split(?, chr(10))[2:]) as line', text: whole };
            };
            await engine.runForEach(texts());
            const offset = options.datum === 'chart' ? 1000 : 0;
            await engine.run(`
                create or replace temp table gauge_readings as
                select split_part(line, ',', 2) as gauge, substr(line, 1, ${per === 'day' ? 10 : 13}) as period,
                    cast(nullif(split_part(line, ',', 3), '') as hugeint) + ${offset} as level
                from gauge_lines
                where regexp_full_match(line, '[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z,[a-z0-9-]+,(-?[0-9]{1,15})?')`);
            await engine.run(`
                create or replace temp table source_periods as
                select gauge, period, count(*) as readings, coalesce(sum(level), 0) as level_mm_sum, coalesce(sum(level * level), 0) as level_mm_sum_sq,
                    min(level) as level_mm_min, max(level) as level_mm_max
                from gauge_readings
                group by all`);
            const [total] = await engine.rows(`
                select count(*) as kept, (select count(*) from gauge_lines where line <> '') as read, count(distinct gauge) as gauges,
                    cast(min(level) as varchar) as lowest, substr(min(period), 1, 10) as first_day, substr(max(period), 1, 10) as last_day
                from gauge_readings`);
            const kept = Number(total?.kept);
            const read = Number(total?.read);
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
                rejects: new Map(read > kept ? [['unreadable', BigInt(read - kept)]] : []),
            };
        },
    };
}
