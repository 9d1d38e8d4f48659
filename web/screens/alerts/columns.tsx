/** Columns that lists of alerts share. */
import { SeverityMark } from '../../parts/device-marks.tsx';
import { Figure } from '../../parts/figure.tsx';
import type { Column } from '../../parts/table.tsx';
import { Instant, sayDuration } from '../../parts/time.tsx';
import { deviceAddress } from '../fleet/device-address.ts';

export interface ShownAlert {
    severity: string;
    device: string;
    site: string;
    rule: string;
    kind: string;
    beganMs: number;
    /** Null while it is open. */
    endedMs: number | null;
    worst: string | null;
    why: string;
}

const HOUR_MS = 3_600_000;

export const SEVERITIES = ['critical', 'warning', 'info'] as const;

/** What it is, of whom, when and why; `nowMs` tells how long open ones have lasted. */
export function alertColumns<A extends ShownAlert>(nowMs: number): Column<A>[] {
    return [
        { name: 'severity', title: 'Severity', cell: ({ severity }) => <SeverityMark severity={severity} /> },
        {
            name: 'device',
            title: 'Device',
            cell: (alert) => (
                <>
                    <a class="device-id" href={deviceAddress({ device: alert.device, site: alert.site, ...around(alert, nowMs) })}>
                        {alert.device}
                    </a>
                    <div class="small">{alert.site}</div>
                </>
            ),
        },
        {
            name: 'why',
            title: 'What',
            cell: ({ why, rule, kind }) => (
                <div class="words">
                    {why}
                    <div class="small">{kind === 'silent' ? 'silence' : `rule ${rule}`}</div>
                </div>
            ),
        },
        {
            name: 'began',
            title: 'Began',
            cell: ({ beganMs }) => <Instant ms={beganMs} />,
        },
        {
            name: 'lasted',
            title: 'Lasted',
            cell: ({ beganMs, endedMs }) =>
                endedMs === null ? (
                    <strong>open for {sayDuration(Math.max(0, nowMs - beganMs))}</strong>
                ) : (
                    <>
                        {sayDuration(endedMs - beganMs)}
                        <div class="small">
                            to <Instant ms={endedMs} />
                        </div>
                    </>
                ),
        },
        { name: 'worst', title: 'Worst value', isNumber: true, cell: ({ worst }) => <Figure value={worst} /> },
    ];
}

/** The days around it, for the device's screen: two at most before what is open, for a silence may have lasted since long. */
function around({ beganMs, endedMs }: ShownAlert, nowMs: number): { from: string; to: string } {
    const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
    const until = Math.min(endedMs ?? nowMs, beganMs + 7 * 24 * HOUR_MS);
    return { from: day(beganMs - 12 * HOUR_MS), to: day(Math.max(beganMs, until)) };
}
