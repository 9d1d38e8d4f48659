/** Files of history and chain objects into readings: each message once, whatever form it stands in. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { encodeEnd, encodeMessage } from '#lake/telemetry/chain-line';
import { readBytes, rowsOf } from './support.ts';

const thermostat = {
    name: 'thermostat',
    device: { path: 'device' },
    time: { path: 'time' },
    metrics: [
        { name: 'temperature', path: 'temperature', unit: 'Cel', digits: 9, statistics: false },
        { name: 'state', path: 'state', kind: 'text' },
    ],
};
const lake = { profiles: { thermostat }, profile: 'thermostat' };

const MESSAGES = [
    '{"device":"th-1","time":"2026-01-05T10:00:00.123Z","temperature":21.30}',
    '{"device":"th-2","time":"2026-01-05T10:00:01Z","temperature":-0.000000001,"state":"on"}',
    '{"device":"th-1","time":"2026-01-05T11:00:00Z","temperature":9007199254740993}',
];

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

describe('files of history', () => {
    const forms: [string, string | Buffer][] = [
        ['JSON lines', `${MESSAGES.join('\n')}\n`],
        ['JSON lines without a last line end', MESSAGES.join('\n')],
        ['JSON lines of Windows with a mark and blank lines', `\ufeff${MESSAGES.join('\r\n\r\n')}\r\n`],
        ['one JSON array on one line', `[${MESSAGES.join(',')}]`],
        ['one JSON array over lines', `[\n  ${MESSAGES.join(',\n  ')}\n]\n`],
        ['objects one behind the other', MESSAGES.join('')],
        ['gzip', gzipSync(MESSAGES.join('\n'))],
        ['gzip in two members', Buffer.concat([gzipSync(`${MESSAGES[0]}\n`), gzipSync(MESSAGES.slice(1).join('\n'))])],
        ['zstd', zstdCompressSync(MESSAGES.join('\n'))],
    ];
    it.each(forms)('takes %s', async (_, bytes) => {
        for (const chunkBytes of [1, 7, 1 << 16]) {
            const { outcome, rejects } = await readBytes(bytes as string, { ...lake, chunkBytes });
            expect(rejects).toEqual([]);
            expect(outcome).toMatchObject({
                ok: true,
                rowsRead: 3,
                rowsRejected: 0,
                found: { readings: 4, devices: 2, profiles: 'thermostat@1' },
            });
            expect(rowsOf(outcome)).toEqual([
                row({
                    period: '2026-01-05T10',
                    device: 'th-1',
                    at: '2026-01-05T10:00:00.123Z',
                    message: hashOf(MESSAGES[0] ?? ''),
                    value: 21_300_000_000n,
                }),
                row({
                    period: '2026-01-05T10',
                    device: 'th-2',
                    metric: 'state',
                    at: '2026-01-05T10:00:01Z',
                    message: hashOf(MESSAGES[1] ?? ''),
                    value: null,
                    text: 'on',
                }),
                row({
                    period: '2026-01-05T10',
                    device: 'th-2',
                    at: '2026-01-05T10:00:01Z',
                    message: hashOf(MESSAGES[1] ?? ''),
                    value: -1n,
                }),
                row({
                    period: '2026-01-05T11',
                    device: 'th-1',
                    at: '2026-01-05T11:00:00Z',
                    message: hashOf(MESSAGES[2] ?? ''),
                    value: 9_007_199_254_740_993_000_000_000n,
                }),
            ]);
        }
    });
});

describe('repeats', () => {
    it('are one row that says how often it came', async () => {
        const message = '{"device":"th-1","time":"2026-01-05T10:00:00Z","temperature":1.5}';
        const { outcome } = await readBytes([message, message, ` ${message} `].join('\n'), lake);
        expect(outcome).toMatchObject({ rowsRead: 3, rowsRejected: 0, found: { readings: 3 } });
        expect(rowsOf(outcome)).toEqual([
            row({
                period: '2026-01-05T10',
                device: 'th-1',
                at: '2026-01-05T10:00:00Z',
                message: hashOf(message),
                value: 1_500_000_000n,
                copies: 3n,
            }),
        ]);
    });

    it('are two rows where one byte differs', async () => {
        const { outcome } = await readBytes(
            '{"device":"a","time":"2026-01-05T10:00:00Z","temperature":1.5}\n{"device":"a","time":"2026-01-05T10:00:00Z","temperature":1.50}',
            lake,
        );
        expect(rowsOf(outcome).map(({ value, copies }) => [value, copies])).toEqual([
            [1_500_000_000n, 1n],
            [1_500_000_000n, 1n],
        ]);
    });
});

describe('payloads that are lists', () => {
    const senml = JSON.parse(readFileSync('lake/telemetry/presets/senml.json', 'utf8'));
    const pack = (device: string): string =>
        `[{"bn":"${device}:","bt":1767607200,"n":"temperature","u":"Cel","v":21.5},{"n":"humidity","u":"%RH","v":40}]`;
    const packs: [string, string][] = [
        ['one on its line', pack('urn:a')],
        ['one over lines', JSON.stringify(JSON.parse(pack('urn:a')), undefined, 2)],
    ];
    it.each(packs)('are one message each where their records belong together: %s', async (_, text) => {
        const { outcome, rejects } = await readBytes(text, { profiles: { senml }, profile: 'senml' });
        expect(rejects).toEqual([]);
        expect(outcome).toMatchObject({ rowsRead: 1, rowsRejected: 0, found: { readings: 2, devices: 1 } });
        expect(rowsOf(outcome).map(({ message }) => message)).toEqual([hashOf(text), hashOf(text)]);
    });

    const several: [string, string][] = [
        ['on lines', `${pack('urn:a')}\n${pack('urn:b')}\n`],
        ['in an array', `[${pack('urn:a')},\n${pack('urn:b')}]`],
    ];
    it.each(several)('may be several: %s', async (_, text) => {
        const { outcome } = await readBytes(text, { profiles: { senml }, profile: 'senml' });
        expect(outcome).toMatchObject({ rowsRead: 2, rowsRejected: 0, found: { readings: 4, devices: 2 } });
        expect(new Set(rowsOf(outcome).map(({ message }) => message))).toEqual(new Set([hashOf(pack('urn:a')), hashOf(pack('urn:b'))]));
    });

    it('are messages for themselves where each element is one, in whatever form they are written down', async () => {
        const tracker = {
            ...thermostat,
            name: 'tracker',
            each: '[]',
            metrics: [{ name: 'temperature', path: 'temperature', digits: 9, statistics: false }],
        };
        const elements = [MESSAGES[0] ?? '', MESSAGES[2] ?? ''];
        const rows = async (text: string) => rowsOf((await readBytes(text, { profiles: { tracker }, profile: 'tracker' })).outcome);
        const expected = await rows(elements.map((element) => `[${element}]`).join('\n'));
        expect(expected.map(({ message }) => message)).toEqual(elements.map(hashOf));
        expect(await rows(`[${elements.join(',')}]`)).toEqual(expected);
        expect(await rows(`[\n${elements.join(',\n')}\n]\n`)).toEqual(expected);
        expect(await rows(`[${elements.join(',')}]\n[${elements[0]}]`)).toMatchObject([{ copies: 2n }, { copies: 1n }]);
    });
});

describe('rows with separators', () => {
    it('are flat objects of their cells, known by their own bytes', async () => {
        const csv =
            'device;time;temperature;state\r\n"th-1";2026-01-05T10:00:00Z;;\r\nth-1;2026-01-05T10:01:00Z;21.50;"on; ""hot"""\n\nth-1;2026-01-05T10:02:00Z\n';
        const { outcome, rejects } = await readBytes(csv, lake);
        expect(outcome).toMatchObject({ rowsRead: 3, rowsRejected: 2, found: { message_form: 'csv', rejected: 'no_reading 2' } });
        const [, , row2 = ''] = csv.split('\n');
        expect(rowsOf(outcome)).toEqual([
            row({
                period: '2026-01-05T10',
                device: 'th-1',
                metric: 'state',
                at: '2026-01-05T10:01:00Z',
                message: hashOf(row2),
                value: null,
                text: 'on; "hot"',
            }),
            row({ period: '2026-01-05T10', device: 'th-1', at: '2026-01-05T10:01:00Z', message: hashOf(row2), value: 21_500_000_000n }),
        ]);
        // An empty cell is absent, as one behind the row's end is.
        expect(rejects.map(({ line_number, line }) => [line_number, line])).toEqual([
            [2, '"th-1";2026-01-05T10:00:00Z;;'],
            [5, 'th-1;2026-01-05T10:02:00Z'],
        ]);
    });

    it('are rejects where they have too many cells, or a quote that does not end', async () => {
        const { outcome, rejects } = await readBytes(
            'device,time,temperature\na,2026-01-05T10:00:00Z,1,2\n"a,2026-01-05T10:00:00Z,1\nb,2026-01-05T10:00:00Z,2',
            lake,
        );
        expect(outcome).toMatchObject({ rowsRead: 3, rowsRejected: 2 });
        expect(rejects.map(({ line_number, reason, metric }) => [line_number, reason, metric])).toEqual([
            [2, 'extra_cells', null],
            [3, 'unclosed_quote', null],
        ]);
    });

    it('need a header without two columns of one name', async () => {
        const { outcome } = await readBytes('device,time,temperature,temperature\na,b,c,d\n', lake);
        expect(outcome).toMatchObject({ ok: false, error: expect.stringContaining('names "temperature" twice') });
    });
});

describe('logs of a broker', () => {
    const payload = '{"device":"th-1","temperature":21.30}';
    const logs: [string, string, string][] = [
        [
            'mosquitto_sub -F %j',
            JSON.stringify({ tst: '2026-01-05T10:00:02.500000Z+0000', topic: 't/th-1', qos: 1, retain: 0, payloadlen: 37, payload }),
            '2026-01-05T10:00:02.500Z',
        ],
        [
            'mosquitto_sub -F %J',
            `{"tst":"2026-01-05T11:00:02.5+0100","topic":"t/th-1","qos":1,"retain":0,"payload":${payload}}`,
            '2026-01-05T10:00:02.500Z',
        ],
        ['a time in seconds', JSON.stringify({ topic: 't/th-1', timestamp: 1767607202.5, payload }), '2026-01-05T10:00:02.500Z'],
        ['a time in milliseconds', JSON.stringify({ topic: 't/th-1', arrived_ms: 1767607202500, payload }), '2026-01-05T10:00:02.500Z'],
        [
            'base64',
            JSON.stringify({ topic: 't/th-1', arrival: '2026-01-05T10:00:02.5Z', payload_base64: Buffer.from(payload).toString('base64') }),
            '2026-01-05T10:00:02.500Z',
        ],
    ];
    it.each(logs)('are taken as payloads with their arrival: %s', async (_, line, at) => {
        const byArrival = { ...thermostat, time: [{ path: 'time' }, 'arrival'] };
        const { outcome, rejects } = await readBytes(`${line}\n`, { profiles: { thermostat: byArrival }, profile: 'thermostat' });
        expect(rejects).toEqual([]);
        expect(rowsOf(outcome)).toEqual([
            { ...row({ period: '2026-01-05T10', device: 'th-1', at, message: hashOf(payload), value: 21_300_000_000n }), clock: 'arrival' },
        ]);
        expect(outcome).toMatchObject({ found: { clock_arrival: 1 } });
    });

    it('reject what is no envelope', async () => {
        const log = JSON.stringify({ topic: 't/th-1', arrived_ms: 1767607202500, payload: MESSAGES[0] });
        const { outcome, rejects } = await readBytes(
            `${log}\n{"topic":"t/x"}\n${MESSAGES[0]}\n{"topic":"t/x","payload":"{}","tst":"noon"}\n`,
            lake,
        );
        expect(outcome).toMatchObject({ rowsRead: 4, rowsRejected: 3 });
        expect(rejects.map(({ reason }) => reason)).toEqual(['no_envelope', 'no_envelope', 'no_envelope']);
    });
});

describe('chain objects', () => {
    const line = (sequence: string, payload: string, more: object = {}): string =>
        encodeMessage({
            sequence,
            arrivedMs: Date.parse('2026-01-05T10:00:05Z'),
            way: 'mqtt',
            device: 'th-1',
            profile: 'thermostat',
            payload: Buffer.from(payload),
            ...more,
        });
    const payload = '{"time":"2026-01-05T10:00:00Z","temperature":21.30}';

    it('are read line by line, each by its own profile, device and site', async () => {
        const other = { ...thermostat, name: 'other', metrics: [{ name: 't', path: 'temperature', digits: 1 }] };
        const lines = [
            line('7', payload),
            line('8', payload, { device: 'th-2', site: 'berlin', profile: 'other' }),
            line('8', payload),
            encodeEnd('8'),
        ];
        const { outcome, rejects } = await readBytes(gzipSync(`${lines.join('\n')}\n`), { profiles: { thermostat, other } });
        expect(rejects).toEqual([]);
        expect(outcome).toMatchObject({
            rowsRead: 3,
            rowsRejected: 0,
            found: { message_form: 'chain', profiles: 'other@1, thermostat@1', devices: 2 },
        });
        expect(rowsOf(outcome)).toMatchObject([
            {
                site: 'berlin',
                device: 'th-2',
                metric: 't',
                profile: 'other',
                value: 21_300_000_000n,
                copies: 1n,
                received_ms: BigInt(Date.parse('2026-01-05T10:00:05Z')),
            },
            { site: 'main', device: 'th-1', metric: 'temperature', profile: 'thermostat', copies: 2n },
        ]);
    });

    it('reject messages without a profile, or with one that is not there, and name the latter', async () => {
        const asked: string[] = [];
        const lines = [
            line('1', payload, { profile: undefined }),
            line('2', payload, { profile: 'gone' }),
            line('3', payload, { profile: 'gone' }),
            line('4', payload),
            encodeEnd('4'),
        ];
        const { outcome, rejects } = await readBytes(lines.join('\n'), { profiles: { thermostat }, asked });
        expect(asked).toEqual(['gone', 'thermostat']);
        expect(outcome).toMatchObject({ rowsRead: 4, rowsRejected: 3, found: { rejected: 'no_profile 3', profiles: 'thermostat@1' } });
        expect(rejects.map(({ line_number, why, line: shown }) => [line_number, why, shown])).toEqual([
            [1, 'the device had no profile when the message arrived', payload],
            [2, 'there is no profile gone in the lake', payload],
            [3, 'there is no profile gone in the lake', payload],
        ]);
    });

    it('reject a message of another device than the one that sent it', async () => {
        const { rejects } = await readBytes([line('1', MESSAGES[1] ?? ''), encodeEnd('1')].join('\n'), { profiles: { thermostat } });
        expect(rejects).toMatchObject([{ reason: 'device_mismatch', metric: null }]);
    });

    it('reject what the way in has put aside, with its reason, whatever it holds', async () => {
        const why = 'its topic t/th-2 is none of device th-1';
        const { outcome, rejects } = await readBytes(
            [line('1', payload), line('2', payload, { refused: why, profile: 'gone', site: '/' }), line('3', payload), encodeEnd('3')].join(
                '\n',
            ),
            { profiles: { thermostat } },
        );
        expect(outcome).toMatchObject({
            rowsRead: 3,
            rowsRejected: 1,
            found: { readings: 2, rejected: 'refused 1', profiles: 'thermostat@1' },
        });
        expect(rejects).toEqual([{ line_number: 2, metric: null, reason: 'refused', why, line: payload }]);
    });

    it('reject a line that is none, and keep its neighbours', async () => {
        const { outcome, rejects } = await readBytes(
            [line('1', payload), '{"sequence":"2"}', 'x', line('3', payload), encodeEnd('3')].join('\n'),
            { profiles: { thermostat } },
        );
        expect(outcome).toMatchObject({ rowsRead: 4, rowsRejected: 2 });
        expect(rejects).toMatchObject([
            { reason: 'no_chain_line', line_number: 2 },
            { reason: 'no_chain_line', line_number: 3 },
        ]);
    });

    const unusable: [string, string[], string][] = [
        ['without its end', [line('1', payload)], 'without the line that tells its end'],
        ['with another end', [line('1', payload), encodeEnd('2')], 'whose end is 2, and whose last message is 1'],
        ['with a line behind its end', [line('1', payload), encodeEnd('1'), line('2', payload)], 'line 3 stands behind the end'],
        [
            'out of order',
            [line('10', payload), line('9', payload), encodeEnd('10')],
            'the sequence number 9 of line 2 is behind a greater one, 10',
        ],
    ];
    it.each(unusable)('are of no use %s', async (_, lines, error) => {
        const { outcome } = await readBytes(lines.join('\n'), { profiles: { thermostat } });
        expect(outcome).toMatchObject({ ok: false, error: expect.stringContaining(error) });
    });
});

describe('what cannot be read', () => {
    it('is an error where nobody says by which profile', async () => {
        const { outcome } = await readBytes(MESSAGES.join('\n'), { profiles: { thermostat } });
        expect(outcome).toMatchObject({ ok: false, error: expect.stringContaining('--profile NAME') });
    });

    it('is an error where the lake has no such profile', async () => {
        const { outcome } = await readBytes(MESSAGES.join('\n'), { profiles: {}, profile: 'thermostat' });
        expect(outcome).toMatchObject({ ok: false, error: expect.stringContaining('there is no profile thermostat') });
    });

    const unusable: [string, string | Buffer, string][] = [
        ['an empty file', '', 'is empty'],
        ['an empty gzip file', gzipSync(''), 'is empty'],
        ['a cut gzip file', gzipSync(MESSAGES.join('\n').repeat(100)).subarray(0, 100), 'damaged or ends too early'],
        ['an array that does not end', `[${MESSAGES.join(',')}`, 'a JSON array that does not end'],
        ['prose', 'The device was hot.\nThen it was not.\n', 'is no JSON, and its first line is no header'],
        ['a Parquet file', Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(100)]), 'a Parquet file'],
        ['a PDF document', '%PDF-1.7\n', 'PDF'],
        ['a message of 17 MiB', `{"device":"${'x'.repeat(17 << 20)}"}\n{}`, 'longer than 16 MiB'],
    ];
    it.each(unusable)('is an error: %s', async (_, bytes, error) => {
        const { outcome } = await readBytes(bytes as string, lake);
        expect(outcome).toMatchObject({ ok: false, error: expect.stringContaining(error) });
    });

    const hostile: [string, string][] = [
        ['10,000 levels deep', `{"device":"a","time":"2026-01-05T10:00:00Z","temperature":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
        [
            'a million keys',
            `{"device":"a","time":"2026-01-05T10:00:00Z",${Array.from({ length: 1_000_000 }, (_, key) => `"k${key}":1`).join()},"temperature":1}`,
        ],
        ['a number of a megabyte', `{"device":"a","time":"2026-01-05T10:00:00Z","temperature":${'9'.repeat(1 << 20)}}`],
        ['lone surrogates', '{"device":"\\ud800","time":"2026-01-05T10:00:00Z","temperature":1}'],
        ['a key twice', '{"device":"a","time":"2026-01-05T10:00:00Z","temperature":1,"temperature":2}'],
        ['bytes that are no UTF-8', '{"device":"a","time":"2026-01-05T10:00:00Z","state":"\xff"}'],
        ['a line that is cut', '{"device":"a","time":"2026-01-05T10:0'],
    ];
    it.each(hostile)('is one reject beside its neighbours: %s', async (_, payload) => {
        const lines = [MESSAGES[0], Buffer.from(payload, 'latin1').toString('latin1'), MESSAGES[2]].join('\n');
        const { outcome, rejects } = await readBytes(Buffer.from(lines, 'latin1'), lake);
        expect(outcome).toMatchObject({ ok: true, rowsRead: 3, rowsRejected: 1 });
        expect(rejects.filter(({ metric }) => metric === null)).toMatchObject([{ line_number: 2, reason: 'unreadable' }]);
        expect(String(rejects[0]?.line).length).toBeLessThanOrEqual(4096);
    });

    it('is a file of which nothing counts: flows', async () => {
        const zeek = '{"ts":1767607200.5,"uid":"C1","id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","duration":1.5,"orig_pkts":3}\n';
        const { outcome, rejects } = await readBytes(zeek.repeat(3), lake);
        expect(outcome).toMatchObject({ ok: true, rowsRead: 3, rowsRejected: 3 });
        expect(rejects.map(({ reason }) => reason)).toEqual(['no_device', 'no_device', 'no_device']);
    });
});

function row({
    period,
    device,
    metric = 'temperature',
    at,
    message,
    value,
    text = null,
    copies = 1n,
}: Record<string, unknown>): Record<string, unknown> {
    const ms = BigInt(Date.parse(String(at)));
    return {
        period,
        site: 'main',
        device,
        metric,
        at_ms: ms,
        message,
        measured_at: ms,
        received_ms: ms,
        value,
        text,
        clock: 'device',
        profile: 'thermostat',
        copies,
    };
}
