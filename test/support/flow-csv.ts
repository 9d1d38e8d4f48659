/** Small CICFlowMeter-like files for tests, each row valid unless said otherwise. */

export interface FlowRow {
    src?: string;
    dst?: string;
    timestamp?: string;
    duration?: string | number;
    packets?: string | number;
}

/** The text of a file with these rows. */
export function flowCsv(rows: readonly FlowRow[]): string {
    const lines = rows.map(
        ({ src = '192.0.2.1', dst = '198.51.100.1', timestamp = '31/03/2026 10:00:00 AM', duration = 100, packets = 3 }) =>
            [`${src}-${dst}-1-2-6`, src, 1, dst, 2, 6, timestamp, duration, packets, 0].join(','),
    );
    return `Flow ID,Src IP,Src Port,Dst IP,Dst Port,Protocol,Timestamp,Flow Duration,Tot Fwd Pkts,Tot Bwd Pkts\n${lines.map((line) => `${line}\n`).join('')}`;
}
