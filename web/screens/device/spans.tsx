/** Alerts and silences of a device, each the way to its time. */
import type { DeviceSpans } from '../../../lake/pages/device-spans.ts';
import { SeverityMark } from '../../parts/device-marks.tsx';
import { Figure } from '../../parts/figure.tsx';
import { Table } from '../../parts/table.tsx';
import { Instant, sayDuration } from '../../parts/time.tsx';

const HOUR_MS = 3_600_000;

interface SpansProps {
    spans: DeviceSpans['spans'];
    addressOf(fromMs: number, untilMs: number): string;
}

export function Spans({ spans, addressOf }: SpansProps) {
    if (spans.length === 0) {
        return <p>No alert and no silence in this time.</p>;
    }
    return (
        <Table
            caption="Alerts and silences in this time"
            isCaptionShown
            rows={spans.toReversed()}
            keyOf={({ rule, beganMs }) => `${rule} ${beganMs}`}
            columns={[
                {
                    name: 'began',
                    title: 'Began',
                    cell: ({ beganMs, endedMs }) => (
                        <a href={addressOf(...around(beganMs, endedMs))}>
                            <Instant ms={beganMs} />
                        </a>
                    ),
                },
                {
                    name: 'lasted',
                    title: 'Lasted',
                    cell: ({ beganMs, endedMs }) => (endedMs === null ? 'open' : sayDuration(endedMs - beganMs)),
                },
                { name: 'kind', title: 'What', cell: ({ kind, rule }) => (kind === 'silent' ? 'silence' : `alert ${rule}`) },
                { name: 'severity', title: 'Severity', cell: ({ severity }) => <SeverityMark severity={severity} /> },
                { name: 'worst', title: 'Worst value', isNumber: true, cell: ({ worst }) => <Figure value={worst} /> },
                { name: 'why', title: 'Why', cell: ({ why }) => <span class="words">{why}</span> },
            ]}
        />
    );
}

/** The span with an hour, or as much as it lasted, on both sides, by whole hours. */
function around(beganMs: number, endedMs: number | null): [number, number] {
    const until = endedMs ?? beganMs + HOUR_MS;
    const more = Math.max(HOUR_MS, until - beganMs);
    return [Math.floor((beganMs - more) / HOUR_MS) * HOUR_MS, Math.ceil((until + more) / HOUR_MS) * HOUR_MS];
}
