/** The summary that nfdump writes below its rows says how many there should be. */
import { expect, test } from '@jest/globals';
import { readFlows } from '#lake/flows/read-flows';

const HEADER = 'ts,te,td,sa,da,ipkt\n';
const ROW = '2026-01-05 10:00:00,2026-01-05 10:00:01,1.000,192.0.2.10,198.51.100.20,3\n';
const REJECT = '2026-01-05 10:00:00,2026-01-05 10:00:01,-1.000,192.0.2.10,198.51.100.20,3\n';
const summary = (flows: string): string => `Summary\nflows,bytes,packets,avg_bps,avg_pps,avg_bpp\n${flows},28331,207,4,0,136\n`;

test.each([
    ['as many rows as it says', HEADER + ROW.repeat(200) + summary('200'), null],
    ['rejects among them', HEADER + ROW + REJECT + summary('2'), null],
    ['rows that were cut out', HEADER + ROW.repeat(150) + summary('200'), '150 of 200'],
    ['rows that were joined', HEADER + ROW.repeat(20) + summary('51'), '20 of 51'],
    ['rows of another file', HEADER + ROW.repeat(3) + summary('2'), '3 of 2'],
    ['no summary', HEADER + ROW, null],
    ['no rows by right', `${HEADER}No matching flows\n${summary('0')}`, null],
    ['several tables, each with its own', HEADER + ROW + summary('1') + HEADER + ROW.repeat(2) + summary('2'), null],
    ['several tables, of which one was cut', HEADER + ROW + summary('1') + HEADER + ROW.repeat(2) + summary('3'), '2 of 3'],
    ['a summary that is cut off', `${HEADER + ROW}Summary\nflows,bytes\n`, null],
    ['a summary of other names', `${HEADER + ROW}Summary\nbytes,packets\n1,2\n`, null],
])('nfdump: %s', async (_, text, announced) => {
    const pieces = async function* () {
        yield Buffer.from(text);
    };
    expect(await readFlows(pieces)).toMatchObject({ ok: true, announced });
});

test.each(['Summary\n', 'No matching flows\n'])('rows behind "%j" are none of the table, however many stand in front', async (line) => {
    for (const rows of [3, 70, 500]) {
        const text = HEADER + ROW.repeat(rows) + line + ROW.repeat(2);
        const pieces = async function* () {
            yield Buffer.from(text);
        };
        expect(await readFlows(pieces)).toMatchObject({ ok: true, rowsRead: rows });
    }
});
