/** What a device measured in a range of time, and everything that lies on the same axis. */
import { useMemo } from 'preact/hooks';
import type { DeviceFacts } from '../../../lake/pages/device.ts';
import type { DeviceSeries } from '../../../lake/pages/device-series.ts';
import type { DeviceSpans } from '../../../lake/pages/device-spans.ts';
import { Filters } from '../../parts/filters.tsx';
import { withChoices } from '../../parts/link.tsx';
import { Empty } from '../../parts/notes.tsx';
import { Instant } from '../../parts/time.tsx';
import type { Span } from '../../parts/time-chart.tsx';
import type { ScreenProps } from '../../screen.ts';
import { useAbout } from '../../shell/about-context.ts';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';
import { MetricChart, TrafficChart } from './charts.tsx';
import { HeatMap } from './heat-map.tsx';
import { Messages } from './messages.tsx';
import { Peers } from './peers.tsx';
import { type Range, rangeOf, sayFrom, sayUntil } from './range.ts';
import { Readings } from './readings.tsx';
import { Spans } from './spans.tsx';

const DAY_MS = 86_400_000;

/** Metrics that somebody looks at last. */
const LAST = ['battery', 'latitude', 'longitude'];

interface MeasuredProps extends ScreenProps {
    device: DeviceFacts;
}

export function Measured({ device, query, go }: MeasuredProps) {
    const { nowMs } = useAbout();
    const site = query.get('site') ?? newest(device.metrics)?.site ?? '';
    const ofSite = device.metrics.filter((metric) => metric.site === site);
    const chosen = ofSite.find(({ metric }) => metric === query.get('metric')) ?? firstOf(ofSite);
    const range = rangeOf(query, { firstMs: device.firstMs ?? 0, lastMs: device.lastMs ?? nowMs });
    const of = { id: device.device, site, from: range.from, to: range.to };
    const spans = usePage<DeviceSpans>('device-spans', of);
    const sites = [...new Set(device.metrics.map((metric) => metric.site))];
    const known = spans.state === 'ready' ? spans.data : spans.state === 'loading' ? spans.before : undefined;
    const drawnSpans = useMemo(
        () =>
            (known?.spans ?? []).map((span): Span => {
                const kind = span.kind === 'silent' ? 'silence' : 'alert';
                return { fromMs: span.beganMs, untilMs: span.endedMs ?? range.untilMs, label: kind, kind };
            }),
        [known, range.untilMs],
    );
    const addressOf = (fromMs: number, untilMs: number) =>
        withChoices('/device', query, {
            from: sayFrom(fromMs),
            to: sayUntil(untilMs),
            at: undefined,
            until: undefined,
            message: undefined,
        });
    const zoom = (fromMs: number, untilMs: number) => {
        const [from, until] = [Math.floor(fromMs / 60_000) * 60_000, Math.ceil(untilMs / 60_000) * 60_000];
        go('/device', { ...Object.fromEntries(query), from: sayFrom(from), to: sayUntil(Math.max(until, from + 60_000)) });
    };
    return (
        <>
            <Filters
                {...{ path: '/device', query, go }}
                resets={['at', 'until', 'message']}
                filters={[
                    {
                        name: 'metric',
                        label: 'Metric',
                        kind: 'choice',
                        none: `${chosen?.metric ?? 'none'}, as first`,
                        options: ofSite.map(({ metric }) => ({ value: metric, title: metric })),
                    },
                    ...(sites.length > 1
                        ? [
                              {
                                  name: 'site',
                                  label: 'Site',
                                  kind: 'choice' as const,
                                  options: sites.map((value) => ({ value, title: value })),
                              },
                          ]
                        : []),
                ]}
            />
            <Steps range={range} device={device} addressOf={addressOf} />
            {chosen ? (
                <Series {...{ of, metric: chosen.metric, unit: chosen.unit, range, spans: drawnSpans, zoom, query }} />
            ) : (
                <Empty title={`It measured nothing at site ${site}`} />
            )}
            <Answer of={spans}>
                {(found) => (
                    <>
                        <TrafficChart days={found.days} range={range} spans={drawnSpans} zoom={zoom} />
                        <Spans spans={found.spans} addressOf={addressOf} />
                    </>
                )}
            </Answer>
            {chosen && <HeatMap {...{ of, metric: chosen.metric, unit: chosen.unit, range, query }} />}
            <Peers of={of} />
        </>
    );
}

function newest(metrics: DeviceFacts['metrics']) {
    return metrics.toSorted((a, b) => b.lastMs - a.lastMs)[0];
}

/** The metric that a person looks at first: a number, and the first one of the profile. */
function firstOf(metrics: DeviceFacts['metrics']) {
    const rank = ({ metric, kind }: DeviceFacts['metrics'][number]) => (kind === 'text' ? 2 : 0) + (LAST.includes(metric) ? 1 : 0);
    const placeOf = ({ place }: DeviceFacts['metrics'][number]) => place ?? Number.MAX_SAFE_INTEGER;
    return metrics.toSorted((a, b) => rank(a) - rank(b) || placeOf(a) - placeOf(b) || Number(b.readings) - Number(a.readings))[0];
}

interface StepsProps {
    range: Range;
    device: DeviceFacts;
    addressOf(fromMs: number, untilMs: number): string;
}

/** Ways to other ranges: earlier, later, shorter, longer. */
function Steps({ range: { fromMs, untilMs }, device, addressOf }: StepsProps) {
    const span = untilMs - fromMs;
    const [firstMs, lastMs] = [device.firstMs ?? fromMs, device.lastMs ?? untilMs];
    const end = Math.ceil((lastMs + 1) / DAY_MS) * DAY_MS;
    const beginning = Math.floor(firstMs / DAY_MS) * DAY_MS;
    return (
        <nav class="steps" aria-label="Range of time">
            <a href={addressOf(fromMs - span, untilMs - span)}>‹ Earlier</a>
            <span>
                <Instant ms={fromMs} /> to <Instant ms={untilMs} />
            </span>
            <a href={addressOf(fromMs + span, untilMs + span)}>Later ›</a>
            <a href={addressOf(end - DAY_MS, end)}>Last day</a>
            <a href={addressOf(end - 7 * DAY_MS, end)}>Week</a>
            <a href={addressOf(end - 28 * DAY_MS, end)}>4 weeks</a>
            <a href={addressOf(beginning, end)}>All</a>
        </nav>
    );
}

interface SeriesProps {
    of: { id: string; site: string; from: string; to: string };
    metric: string;
    unit: string | null;
    range: Range;
    spans: readonly Span[];
    zoom(fromMs: number, untilMs: number): void;
    query: URLSearchParams;
}

function Series({ of, metric, unit, range, spans, zoom, query }: SeriesProps) {
    const page = usePage<DeviceSeries>('device-series', { ...of, metric });
    const at = query.get('at');
    return (
        <Answer of={page}>
            {(series) =>
                series.atMs.length === 0 ? (
                    <Empty title={`No ${metric} in this time`} />
                ) : (
                    <>
                        <MetricChart {...{ series, metric, unit, range, spans, zoom }} />
                        {at !== null && <Messages {...{ of, metric, at, query }} />}
                        {series.grain === 'reading' && <Readings {...{ series, metric, query }} />}
                    </>
                )
            }
        </Answer>
    );
}
