/** What a device measured in a range of time, and everything that lies on the same axis. */
import type { DeviceFacts } from '../../../lake/pages/device.ts';
import type { DeviceSeries } from '../../../lake/pages/device-series.ts';
import type { DeviceSpans } from '../../../lake/pages/device-spans.ts';
import { Figure } from '../../parts/figure.tsx';
import { Filters } from '../../parts/filters.tsx';
import { withChoices } from '../../parts/link.tsx';
import { Empty } from '../../parts/notes.tsx';
import { Table } from '../../parts/table.tsx';
import { Instant, sayDuration } from '../../parts/time.tsx';
import { type Span, TimeChart } from '../../parts/time-chart.tsx';
import type { ScreenProps } from '../../screens.ts';
import { useAbout } from '../../shell/about-context.ts';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';
import { HeatMap } from './heat-map.tsx';
import { Messages } from './messages.tsx';
import { Peers } from './peers.tsx';
import { type Range, rangeOf, sayFrom, sayUntil } from './range.ts';
import { drawnOf } from './series.ts';
import { Spans } from './spans.tsx';

const DAY_MS = 86_400_000;

/** Metrics that somebody looks at last. */
const LAST = ['battery', 'latitude', 'longitude'];

/** Readings that are listed below their chart. */
const MAX_LISTED = 200;

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
    const drawnSpans = (known?.spans ?? []).map(
        (span): Span => ({
            fromMs: span.beganMs,
            untilMs: span.endedMs ?? range.untilMs,
            label: span.kind === 'silent' ? 'silence' : 'alert',
            kind: span.kind === 'silent' ? 'silence' : 'alert',
        }),
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
                        <Traffic days={found.days} range={range} spans={drawnSpans} zoom={zoom} />
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
                        <Chart {...{ series, metric, unit, range, spans, zoom }} />
                        {at !== null && <Messages {...{ of, metric, at, query }} />}
                        {series.grain === 'reading' && <Readings {...{ series, metric, query }} />}
                    </>
                )
            }
        </Answer>
    );
}

function Chart({
    series,
    metric,
    unit,
    range,
    spans,
    zoom,
}: { series: DeviceSeries; unit: string | null } & Pick<SeriesProps, 'metric' | 'range' | 'spans' | 'zoom'>) {
    const drawn = drawnOf(series, range);
    if (drawn.values.every((value) => value === null)) {
        return <p>{metric} is a text: its readings are listed, and there is nothing to draw.</p>;
    }
    const grain = { hour: 'hourly mean', step: `mean of ${sayDuration(series.stepMs ?? 0)}`, reading: 'each reading' }[series.grain];
    const how = {
        hour: 'Draw a frame around up to four days to see single readings.',
        step: 'Draw a frame around less to see single readings.',
        reading: 'Single readings, with all their digits in the table.',
    }[series.grain];
    return (
        <>
            <TimeChart
                title={metric}
                isFromZero={false}
                {...(unit !== null && { unit })}
                times={drawn.times}
                series={[{ title: grain, values: drawn.values, texts: drawn.texts, look: 'line' }]}
                band={drawn.low && drawn.high ? { title: 'smallest to largest', low: drawn.low, high: drawn.high } : undefined}
                spans={spans}
                onZoom={zoom}
            />
            <p class="small">
                {how} {series.gapLimitMs !== null && <>Longer than {sayDuration(series.gapLimitMs)} without a reading is a gap.</>}
            </p>
        </>
    );
}

function Readings({
    series,
    metric,
    query,
}: {
    series: Extract<DeviceSeries, { grain: 'reading' }>;
    metric: string;
    query: URLSearchParams;
}) {
    const rows = series.atMs
        .map((atMs, at) => ({
            atMs: atMs ?? 0,
            is: series.value[at] ?? series.text[at] ?? '',
            isText: series.value[at] === null,
            message: series.message[at] ?? '',
            clock: series.clock[at],
            copies: series.copies[at] ?? '1',
            receivedMs: series.receivedMs[at] ?? null,
        }))
        .reverse();
    return (
        <details class="card">
            <summary>
                {rows.length} {rows.length === 1 ? 'reading' : 'readings'} of {metric}, newest first
            </summary>
            <Table
                caption={`Readings of ${metric}`}
                rows={rows.slice(0, MAX_LISTED)}
                keyOf={({ atMs, message }) => `${atMs} ${message}`}
                columns={[
                    { name: 'at', title: 'Measured', cell: ({ atMs }) => <Instant ms={atMs} /> },
                    { name: 'is', title: metric, isNumber: true, cell: ({ is, isText }) => (isText ? is : <Figure value={is} />) },
                    {
                        name: 'clock',
                        title: 'Time by',
                        cell: ({ clock }) => (clock === 'arrival' ? 'arrival: its clock was not believed' : 'its clock'),
                    },
                    { name: 'received', title: 'Arrived', cell: ({ receivedMs }) => <Instant ms={receivedMs} /> },
                    { name: 'copies', title: 'Came', isNumber: true, cell: ({ copies }) => `${copies} ×` },
                    {
                        name: 'message',
                        title: 'Message',
                        cell: ({ atMs, message }) => (
                            <a href={withChoices('/device', query, { metric, at: String(atMs), until: undefined, message })}>{message}</a>
                        ),
                    },
                ]}
            />
            {rows.length > MAX_LISTED && <p class="small">The newest {MAX_LISTED}: draw a frame around less to see the others.</p>}
        </details>
    );
}

interface TrafficProps {
    days: DeviceSpans['days'];
    range: Range;
    spans: readonly Span[];
    zoom(fromMs: number, untilMs: number): void;
}

function Traffic({ days, range, spans, zoom }: TrafficProps) {
    if (days.every(({ flowsOut, flowsIn }) => flowsOut === '0' && flowsIn === '0')) {
        return null;
    }
    const byDay = new Map(days.map((day) => [Date.parse(day.day), day]));
    // A day's figure stands at its noon, and both ends of the range are there, so that the axis is that of the readings.
    const times = [range.fromMs];
    for (let ms = Math.floor(range.fromMs / DAY_MS) * DAY_MS + DAY_MS / 2; ms < range.untilMs; ms += DAY_MS) {
        times.push(...(ms > range.fromMs ? [ms] : []));
    }
    times.push(range.untilMs);
    const texts = (pick: (day: DeviceSpans['days'][number]) => string | null) =>
        times.map((ms) => {
            const day = byDay.get(ms - DAY_MS / 2);
            return day ? pick(day) : null;
        });
    const numbers = (all: (string | null)[]) => all.map((text) => (text === null ? null : Number(text)));
    const [sent, received] = [texts(({ packetsOut }) => packetsOut), texts(({ packetsIn }) => packetsIn)];
    return (
        <TimeChart
            title="Traffic of its address, packets a day"
            times={times}
            height={170}
            spans={spans}
            onZoom={zoom}
            series={[
                { title: 'sent', values: numbers(sent), texts: sent, look: 'line' },
                { title: 'received', values: numbers(received), texts: received, look: 'dashed' },
            ]}
        />
    );
}
