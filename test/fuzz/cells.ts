/** Cells of files of flows: good ones, odd ones, and ones with any bytes in them. */
import type { Draw } from './draw.ts';

/** What a cell holds. `end` is when a flow ended; `rate` and `backward` are what tells the unit of durations. */
export type Kind =
    | 'address'
    | 'date'
    | 'number'
    | 'count'
    | 'end'
    | 'rate'
    | 'backward'
    | 'protocol'
    | 'status'
    | 'received'
    | 'engine'
    | 'flows'
    | 'clock'
    | 'other';

/** Bytes as Latin-1 characters: Big5 clocks, broken UTF-8, NUL, control characters, other blanks, numbers of other scripts. */
const ODD_BYTES = [
    '\xa4W\xa4\xc8',
    '\xa4U\xa4\xc8',
    '\xff',
    '\xc3',
    '\xe4\xb8\xad',
    '\0',
    '\x01',
    '\x1b[31m',
    '\x7f',
    '\r',
    '\v',
    '\f',
    '\xa0',
    '\xc2\xa0',
    '\xef\xbb\xbf',
    '\xe2\x80\xa8',
    '\xd9\xa1',
    '\x85',
    '"',
    '""',
    "'",
    '#',
    '%',
    '\\',
];

const GOOD: Record<Kind, string[]> = {
    address: ['192.168.1.7', '10.0.0.1', '10.0.0.2', '8.8.8.8', 'fe80::1'],
    date: ['05/07/2017 09:15:01 AM', '06/07/2017', '05/07/2017 1'],
    number: ['0', '1', '1293792', '115307855', '0.5', '1.000001'],
    count: ['0', '1', '2', '17', '4.0'],
    end: ['05/07/2017 09:15:09', '1714521700', ''],
    rate: ['0', '-1', 'Infinity', '1.5', '12'],
    backward: ['0', '1', '2', '5'],
    protocol: ['tcp', 'udp', 'icmp', 'TCP'],
    status: ['OK', 'OK', 'OK', '-'],
    received: ['2024-05-01 10:00:00.123', '1970-01-01 00:00:00.000'],
    engine: ['0/1', '1/1'],
    flows: ['1', '1', '0', ''],
    clock: ['2024-05-01T10:00:00.000Z'],
    other: ['', 'x', '443', 'No Label', 'NaN', 'Infinity'],
};

const ODD: Record<Kind, string[]> = {
    address: [
        '255.255.255.255',
        '0.0.0.0',
        '256.1.1.1',
        '01.2.3.4',
        '1.2.3',
        '1.2.3.4.5',
        '1..2.3',
        '1.2.3.4.',
        'fe80::1%eth0',
        'fe80::1%',
        'fe80::1%a b',
        'fe80::1%en_0',
        '10.0.0.1%eth0',
        '::',
        '::1',
        '1::',
        ':::',
        '::ffff:1.2.3.4',
        '1:2:3:4:5:6:7:8',
        '1:2:3:4:5:6:7::',
        '::2:3:4:5:6:7:8',
        '1:2:3:4:5:6:7:8:9',
        '1::2::3',
        '1:2:3:4:5:6:1.2.3.4',
        '0:0:0:0:0:0:0:1',
        '1:0:0:2:0:0:0:3',
        '1:0:0:2:3:0:0:4',
        '1:0:2:3:4:5:6:7',
        'FE80:0:0:0:0:0:0:1',
        'fe80::0001',
        '::ffff:102:304',
        '::FFFF:1.2.3.4',
        '::102:304',
        '::1:0',
        '64:ff9b::1.2.3.4',
        '0:0:0:0:0:ffff:1.2.3.4%x',
        '::1.2.3.4:5',
        'FE80::ABCD',
        '12345::',
        'host',
        '1',
        '0x7f.1.1.1',
        '[::1]',
        '::1/64',
        '0:11:22:33:44:55',
        '00:11:22:aa:BB:5',
    ],
    date: [
        '2024-05-01',
        '2024/5/2T10',
        '2024-05-1 x',
        '2024-5/2',
        '03/04/2024',
        '4/25/2024 x',
        '25/4/2024',
        '25/04/2024 1',
        '12/31/2024 1',
        '5-6-2024',
        '15-6-2024',
        '1.2.2024',
        '2.25.2024',
        '25.2.2024',
        '31/4/2024',
        '29/02/2023',
        '29/02/2024',
        '2/29/2100',
        '00/01/2024',
        '1/1/0000',
        '0001-01-01',
        '9999-12-31',
        '5/7/17',
        '10:00',
        'noon',
        '1714521600',
        '1714521600.5',
        '1612223999.999999999',
        '1612224000.',
        '1.7E9',
        '17145216000e-1',
        '+1714521600',
        '-5',
        '-0',
        '5',
        '86399',
        '99999999',
        '99999999.9999',
        '100000000',
        '253402300799',
        '253402300800',
        '253402300799.9',
        '1e400',
        '20240501',
        '2024-05-01Z',
        '2024-05-01T',
        '2024-05-01\t10',
        'T',
        '123/04/2024',
        '1/2/20245',
        '2024050310',
        '2024050324',
        '2033051823',
        '1990010100',
        '2099123123',
        '1.7148e+09',
        '1.71475e+09',
        '1.714521600E9',
        '1714521600000',
        '1714521600000.75',
        '1714521600000000',
        '1714521600000000000',
        '1714521600e3',
        '4102444799',
        '4102444800',
        '631152000',
        '631151999',
        '631152000000',
        '631151999999',
        '0e5',
        '1e4',
        '1e5',
        '5e-3',
        '000000000000000000000000000000000000001714521600',
        '1970-01-05',
        '5/1/1970',
        '1/5/1970',
        '25/1/1970',
        '1/25/1970',
        '5.1.1970',
        '1989-12-31',
        '1990-01-01',
        '2029-12-31',
        '10:00:00.123456',
        '2024-05-01T10:00:00.123456789Z',
        '2024-05-01 10:00:00+0200',
        '2024-05-01 24:00:00',
    ],
    number: [
        '12.',
        '.5',
        '.',
        '2.8e-05',
        '0.0000005',
        '0.00000049',
        '1E7',
        '1e+7',
        '1e',
        '9007199254740993',
        '10000000000000000',
        '10000000000000000.4',
        '10000000000000000.5',
        '10000000000000001',
        '10000000000.0000005',
        '9223372036854775807',
        '9223372036854775807.4',
        '9223372036854775807.5',
        '9223372036854775808',
        '9223372036854.775807',
        '+4.0',
        '-0',
        '-0.0e5',
        '-1',
        '-0.1',
        '+',
        '-',
        'NaN',
        '-nan',
        'inf',
        '+Infinity',
        'infinit',
        '1e19',
        '1e-400',
        '1e99999999999999999999',
        '1e-99999999999999999999',
        '0e99999999999999999999',
        '00000000000000000000000000000000000000000000000001',
        '4.5',
        '0.5',
        '0.4999999999999999999999',
        '1234567890123400',
        '12345678901234567890123456789012345678901234567890.5',
        '4294967295',
        '4294967296',
        '999999999',
        '1000000000',
        '999999999999999',
        '1.2.3',
        '0x10',
        '1 000',
        '1,5',
        '1e5e5',
        '1_000',
        '1.234',
        '1,234',
        '1.234.567',
        '1,234,567',
        '1.234,5',
        '1,234.5',
        '1234,567',
        '0,123',
        '12,',
        ',5',
        '001.234.567',
        '-1.234.567',
        '1.2.3.4',
        '1.234e5',
        '1714521600.25',
        '1714521600000000000000000000000',
        'x',
        '',
    ],
    count: [],
    end: [],
    rate: [],
    backward: [],
    protocol: [
        ...['man', 'arp', 'rarp', 'lldp', 'llc', 'stp', 'cdp', 'isis', 'ether', 'eth', 'pppoe', 'mpls', 'ib', 'lcp', 'loop', 'ipx'],
        ...['MAN', 'man ', '', '-'],
    ],
    status: ['NODATA', 'SKIPDATA', 'nodata', 'SkipData', 'OK\xa0', 'NODATA\xa0-', ''],
    received: ['1970-01-01 00:00:00.000', '1970-01-01', '-'],
    engine: ['0/0', ''],
    flows: ['2', '1.0', '-', '17'],
    clock: ['2024-05-01', ''],
    other: ['a"b', '5" disk', '-', '#', '=1+1', '\t'],
};
ODD.count = ODD.number;
ODD.rate = ODD.number;
ODD.backward = ODD.number;
ODD.end = [...ODD.date, ...ODD.number];

/** What a file's cells have in common. */
export interface Traits {
    separator: string;
    /** How its dates are written: all ways, one way with a clock, or epochs of a unit. */
    dates: 'mixed' | 'iso' | Unit;
    /** What groups the digits of its numbers. */
    style: 'plain' | 'points' | 'commas';
    /** What its durations are in, and how many rows in a hundred are in something else. */
    unit: Unit;
    otherUnitShare: number;
    /** Cells in a hundred that are odd, and those that are quoted. */
    oddShare: number;
    quotedShare: number;
    /** Durations in a hundred that are missing. */
    untimedShare: number;
}

export type Unit = 's' | 'ms' | 'us' | 'ns';
export const UNITS: readonly Unit[] = ['s', 'ms', 'us', 'ns'];
const PLACES: Readonly<Record<Unit, number>> = { s: 0, ms: 3, us: 6, ns: 9 };

/** The cells of a row of such columns. */
export function makeCells(draw: Draw, kinds: readonly Kind[], traits: Traits, flow: Flow = makeFlow(draw, traits)): string[] {
    return kinds.map((kind) => makeCell(draw, { kind, good: flow[kind] ?? draw.pick(GOOD[kind]) }, traits));
}

/** Cells of a flow, and when it began and ended in nanoseconds since 1970. */
type Flow = Partial<Record<Kind, string>> & { startNs: bigint; endNs: bigint };

/** Cells of a flow that fit one another: its rates are its packets by its duration, and it ends behind its beginning. */
export function makeFlow(
    draw: Draw,
    { dates, style, unit, otherUnitShare }: Pick<Traits, 'dates' | 'style' | 'unit' | 'otherUnitShare'>,
): Flow {
    const microseconds = BigInt(draw.pick([0, 1, 250_000, 1_500_000, 2_000_000, 115_307_855, draw.below(10_000_000)]));
    const [packets, backward] = [draw.below(draw.pick([3, 20, 4000])), draw.below(20)];
    const rate = microseconds === 0n ? undefined : (((draw.percent(50) ? backward : 0) + packets) * 1e6) / Number(microseconds);
    const written = draw.percent(otherUnitShare) ? draw.pick(UNITS) : unit;
    const grouped = (text: string): string => (draw.percent(90) ? group(text, style) : text);
    const start =
        BigInt(Date.UTC(2024, 4, 1)) * 1_000_000n + BigInt(draw.below(3 * 86_400)) * 1_000_000_000n + BigInt(draw.below(1_000_000_000));
    const end = start + microseconds * 1000n - (draw.percent(3) ? 5_000_000_000n : 0n);
    return {
        startNs: start,
        endNs: end,
        ...(draw.percent(80) && { number: grouped(decimal(microseconds * 1000n, 9 - PLACES[written])), rate: rateText(draw, rate, style) }),
        ...(draw.percent(80) && { count: grouped(String(packets)), backward: String(backward) }),
        ...(dates !== 'mixed' && draw.percent(95) && { date: instant(draw, start, dates), end: instant(draw, end, dates) }),
    };
}

function rateText(draw: Draw, rate: number | undefined, style: Traits['style']): string {
    if (rate === undefined) {
        return draw.pick(['0', '-1', 'Infinity', 'NaN', '']);
    }
    return group(draw.percent(50) ? String(rate) : rate.toFixed(draw.below(8)), style);
}

/** A whole number with its last digits behind a point, as short as it can be. */
function decimal(value: bigint, places: number): string {
    const digits = String(value).padStart(places + 1, '0');
    const text = places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
    return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function group(text: string, style: Traits['style']): string {
    const match = /^(\d+)(?:\.(\d+))?$/.exec(text);
    if (style === 'plain' || !match) {
        return text;
    }
    const [mark, point] = style === 'points' ? ['.', ','] : [',', '.'];
    const whole = match[1]!.replace(/(?<=\d)(?=(?:\d{3})+$)/g, mark);
    return match[2] === undefined ? whole : `${whole}${point}${match[2]}`;
}

/** Nanoseconds since 1970 as the file writes them. */
export function instant(draw: Draw, nanoseconds: bigint, dates: 'iso' | Unit): string {
    if (dates === 'iso') {
        const [day = '', clock = ''] = new Date(Number(nanoseconds / 1_000_000n)).toISOString().slice(0, -1).split('T');
        const shown = draw.percent(50) ? clock : clock.slice(0, 8);
        return `${day}${draw.percent(70) ? ' ' : 'T'}${shown}${draw.pick(['', '', '', 'Z', '+02:00', '-0730', ' +0100'])}`;
    }
    const places = 9 - PLACES[dates];
    return draw.percent(50) ? decimal(nanoseconds, places) : String(nanoseconds / 10n ** BigInt(places));
}

function makeCell(
    draw: Draw,
    { kind, good }: { kind: Kind; good: string },
    { oddShare, quotedShare, untimedShare, separator }: Traits,
): string {
    let cell = draw.percent(oddShare) ? draw.pick(ODD[kind]) : good;
    if (draw.percent(oddShare / 3)) {
        cell = draw.pick(ODD[draw.pick<Kind>(['address', 'date', 'number', 'other'])]);
    }
    if (draw.percent(oddShare / 3)) {
        const at = draw.below(cell.length + 1);
        cell = cell.slice(0, at) + draw.pick(ODD_BYTES) + cell.slice(at);
    }
    if (kind === 'date' && draw.percent(5 + oddShare / 2)) {
        cell = randomDate(draw);
    }
    if ((kind === 'number' || kind === 'count') && draw.percent(5 + oddShare / 2)) {
        cell = randomNumber(draw);
    }
    if ((kind === 'number' || kind === 'end') && draw.percent(untimedShare)) {
        cell = draw.pick(['', '', '-', '-', '-', 'null', 'None', 'NULL', 'N/A', 'n/a', 'NaN', 'NA']);
    }
    if (draw.percent(oddShare / 4)) {
        cell = draw.pick([` ${cell}`, `${cell} `, `\t${cell}`, `${cell}\t `]);
    }
    if (kind === 'other' && draw.percent(oddShare) && draw.percent(3)) {
        cell = draw.pick(['x', '"', '\n', 'x\n', '""', separator]).repeat(1 + draw.below(5000));
    }
    if (draw.percent(quotedShare)) {
        return draw.percent(90)
            ? quoted(cell)
            : draw.pick([
                  `"${cell}`,
                  `${cell}"`,
                  `"a" ${cell}`,
                  `${quoted(cell)} `,
                  `${quoted(cell)}\r`,
                  '"two\nlines"',
                  '"two\r\n""lines"""',
                  '"""',
                  '""',
              ]);
    }
    return cell;
}

/** A text that is odd in the place of an address, a date or a number. */
export function oddText(draw: Draw): string {
    return draw.pick(ODD[draw.pick<Kind>(['address', 'date', 'number'])]);
}

function randomDate(draw: Draw): string {
    const [day, month, year] = [String(1 + draw.below(31)), String(1 + draw.below(12)), String(2019 + draw.below(3))];
    const pad = draw.percent(50) ? 2 : 1;
    const [d, m] = [day.padStart(pad, '0'), month.padStart(pad, '0')];
    const clock = draw.pick(['', ' 10:00', 'T10:00:00Z', ' \xa4W\xa4\xc8 09:15:01', '\t1', ' PM']);
    const mark = draw.pick(['/', '/', '-', '.']);
    const order = draw.pick([
        [d, m, year],
        [d, m, year],
        [m, d, year],
        [year, m, d],
    ]);
    return order.join(mark) + clock;
}

export function randomNumber(draw: Draw): string {
    const digits = (count: number): string => Array.from({ length: draw.below(count) }, () => draw.below(10)).join('');
    const sign = draw.percent(10) ? draw.pick(['+', '-']) : '';
    const exponent = draw.percent(20) ? `${draw.pick(['e', 'E', 'e-', 'E+'])}${draw.below(draw.pick([4, 30]))}` : '';
    return sign + digits(draw.pick([4, 12, 24])) + (draw.percent(40) ? `.${digits(draw.pick([3, 9, 20]))}` : '') + exponent;
}

export function quoted(cell: string): string {
    return `"${cell.replaceAll('"', '""')}"`;
}
