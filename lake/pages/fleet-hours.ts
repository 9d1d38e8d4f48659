/** What the devices of a site say together, hour by hour, how many of them were in alert, and what each profile and site comes to. */
import { z } from '@hono/zod-openapi';
import { compareTexts } from '#lake/rows';
import { fleetReads, nameOf, readFleet } from './fleet-rows.ts';
import { type NamedRow, namedRows, numberIn, plainDecimal, textIn } from './named-rows.ts';
import { definePage, type PageContext } from './page.ts';
import { Days } from './time-range.ts';

const HOUR_MS = 3_600_000;

/** Metrics whose average over devices nobody asks for first. */
const LAST = ['battery', 'latitude', 'longitude'];

const Parameters = z.strictObject({ ...Days, site: z.string().optional(), metric: z.string().optional() });

/** The answer of the page, as its reader gets it. */
export type FleetHours = Awaited<ReturnType<typeof answer>>;

export const fleetHoursPage = definePage({
    name: 'fleet-hours',
    parameters: Parameters,
    reads: ({ from, to }) => [
        { table: 'metric_hours', from, to },
        { table: 'metric_hours', from, to },
        ...fleetReads({ from, to }),
        { table: 'episodes' },
    ],
    answer,
});

async function answer({ from, to, site, metric: asked }: z.output<typeof Parameters>, context: PageContext) {
    const metrics = namedRows(
        await context.ask(
            `select metric, count(distinct device) as devices from metric_hours where day >= ? and day <= ? and digits is not null group by metric`,
            { parameters: [from, to] },
        ),
    )
        .map((row) => ({ metric: String(row.metric), devices: numberIn(row, 'devices') ?? 0 }))
        .sort(
            (a, b) =>
                Number(LAST.includes(a.metric)) - Number(LAST.includes(b.metric)) ||
                b.devices - a.devices ||
                compareTexts(a.metric, b.metric),
        );
    const metric = asked ?? metrics[0]?.metric;
    const names = metrics.map((one) => one.metric).sort(compareTexts);
    if (metric === undefined) {
        return { metrics: names, metric: null, sites: [], groups: [] };
    }
    const ofSite = site === undefined ? '' : ' and site = ?';
    const parameters = [from, to, metric, ...(site === undefined ? [] : [site])];
    const hours = namedRows(
        await context.ask(
            `select site, day, hour, devices, n, min, max, mean, devices_alerted, alert_rate from fleet_hours where day >= ? and day <= ? and metric = ?${ofSite} order by site, day, hour`,
            { parameters },
        ),
    );
    const bySite = new Map<string, NamedRow[]>();
    for (const row of hours) {
        const ofThis = bySite.get(String(row.site)) ?? [];
        bySite.set(String(row.site), ofThis);
        ofThis.push(row);
    }
    return {
        metrics: names,
        metric,
        sites: [...bySite].map(([name, rows]) => ({
            site: name,
            hourMs: rows.map((row) => Date.parse(String(row.day)) + (numberIn(row, 'hour') ?? 0) * HOUR_MS),
            mean: rows.map((row) => numberIn(row, 'mean')),
            min: rows.map((row) => plainDecimal(textIn(row, 'min'))),
            max: rows.map((row) => plainDecimal(textIn(row, 'max'))),
            devices: rows.map((row) => numberIn(row, 'devices')),
            devicesAlerted: rows.map((row) => numberIn(row, 'devices_alerted')),
            alertRate: rows.map((row) => numberIn(row, 'alert_rate')),
        })),
        groups: await averages(),
    };

    /** The metric's average over all readings of each profile and site. */
    async function averages() {
        const sql = `
select site, device, cast(sum(n) as bigint) as n, sum(units) as units
from metric_hour_values
where day >= ? and day <= ? and metric = ?${ofSite} and units is not null
group by site, device`;
        const rows = namedRows(await context.ask(sql, { parameters, maxRows: 1_000_000 }));
        const profiles = new Map((await readFleet(context, { from, to })).map((row) => [nameOf(row.site, row.device), row.profile]));
        const groups = new Map<string, { profile: string | null; site: string; devices: number; n: bigint; units: bigint }>();
        for (const row of rows) {
            const profile = profiles.get(nameOf(String(row.site), String(row.device))) ?? null;
            const key = JSON.stringify([profile, row.site]);
            const group = groups.get(key) ?? { profile, site: String(row.site), devices: 0, n: 0n, units: 0n };
            groups.set(key, group);
            group.devices += 1;
            group.n += BigInt(textIn(row, 'n') ?? 0);
            group.units += BigInt(textIn(row, 'units') ?? 0);
        }
        return [...groups.values()]
            .sort((a, b) => compareTexts(a.profile ?? '', b.profile ?? '') || compareTexts(a.site, b.site))
            .map(({ n, units, ...group }) => ({ ...group, n: String(n), mean: Number(units) / Number(n) / UNITS }));
    }
}

/** `units` of metric_hour_values are billionths. */
const UNITS = 1e9;
