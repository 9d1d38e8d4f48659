/** Whose message it is, what it holds, what of it is no reading, and how it is known again. */
import { describe, expect, test } from '@jest/globals';
import type { Message } from '#lake/telemetry/message';
import { parseProfile } from '#lake/telemetry/profile/profile';
import { messageOf, metricOf, profileOf, read, show } from '#test/support/read-messages';

function deviceOf(profile: object, payload: object | string, words: Partial<Message> = {}): string {
    const { readings, problems } = parseProfile(profile).open().read(messageOf(payload, words));
    return readings[0]?.device ?? problems.map(({ reason, why }) => `${reason}: ${why}`).join();
}

describe('the device', () => {
    test.each<[string, object, object, Partial<Message>, string?]>([
        ['a field', { path: 'a.id' }, { a: { id: 'x' } }, {}],
        ['a number', { path: 'n' }, { n: 7 }, {}, '7'],
        ['a header, whose name has no case', { header: 'CE-Subject' }, {}, { headers: { 'ce-subject': 'x' } }],
        ['the partition key', { from: 'key' }, {}, { key: 'x' }],
        ['the whole topic', { from: 'topic' }, {}, { topic: 'x' }],
        ['the certificate', { from: 'certificate' }, {}, { device: 'x' }],
        ['part of a text', { path: 'id', extract: 'sensor.{}_temperature' }, { id: 'sensor.x_temperature' }, {}],
        ['before the last', { path: 'id', beforeLast: '_' }, { id: 'x_temperature' }, {}],
        ['behind the last', { path: 'id', afterLast: '/' }, { id: 'a/b/x' }, {}],
        ['the second part', { path: 'id', split: ';', part: 2 }, { id: 'a; x ;c' }, {}],
        ['in small letters', { path: 'id', case: 'lower' }, { id: 'X' }, {}],
        ['by a table', { path: 'id', map: { 17: 'x' } }, { id: 17 }, {}],
    ])('may be %s', (_, device, fields, words, expected = 'x') => {
        expect(deviceOf(profileOf({ device }), { t: 1, ...fields }, words)).toBe(expected);
    });

    test('has its digits, also where they are more than a double has', () => {
        expect(deviceOf(profileOf({ device: { path: 'id' } }), '{"t":1,"id":12345678901234567890}')).toBe('12345678901234567890');
    });

    test('is the first of several places that is there', () => {
        const device = [{ header: 'x-device' }, { path: 'deviceId' }, { path: 'device_id' }];
        expect(deviceOf(profileOf({ device }), { t: 1, device_id: 'b', deviceId: 'a' })).toBe('a');
        expect(deviceOf(profileOf({ device }), { t: 1, device_id: 'b' }, { headers: { 'x-device': 'c' } })).toBe('c');
        expect(deviceOf(profileOf({ device }), { t: 1 })).toBe(
            'no_device: it does not say which device it is of: none of the places that "device" names is there',
        );
    });

    test('is none where null, an object, or yes or no stands', () => {
        const device = [{ path: 'a' }, { path: 'b' }];
        expect(deviceOf(profileOf({ device }), { t: 1, a: null, b: 'x' })).toBe('x');
        expect(deviceOf(profileOf({ device }), { t: 1, a: null })).toMatch(/^no_device: it does not say/);
        expect(deviceOf(profileOf({ device }), { t: 1, a: { id: 1 } })).toBe(
            'no_device: {"id":1} is no id of a device: a text or a number must stand there',
        );
        expect(deviceOf(profileOf({ device }), { t: 1, a: true })).toMatch(/^no_device: true is no id/);
        expect(deviceOf(profileOf({ device, let: { n: { path: 'n' } }, topics: ['{x}'] }), { t: 1, b: 5, n: null })).toBe('5');
        const named = profileOf({ device: [{ text: 'd-{n}' }, { text: 'x' }], let: { n: { path: 'n' } } });
        expect(deviceOf(named, { t: 1, n: null })).toBe('x');
    });

    test('comes from levels of the topic', () => {
        const profile = profileOf({
            topics: ['a/{x}/b/{y}', 'c/{rest#}', 'd-{x}/#'],
            device: [{ text: '{x}:{y}' }, { text: '{rest}' }, { text: '{x}' }],
        });
        expect(deviceOf(profile, { t: 1 }, { topic: 'a/1/b/2' })).toBe('1:2');
        expect(deviceOf(profile, { t: 1 }, { topic: 'c/1/2/3' })).toBe('1/2/3');
        expect(deviceOf(profile, { t: 1 }, { topic: 'd-7/x/y' })).toBe('7');
        expect(deviceOf(profile, { t: 1 }, { topic: 'd-7' })).toBe('7');
        const twice = profileOf({ topics: ['{x}/to/{x}'], device: { text: '{x}' } });
        expect(deviceOf(twice, { t: 1 }, { topic: 'a/to/a' })).toBe('a');
        expect(deviceOf(twice, { t: 1 }, { topic: 'a/to/b' })).toMatch(/no topic of the profile fits/);
        expect(deviceOf(profile, { t: 1 }, { topic: 'a/1/b/2/c' })).toBe(
            'no_reading: not a reading: no topic of the profile fits a/1/b/2/c',
        );
    });

    test('of the certificate wins, and another one in the message is a reject', () => {
        const profile = profileOf({ device: { path: 'id' } });
        expect(deviceOf(profile, { t: 1, id: 'x' }, { device: 'x' })).toBe('x');
        expect(deviceOf(profile, { t: 1 }, { device: 'x' })).toBe('x');
        expect(deviceOf(profile, { t: 1, id: 'y' }, { device: 'x' })).toBe(
            'device_mismatch: the message says that it is of "y", but its certificate or token is that of "x"',
        );
    });

    test.each([
        ['empty', ''],
        ['endless', 'x'.repeat(257)],
        ['a line break', 'a\nb'],
    ])('is no text that is %s', (_, id) => {
        expect(deviceOf(profileOf({ device: { path: 'id' } }), { t: 1, id })).toMatch(/^no_device: .* is no id of a device/);
    });
});

describe('a message that is no reading', () => {
    const notReadings = [
        { topic: '+/LWT', why: 'last will' },
        { path: '_type', is: ['lwt', 'waypoint'], why: 'another type' },
        {
            when: [
                { path: 'object', present: false },
                { path: 'data', present: true },
            ],
            why: 'not decoded',
            show: 'data',
        },
        { path: 'seq', above: 100, why: 'a test' },
        { header: 'x-kind', like: 'debug/#', why: 'for debugging' },
    ];
    const profile = profileOf({ notReadings });

    test.each<[object | string, Partial<Message>, string]>([
        ['Offline', { topic: 'x/LWT' }, 'not a reading: last will'],
        [{ t: 1, _type: 'lwt' }, {}, 'not a reading: another type (_type is "lwt")'],
        [{ data: 'AAA=' }, {}, 'not a reading: not decoded (object is absent, data is "AAA="), data: AAA='],
        [{ t: 1, seq: 101 }, {}, 'not a reading: a test (seq is 101)'],
        [{ t: 1 }, { headers: { 'x-kind': 'debug/a' } }, 'not a reading: for debugging'],
        [{ t: 1 }, { isRetained: true }, 'not a reading: the broker sent the last message again to a new subscription (retained)'],
        [{ u: 1 }, {}, 'nothing in it is named by the profile'],
    ])('%j says why', (payload, words, why) => {
        expect(read(profile, payload, words)).toEqual([`!no_reading: ${why}`]);
    });

    test('is one only if all of it holds', () => {
        expect(read(profile, { t: 1, _type: 'location', seq: 100, object: 1, data: 'x' }, { topic: 'x/SENSOR' })).toEqual(['t=1']);
        expect(read({ ...profile, retained: 'read' }, { t: 1 }, { isRetained: true })).toEqual(['t=1']);
    });

    test('of no bytes tells the metrics that its topic is about, or the whole', () => {
        const metrics = [metricOf({ only: { topic: 'x/t' } }), metricOf({ name: 'u', path: 'u' })];
        expect(read(profileOf({ metrics, emptyMeans: 'gone' }), '', { topic: 'x/t' })).toEqual([
            't!no_value: no value (empty payload: gone)',
        ]);
        expect(read(profileOf({ metrics }), '', { topic: 'x/u' })).toEqual(['!no_value: no value (empty payload)']);
    });
});

describe('a metric', () => {
    test('stands only where its condition holds, and is a problem with its reason where `unless` does', () => {
        const profile = profileOf({
            metrics: [
                metricOf({
                    only: [
                        { path: 'k', is: 1 },
                        { path: 'x', isNot: ['p', null] },
                    ],
                }),
                metricOf({
                    name: 'b',
                    path: 'b',
                    unless: [
                        { path: 'ext', is: true, why: 'external power' },
                        { path: 'b', below: 0, why: 'below zero' },
                    ],
                }),
            ],
        });
        expect(read(profile, { t: 1, k: 1, b: 2 })).toEqual(['t=1', 'b=2']);
        expect(read(profile, { t: 1, k: 1, x: 'p', b: 2 })).toEqual(['b=2']);
        expect(read(profile, { t: 1, k: 1, x: null, b: 2 })).toEqual(['b=2']);
        expect(read(profile, { t: 1, k: '1', b: 0, ext: true })).toEqual(['t=1', 'b!no_value: external power (ext is true)']);
        expect(read(profile, { b: -1 })).toEqual(['b!no_value: below zero (b is -1)']);
    });

    test.each<[string, unknown, boolean]>([
        ['number', 1, true],
        ['number', '1', false],
        ['text', '1', true],
        ['yes/no', true, true],
        ['null', null, true],
        ['object', {}, true],
        ['list', [], true],
        ['list', {}, false],
    ])('may ask for a %s: %j', (type, x, holds) => {
        expect(read(profileOf({ metrics: [metricOf({ only: { path: 'x', type } })] }), { t: 1, x })).toEqual(
            holds ? ['t=1'] : ['!no_reading: nothing in it is named by the profile'],
        );
    });

    test('may be no reading ever, and show what explains it', () => {
        const metrics = [metricOf({ notReading: 'a sum' }), metricOf({ name: 'u', path: 'u', show: 'errors' })];
        expect(read(profileOf({ metrics }), '{"t":1.50,"u":null,"errors":["read"]}')).toEqual([
            't!no_reading: a sum (1.50)',
            'u!no_value: no value (null), errors: ["read"]',
        ]);
    });

    test('may be historical', () => {
        const reader = parseProfile(profileOf({ metrics: [metricOf({ historical: { path: 'old', is: true } })] })).open();
        expect(reader.read(messageOf({ t: 1, old: true })).readings[0]?.isHistorical).toBe(true);
        expect(reader.read(messageOf({ t: 1 })).readings[0]?.isHistorical).toBeUndefined();
    });
});

describe('patterns of keys', () => {
    const metrics = [
        { name: 'probe.{id}', path: 'DS18B20{n}.Temperature', let: { id: { path: 'DS18B20{n}.Id' } }, digits: 1 },
        { name: '{sensor:snake}.temperature', path: '{sensor}.Temperature', digits: 1 },
        { name: 'energy', path: 'ENERGY.Temperature', digits: 0 },
    ];

    test('make metrics of keys, each value once, by the first that fits; what is named itself is never theirs', () => {
        expect(
            read(profileOf({ metrics }), {
                'DS18B20-1': { Id: 'A', Temperature: 1 },
                DS18B20: { Temperature: 2, Id: 'B' },
                BmeTwo: { Temperature: 3 },
                ENERGY: { Temperature: 4 },
            }),
        ).toEqual(['energy=4', 'probe.A=1', 'probe.B=2', 'bme_two.temperature=3']);
    });

    test('read the same whatever messages came before', () => {
        const reader = parseProfile(profileOf({ metrics, ignore: ['*.Ignored'] })).open();
        const messages = [
            { A: { Temperature: 1 } },
            { A: { Ignored: 1 }, B: { Temperature: 2 } },
            { B: { Temperature: null }, A: { Temperature: 3 } },
            { DS18B20: { Id: 'X', Temperature: 5 } },
            { DS18B20: { Id: 'Y', Temperature: 5 } },
        ];
        for (const message of [...messages, ...messages.reverse()]) {
            expect(show(reader, messageOf(message)).sort()).toEqual(read(profileOf({ metrics, ignore: ['*.Ignored'] }), message).sort());
        }
    });

    test('find what stands before them in the payload', () => {
        const profile = profileOf({
            metrics: [{ name: '{n}', path: 'values.{n}', digits: 0, unit: 'Cel', unitFrom: { path: 'units.{n}' } }],
        });
        expect(read(profile, '{"units":{"a":"[degF]"},"values":{"a":68}}')).toEqual(['a=20']);
    });

    test('read lists of names and values', () => {
        const profile = profileOf({
            metrics: [
                { name: 'temperature', path: 'sensors.{i}.value', digits: 1, only: { path: 'sensors.{i}.name', is: 'temp' } },
                { name: '{sensor}', path: 'sensors.{i}.value', digits: 0, let: { sensor: { path: 'sensors.{i}.name' } } },
            ],
        });
        expect(read(profile, { sensors: [{ name: 'hum', value: 34.4 }, { name: 'temp', value: 21.34 }, { value: 1 }] })).toEqual([
            'hum=34',
            'temperature=21.3',
            '!bad_name: "{sensor}" makes no name, because what it uses is absent',
        ]);
    });

    test('name metrics after the topic', () => {
        const profile = profileOf({ topics: ['N/{portal}/{path#}'], metrics: [{ name: '{path:dots}', path: 'value', digits: 2 }] });
        expect(read(profile, { value: 26.40999984741211 }, { topic: 'N/1/Dc/0/Voltage' })).toEqual(['dc.0.voltage=26.41']);
    });

    test('keep keys with dots apart from paths', () => {
        const profile = profileOf({
            metrics: [
                { name: 'flat', path: ['a.b'], digits: 0 },
                { name: 'deep', path: 'a.b', digits: 0 },
            ],
        });
        expect(read(profile, { 'a.b': 1, a: { b: 2 } })).toEqual(['flat=1', 'deep=2']);
    });
});

describe('a payload of several messages', () => {
    test('is a list', () => {
        const profile = profileOf({ each: '[]', device: { path: 'id' } });
        const { readings } = parseProfile(profile).open().read(messageOf('[ {"id":"a","t":1} , {"id":"b","t":2},{"id":"a","t":1}]'));
        expect(readings.map(({ device, units }) => [device, Number(units) / 1e9])).toEqual([
            ['a', 1],
            ['b', 2],
            ['a', 1],
        ]);
        expect(readings[2]?.message).toBe(readings[0]?.message);
        expect(readings[1]?.message).not.toBe(readings[0]?.message);
        expect(read(profile, { id: 'a', t: 3 })).toEqual(['t=3']);
        expect(read(profile, '[]')).toEqual(['!no_reading: it holds no messages: the list is empty, or does not stand where "each" says']);
    });

    test('stands deeper, and its elements see what stands around them', () => {
        const profile = profileOf({
            each: 'data.samples[]',
            device: { path: 'id', outer: true },
            time: [
                { path: 'ts', unit: 's' },
                { path: 'ts', unit: 's', outer: true },
            ],
        });
        const { readings, unknownFields } = parseProfile(profile)
            .open()
            .read(
                messageOf({
                    data: {
                        samples: [
                            { t: 1, ts: 1767607000 },
                            { t: 2, x: 0 },
                        ],
                        y: 0,
                    },
                    id: 'a',
                    ts: 1767607200,
                }),
            );
        expect(readings.map(({ device, atMs }) => [device, atMs])).toEqual([
            ['a', 1767607000000],
            ['a', 1767607200000],
        ]);
        expect([...unknownFields].sort()).toEqual(['data.y', 'x']);
    });

    test('is an object of devices', () => {
        const profile = profileOf({
            each: '{device}[]',
            device: { text: '{device}' },
            time: [{ path: 'ts', unit: 's', outer: true }, 'arrival'],
        });
        const { readings } = parseProfile(profile)
            .open()
            .read(messageOf({ ts: 1767607200, a: [{ t: 1 }, { t: 2 }], b: { t: 3 } }));
        expect(readings.map(({ device, units }) => `${device}=${Number(units) / 1e9}`)).toEqual(['a=1', 'a=2', 'b=3']);
    });

    test('may stand at several places, one within the other', () => {
        const profile = profileOf({ each: ['devices.{i}', 'devices.{i}.modules[]'], device: { path: 'id' }, ignore: ['modules'] });
        const { readings, unknownFields } = parseProfile(profile)
            .open()
            .read(
                messageOf({
                    devices: [
                        { id: 'a', t: 1, modules: [{ id: 'b', t: 2 }] },
                        { id: 'c', t: 3, modules: [] },
                    ],
                }),
            );
        expect(readings.map(({ device, units }) => `${device}=${Number(units) / 1e9}`).sort()).toEqual(['a=1', 'b=2', 'c=3']);
        expect(unknownFields).toEqual([]);
        const self = profileOf({ each: ['', 'history[]'], device: { text: 'x' }, ignore: ['history'] });
        expect(read(self, { t: 1, history: [{ t: 2 }, { t: 3 }] })).toEqual(['t=1', 't=2', 't=3']);
    });

    test('may be packed into a text', () => {
        const profile = profileOf({
            unpack: [
                { path: 'data', as: 'json' },
                { path: 'body', as: 'base64' },
            ],
            metrics: [metricOf({ path: 'data.t' }), metricOf({ name: 'u', path: 'body.u' })],
        });
        expect(read(profile, { data: '{"t":21.30,"x":{"y":1}}' })).toEqual(['t=21.3']);
        expect(read(profile, { body: Buffer.from('{"u":2}').toString('base64') })).toEqual(['u=2']);
        expect(read(profile, { data: { t: 1 } })).toEqual(['t=1']);
        expect(read(profile, { data: '{"t":' })[0]).toMatch(/^!unreadable: .*the text at "data" is no JSON: /);
        expect(read(profile, { body: '***' })[0]).toMatch(/^!unreadable: .*"body" holds no base64/);
        const list = profileOf({ unpack: [{ path: 'data', as: 'base64' }], each: 'data[]' });
        expect(read(list, { data: Buffer.from('[{"t":1},{"t":2}]').toString('base64') })).toEqual(['t=1', 't=2']);
    });
});

describe('the identity of a message', () => {
    const identity = (profile: object, payload: object | string, words: Partial<Message> = {}) =>
        parseProfile(profile).open().read(messageOf(payload, words)).readings[0]?.message;

    test('is a hash of its bytes where the profile names none', () => {
        expect(identity(profileOf(), '{"t":1}')).toBe('4834945f7bf91f82');
        expect(identity(profileOf(), '{"t": 1}')).not.toBe(identity(profileOf(), '{"t":1}'));
    });

    test('is its session and counter, and no two of them are one text', () => {
        const profile = profileOf({ identity: [{ path: 'session' }, { path: 'n', absent: '0' }] });
        expect(identity(profile, { t: 1, session: 's', n: 7 })).toBe('s:7');
        expect(identity(profile, { t: 1, session: 's' })).toBe('s:0');
        expect(identity(profile, { t: 1, session: 's:7', n: '' })).not.toBe(identity(profile, { t: 1, session: 's', n: '7:' }));
        expect(identity(profile, { t: 1, n: 7 })).toMatch(/^[0-9a-f]{16}$/);
        expect(identity(profile, { t: 1, session: null, n: 7 })).toMatch(/^[0-9a-f]{16}$/);
        expect(identity(profile, { t: 1, session: 'x'.repeat(200), n: 7 })).toMatch(/^[0-9a-f]{32}$/);
    });
});

test('fields that the profile does not name are told by their paths, and never read', () => {
    const reader = parseProfile(profileOf({ metrics: [metricOf({ path: 'a.t' })], ignore: ['b', 'c.*', ['d.e']] })).open();
    const payload = { a: { t: 1, u: 2, v: { w: 3 } }, b: { x: 1 }, c: { y: 1 }, 'd.e': 1, 'f.g': 1, h: [] };
    for (let i = 0; i < 3; i++) {
        expect(reader.read(messageOf(payload)).unknownFields).toEqual(['a.u', 'a.v', '"f.g"', 'h']);
    }
});

test('the arrival is kept beside the time, and is the time where nobody knows it', () => {
    const profile = profileOf({ time: { path: 'at', unit: 's' } });
    const of = (arrivedMs: number | undefined) =>
        parseProfile(profile)
            .open()
            .read(messageOf({ t: 1, at: 1767607200 }, { arrivedMs })).readings[0];
    expect(of(1767607201000)?.receivedMs).toBe(1767607201000);
    expect(of(undefined)?.receivedMs).toBe(1767607200000);
});
