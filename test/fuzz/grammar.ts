/** Files of flows made from a grammar: mostly right, with everything that a probe, a spreadsheet or an enemy may write in between. */
import * as zlib from 'node:zlib';
import type { Draw } from './draw.ts';

type Kind = 'address' | 'date' | 'number' | 'count' | 'other';

const SPELLINGS: Record<string, { kind: Kind; names: string[] }[]> = {
    cicflowmeter: [
        { kind: 'address', names: ['Src IP', 'Source IP'] },
        { kind: 'address', names: ['Dst IP', 'Destination IP', 'dst_ip'] },
        { kind: 'date', names: ['Timestamp', 'Date'] },
        { kind: 'number', names: ['Flow Duration', 'duration'] },
        { kind: 'count', names: ['Tot Fwd Pkts', 'Total Fwd Packet', 'Total Fwd Packets'] },
    ],
    python: [
        { kind: 'address', names: ['src_ip'] },
        { kind: 'address', names: ['dst_ip'] },
        { kind: 'date', names: ['timestamp'] },
        { kind: 'number', names: ['flow_duration'] },
        { kind: 'count', names: ['tot_fwd_pkts'] },
    ],
    zeek: [
        { kind: 'date', names: ['ts'] },
        { kind: 'address', names: ['id.orig_h'] },
        { kind: 'address', names: ['id.resp_h'] },
        { kind: 'number', names: ['duration'] },
        { kind: 'count', names: ['orig_pkts'] },
    ],
};

const OTHER_NAMES = ['Flow ID', 'Label', 'uid', 'x', '', 'Src Port', 'Idle "Max"', 'a,b', 'two\nlines', '\u5348', 'NaN', 'id.orig_p', '-'];

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
        '::1.2.3.4:5',
        'FE80::ABCD',
        '12345::',
        'host',
        '1',
        '0x7f.1.1.1',
        '[::1]',
        '::1/64',
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
        'x',
        '',
    ],
    count: [],
    other: ['a"b', '5" disk', '-', '#', '=1+1', '\t'],
};
ODD.count = ODD.number;

interface Column {
    name: string;
    kind: Kind;
}

interface Shape {
    columns: Column[];
    separator: string;
    lineEnd: string;
    /** Cells in a hundred that are odd, and those that are quoted; and durations that are missing. */
    oddShare: number;
    quotedShare: number;
    untimedShare: number;
}

/** The plain bytes of a file. */
export function makeFile(draw: Draw): Buffer {
    const tool = draw.pick(Object.keys(SPELLINGS));
    const isZeekLog = tool === 'zeek' && draw.percent(60);
    const shape: Shape = {
        columns: makeColumns(draw, tool),
        separator: isZeekLog
            ? draw.pick(['\t', '\t', '\t', '\t', ',', '|', ' ', '\0', '\xe9', '.', '-', '#', '1', 's'])
            : draw.pick([',', ',', ';', '\t']),
        lineEnd: draw.pick(['\n', '\n', '\r\n']),
        oddShare: draw.pick([0, 1, 3, 10, 40]),
        quotedShare: draw.pick([0, 0, 1, 10, 60]),
        untimedShare: draw.pick([0, 0, 5, 65, 100]),
    };
    const lines = [...headerLines(draw, shape, isZeekLog)];
    for (let rows = draw.below(draw.pick([3, 10, 40])); rows > 0; rows -= 1) {
        lines.push(makeLine(draw, shape, isZeekLog));
    }
    const ends = lines.map((line) => line + (draw.percent(98) ? shape.lineEnd : draw.pick(['\n', '\r\n', '\r', '\n\n', '\r\r\n'])));
    const text = ends.join('');
    const mark = draw.percent(8) ? '\xef\xbb\xbf' : '';
    const whole = Buffer.from(mark + (draw.percent(15) ? text.replace(/\r?\n$/, '') : text), 'latin1');
    return draw.percent(1) ? Buffer.concat([Buffer.from('fffe', 'hex'), Buffer.from(whole.toString('latin1'), 'utf16le')]) : whole;
}

/** The bytes packed: gzip or zstd, also as several members with other things between them. */
export function pack(draw: Draw, plain: Buffer): Buffer {
    const isGzip = draw.percent(50);
    const packOne = (part: Buffer): Buffer =>
        isGzip
            ? zlib.gzipSync(part, { level: draw.below(10) })
            : zlib.zstdCompressSync(part, { params: { [zlib.constants.ZSTD_c_checksumFlag]: draw.below(2) } });
    const parts: Buffer[] = [];
    for (let at = 0; at < plain.length || parts.length === 0; ) {
        const length = draw.percent(50) ? plain.length : 1 + draw.below(plain.length + 1);
        parts.push(packOne(plain.subarray(at, at + length)));
        at += length;
        if (!isGzip && draw.percent(10)) {
            parts.push(Buffer.from([0x50 + draw.below(16), 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]));
        }
        if (isGzip && draw.percent(10)) {
            parts.push(packOne(Buffer.alloc(0)));
        }
    }
    if (draw.percent(10)) {
        parts.push(
            draw.pick([
                Buffer.from('garbage'),
                Buffer.alloc(9),
                Buffer.from([0, 0, 1]),
                Buffer.from([0x1f, 0x8b]),
                packOne(Buffer.from('1')),
            ]),
        );
    }
    return Buffer.concat(parts);
}

function makeColumns(draw: Draw, tool: string): Column[] {
    const needed = SPELLINGS[tool]!.map(({ kind, names }) => ({ kind, name: draw.pick(names) }));
    const others = Array.from({ length: draw.below(5) }, () => ({ kind: 'other' as const, name: draw.pick(OTHER_NAMES) }));
    const columns: Column[] = draw.percent(50) ? [...needed, ...others] : draw.shuffle([...needed, ...others]);
    if (draw.percent(10)) {
        // Two columns of one name, or two names of one role: the first counts.
        const copied = draw.pick(needed);
        columns.splice(draw.below(columns.length + 1), 0, { ...copied, name: draw.percent(50) ? copied.name.toUpperCase() : copied.name });
    }
    if (draw.percent(3)) {
        columns.splice(draw.below(columns.length), 1);
    }
    return columns;
}

function headerLines(draw: Draw, shape: Shape, isZeekLog: boolean): string[] {
    const blank = draw.percent(8) ? [draw.pick(['', ' ', '\t', ' \t '])] : [];
    if (!isZeekLog) {
        return [...blank, headerLine(draw, shape)];
    }
    const code = `\\x${shape.separator.charCodeAt(0).toString(16).padStart(2, '0')}`;
    const named = draw.percent(90) ? [`#separator ${draw.percent(80) ? code : shape.separator}`] : [];
    const odd = draw.percent(3)
        ? [
              `#separator ${draw.pick(['\\x0a', '\\x22', '', '\\x', 'ab', '\xe3\x80\x81', '\\x09', '\t', '\\x00', '\\xe9', '\\x31', '\\x2e', '\\x23', 'e'])}`,
          ]
        : [];
    return [...blank, ...named, ...odd, '#set_separator\t,', ...pathLines(draw, shape), fieldsLine(draw, shape), '#types\ttime\taddr'];
}

/** Lines that say which log it is; rows of others may stand in front of those of conn. */
function pathLines(draw: Draw, { separator }: Shape): string[] {
    const other = draw.percent(10)
        ? [`#path${separator}dns`, `#fields${separator}ts`, ...(draw.percent(50) ? ['1', '', '"x', '#'] : [])]
        : [];
    return [...other, ...(draw.percent(95) ? [`#path${separator}conn`] : [])];
}

function fieldsLine(draw: Draw, shape: Shape): string {
    return `#fields${shape.separator}${headerLine(draw, shape)}`;
}

function headerLine(draw: Draw, { columns, separator, quotedShare }: Shape): string {
    return columns
        .map(({ name }) => {
            const cased = draw.percent(90) ? name : draw.pick([name.toLowerCase(), name.toUpperCase()]);
            const padded = draw.percent(95) ? cased : draw.pick([` ${cased}`, `${cased} `, `\t${cased}`, `${cased}\xa0`, `${cased}\v`]);
            const isQuotedByNeed = /[\n"]/.test(padded) || padded.includes(separator);
            return (isQuotedByNeed && draw.percent(90)) || draw.percent(quotedShare / 2) ? quoted(padded) : padded;
        })
        .join(separator);
}

function makeLine(draw: Draw, shape: Shape, isZeekLog: boolean): string {
    const { separator } = shape;
    const kind = draw.below(100);
    if (kind < 88) {
        return shape.columns.map(({ kind }) => makeCell(draw, kind, shape)).join(separator);
    }
    const cells = shape.columns.map(({ kind }) => makeCell(draw, kind, shape));
    switch (kind) {
        case 88:
        case 89:
            return cells.slice(0, draw.below(cells.length + 1)).join(separator);
        case 90:
            return `${cells.join(separator)}${separator}more`;
        case 91:
        case 92:
            return isZeekLog && draw.percent(60) ? fieldsLine(draw, shape) : headerLine(draw, shape);
        case 93:
        case 94:
            return draw.pick(['', '', ' ', '\t', '  \t', '\r', '\v', '\xa0']);
        case 95:
            return draw.pick([
                `#fields${separator}x`,
                '# x',
                '#close',
                '#fields',
                '#fields\tx',
                '#separator \\x2c',
                '#fields,a',
                `#path${separator}dns`,
                `#path${separator}conn`,
                '#path\tconn_long',
            ]);
        case 96:
            return separator.repeat(draw.below(12));
        case 97:
            return isZeekLog ? fieldsLine(draw, { ...shape, columns: draw.shuffle(shape.columns) }) : '"'.repeat(1 + draw.below(5));
        case 98:
            return Array.from({ length: draw.below(30) }, () => draw.pick(['"', separator, 'x', '\n', ' ', '""', '\r\n', '#', '1'])).join(
                '',
            );
        default:
            return String.fromCharCode(...Array.from({ length: draw.below(40) }, () => draw.below(256)));
    }
}

function makeCell(draw: Draw, kind: Kind, { oddShare, quotedShare, untimedShare, separator }: Shape): string {
    let cell = draw.percent(oddShare) ? draw.pick(ODD[kind]) : draw.pick(GOOD[kind]);
    if (draw.percent(oddShare / 3)) {
        cell = draw.pick(ODD[draw.pick<Kind>(['address', 'date', 'number', 'other'])]);
    }
    if (draw.percent(oddShare / 3)) {
        const at = draw.below(cell.length + 1);
        cell = cell.slice(0, at) + draw.pick(ODD_BYTES) + cell.slice(at);
    }
    if (kind === 'date' && draw.percent(20)) {
        cell = randomDate(draw);
    }
    if ((kind === 'number' || kind === 'count') && draw.percent(20)) {
        cell = randomNumber(draw);
    }
    if (kind === 'number' && draw.percent(untimedShare)) {
        cell = draw.pick(['', '-', '-']);
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

function randomNumber(draw: Draw): string {
    const digits = (count: number): string => Array.from({ length: draw.below(count) }, () => draw.below(10)).join('');
    const sign = draw.percent(10) ? draw.pick(['+', '-']) : '';
    const exponent = draw.percent(20) ? `${draw.pick(['e', 'E', 'e-', 'E+'])}${draw.below(draw.pick([4, 30]))}` : '';
    return sign + digits(draw.pick([4, 12, 24])) + (draw.percent(40) ? `.${digits(draw.pick([3, 9, 20]))}` : '') + exponent;
}

function quoted(cell: string): string {
    return `"${cell.replaceAll('"', '""')}"`;
}
