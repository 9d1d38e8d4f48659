/** The two readings of files of messages agree, form by form; what the second does not follow it says. docs/reading-telemetry.md has the rules. */
import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { NotFollowedError } from '#lake/verify/second-reading';
import { messagesTaken, type Taken } from '#lake/verify/telemetry/messages-taken';
import { readBytes, rowsOf } from '#test/lake/telemetry/support';

const T = 1767607200;
const P = {
    name: 'p',
    device: [{ path: 'id' }, { text: 'z' }],
    time: [{ path: 't', unit: 's' }, 'arrival'],
    metrics: [
        { name: 'v', path: 'v', digits: 2 },
        { name: 'w', path: 'w', kind: 'text' },
    ],
};
/** A profile of lists. */
const L = { ...P, each: '[]' };
const m = (v: unknown, extra: object = {}): string => JSON.stringify({ id: 'a', t: T, v, ...extra });

const FILES: readonly [name: string, content: string | Buffer, profile?: object][] = [
    ['empty', ''],
    ['blank', ' \n \n'],
    ['bom', `\ufeff${m(1)}\n`],
    ['crlf', `${m(1)}\r\n${m(2)}\r\n`],
    ['broken line', `${m(1)}\n{"a":\n${m(3)}`],
    ['text line', `${m(1)}\nhello\n${m(3)}`],
    ['first broken', `{"a":\n${m(3)}\n${m(4)}`],
    ['array1', `[${m(1)}]`],
    ['array lines', `[\n${m(1)},\n${m(2)}\n]\n`],
    ['array lines broken', `[\n${m(1)},\n{"id":"a","t":${T},"v":\n${m(2)}\n]\n`],
    ['array cut', `[${m(1)},`],
    ['arrays', `[${m(1)}]\n[${m(2)}]\n`, L],
    ['arrays plain', `[${m(1)}]\n[${m(2)}]\n`],
    ['array list', `[${m(1)},${m(2)}]`, L],
    ['array of arrays', `[[${m(1)}],[${m(2)}]]`, L],
    ['array scalars', `[1,"x",null,${m(1)}]`],
    ['array empty', '[]'],
    ['array trailing', `[${m(1)}] x`],
    ['array trailing comma', `[${m(1)},]`],
    ['array double', `[${m(1)},,${m(2)}]`],
    ['array missing comma', `[${m(1)} ${m(2)}]`],
    ['side', `${m(1) + m(2)}\n${m(3)}`],
    ['side space', `${m(1)} ${m(2)}`],
    ['side spaces', `${m(1)} \t ${m(2)}\n${m(3)}  ${m(4)}\n${m(5)} `],
    ['a tail of an array', `${m(1)},\n${m(2)},\n${m(3)}\n]\n`],
    ['a tail of an array, cut', `${m(1)},\n${m(2)},`],
    ['a comma on the last line', `${m(1)}\n${m(2)},`],
    ['a comma and blanks', `${m(1)}\n${m(2)} , `],
    ['junk on the last line', `${m(1)}\n${m(2)}x`],
    ['side cut', `${m(1)}{"id":"a"\n${m(2)}`],
    ['side junk', `${m(1) + m(2)}x\n${m(3)}`],
    ['string with }{', `${m(1, { w: 'a}{b' })}\n${m(2)}`],
    ['line junk', `${m(1)}x\n${m(2)}`],
    ['objects', `${JSON.stringify(JSON.parse(m(1)), null, 2)}\n${JSON.stringify(JSON.parse(m(2)), null, 1)}`],
    ['objects then line', `{\n"id":"a","t":${T},"v":1}\n${m(2)}`],
    ['objects broken', `{\n"id":"a","t":${T},"v":1,}\n${m(2)}`],
    ['objects bad bytes', `{\n"id":"a","t":${T},"v":1}\nzzz\n${m(2)}`],
    ['csv', `id,t,v\na,${T},1\nb,${T},2.50\n`],
    ['csv ;', `id;t;v\na;${T};1,5\n`],
    ['csv quoted', `id,t,v,w\n"a",${T},"1","x, ""y"""\n`],
    ['csv quoted num', `id,t,v\na,"${T}","1.5"\n`],
    ['csv spaces', `id, t ,v\n a , ${T} , 1 \n`],
    ['csv extra', `id,t,v\na,${T},1,\nb,${T},1,2\n`],
    ['csv short', `id,t,v\na,${T}\n`],
    ['csv words', `id,t,v,w\na,${T},true,null\nb,${T},null,TRUE\n`],
    ['csv empty quoted', `id,t,v,w\na,${T},1,""\n`],
    ['csv quoted blanks', `id,t,v,w\na,${T},1,"  x "\n`],
    ['csv quoted null', `id,t,v,w\na,${T},1,"null"\n`],
    ['csv multi', `id,t,v,w\na,${T},1,"x\ny"\nb,${T},2,z\n`],
    ['csv unclosed', `id,t,v,w\na,${T},1,"x\nb,${T},2,z\n`],
    ['csv behind quote', `id,t,v,w\na,${T},1,"x"y\nb,${T},2,z\n`],
    ['csv twice', 'id,t,id\na,1,b\n'],
    ['csv noname', 'id,,v\na,1,b\n'],
    ['csv one', 'id\na\n'],
    ['csv blank lines', `\n\nid,t,v\n\na,${T},1\n\n`],
    ['csv separators row', `id,t,v\n,,\na,${T},1\n`],
    ['csv tab', `id\tt\tv\na\t${T}\t\n`],
    ['csv quote inside', `id,t,v,w\na,${T},1,x"y\n`],
    ['csv quoted header', `"id","t","v"\na,${T},1\n`],
    ['csv cr', `id,t,v\ra,${T},1\r`],
    ['csv latin1', Buffer.from(`id,t,v,w\na,${T},1,\xe9\n`, 'latin1')],
    ['csv 1e5', `id,t,v\na,${T},1e5\nb,${T},01\nc,${T},+5\nd,${T},.5\n`],
    ['csv dup rows', `id,t,v\na,${T},1\na,${T},1\na,${T}, 1\n`],
    ['csv each', `id,t,v\na,${T},1\n`, L],
    ['csv header space', `my id,t,v\na,${T},1\n`],
    ['csv no rows', 'id,t,v\n'],
    [
        'log',
        JSON.stringify({ topic: 'a', payload: m(1), tst: '2026-01-05T10:00:01.5Z+0000', qos: 1, retain: 0, payloadlen: 3 }) +
            '\n' +
            JSON.stringify({ topic: 'a', payload: JSON.parse(m(2)), timestamp: 1767607201 }) +
            '\n',
    ],
    [
        'log retain',
        JSON.stringify({ topic: 'a', payload: m(1), retain: 1 }) +
            '\n' +
            JSON.stringify({ topic: 'a', payload: m(1), retain: true }) +
            '\n' +
            JSON.stringify({ topic: 'a', payload: m(1), retain: '1' }),
    ],
    [
        'log times',
        [
            1767607201,
            1767607201.5,
            1767607201500,
            '2026-01-05T10:00:00',
            '2026-01-05 10:00:00+01:00',
            '2026-01-05T11:00:00+0100',
            'x',
            null,
            -1,
            1e12,
            17676072015,
            '2026-01-05T10:00Z',
            '2026-01-05T10:00:00z',
            0,
        ]
            .map((time) => JSON.stringify({ topic: 'a', payload: '{"v":1}', time }))
            .join('\n'),
    ],
    ['log first times', JSON.stringify({ topic: 'a', payload: '{"v":1}', time: 5, arrived_ms: 1767607201000 })],
    ['log other names', JSON.stringify({ topic: 'a', payload: m(1), foo: 1 })],
    [
        'log mixed',
        JSON.stringify({ topic: 'a', payload: m(1) }) +
            '\n' +
            m(2) +
            '\n{"topic":5,"payload":1}\n{"topic":"a"}\n[1]\n5\n{"topic":"a","payload":null,"time":1767607201}\n{"topic":"a","payload":1,"payload":2}\n' +
            JSON.stringify({ topic: 'a', payload: m(3), foo: 1 }),
    ],
    [
        'log base64',
        JSON.stringify({ topic: 'a', payload_base64: Buffer.from(m(1)).toString('base64') }) +
            '\n' +
            JSON.stringify({ topic: 'a', payload_base64: '***' }) +
            '\n' +
            JSON.stringify({ topic: 'a', payload_base64: '', payload: m(1) }),
    ],
    ['log array', `[${JSON.stringify({ topic: 'a', payload: m(1) })},${JSON.stringify({ topic: 'a', payload: m(2) })}]`],
    [
        'log array each',
        `[${JSON.stringify({ topic: 'a', payload: `[${m(1)},${m(3)}]` })},${JSON.stringify({ topic: 'a', payload: m(2) })}]`,
        L,
    ],
    ['log empty', `${JSON.stringify({ topic: 'a', payload: '' })}\n${JSON.stringify({ topic: 'a', payload: m(2) })}`],
    [
        'log headers',
        JSON.stringify({ topic: 'a', payload: `{"v":1,"t":${T}}`, headers: { 'X-D': 'q', n: 5 } }),
        { ...P, device: { header: 'x-d' } },
    ],
    ['log csv', 'topic,payload,time\na,5,1767607201\n'],
    ['gz members', Buffer.concat([gzipSync(`${m(1)}\n`), gzipSync(m(2))])],
    ['bad utf8 line', Buffer.from(`${m(1)}\n{"id":"\xe9","t":1}\n`, 'latin1')],
    ['nul', `${m(1)}\n\0\n${m(2)}`],
    ['html', '<html><body>a,b</body></html>'],
    ['pdf', '%PDF-1.4, x\n'],
    ['dups', `${m(1)}\n${m(1)}\n${m(2)}`],
    ['text nul', m(1, { w: 'a\0b' })],
    ['same key other text', `${m(1, { w: 'b' })}\n${m(1, { w: 'a' })}`, { ...P, identity: [{ path: 'id' }] }],
    ['values', `${m(1)}\n${m(1.5)}\n${m(-3)}`, { ...P, identity: [{ path: 'id' }] }],
    ['year', '{"id":"a","t":-62135596801,"v":1}', { ...P, clock: { earliest: '0001-01-01' } }],
    ['year0', '{"id":"a","t":-62135596801,"v":1}', { ...P, clock: { earliest: '0000-01-01' } }],
    [
        'chain',
        `{"sequence":"1","arrived_ms":${T}000,"way":"mqtt","device":"d1","topic":"t","profile":"p","site":"s1","payload":"{\\"v\\":1}"}\n{"sequence":"2","arrived_ms":${T}000,"way":"http","payload_base64":"e30=","profile":"q"}\n{"sequence":"2","arrived_ms":${T}000,"way":"http","payload":"{\\"v\\":5}"}\nxx\n{"sequence":"3","arrived_ms":${T}000,"way":"http","payload":"{\\"v\\":5}","profile":"p","site":"a b"}\n{"end":"3"}\n`,
        P,
    ],
    ['chain noend', `{"sequence":"1","arrived_ms":${T}000,"way":"mqtt","payload":"{}","profile":"p"}\n`],
    [
        'chain falls',
        `{"sequence":"2","arrived_ms":${T}000,"way":"mqtt","payload":"{}","profile":"p"}\n{"sequence":"1","arrived_ms":${T}000,"way":"mqtt","payload":"{}","profile":"p"}\n{"end":"1"}`,
    ],
    ['chain way', `{"sequence":"1","arrived_ms":${T}000,"way":"pigeon","payload":"{}","profile":"p"}\n{"end":"1"}`],
    ['chain behind', `{"sequence":"1","arrived_ms":${T}000,"way":"mqtt","payload":"{}","profile":"p"}\n{"end":"1"}\n\n{"end":"1"}`],
    [
        'chain refused',
        `{"sequence":"1","arrived_ms":${T}000,"way":"mqtt","payload":"{\\"v\\":2}","profile":"gone","refused":"too large"}\n{"end":"1"}`,
    ],
    ['chain only end', '{"end":"5"}'],
    ['chain zeros', `{"sequence":"1","arrived_ms":${T}000,"way":"mqtt","payload":"{\\"v\\":2}","profile":"p"}\n{"end":"001"}`],
];

/** Those that the second reading does not follow. */
const NOT_FOLLOWED = [
    'first broken',
    'array lines broken',
    'array trailing',
    'array trailing comma',
    'array double',
    'array missing comma',
    'side cut',
    'side junk',
    'objects bad bytes',
    'csv multi',
    'csv unclosed',
    'csv behind quote',
    'csv cr',
    'csv latin1',
    'log mixed',
    'html',
    'pdf',
    'year0',
];

/** What the first reading makes of the bytes; `unusable` where they cannot be used. */
async function firstOf(content: string | Buffer, options: { profiles: Record<string, object>; profile?: string }) {
    const { outcome, rejects } = await readBytes(content, { ...options, site: 'S' });
    if (!outcome.ok) {
        return 'unusable';
    }
    const rows = rowsOf(outcome).map(({ site, device, metric, at_ms, message, copies }) =>
        [site, device, metric, at_ms, message, copies].join(' '),
    );
    const { message_form, profiles, readings, metrics_rejected, unknown_fields } = outcome.found;
    return {
        counts: [message_form, profiles, readings, metrics_rejected, unknown_fields, outcome.rowsRead, outcome.rowsRejected],
        rows: rows.sort(),
        reasons: rejects.map(({ reason }) => String(reason)).sort(),
    };
}

function told(taken: Taken) {
    const copies = new Map<string, number>();
    for (const reading of taken.readings) {
        const key = reading.slice(0, 5).join(' ');
        copies.set(key, (copies.get(key) ?? 0) + 1);
    }
    const { form, profiles, readings, metricsRejected, unknownFields, rowsRead, rowsRejected, reasons } = taken;
    const unknown = [...unknownFields].sort().join(', ') || null;
    return {
        counts: [form, profiles.join(', ') || null, readings.length, metricsRejected, unknown, rowsRead, rowsRejected],
        rows: [...copies].map(([key, count]) => `${key} ${count}`).sort(),
        reasons: [...reasons].flatMap(([reason, count]) => Array<string>(count).fill(reason)).sort(),
    };
}

test.each(FILES)('%s', async (name, content, profile = P) => {
    const options = name.startsWith('chain') ? {} : { profile: 'p' };
    const second = messagesTaken(
        {
            site: 'S',
            name: 'x',
            open: async function* () {
                yield Buffer.from(content as string);
            },
            input: async (asked) => (asked === 'p' ? { version: 1, document: profile } : undefined),
        },
        options,
    );
    if (NOT_FOLLOWED.includes(name)) {
        await expect(second).rejects.toThrow(NotFollowedError);
        return;
    }
    const taken = await second;
    expect(taken ? told(taken) : 'unusable').toEqual(await firstOf(content, { profiles: { p: profile }, ...options }));
});
