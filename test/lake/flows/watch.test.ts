/** Whoever asks for the rows of a pair is told of each row that is kept, and the totals stay what they are. */

import type { WatchedRow } from '#lake/flows/flow-sink';
import { readFlows } from '#lake/flows/read-flows';

const HEADER = 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts';

async function watched(rows: string[], options: Parameters<typeof readFlows>[1] = {}) {
    const found: WatchedRow[] = [];
    const bytes = async function* () {
        for (const byte of Buffer.from(`${[HEADER, ...rows].join('\n')}\n`)) {
            yield Buffer.from([byte]);
        }
    };
    const watch = { src: '10.0.0.1', dst: 'fe80::2', onRow: (row: WatchedRow) => void found.push(row) };
    const result = await readFlows(bytes, { ...options, watch });
    const plain = await readFlows(bytes, options);
    expect([result.ok && result.rowsRead, result.ok && [...result.days.keys()]]).toEqual([
        plain.ok && plain.rowsRead,
        plain.ok && [...plain.days.keys()],
    ]);
    return found;
}

test('with line number, values and the row as it stands, whatever kind of row it is', async () => {
    const rows = [
        '10.0.0.1,fe80::2,13/02/2026 10:00:00,5,1',
        '10.0.0.1,fe80::3,13/02/2026 10:00:00,5,1',
        '"10.0.0.1", fe80::2 ,14/02/2026,"6",2e1\r',
        '10.0.0.1,fe80::2,13/02/2026,NaN,1',
        '"10.0.0.1","fe80::2","13/02/2026 and\nthe clock, on a line of its own",7,99999999999',
        '10.0.0.1,fe80::2,01/02/2026,8,3',
        '10.0.0.1,fe80::2,13/02/2026,,3',
    ];
    expect(await watched(rows)).toEqual([
        { lineNumber: 2, date: expect.objectContaining({ dmy: '2026-02-13' }), durationUs: 5n, packets: 1n, line: rows[0] },
        { lineNumber: 4, date: expect.objectContaining({ dmy: '2026-02-14' }), durationUs: 6n, packets: 20n, line: rows[2]?.slice(0, -1) },
        { lineNumber: 6, date: expect.objectContaining({ dmy: '2026-02-13' }), durationUs: 7n, packets: 99_999_999_999n, line: rows[4] },
        {
            lineNumber: 8,
            date: expect.objectContaining({ dmy: '2026-02-01', mdy: '2026-01-02' }),
            durationUs: 8n,
            packets: 3n,
            line: rows[5],
        },
        { lineNumber: 9, date: expect.objectContaining({ dmy: '2026-02-13' }), durationUs: null, packets: 3n, line: rows[6] },
    ]);
});
