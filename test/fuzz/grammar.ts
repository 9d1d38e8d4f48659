/** Files of flows made from a grammar: mostly right, with everything that a probe, a spreadsheet or an enemy may write in between. */
import * as zlib from 'node:zlib';
import { type Kind, makeCells, quoted, type Traits, UNITS } from './cells.ts';
import type { Draw } from './draw.ts';
import { makeJson } from './json-grammar.ts';

export interface Column {
    name: string;
    kind: Kind;
}

/** The columns of a tool's tables, each with its spellings; what may separate them; and columns that it may have beside those. */
interface DrawnTool {
    columns: readonly (readonly [Kind, ...string[]])[];
    maybe?: readonly (readonly [Kind, ...string[]])[];
    separators?: readonly string[];
    dates?: readonly Traits['dates'][];
    unit?: Traits['unit'];
    trailers?: readonly string[];
    /** What stands in the rows where they have no header. */
    headless?: readonly (readonly Kind[])[];
}

const COMMON_SEPARATORS = [',', ',', ',', ';', '\t', '|'];

const RATES: DrawnTool['maybe'] = [
    ['rate', 'Flow Pkts/s', 'Flow Packets/s', 'flow_pkts_s', 'packets_rate'],
    ['backward', 'Tot Bwd Pkts', 'Total Bwd Packet', 'Total Bwd packets', 'Total Backward Packets', 'tot_bwd_pkts', 'bwd_packets_count'],
    ['rate', 'Fwd Pkts/s', 'Fwd Packets/s', 'fwd_pkts_s', 'fwd_packets_rate'],
];

const TOOLS: Readonly<Record<string, DrawnTool>> = {
    cicflowmeter: {
        columns: [
            ['address', 'Src IP', 'Source IP'],
            ['address', 'Dst IP', 'Destination IP', 'dst_ip'],
            ['date', 'Timestamp', 'Date'],
            ['number', 'Flow Duration', 'duration'],
            ['count', 'Tot Fwd Pkts', 'Total Fwd Packet', 'Total Fwd Packets'],
        ],
        maybe: RATES,
        unit: 'us',
    },
    python: {
        columns: [
            ['address', 'src_ip'],
            ['address', 'dst_ip'],
            ['date', 'timestamp'],
            ['number', 'flow_duration'],
            ['count', 'tot_fwd_pkts'],
        ],
        maybe: [...(RATES ?? []), ['other', 'flow_id'], ['other', 'cwe_flag_count', 'src_mac']],
    },
    zeek: {
        columns: [
            ['date', 'ts'],
            ['address', 'id.orig_h', 'id.orig_h', 'id_orig_h'],
            ['address', 'id.resp_h', 'id.resp_h', 'id_resp_h'],
            ['number', 'duration'],
            ['count', 'orig_pkts'],
        ],
        unit: 's',
    },
    nfdump: {
        columns: [
            ['date', 'ts'],
            ['other', 'te'],
            ['number', 'td'],
            ['address', 'sa'],
            ['address', 'da'],
            ['count', 'ipkt'],
        ],
        maybe: [
            ['received', 'tr'],
            ['engine', 'eng'],
        ],
        dates: ['iso', 'iso', 'mixed'],
        unit: 's',
        trailers: ['Summary', 'No matching flows', ' Summary ', 'summary', 'Summary,', '"Summary"'],
        headless: [nfdumpKinds()],
    },
    'nfdump 1.7.5': {
        columns: [
            ['date', 'firstSeen'],
            ['number', 'duration'],
            ['address', 'srcAddr'],
            ['address', 'dstAddr'],
            ['count', 'packets'],
        ],
        maybe: [['flows', 'flows']],
        dates: ['iso', 'iso', 'mixed'],
        unit: 's',
        trailers: ['Summary', 'No matching flows'],
    },
    'nfdump csv-fast': {
        columns: [
            ['date', 'firstSeen'],
            ['end', 'lastSeen'],
            ['address', 'srcAddr'],
            ['address', 'dstAddr'],
            ['count', 'packets'],
        ],
        maybe: [['flows', 'flows']],
        dates: ['iso', 's'],
    },
    cidds: {
        columns: [
            ['date', 'Date first seen'],
            ['number', 'Duration'],
            ['address', 'Src IP Addr'],
            ['address', 'Dst IP Addr'],
            ['count', 'Packets'],
        ],
        maybe: [['flows', 'Flows']],
        dates: ['iso', 'iso', 'mixed'],
        unit: 's',
    },
    nfstream: {
        columns: [
            ['address', 'src_ip'],
            ['address', 'dst_ip'],
            ['date', 'bidirectional_first_seen_ms'],
            ['number', 'bidirectional_duration_ms'],
            ['count', 'src2dst_packets'],
        ],
        dates: ['ms'],
        unit: 'ms',
    },
    argus: {
        columns: [
            ['date', 'StartTime', 'stime'],
            ['end', 'LastTime', 'ltime'],
            ['address', 'SrcAddr', 'saddr'],
            ['address', 'DstAddr', 'daddr'],
            ['count', 'SrcPkts', 'spkts'],
        ],
        maybe: [
            ['protocol', 'Proto'],
            ['number', 'Dur'],
        ],
        dates: ['s', 'iso', 'mixed'],
    },
    'argus with Dur': {
        columns: [
            ['date', 'StartTime'],
            ['number', 'Dur'],
            ['address', 'SrcAddr'],
            ['address', 'DstAddr'],
            ['count', 'SrcPkts'],
        ],
        maybe: [['protocol', 'Proto'], ...(RATES ?? [])],
        dates: ['s'],
        unit: 's',
    },
    'aws-vpc': {
        columns: [
            ['address', 'srcaddr'],
            ['address', 'dstaddr'],
            ['count', 'packets'],
            ['date', 'start'],
            ['end', 'end'],
        ],
        maybe: [['status', 'log-status', 'log_status']],
        separators: [' ', ' ', '\t', ','],
        dates: ['s', 's', 'iso', 'ms', 'mixed'],
        headless: [vpcKinds(), vpcKinds(), ['clock', ...vpcKinds()]],
    },
    ntlflowlyzer: {
        columns: [
            ['address', 'src_ip'],
            ['address', 'dst_ip'],
            ['date', 'timestamp'],
            ['number', 'duration'],
            ['count', 'fwd_packets_count'],
        ],
        maybe: RATES,
        unit: 's',
    },
    ndpi: {
        columns: [
            ['date', 'first_seen'],
            ['number', 'duration'],
            ['address', 'src_ip'],
            ['address', 'dst_ip'],
            ['count', 'c_to_s_pkts'],
        ],
        dates: ['s'],
        unit: 's',
    },
    'ton-iot': {
        columns: [
            ['date', 'ts'],
            ['address', 'src_ip'],
            ['address', 'dst_ip'],
            ['number', 'duration'],
            ['count', 'src_pkts'],
        ],
        dates: ['s'],
        unit: 's',
    },
    'unsw-nb15': {
        columns: [
            ['address', 'srcip'],
            ['address', 'dstip'],
            ['number', 'dur'],
            ['count', 'Spkts'],
            ['date', 'Stime'],
        ],
        dates: ['s'],
        unit: 's',
        headless: [unswKinds()],
    },
    nprobe: {
        columns: [
            ['address', 'IPV4_SRC_ADDR'],
            ['address', 'IPV4_DST_ADDR'],
            ['count', 'IN_PKTS'],
            ['date', 'FLOW_START_MILLISECONDS'],
            ['number', 'FLOW_DURATION_MILLISECONDS'],
        ],
        dates: ['ms'],
        unit: 'ms',
    },
    silk: {
        columns: [
            ['address', 'sIP'],
            ['address', 'dIP'],
            ['count', 'packets'],
            ['date', 'sTime', 'sTime+msec'],
            ['number', 'duration', 'dur', 'dur+msec'],
        ],
        dates: ['iso', 's'],
        unit: 's',
    },
};

/** Most files are of the tools that most people have. */
const DRAWN = [...Object.keys(TOOLS), 'cicflowmeter', 'cicflowmeter', 'python', 'python', 'zeek', 'zeek'];

const OTHER_NAMES = ['Flow ID', 'Label', 'uid', 'x', '', 'Src Port', 'Idle "Max"', 'a,b', 'two\nlines', '\u5348', 'NaN', 'id.orig_p', '-'];

interface Shape extends Traits {
    tool: DrawnTool;
    columns: Column[];
    isZeekLog: boolean;
    lineEnd: string;
}

/** The plain bytes of a file. */
export function makeFile(draw: Draw): Buffer {
    if (draw.percent(25)) {
        return Buffer.from((draw.percent(8) ? '\xef\xbb\xbf' : '') + makeJson(draw), 'latin1');
    }
    const shape = makeShape(draw);
    const { lineEnd } = shape;
    const lines = headerLines(draw, shape);
    // The first 64 flows of a file are read with care: only those behind them are read fast.
    const maxRows = draw.pick([3, 10, 40, draw.percent(3) ? 1500 : 240]);
    for (let rows = draw.below(maxRows); rows > 0; rows -= 1) {
        lines.push(makeLine(draw, shape));
    }
    const ends = lines.map((line) => line + (draw.percent(98) ? lineEnd : draw.pick(['\n', '\r\n', '\r', '\n\n', '\r\r\n'])));
    // One strange line end would make it another file.
    const text = lineEnd === '\r' && draw.percent(90) ? lines.map((line) => line.replaceAll('\n', ' ') + lineEnd).join('') : ends.join('');
    const mark = draw.percent(8) ? '\xef\xbb\xbf' : '';
    const whole = Buffer.from(mark + (draw.percent(15) ? text.replace(/\r?\n$/, '') : text), 'latin1');
    return draw.percent(1) ? Buffer.concat([Buffer.from('fffe', 'hex'), Buffer.from(whole.toString('latin1'), 'utf16le')]) : whole;
}

/** The columns of a table, and what its cells have in common, for formats that need no text around them. */
export function makeTable(draw: Draw): { columns: readonly Column[]; traits: Traits } {
    const { columns, ...traits } = makeShape(draw);
    return { columns, traits: { ...traits, quotedShare: 0 } };
}

function makeShape(draw: Draw): Shape {
    const name = draw.pick(DRAWN);
    const tool = TOOLS[name]!;
    const isZeekLog = name === 'zeek' && draw.percent(60);
    const separator = isZeekLog
        ? draw.pick(['\t', '\t', '\t', '\t', ',', '|', ' ', '\0', '\xe9', '.', '-', '#', '1', 's'])
        : draw.pick(tool.separators ?? COMMON_SEPARATORS);
    return {
        tool,
        columns: makeColumns(draw, tool),
        isZeekLog,
        separator,
        lineEnd: draw.pick(['\n', '\n', '\n', '\r\n', '\r\n', '\r']),
        dates: draw.percent(70)
            ? draw.pick(tool.dates ?? (['mixed', 'mixed', 's', 'iso'] as const))
            : draw.pick(['mixed', 'iso', ...UNITS] as const),
        style: draw.percent(80) ? 'plain' : draw.pick(['points', 'commas'] as const),
        unit: draw.percent(70) ? (tool.unit ?? draw.pick(['s', 'us'] as const)) : draw.pick(UNITS),
        otherUnitShare: draw.percent(85) ? 0 : draw.pick([1, 20]),
        oddShare: draw.pick([0, 0, 1, 3, 10, 40]),
        quotedShare: draw.pick([0, 0, 1, 10, 60]),
        untimedShare: draw.pick([0, 0, 0, 5, 65, 100]),
    };
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

function makeColumns(draw: Draw, { columns: needed, maybe = [] }: DrawnTool): Column[] {
    const drawn = ([kind, ...names]: readonly [Kind, ...string[]]): Column => ({ kind, name: draw.pick(names) });
    const has = draw.percent(60);
    const always = needed.map(drawn);
    const some = maybe.filter(() => has && draw.percent(75)).map(drawn);
    const others = Array.from({ length: draw.below(5) }, () => ({ kind: 'other' as const, name: draw.pick(OTHER_NAMES) }));
    const all = [...always, ...some, ...others];
    const columns = draw.percent(50) ? all : draw.shuffle(all);
    if (draw.percent(10)) {
        // Two columns of one name, or two names of one role: the first counts.
        const copied = draw.pick(always);
        columns.splice(draw.below(columns.length + 1), 0, { ...copied, name: draw.percent(50) ? copied.name.toUpperCase() : copied.name });
    }
    if (draw.percent(3)) {
        columns.splice(draw.below(columns.length), 1);
    }
    return columns;
}

function headerLines(draw: Draw, shape: Shape): string[] {
    const blank = draw.percent(10) ? [draw.pick(['', ' ', '\t', ' \t ', 'sep=;', 'SEP=,', 'sep=;;', '# a comment', ' # none'])] : [];
    const { headless } = shape.tool;
    if (headless && draw.percent(40)) {
        shape.columns = draw.pick(headless).map((kind) => ({ kind, name: 'x' }));
        return blank;
    }
    if (!shape.isZeekLog) {
        return [...blank, (draw.percent(4) ? '#' : '') + headerLine(draw, shape)];
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

function makeLine(draw: Draw, shape: Shape): string {
    const { separator, columns, isZeekLog, tool } = shape;
    const kinds = columns.map(({ kind }) => kind);
    const kind = draw.below(100);
    if (kind < 87) {
        return (separator === ' ' && draw.percent(10) ? '  ' : '') + makeCells(draw, kinds, shape).join(separator);
    }
    const cells = makeCells(draw, kinds, shape);
    switch (kind) {
        case 87:
            return laterHeader(draw, shape);
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
            return tool.trailers && draw.percent(80)
                ? draw.pick(tool.trailers)
                : draw.pick([
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
            return separator.repeat(draw.below(12)) + draw.pick(['', '', ' ', '\t']);
        case 97:
            return isZeekLog ? fieldsLine(draw, { ...shape, columns: draw.shuffle(columns) }) : '"'.repeat(1 + draw.below(5));
        case 98:
            return Array.from({ length: draw.below(30) }, () => draw.pick(['"', separator, 'x', '\n', ' ', '""', '\r\n', '#', '1'])).join(
                '',
            );
        default:
            return String.fromCharCode(...Array.from({ length: draw.below(40) }, () => draw.below(256)));
    }
}

/** The header of a file that was put behind this one: with columns in another order, mostly, and some of another tool or under another separator. */
function laterHeader(draw: Draw, shape: Shape): string {
    if (draw.percent(10)) {
        return headerLine(draw, { ...shape, separator: draw.pick(COMMON_SEPARATORS), columns: draw.shuffle(shape.columns) });
    }
    if (draw.percent(20)) {
        return headerLine(draw, { ...shape, columns: makeColumns(draw, TOOLS[draw.pick(DRAWN)]!) });
    }
    if (!shape.columns.some(({ name }) => name === 'x') || draw.percent(50)) {
        shape.columns = draw.percent(50) ? draw.shuffle(shape.columns) : makeColumns(draw, shape.tool);
    }
    return headerLine(draw, shape);
}

function nfdumpKinds(): Kind[] {
    const kinds: Kind[] = Array.from({ length: 48 }, () => 'other');
    const known: readonly [number, Kind][] = [
        [0, 'date'],
        [1, 'end'],
        [2, 'number'],
        [3, 'address'],
        [4, 'address'],
        [11, 'count'],
        [45, 'engine'],
        [47, 'received'],
    ];
    for (const [at, kind] of known) {
        kinds[at] = kind;
    }
    return kinds;
}

function unswKinds(): Kind[] {
    const kinds: Kind[] = Array.from({ length: 49 }, () => 'other');
    const known: readonly [number, Kind][] = [
        [0, 'address'],
        [2, 'address'],
        [6, 'number'],
        [16, 'count'],
        [28, 'date'],
        [29, 'date'],
    ];
    for (const [at, kind] of known) {
        kinds[at] = kind;
    }
    return kinds;
}

function vpcKinds(): Kind[] {
    const other: Kind = 'other';
    return ['backward', other, other, 'address', 'address', other, other, other, 'count', other, 'date', 'end', other, 'status'];
}
