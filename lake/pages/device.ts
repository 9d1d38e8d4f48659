/** What a device is: where it stands, how its messages are read, what it measures, and how it is now. */
import { z } from '@hono/zod-openapi';
import { readDevice } from '#lake/devices';
import { NotFoundError } from '#lake/errors';
import type { DeviceItem } from '#lake/live/state-store';
import { readQuery } from '#lake/query/sql-files';
import { deviceBody } from './fleet-live.ts';
import { factsOfMetrics } from './metric-facts.ts';
import { namedRows, numberIn, textIn } from './named-rows.ts';
import { definePage, type PageContext } from './page.ts';
import { dayOf } from './time-range.ts';

const Parameters = z.strictObject({ id: z.string() });

/** The answer of the page, as its reader gets it. */
export type DeviceFacts = Awaited<ReturnType<typeof answer>>;

export const devicePage = definePage({
    name: 'device',
    parameters: Parameters,
    reads: () => [{ table: 'metric_hours' }, { table: 'readings' }],
    answer,
});

async function answer({ id }: z.output<typeof Parameters>, context: PageContext) {
    const store = await context.lake.store();
    const [assignments, live, rows] = await Promise.all([
        readDevice(store, id),
        context.live?.device(id),
        context.ask(readQuery('device_metrics'), { parameters: [id] }),
    ]);
    const metrics = namedRows(rows).map((row) => ({
        site: String(row.site),
        metric: String(row.metric),
        firstMs: numberIn(row, 'first_ms') ?? 0,
        lastMs: numberIn(row, 'last_ms') ?? 0,
        readings: textIn(row, 'readings') ?? '0',
    }));
    if (assignments.length === 0 && live === undefined && metrics.length === 0) {
        throw new NotFoundError(`The lake knows no device ${id}: the fleet’s page lists those that it knows`);
    }
    const lastMs = metrics.reduce((last, metric) => Math.max(last, metric.lastMs), 0);
    const profile = live?.answer.item.profile ?? assignments.at(-1)?.profile ?? (lastMs > 0 ? await profileRead(dayOf(lastMs)) : null);
    const factsOf = await factsOfMetrics(store, profile);
    return {
        device: id,
        profile,
        assignments: assignments.map((assignment) => ({ ...assignment })),
        live: live ? { ...deviceBody(live.answer), ...latestOf(live.answer.item) } : null,
        metrics: metrics.map((metric) => ({ ...metric, ...factsOf(metric.metric) })),
        firstMs: metrics.length === 0 ? null : Math.min(...metrics.map(({ firstMs }) => firstMs)),
        lastMs: lastMs === 0 ? null : lastMs,
    };

    /** The profile that its readings of that day were read with. */
    async function profileRead(day: string): Promise<string | null> {
        const sql = 'select max(profile) as profile from readings where device = ? and day = ?';
        const [row] = namedRows(await context.ask(sql, { parameters: [id, day] }));
        return row ? textIn(row, 'profile') : null;
    }
}

/** The newest reading of each metric, and what became of messages that have none. */
function latestOf({ metrics, refused, rejected, lastRejected }: DeviceItem) {
    return {
        ...{ refused, rejected, lastRejected },
        latest: Object.entries(metrics).map(([metric, { value, text, unit, atMs, receivedMs, clock }]) => ({
            ...{ metric, value: value ?? text, unit, atMs, receivedMs, clock },
        })),
    };
}
