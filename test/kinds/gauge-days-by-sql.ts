/** The derived tables of gauges once more: tops by SQL, floods hour by hour from the rows that SQL puts in order. */
import type { SecondDay, SecondDerivation, SqlEngine } from '#lake/kind';

async function limitOf(engine: SqlEngine, { input }: SecondDay): Promise<number> {
    // Hours without readings ask for nothing.
    const isAny = (await engine.rows('select 1 from day_rows limit 1')).length > 0;
    const { document = { mm: 100 } } = (isAny ? await input('limit') : undefined) ?? {};
    return (document as { mm: number }).mm;
}

export const gaugeDerivations: Readonly<Record<string, SecondDerivation>> = {
    gauge_tops: {
        async derive(engine, day) {
            const limit = await limitOf(engine, day);
            await engine.run(`
                create or replace table derived_rows as
                select site, gauge, period as hour, readings, level_mm_max - ${limit} as over_limit_mm from day_rows`);
            return null;
        },
    },
    floods: {
        async derive(engine, day) {
            const limit = await limitOf(engine, day);
            const began = new Map(Object.entries((day.opening ?? {}) as Record<string, string>));
            await engine.run('create or replace table derived_rows (site varchar, gauge varchar, began varchar, ended varchar)');
            const rows = await engine.rows(`
                select site, gauge, period, level_mm_max >= ${limit} as is_over, level_mm_min < ${limit} as is_under from day_rows order by period`);
            for (const { site, gauge, period, is_over, is_under } of rows) {
                const name = `${site} ${gauge}`;
                const since = began.get(name);
                if (since === undefined && is_over === true) {
                    began.set(name, String(period));
                } else if (since !== undefined && is_under === true) {
                    await engine.run(`insert into derived_rows values ('${site}', '${gauge}', '${since}', '${period}')`);
                    began.delete(name);
                }
            }
            return began.size === 0 ? null : Object.fromEntries(began);
        },
        factsOf: (state) =>
            Object.entries((state ?? {}) as Record<string, string>).map(([name, value]) => ({ key: { name }, figure: 'began', value })),
    },
};
