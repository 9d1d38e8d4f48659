/** Sparklines: the hours of a day of one metric of each of some devices. */
import { z } from '@hono/zod-openapi';
import { compareTexts } from '#lake/rows';
import { nameOf } from './fleet-rows.ts';
import { namedRows, numberIn } from './named-rows.ts';
import { definePage, type PageContext } from './page.ts';

const MAX_DEVICES = 500;

/** Metrics that a line says little of; they are drawn of devices that have no other. */
const DULL = ['battery', 'latitude', 'longitude'];

const HOURS = 24;

const Parameters = z.strictObject({
    day: z.iso.date('Expected a day, YYYY-MM-DD.'),
    /** Ids with commas between. */
    devices: z.string().transform((text) => text.split(',').slice(0, MAX_DEVICES)),
    /** Metric that is drawn; where none is said, each device's is the one that was read most. */
    metric: z.string().optional(),
});

/** The answer of the page, as its reader gets it. */
export type FleetLines = Awaited<ReturnType<typeof answer>>;

export const fleetLinesPage = definePage({
    name: 'fleet-lines',
    parameters: Parameters,
    reads: ({ day }) => [{ table: 'metric_hours', from: day, to: day }],
    answer,
});

async function answer({ day, devices, metric }: z.output<typeof Parameters>, context: PageContext) {
    const sql = `
select site, device, metric, hour, n, mean
from metric_hour_values
where day = ? and mean is not null and device in (${devices.map(() => '?').join(', ')})${metric === undefined ? '' : ' and metric = ?'}`;
    const parameters = [day, ...devices, ...(metric === undefined ? [] : [metric])];
    const lines = new Map<string, { site: string; device: string; metric: string; n: number; means: (number | null)[] }>();
    for (const row of namedRows(await context.ask(sql, { parameters }))) {
        const [site, device, name] = [String(row.site), String(row.device), String(row.metric)];
        const key = JSON.stringify([site, device, name]);
        const line = lines.get(key) ?? { site, device, metric: name, n: 0, means: Array.from<null>({ length: HOURS }).fill(null) };
        lines.set(key, line);
        line.n += numberIn(row, 'n') ?? 0;
        line.means[numberIn(row, 'hour') ?? 0] = numberIn(row, 'mean');
    }
    const shown = new Map<string, { metric: string; means: (number | null)[] }>();
    const byWorth = [...lines.values()].sort(
        (a, b) => Number(DULL.includes(a.metric)) - Number(DULL.includes(b.metric)) || b.n - a.n || compareTexts(a.metric, b.metric),
    );
    for (const { site, device, metric: name, means } of byWorth) {
        const key = nameOf(site, device);
        shown.set(key, shown.get(key) ?? { metric: name, means });
    }
    return { day, lines: Object.fromEntries(shown) };
}
