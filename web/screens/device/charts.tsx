/** The charts of a device: all have one axis of time. */
import { useMemo } from 'preact/hooks';
import type { DeviceSeries } from '../../../lake/pages/device-series.ts';
import type { DeviceSpans } from '../../../lake/pages/device-spans.ts';
import { sayDuration } from '../../parts/time.tsx';
import { type Span, TimeChart } from '../../parts/time-chart.tsx';
import type { Range } from './range.ts';
import { drawnOf } from './series.ts';

const DAY_MS = 86_400_000;

interface ChartProps {
    range: Range;
    spans: readonly Span[];
    zoom(fromMs: number, untilMs: number): void;
}

const GRAINS: Readonly<Record<DeviceSeries['grain'], string>> = {
    hour: 'Draw a frame around up to four days to see single readings.',
    step: 'Draw a frame around less to see single readings.',
    reading: 'Single readings, with all their digits in the table.',
};

export function MetricChart({
    series,
    metric,
    unit,
    range,
    spans,
    zoom,
}: ChartProps & { series: DeviceSeries; metric: string; unit: string | null }) {
    const { fromMs, untilMs } = range;
    // A plot is drawn anew where these are others.
    const drawn = useMemo(() => {
        const { times, values, texts, low, high } = drawnOf(series, { fromMs, untilMs });
        const title = { hour: 'hourly mean', step: `mean of ${sayDuration(series.stepMs ?? 0)}`, reading: 'each reading' }[series.grain];
        return {
            times,
            isEmpty: values.every((value) => value === null),
            lines: [{ title, values, texts, look: 'line' as const }],
            band: low && high ? { title: 'smallest to largest', low, high } : undefined,
        };
    }, [series, fromMs, untilMs]);
    if (drawn.isEmpty) {
        const where = series.grain === 'reading' ? 'its readings are listed below' : 'its readings are listed where less time is chosen';
        return (
            <p>
                {metric} is a text: {where}, and there is nothing to draw.
            </p>
        );
    }
    return (
        <>
            <TimeChart
                title={metric}
                isFromZero={false}
                {...(unit !== null && { unit })}
                times={drawn.times}
                series={drawn.lines}
                band={drawn.band}
                spans={spans}
                onZoom={zoom}
            />
            <p class="small">
                {GRAINS[series.grain]}{' '}
                {series.gapLimitMs !== null && <>Longer than {sayDuration(series.gapLimitMs)} without a reading is a gap.</>}
            </p>
        </>
    );
}

export function TrafficChart({ days, range, spans, zoom }: ChartProps & { days: DeviceSpans['days'] }) {
    const { fromMs, untilMs } = range;
    const drawn = useMemo(() => {
        const byDay = new Map(days.map((day) => [Date.parse(day.day), day]));
        // A day's figure stands at its noon, and both ends of the range are there, so that the axis is that of the readings.
        const times = [fromMs];
        for (let ms = Math.floor(fromMs / DAY_MS) * DAY_MS + DAY_MS / 2; ms < untilMs; ms += DAY_MS) {
            times.push(...(ms > fromMs ? [ms] : []));
        }
        times.push(untilMs);
        const texts = (pick: (day: DeviceSpans['days'][number]) => string | null) =>
            times.map((ms) => {
                const day = byDay.get(ms - DAY_MS / 2);
                return day ? pick(day) : null;
            });
        const numbers = (all: (string | null)[]) => all.map((text) => (text === null ? null : Number(text)));
        const [sent, received] = [texts(({ packetsOut }) => packetsOut), texts(({ packetsIn }) => packetsIn)];
        return {
            times,
            lines: [
                { title: 'sent', values: numbers(sent), texts: sent, look: 'line' as const },
                { title: 'received', values: numbers(received), texts: received, look: 'dashed' as const },
            ],
        };
    }, [days, fromMs, untilMs]);
    if (days.every(({ flowsOut, flowsIn }) => flowsOut === '0' && flowsIn === '0')) {
        return null;
    }
    return (
        <TimeChart
            title="Traffic of its address, packets a day"
            times={drawn.times}
            height={170}
            spans={spans}
            onZoom={zoom}
            series={drawn.lines}
        />
    );
}
