/** Hours of the day by days: a table whose cells are coloured by their hour's mean. What was not measured is hatched. */
import type { DeviceSeries } from '../../../lake/pages/device-series.ts';
import { roundTo } from '../../parts/figure.tsx';
import { withChoices } from '../../parts/link.tsx';
import { weekdayOf } from '../../parts/time.tsx';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';
import { dayOf, type Range } from './range.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

/** Hours come where more than four days are asked for. */
const LEAST_DAYS = 7;
const MOST_DAYS = 62;

const COLORS = 5;

interface HeatMapProps {
    of: { id: string; site: string };
    metric: string;
    unit: string | null;
    range: Range;
    query: URLSearchParams;
}

export function HeatMap({ of, metric, unit, range, query }: HeatMapProps) {
    const until = Math.ceil(range.untilMs / DAY_MS) * DAY_MS;
    const wanted = Math.ceil((until - range.fromMs) / DAY_MS);
    const first = until - Math.min(MOST_DAYS, Math.max(LEAST_DAYS, wanted)) * DAY_MS;
    const page = usePage<DeviceSeries>('device-series', { id: of.id, site: of.site, metric, from: dayOf(first), to: dayOf(until - 1) });
    return (
        <section class="card">
            <h2>
                {metric}
                {unit !== null && <span class="unit"> in {unit}</span>}, mean of each hour (UTC)
            </h2>
            <Answer of={page}>
                {(series) =>
                    series.grain === 'hour' && series.mean.some((mean) => mean !== null) ? (
                        <Cells {...{ series, first, until, metric, query }} />
                    ) : (
                        <p>No hours with values.</p>
                    )
                }
            </Answer>
        </section>
    );
}

type Hours = Extract<DeviceSeries, { grain: 'hour' }>;

function Cells({
    series,
    first,
    until,
    metric,
    query,
}: {
    series: Hours;
    first: number;
    until: number;
    metric: string;
    query: URLSearchParams;
}) {
    const byHour = new Map(series.atMs.map((ms, at) => [ms, { mean: series.mean[at] ?? null, n: series.n[at] ?? 0 }]));
    const means = [...new Set(series.mean.filter((mean) => mean !== null))].sort((a, b) => a - b);
    // By rank, so that one outlier does not make all others one colour; of different values, so that nights without any do not.
    const ranks = Array.from({ length: COLORS - 1 }, (_, at) => Math.floor(((at + 1) * means.length) / COLORS));
    const bounds = [...new Set(ranks)].filter((rank) => rank > 0).map((rank) => means[rank] ?? 0);
    const colorOf = (mean: number) => 1 + bounds.filter((bound) => mean >= bound).length;
    const days = Array.from({ length: (until - first) / DAY_MS }, (_, at) => until - (at + 1) * DAY_MS);
    return (
        <>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reached by keyboard */}
            <section class="table-scroll" tabIndex={0} aria-label={`Hours of ${metric} by days`}>
                <table class="heat">
                    <caption class="hidden">Mean of {metric} by day and hour; each is the way to its messages</caption>
                    <thead>
                        <tr>
                            <th scope="col">Day</th>
                            {HOURS.map((hour) => (
                                <th key={hour} scope="col" class="number">
                                    {String(hour).padStart(2, '0')}
                                </th>
                            ))}
                        </tr>
                    </thead>
                    <tbody>
                        {days.map((day) => (
                            <tr key={day}>
                                <th scope="row">
                                    {weekdayOf(dayOf(day))} {dayOf(day)}
                                </th>
                                {HOURS.map((hour) => {
                                    const ms = day + hour * HOUR_MS;
                                    const { mean, n } = byHour.get(ms) ?? { mean: null, n: 0 };
                                    return mean === null ? (
                                        <td key={hour} class="hatched" title="not measured">
                                            <span class="hidden">not measured</span>
                                        </td>
                                    ) : (
                                        <td key={hour} class={`heat-${colorOf(mean)}`}>
                                            <a
                                                href={withChoices('/device', query, {
                                                    at: String(ms),
                                                    until: String(ms + HOUR_MS),
                                                    message: undefined,
                                                    metric,
                                                })}
                                                title={`${mean} from ${n} readings`}
                                            >
                                                {roundTo(mean, 3)}
                                            </a>
                                        </td>
                                    );
                                })}
                            </tr>
                        ))}
                    </tbody>
                </table>
            </section>
            <ul class="legend">
                {[means[0] ?? 0, ...bounds].map((bound, at) => (
                    <li key={bound}>
                        <span class={`heat-swatch heat-${at + 1}`} aria-hidden="true" />
                        from {roundTo(bound, 4)}
                    </li>
                ))}
                <li>
                    <span class="heat-swatch hatched" aria-hidden="true" />
                    not measured
                </li>
            </ul>
        </>
    );
}
