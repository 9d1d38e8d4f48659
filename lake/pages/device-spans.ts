/** Alerts and silences of a device in a range of time, and the traffic of its address on each day. */
import { z } from '@hono/zod-openapi';
import { episodeBody } from './episode-body.ts';
import { namedRows, numberIn, textIn } from './named-rows.ts';
import { definePage, type PageContext } from './page.ts';
import { daysOf, Instants } from './time-range.ts';

const Parameters = z.strictObject({ id: z.string(), site: z.string(), ...Instants });

/** The answer of the page, as its reader gets it. */
export type DeviceSpans = Awaited<ReturnType<typeof answer>>;

export const deviceSpansPage = definePage({
    name: 'device-spans',
    parameters: Parameters,
    reads: (asked) => [{ table: 'episodes' }, { table: 'metric_hours', ...daysOf(asked) }, { table: 'pair_days', ...daysOf(asked) }],
    answer,
});

async function answer({ id, site, from, to }: z.output<typeof Parameters>, context: PageContext) {
    const days = daysOf({ from, to });
    // An open silence whose time has not come is none yet.
    const spans = `
select * from all_episodes
where device = ? and site = ? and began_ms < ? and began_ms <= ? and (ended_ms is null or ended_ms >= ?)
order by began_ms, rule`;
    const traffic = 'select * from device_traffic where device = ? and site = ? and day >= ? and day <= ? order by day';
    const nowMs = BigInt(context.now().getTime());
    const [episodes, byDay] = await Promise.all([
        context.ask(spans, { parameters: [id, site, BigInt(to), nowMs, BigInt(from)] }),
        context.ask(traffic, { parameters: [id, site, days.from, days.to] }),
    ]);
    return {
        spans: namedRows(episodes).map(episodeBody),
        days: namedRows(byDay).map((row) => ({
            day: String(row.day),
            readings: textIn(row, 'readings'),
            longestGapMs: numberIn(row, 'longest_gap_ms'),
            flowsOut: textIn(row, 'flows_out'),
            packetsOut: textIn(row, 'pkts_out'),
            flowsIn: textIn(row, 'flows_in'),
            packetsIn: textIn(row, 'pkts_in'),
        })),
    };
}
