/** Single readings, each the way to its message. */
import type { DeviceSeries } from '../../../lake/pages/device-series.ts';
import { Figure } from '../../parts/figure.tsx';
import { withChoices } from '../../parts/link.tsx';
import { Table } from '../../parts/table.tsx';
import { Instant } from '../../parts/time.tsx';

/** Readings that are listed below their chart. */
const MAX_LISTED = 200;

export function Readings({
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
