/** Files of JSON made from a grammar: the records of four tools, in all layouts, with odd values, damage and records of other things in between. */
import { instant, makeFlow, oddText, randomNumber, type Traits, UNITS } from './cells.ts';
import type { Draw } from './draw.ts';

/** A key and its value: as JSON has it, or the members of an object. */
type Member = [key: string, value: string | Member[]];

interface JsonTraits {
    tool: (typeof TOOLS)[number];
    layout: 'lines' | 'array of lines' | 'spread' | 'spread array' | 'mixed';
    lineEnd: string;
    /** What stands behind a colon, behind a comma, and in front of what is spread. */
    space: string;
    indent: string;
    order: 'as written' | 'shuffled' | 'shuffled each';
    zeek: { ts: 'iso' | Traits['unit'] | 'mixed'; isNested: boolean; hasPath: boolean };
    goflow: { hasTimes: boolean; hasRate: boolean };
    oddShare: number;
    /** Records in a hundred that are damaged, those that are of something else, and flows without an end. */
    damagedShare: number;
    otherShare: number;
    untimedShare: number;
    /** The keys that nobody needs. */
    others: string[];
}

const TOOLS = ['zeek', 'zeek', 'suricata', 'goflow2', 'nfdump'] as const;

const OTHER_KEYS = [
    'uid',
    'proto',
    'x',
    '',
    'a/b',
    'flow/start',
    'id/orig_h',
    '~1',
    'd\\u00e9j\\u00e0',
    '\xe4\xb8\xad',
    '__proto__',
    'flow',
    'id',
    'vlan',
];

const OTHER_VALUES = [
    '0',
    '"x"',
    'null',
    'true',
    'false',
    '[]',
    '{}',
    '[1,2]',
    '"\xff"',
    '"{\\"ts\\":1}"',
    '-0.5e+3',
    '"a\\\\"',
    '"]"',
    '"}"',
    '[{}]',
];

const ODD_VALUES = [
    'null',
    'true',
    'false',
    '{}',
    '[]',
    '""',
    '"-"',
    '" "',
    '{"ts":1}',
    '["1"]',
    '"nan"',
    '"-Infinity"',
    '-1',
    '-0',
    '0',
    '01',
    '+1',
    '.5',
    '1.',
    '1e5',
    'nul',
];

/** The text of a file of JSON, each byte one character. */
export function makeJson(draw: Draw): string {
    const traits = makeTraits(draw);
    const most = draw.pick([3, 10, 40, draw.percent(30) ? 400 : 160]);
    const records = Array.from({ length: draw.below(most) }, () => makeRecord(draw, traits));
    return layOut(draw, records, traits);
}

function makeTraits(draw: Draw): JsonTraits {
    return {
        tool: draw.pick(TOOLS),
        layout: draw.pick(['lines', 'lines', 'lines', 'array of lines', 'spread', 'spread array', 'mixed'] as const),
        lineEnd: draw.pick(['\n', '\n', '\n', '\r\n', draw.percent(30) ? '\r' : '\n']),
        space: draw.pick(['', '', ' ']),
        indent: draw.pick(['  ', '  ', '\t', '']),
        order: draw.pick(['as written', 'as written', 'shuffled', 'shuffled each'] as const),
        zeek: {
            ts: draw.pick(['s', 's', 'iso', 'iso', 'ms', 'mixed', ...UNITS] as const),
            isNested: draw.percent(20),
            hasPath: draw.percent(30),
        },
        goflow: { hasTimes: draw.percent(90), hasRate: draw.percent(60) },
        oddShare: draw.pick([0, 0, 1, 3, 10, 30]),
        damagedShare: draw.pick([0, 0, 1, 5, 30]),
        otherShare: draw.pick([0, 0, 5, 50, draw.percent(20) ? 100 : 0]),
        untimedShare: draw.pick([0, 0, 0, 5, 65]),
        others: Array.from({ length: draw.below(5) }, () => draw.pick(OTHER_KEYS)),
    };
}

function makeRecord(draw: Draw, traits: JsonTraits): string {
    const members = draw.percent(traits.otherShare) ? otherRecord(draw, traits) : flowRecord(draw, traits);
    const others = traits.others.map((key): Member => [key, draw.percent(90) ? '"x"' : draw.pick(OTHER_VALUES)]);
    const all = disorder(draw, [...members, ...others], traits);
    if (draw.percent(traits.oddShare / 2)) {
        // A key twice, one of another record, or one that is missing.
        const at = draw.below(all.length + 1);
        const copied = draw.percent(70) ? draw.pick(all) : draw.pick(flowRecord(draw, { ...traits, tool: draw.pick(TOOLS) }));
        all.splice(at, draw.below(2), ...(copied === undefined || draw.percent(40) ? [] : [copied]));
    }
    return writeObject(draw, all, traits, traits.indent);
}

/** Members in the order of the file; always the same order unless they are shuffled for each record. */
function disorder(draw: Draw, members: Member[], { order }: JsonTraits): Member[] {
    if (order === 'shuffled each') {
        return draw.shuffle(members);
    }
    return order === 'shuffled' ? [...members].sort(([a], [b]) => (a < b ? -1 : 1)) : members;
}

function flowRecord(draw: Draw, traits: JsonTraits): Member[] {
    const { tool, zeek, goflow } = traits;
    const flow = makeFlow(draw, { dates: 'iso', style: 'plain', unit: 's', otherUnitShare: 0 });
    const [source, destination] = [draw.pick(ADDRESSES), draw.pick(ADDRESSES)].map(text);
    const { count = '3', number = '1.5', backward = '1', startNs, endNs } = flow;
    const isTimed = !draw.percent(traits.untimedShare);
    const untimed = draw.pick(['null', '""', '"-"']);
    const iso = (nanoseconds: bigint): string => text(instant(draw, nanoseconds, 'iso'));
    switch (tool) {
        case 'zeek': {
            const ts = zeek.ts === 'mixed' ? draw.pick([...UNITS, 'iso'] as const) : zeek.ts;
            const began = instant(draw, startNs, ts);
            const ids: Member[] = zeek.isNested
                ? [
                      [
                          'id',
                          [
                              ['orig_h', source!],
                              ['resp_h', destination!],
                          ],
                      ],
                  ]
                : [
                      ['id.orig_h', source!],
                      ['id.resp_h', destination!],
                  ];
            return [
                ...(zeek.hasPath ? [['_path', '"conn"'] satisfies Member] : []),
                ['ts', ts === 'iso' ? text(began) : value(draw, began)],
                ...ids,
                ...(isTimed ? [['duration', odd(draw, value(draw, number), traits)] satisfies Member] : []),
                ['conn_state', '"SF"'],
                ['orig_pkts', value(draw, count)],
            ].map((member) => oddMember(draw, member as Member, traits));
        }
        case 'suricata':
            return [
                ['timestamp', iso(startNs)],
                ['event_type', '"flow"'],
                ['src_ip', source!],
                ['dest_ip', destination!],
                [
                    'flow',
                    [
                        ['pkts_toserver', value(draw, count)],
                        ['pkts_toclient', backward],
                        ['start', iso(startNs)],
                        ['end', isTimed ? iso(endNs) : untimed],
                        ['x', draw.pick(OTHER_VALUES)],
                    ].map((member) => oddMember(draw, member as Member, traits)),
                ],
            ].map((member) => oddMember(draw, member as Member, traits));
        case 'goflow2': {
            const [from, to] = goflow.hasTimes
                ? [startNs, endNs]
                : [startNs / 10n ** 9n, startNs / 10n ** 9n].map((second) => second * 10n ** 9n);
            return [
                ['type', draw.percent(90) ? '"NETFLOW_V9"' : '"IPFIX"'],
                ['src_addr', source!],
                ['dst_addr', destination!],
                ['sampler_address', '"192.0.2.1"'],
                ['packets', value(draw, count)],
                ...(goflow.hasRate ? [['sampling_rate', draw.pick(['0', '1', '1', '100', 'null', '"-"'])] satisfies Member] : []),
                ['time_flow_start_ns', value(draw, String(from))],
                ['time_flow_end_ns', isTimed ? value(draw, String(to)) : untimed],
            ].map((member) => oddMember(draw, member as Member, traits));
        }
        case 'nfdump': {
            const version = draw.percent(85) ? '4' : '6';
            // Of before 1.7.
            const prefix = draw.percent(10) ? 't_' : '';
            return [
                ['type', '"FLOW"'],
                ['export_sysid', '1'],
                [`${prefix}first`, iso(startNs)],
                [`${prefix}last`, isTimed ? iso(endNs) : untimed],
                ['in_packets', value(draw, count)],
                [`src${version}_addr`, source!],
                [`dst${version}_addr`, destination!],
            ].map((member) => oddMember(draw, member as Member, traits));
        }
    }
}

const ADDRESSES = ['192.168.1.7', '10.0.0.1', '10.0.0.2', '8.8.8.8', 'fe80::1', 'fe80:0000:0000:0000:0000:0000:0000:0001'];

/** A record of the tool that is no flow, or of a tool that nobody knows. */
function otherRecord(draw: Draw, { tool }: JsonTraits): Member[] {
    const known: Record<JsonTraits['tool'], Member[][]> = {
        zeek: [
            [
                ['_path', '"dns"'],
                ['ts', '1714521600.5'],
                ['orig_pkts', '3'],
            ],
            [
                ['ts', '1714521600.5'],
                ['query', '"x"'],
            ],
            [['name', '"/opt/zeek/x.zeek"']],
            [
                ['_path', 'null'],
                ['ts', '1'],
            ],
        ],
        suricata: [
            [
                ['timestamp', '"2024-05-01T10:00:00.1+0000"'],
                ['event_type', '"dns"'],
                ['flow', [['start', '"2024-05-01T10:00:00Z"']]],
            ],
            [
                ['timestamp', '"2024-05-01T10:00:00.1+0000"'],
                ['event_type', '"stats"'],
                ['stats', [['flow', [['end', '1']]]]],
            ],
            [['timestamp', '1']],
        ],
        goflow2: [
            [
                ['type', '"SFLOW_5"'],
                ['src_addr', '"10.0.0.1"'],
                ['time_flow_start_ns', '1714521600000000000'],
                ['packets', '1'],
            ],
            [
                ['type', '"SFLOW"'],
                ['src_addr', '"10.0.0.1"'],
                ['sampler_address', '"::"'],
            ],
        ],
        nfdump: [
            [
                ['type', '"EVENT"'],
                ['export_sysid', '0'],
            ],
            [
                ['type', '"FLOW"'],
                ['export_sysid', '0'],
                ['in_packets', '3'],
                ['first', '"2024-05-01T10:00:00"'],
            ],
        ],
    };
    const unknown: Member[][] = [
        [],
        [['x', '1']],
        [
            ['ip_src', '"10.0.0.1"'],
            ['ip_dst', '"10.0.0.2"'],
        ],
        [['name', '"x"']],
    ];
    return draw.pick(draw.percent(97) ? known[tool] : unknown);
}

function text(content: string): string {
    return JSON.stringify(content);
}

/** A number, perhaps in quotes. */
function value(draw: Draw, number: string): string {
    return draw.percent(95) ? number : `"${number}"`;
}

function oddMember(draw: Draw, [key, content]: Member, traits: JsonTraits): Member {
    return [key, typeof content === 'string' ? odd(draw, content, traits) : content];
}

function odd(draw: Draw, good: string, { oddShare }: JsonTraits): string {
    if (!draw.percent(oddShare / 2)) {
        return good;
    }
    const number = randomNumber(draw);
    return draw.pick([
        good,
        draw.pick(ODD_VALUES),
        text(oddText(draw)),
        text(oddText(draw)),
        number,
        `"${number}"`,
        oddIso(draw),
        good.replace(/"$/, ' "'),
    ]);
}

const ODD_ISO = [
    '2024-05-01T10:00:00',
    '2024-05-01T23:59:60.999999999999999999Z',
    '2024-05-01T24:00:00Z',
    '2024-05-01T10:60:00Z',
    '2024-05-01T10:00:61Z',
    '2024-05-01T23:30:00-00:45',
    '2024-05-01T00:30:00+0045',
    '2024-05-01T00:30:00+99:99',
    '2024-05-01T00:30:00 +01:00',
    '2024-05-01T00:30:00  +01:00',
    '2024-05-01T00:30:00+01',
    '2024-05-01T00:30:00.',
    '2024-05-01T00:30:00,5Z',
    '2024-05-01T00:30:00.123456499999999Z',
    '2024-05-01T00:30:00.1234565Z',
    '2024-05-01t00:30:00Z',
    '2024-05-01T00:30:00z',
    '2024-05-01 00:30',
    '2024-5-1T00:30:00Z',
    '2024-02-30T00:30:00Z',
    '1970-01-01T00:00:00Z',
    '1970-01-01T00:30:00+01:00',
    '1969-12-31T23:30:00-01:00',
    '1965-01-01T00:00:00Z',
    '0050-01-01T00:00:00Z',
    '0150-01-01T00:00:00Z',
    '1989-12-31T23:59:59Z',
    '2031-01-01T00:00:00Z',
    '9999-12-31T23:59:59.9Z',
    '9999-12-31T23:59:59-01:00',
    '10000-01-01T00:00:00Z',
];

function oddIso(draw: Draw): string {
    return text(draw.pick(ODD_ISO));
}

function writeObject(draw: Draw, members: Member[], traits: JsonTraits, indent: string): string {
    const { space, lineEnd } = traits;
    const isSpread = traits.layout.startsWith('spread');
    const around = isSpread ? lineEnd + indent : '';
    const written = members.map(([key, content]) => {
        const of =
            typeof content === 'string' ? escaped(draw, content, traits) : writeObject(draw, content, traits, indent + traits.indent);
        const blank = draw.percent(traits.oddShare / 10) ? draw.pick([' ', '\t', '\r', '  ', '\n', '\v', '\xa0']) : '';
        return `${around}"${escapedKey(draw, key, traits)}"${blank}:${space}${of}`;
    });
    const end = isSpread ? lineEnd + indent.slice(traits.indent.length) : '';
    return `{${written.join(isSpread ? ',' : `,${space}`)}${end}}`;
}

function escapedKey(draw: Draw, key: string, { oddShare }: JsonTraits): string {
    return draw.percent(oddShare / 10) ? escapeOne(draw, key) : key;
}

function escaped(draw: Draw, content: string, { oddShare }: JsonTraits): string {
    const isText = content.length > 2 && content.startsWith('"') && !content.includes('\\');
    return isText && draw.percent(oddShare / 5) ? `"${escapeOne(draw, content.slice(1, -1))}"` : content;
}

/** One character as an escape, or an escape that there is none of. */
function escapeOne(draw: Draw, content: string): string {
    const at = draw.below(content.length + 1);
    const character = content[at] ?? 'x';
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    const escaping = draw.percent(70)
        ? `\\u${draw.percent(50) ? code : code.toUpperCase()}`
        : draw.pick(['\\', '\\x', '\\u12', '\\/', '\\n', '\\"', '\t', '\x01', '\x7f', '\xff']);
    return content.slice(0, at) + escaping + content.slice(at + 1);
}

function layOut(draw: Draw, records: string[], traits: JsonTraits): string {
    const { layout, lineEnd, indent } = traits;
    const isArray = layout.endsWith('array') || layout === 'array of lines';
    const parts = records.map((record) => (draw.percent(traits.damagedShare) ? damaged(draw, record, traits) : record));
    const between = (): string => {
        if (layout === 'mixed' || draw.percent(traits.damagedShare / 4)) {
            return draw.pick([lineEnd, lineEnd, ' ', '', ',', `${lineEnd}${lineEnd}`, ` ${lineEnd}\t`, `,${lineEnd}`, `]${lineEnd}[`]);
        }
        return layout === 'spread array' ? `,${lineEnd}${indent}` : isArray ? `,${draw.percent(90) ? lineEnd : ''}` : lineEnd;
    };
    const body = parts.map((part, at) => (at === 0 ? part : between() + part)).join('');
    const front = draw.percent(5) ? draw.pick([' ', '\n', '\t', '\r\n', '{}\n', '[', '{"x":1}\n', '{', '[x']) : '';
    const open = isArray ? `[${draw.percent(80) ? lineEnd : ''}${layout === 'spread array' ? indent : ''}` : '';
    const close = isArray && draw.percent(97) ? `${draw.percent(80) ? lineEnd : ''}]` : '';
    return front + open + body + close + (draw.percent(90) ? lineEnd : draw.pick(['', ' ', ',', ']', 'x', '}']));
}

/** A record that was cut, has other things in it, or shares its line with something. */
function damaged(draw: Draw, record: string, traits: JsonTraits): string {
    const at = draw.below(record.length + 1);
    switch (draw.below(8)) {
        case 0:
            return record.slice(0, at);
        case 1:
            return record.slice(at);
        case 2:
            return (
                record.slice(0, at) +
                draw.pick(['\n', '"', '{', '}', '[', ']', ',', ':', '\\', '\0', 'x', '1', ' ', '\r', '\xff']) +
                record.slice(at)
            );
        case 3:
            return record.slice(0, at) + draw.pick(['\n', '"', '{', '}', ',', 'x']) + record.slice(at + 1);
        case 4:
            return record + draw.pick(['', ' ', ', ']) + makeRecord(draw, traits);
        case 5:
            return record + draw.pick(['x', ' # note', '}', ',', ';', '"', '{', `{"ts":1}`]);
        case 6:
            return draw.pick(['noise', '{"x":1}', '{}', '[]', '"x"', '1', 'null', '---', `{${traits.lineEnd}}`, '  ', '']);
        default:
            return draw.pick(['x', '}', '\xef\xbb\xbf', '"', ', ']) + record;
    }
}
