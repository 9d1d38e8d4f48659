/** What the rows of a file settle for all of it: the unit of durations, how numbers are written, which days are its own. */
import { expect, test } from '@jest/globals';
import type { ReadFlowsOptions } from '#lake/flows/flow-sink';
import { DURATION } from '#lake/flows/pair-table';
import { readFlows } from '#lake/flows/read-flows';

/** What the file comes to, in a line; rejects by line and reason. */
async function read(lines: readonly string[], options: ReadFlowsOptions = {}) {
    let rejects: string[] = [];
    const open = async function* () {
        rejects = [];
        yield Buffer.from(`${lines.join('\n')}\n`);
    };
    const onRejects: ReadFlowsOptions['onRejects'] = async (found) => {
        rejects.push(...found.map(({ lineNumber, reason }) => `${lineNumber} ${reason}`));
    };
    const result = await readFlows(open, { ...options, onRejects });
    if (!result.ok) {
        return result.error;
    }
    const rows = [...result.days].flatMap(([day, places]) =>
        [...places].map((row) => `${day} ${result.table.sourceOf(row)} ${result.table.totalsOf(row, DURATION).sum} us`),
    );
    return { rows: rows.sort(), unit: `${result.durationUnit} ${result.durationUnitBy}`, rejects };
}

const RATED = 'src_ip,dst_ip,timestamp,flow_duration,flow_pkts_s,tot_fwd_pkts,tot_bwd_pkts';

function rated(duration: string, rate: string, { fwd = '6', bwd = '4', source = '192.0.2.1' } = {}): string {
    return `${source},198.51.100.1,2026-01-05 10:00:00,${duration},${rate},${fwd},${bwd}`;
}

test('a rate tells seconds from microseconds under one header', async () => {
    expect(await read([RATED, rated('5', '2.0')])).toMatchObject({ rows: ['2026-01-05 192.0.2.1 5000000 us'], unit: 's witnessed' });
    expect(await read([RATED, rated('5000000', '2.0')])).toMatchObject({ rows: ['2026-01-05 192.0.2.1 5000000 us'], unit: 'us witnessed' });
    expect(await read([RATED, rated('5000', '2.0')])).toMatchObject({ rows: ['2026-01-05 192.0.2.1 5000000 us'], unit: 'ms witnessed' });
});

test('a rate of forward packets alone tells it too', async () => {
    const header = 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts,Fwd Pkts/s';
    const found = await read([header, '192.0.2.1,198.51.100.1,2026-01-05,0.5,6,12.0']);
    expect(found).toMatchObject({ rows: ['2026-01-05 192.0.2.1 500000 us'], unit: 's witnessed' });
});

test('rows without duration, rate or packets tell nothing, and the columns’ names decide', async () => {
    const silent = [rated('0', '0'), rated('0', '-1'), rated('7', '0'), rated('7', 'inf'), rated('7', ''), rated('7', '3.0')];
    expect(await read([RATED, ...silent])).toMatchObject({ unit: 's assumed' });
    expect(await read([`${RATED},cwe_flag_count`, ...silent.map((row) => `${row},0`)])).toMatchObject({ unit: 'us named' });
});

test('a late witness rules the rows in front of it', async () => {
    const found = await read([RATED, rated('7', '0'), rated('5000000', '2.0', { source: '192.0.2.2' })]);
    expect(found).toMatchObject({ rows: ['2026-01-05 192.0.2.1 7 us', '2026-01-05 192.0.2.2 5000000 us'], unit: 'us witnessed' });
});

test('witnesses against each other refuse the file and are named', async () => {
    expect(await read([RATED, rated('5', '2.0'), rated('7', '0'), rated('5000000', '2.0')])).toBe(
        'its rows disagree on the unit of durations: by their packets a second line 2 speaks for s and line 4 for us; split the file by what wrote it',
    );
    const header = [RATED, ...Array.from({ length: 3000 }, () => rated('5', '2.0'))];
    // Behind a header that comes again the rows are asked again.
    expect(await read([...header, RATED, rated('5000000', '2.0')])).toMatch(/line 2 speaks for s and line 3003 for us/);
});

test('a witness against the unit that was given refuses the file', async () => {
    expect(await read([RATED, rated('5', '2.0')], { durationUnit: 'us' })).toMatch(/--duration-unit us was given, and line 2 speaks for s/);
    expect(await read([RATED, rated('5', '2.0')], { durationUnit: 's' })).toMatchObject({ unit: 's given' });
    expect(await read([RATED, rated('7', '0')], { durationUnit: 'ms' })).toMatchObject({
        rows: ['2026-01-05 192.0.2.1 7000 us'],
        unit: 'ms given',
    });
});

const PLAIN = 'Src IP;Dst IP;Timestamp;Flow Duration;Tot Fwd Pkts';

function plain(duration: string, packets = '1', source = '192.0.2.1'): string {
    return `${source};198.51.100.1;2026-01-05;${duration};${packets}`;
}

test('points that group thousands do so in all rows, once a row can mean nothing else', async () => {
    const found = await read([PLAIN, plain('250.000'), plain('1.234', '1.024'), plain('5.000.000'), plain('7')]);
    expect(found).toMatchObject({ rows: ['2026-01-05 192.0.2.1 5251241 us'], rejects: [] });
});

test('a decimal comma is one', async () => {
    expect(await read([PLAIN, plain('5,25'), plain('1.000,5')], { durationUnit: 's' })).toMatchObject({
        rows: ['2026-01-05 192.0.2.1 1005750000 us'],
        rejects: [],
    });
});

test('commas that group thousands go beside plain numbers', async () => {
    const found = await read([PLAIN, plain('1,234'), plain('1,234,567'), plain('0.5')]);
    expect(found).toMatchObject({ rows: ['2026-01-05 192.0.2.1 1235802 us'], rejects: [] });
});

test('two styles in a file are none: plain numbers are read, the others are rejects', async () => {
    const found = await read([PLAIN, plain('5,25'), plain('0.5'), plain('3')]);
    expect(found).toMatchObject({ rows: ['2026-01-05 192.0.2.1 4 us'], rejects: ['2 not_a_number'] });
});

test('a comma that may group or be a decimal mark is a reject', async () => {
    expect(await read([PLAIN, plain('1,234'), plain('3')])).toMatchObject({
        rows: ['2026-01-05 192.0.2.1 3 us'],
        rejects: ['2 not_a_number'],
    });
});

const DATED = 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts';

function dated(timestamp: string, source = '192.0.2.1'): string {
    return `${source},198.51.100.1,${timestamp},1,1`;
}

test('days before 1990 and years ahead are none beside others, and are kept alone', async () => {
    const odd = [dated('1975-03-01'), dated('2035-01-01'), dated('1989-12-31')];
    expect(await read([DATED, ...odd, dated('2026-01-05'), dated('2026-01-06'), dated('2026-01-06'), dated('2031-01-06')])).toMatchObject({
        rows: ['2026-01-05 192.0.2.1 1 us', '2026-01-06 192.0.2.1 2 us', '2031-01-06 192.0.2.1 1 us'],
        rejects: ['2 date_implausible', '3 date_implausible', '4 date_implausible'],
    });
    expect(await read([DATED, dated('1975-03-01')])).toMatchObject({ rows: ['1975-03-01 192.0.2.1 1 us'], rejects: [] });
});

test('a written date of January 1970 is what CICFlowMeter makes of IPv6, and no day', async () => {
    const rows = [dated('21/01/1970 08:00:00', '2001:db8::1'), dated('21/01/1970 08:00:01', '2001:db8::1')];
    expect(await read([DATED, ...rows])).toMatchObject({ rows: [], rejects: ['2 date_implausible', '3 date_implausible'] });
});

test('epochs count in the unit of most of them', async () => {
    expect(await read([DATED, dated('1708072447000'), dated('1708072447'), dated('1708072447001')])).toMatchObject({
        rows: ['2024-02-16 192.0.2.1 2 us'],
        rejects: ['3 date_against_order'],
    });
});

test('a header with its columns elsewhere rules from where it stands, and one of another tool ends the file', async () => {
    const other = 'Dst IP,Src IP,Timestamp,Flow Duration,Tot Fwd Pkts';
    expect(await read([DATED, dated('2026-01-05'), other, '198.51.100.1,192.0.2.9,2026-01-05,2,1'])).toMatchObject({
        rows: ['2026-01-05 192.0.2.1 1 us', '2026-01-05 192.0.2.9 2 us'],
        rejects: [],
    });
    expect(await read([DATED, dated('2026-01-05'), 'ts,te,td,sa,da,ipkt'])).toBe(
        'line 3 is the header of another tool (nfdump, and the file begins as cicflowmeter): split the file there',
    );
});

test('behind nfdump’s summary nothing is a row until a header comes', async () => {
    const header = 'ts,te,td,sa,da,ipkt,opkt';
    const row = '2026-01-05 10:00:00,2026-01-05 10:00:01,    1.000,192.0.2.1,198.51.100.1,3,0';
    const trailer = ['Summary', 'flows,bytes,packets,avg_bps,avg_pps,avg_bpp', '1,120,3,960,3,40'];
    expect(await read([header, row, ...trailer, header, row, 'No matching flows'])).toEqual({
        rows: ['2026-01-05 192.0.2.1 2000000 us'],
        unit: 's named',
        rejects: [],
    });
});

test('clocks of Argus without a date are no times, and the answer says what ra must be told', async () => {
    const header = 'StartTime,LastTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,SrcPkts,DstPkts';
    const status = '02:44:17.321511,02:44:17.320856,0.000655,man,0,0,,0,0,0,0';
    const flow = '00:01:48.315199,00:01:48.478551,0.163352,udp,192.0.2.46,20004,   ->,198.51.100.52,443,3,0';
    for (const rows of [[status, flow], [flow]]) {
        expect(await read([header, ...rows])).toMatch(/clocks without a date; write ra -n -u /);
    }
    const short = 'stime,ltime,proto,saddr,daddr,spkts';
    expect(await read([short, '02:44:17.321511,02:44:17.320856,udp,192.0.2.1,198.51.100.2,1'])).toMatch(
        /clocks without a date; write ra -n -u /,
    );
    expect(await read([short, '1714521600,1714521601,llc2,00:11:22:33:44:55,198.51.100.2,1'])).toMatchObject({ rows: [], rejects: [] });
});

test('the date is checked in front of the numbers also where only the whole file tells which days are its own', async () => {
    const wrong = dated('2036-01-05').replace(/1,1$/, 'nan,1');
    expect(wrong).toContain('nan');
    expect(await read([DATED, dated('2026-01-05'), wrong])).toMatchObject({ rejects: ['3 date_implausible'] });
    const other = dated('1708072447').replace(/1,1$/, '1,x');
    expect(await read([DATED, dated('1708072447000'), other])).toMatchObject({ rejects: ['3 date_against_order'] });
});

test('what the ledger says of the order of dates is of the rows that were kept', async () => {
    const order = async (...dates: string[]) => {
        const bytes = Buffer.from([DATED, ...dates.map((date) => dated(date))].join('\n'));
        const result = await readFlows(async function* () {
            yield bytes;
        });
        return result.ok && result.dateOrder;
    };
    expect(await order('2026-01-05', '03/04/1980')).toBe('ymd');
    expect(await order('2026-01-05', '03/04/2026')).toBe('assumed');
});

test('which date of January 1970 is cut is told by the order of the file’s dates', async () => {
    const dates = ['4/25/1970', '5/1/1970', '1/5/1970'];
    expect(await read([DATED, ...dates.map((date) => dated(date))])).toMatchObject({
        rows: ['1970-04-25 192.0.2.1 1 us', '1970-05-01 192.0.2.1 1 us'],
        rejects: ['4 date_implausible'],
    });
});

test('the last days that there are have no days behind them', async () => {
    expect(await read([DATED, dated('9999-12-31')])).toMatchObject({ rows: ['9999-12-31 192.0.2.1 1 us'], rejects: [] });
});

test('digits that group are read before what they say of the unit', async () => {
    // Line 2 alone is two packets in 1.234 seconds at 1.621 a second, and in 1,234 microseconds at 1,621 a second.
    const lines = [
        rated('1.234', '1.621', { fwd: '1', bwd: '1' }),
        rated('2.000.000', '1.500', { fwd: '2000', bwd: '1000', source: '192.0.2.2' }),
    ];
    expect(await read([RATED, ...lines])).toMatchObject({
        rows: ['2026-01-05 192.0.2.1 1234 us', '2026-01-05 192.0.2.2 2000000 us'],
        unit: 'us witnessed',
    });
    // Read plainly, lines 2 and 3 would speak against each other.
    const more = rated('567', '3.527', { fwd: '1', bwd: '1', source: '192.0.2.3' });
    expect(await read([RATED, lines[0] ?? '', more, lines[1] ?? ''])).toMatchObject({ unit: 'us witnessed', rejects: [] });
});

test('a rate that is no decimal number, or below zero, tells nothing', async () => {
    expect(await read([RATED, rated('5', '0x2'), rated('-5', '-2.0')])).toMatchObject({ unit: 's assumed' });
});

test('durations given in nanoseconds are rounded, on whatever path', async () => {
    const found = await read([DATED, dated('2026-01-05').replace(/1,1$/, '1499,1'), dated('2026-01-05').replace(/1,1$/, '500.0,1')], {
        durationUnit: 'ns',
    });
    expect(found).toMatchObject({ rows: ['2026-01-05 192.0.2.1 2 us'] });
});

test('a later header rules under the separator of the file only, and one in the argus family may lack LastTime', async () => {
    const semicolons = 'Dst IP;Src IP;Timestamp;Flow Duration;Tot Fwd Pkts';
    expect(await read([DATED, semicolons, dated('2026-01-05')])).toMatchObject({ rejects: ['2 ragged_row'] });
    const rows = [
        'StartTime,LastTime,SrcAddr,DstAddr,SrcPkts',
        '1714521600,1714521602,192.0.2.1,198.51.100.1,1',
        'StartTime,Dur,SrcAddr,DstAddr,SrcPkts',
        '1714521600,0.5,192.0.2.1,198.51.100.1,1',
    ];
    expect(await read(rows)).toMatchObject({ rows: ['2024-05-01 192.0.2.1 2500000 us'], rejects: [] });
});

test('behind nfdump’s summary an open quote is no reject, and no blank row is counted', async () => {
    const lines = ['ts,te,td,sa,da,ipkt,opkt', 'Summary', '"open', ',,,'];
    expect(await read(lines)).toMatchObject({ rows: [], rejects: [] });
});

test('lines that end in CR alone are told by the same bytes in whatever pieces they come', async () => {
    const long = 'x'.repeat(70_000);
    const text = `${DATED},x\r${dated('2026-01-05')},${long}\n`;
    const rejectsOf = async (pieceBytes: number) => {
        let count = 0;
        const bytes = Buffer.from(text);
        const result = await readFlows(
            async function* () {
                for (let at = 0; at < bytes.length; at += pieceBytes) {
                    yield bytes.subarray(at, at + pieceBytes);
                }
            },
            {
                onRejects: async (rejects) => {
                    count += rejects.length;
                },
            },
        );
        return result.ok && [result.rowsRead, count];
    };
    expect(await rejectsOf(1000)).toEqual([1, 0]);
    expect(await rejectsOf(1 << 20)).toEqual([1, 0]);
});
