/** Sparkplug B, SenML and CBOR become the same numbers that were meant, digit by digit. */
import { describe, expect, test } from '@jest/globals';
import { encode } from 'cborg';
import { Writer } from 'protobufjs/minimal.js';
import { PRESETS } from '#lake/telemetry/presets';
import { cborToJson } from '#lake/telemetry/profile/decoders/cbor';
import { shortestFloat16, shortestFloat32 } from '#lake/telemetry/profile/decoders/floats';
import { parseProfile } from '#lake/telemetry/profile/profile';
import { messageOf, metricOf, profileOf, read, show } from '#test/support/read-messages';

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

describe('CBOR', () => {
    test.each<[string, string]>([
        ['00', '0'],
        ['3863', '-100'],
        ['1bffffffffffffffff', '18446744073709551615'],
        ['3bffffffffffffffff', '-18446744073709551616'],
        ['c249010000000000000000', '18446744073709551616'],
        ['c349010000000000000000', '-18446744073709551617'],
        ['c48221196ab3', '27315e-2'],
        ['c4 82 38 01 c2 49 010000000000000000', '18446744073709551616e-2'],
        ['c5822003', '15e-1'],
        ['c58203 03', '24'],
        ['f93c00', '1'],
        ['f94d53', '21.3'],
        ['fa41aa6666', '21.3'],
        ['fb40354ccccccccccd', '21.3'],
        ['fb7e37e43c8800759c', '1e+300'],
        ['f98000', '-0'],
        ['f90001', '6e-8'],
        ['f97e00', '"NaN"'],
        ['fa7f800000', '"Infinity"'],
        ['f4', 'false'],
        ['f5', 'true'],
        ['f6', 'null'],
        ['f7', 'null'],
        ['62c3bc', '"ü"'],
        ['43010203', '"AQID"'],
        ['83 01 82 02 03 80', '[1,[2,3],[]]'],
        ['a2 61 74 01 01 02', '{"t":1,"1":2}'],
        ['9f 01 9f ff ff', '[1,[]]'],
        ['bf 61 74 01 61 75 02 ff', '{"t":1,"u":2}'],
        ['bf ff', '{}'],
        ['d9d9f7 01', '1'],
        ['c0 61 31', '"1"'],
    ])('%s is %s', (bytes, json) => {
        expect(cborToJson(hex(bytes))).toBe(json);
    });

    test.each<[string, RegExp]>([
        ['', /too early/],
        ['82 01', /too early|not enough|no CBOR/],
        ['61', /no CBOR/],
        ['01 02', /behind the end/],
        ['ff', /.*/],
        ['81'.repeat(100), /64 levels/],
        ['c6'.repeat(100_000), /64 levels/],
        ['9b ffffffffffffffff 01', /.*/],
        ['a1 80 01', /a key is a array/],
        ['82 ff 01', /end mark/],
        ['c4 01', /tag 4/],
        ['c4 82 61 31 01', /whole number/],
        ['c5 82 19 ffff 01', /power of two/],
        ['1c', /no CBOR/],
    ])('%s is a reject', (bytes, why) => {
        const [line, ...more] = read(profileOf({ decoder: 'cbor' }), bytes === '' ? hex('81') : hex(bytes));
        expect(line).toMatch(/^!unreadable: the payload cannot be read: /);
        expect(line).toMatch(why);
        expect(more).toEqual([]);
    });

    test('is read by paths as JSON is, a key twice too', () => {
        const metrics = [metricOf(), metricOf({ name: 'one', path: '1' })];
        expect(
            read(
                profileOf({ decoder: 'cbor', metrics }),
                encode(
                    new Map<unknown, unknown>([
                        ['t', 21.3],
                        [1, 2n ** 40n],
                    ]),
                ),
            ),
        ).toEqual(['t=21.3', 'one=1099511627776']);
        expect(read(profileOf({ decoder: 'cbor' }), hex('a2 61 74 01 61 74 02'))).toEqual([expect.stringMatching(/key "t" stands twice/)]);
    });
});

test('floats are the shortest text that means them', () => {
    for (const [value, text] of [
        [21.3, '21.3'],
        [0.1, '0.1'],
        [16777216, '16777216'],
        [1e-45, '1e-45'],
        [3.4028234663852886e38, '3.4028235e+38'],
        [1 / 3, '0.33333334'],
    ] as const) {
        expect(shortestFloat32(Math.fround(value))).toBe(text);
    }
    for (let bits = 0; bits < 0x7c00; bits += 7) {
        const value = new DataView(Uint8Array.of(bits >> 8, bits & 255).buffer);
        const exact = halfOf(value.getUint16(0));
        const text = shortestFloat16(exact);
        expect(Math.abs(Number(text) - exact)).toBeLessThanOrEqual(halfStep(exact));
        expect(text.replace(/e.*|\D/g, '').replace(/^0+|0+$/g, '').length).toBeLessThanOrEqual(5);
    }
});

function halfOf(bits: number): number {
    const exponent = bits >> 10;
    return exponent === 0 ? (bits & 1023) * 2 ** -24 : (1 + (bits & 1023) / 1024) * 2 ** (exponent - 15);
}

function halfStep(value: number): number {
    return 2 ** Math.max(Math.floor(Math.log2(value || 1e-9)) - 11, -25);
}

describe('SenML', () => {
    const senml = PRESETS.get('senml')!;
    const at = (text: string) => Date.parse(text);
    const records = (pack: object | string, arrivedMs?: number) =>
        parseProfile(senml)
            .open()
            .read(messageOf(pack, { arrivedMs }))
            .readings.map(({ device, metric, atMs, units, text, unit }) => [
                device,
                metric,
                new Date(atMs).toISOString(),
                text ?? Number(units) / 1e9,
                unit,
            ]);

    test('keeps base values until they are said anew, also behind a new name', () => {
        const pack = [
            { bn: 'a:', bt: 1767607200, bu: 'Cel', bv: 20, n: 't', v: 1.5 },
            { n: 'u', u: '%RH', v: 1, t: 1 },
            { bn: 'b:', n: 't', v: -0.25 },
            { bv: 0, bu: 'V', n: 'w', v: 3.3 },
        ];
        expect(records(pack)).toEqual([
            ['a:', 't', '2026-01-05T10:00:00.000Z', 21.5, 'Cel'],
            ['a:', 'u', '2026-01-05T10:00:01.000Z', 21, '%RH'],
            ['b:', 't', '2026-01-05T10:00:00.000Z', 19.75, 'Cel'],
            ['b:', 'w', '2026-01-05T10:00:00.000Z', 3.3, 'V'],
        ]);
    });

    test('counts small times from the arrival, which must be known', () => {
        const pack = [
            { n: 'a:t', v: 1, t: -5.25 },
            { n: 'a:t', v: 2, t: 1767607100 },
        ];
        expect(records(pack, at('2026-01-05T10:00:02.000Z')).map(([, , time]) => time)).toEqual([
            '2026-01-05T09:59:56.750Z',
            '2026-01-05T09:58:20.000Z',
        ]);
        expect(read(senml, pack, { arrivedMs: undefined })).toEqual(['t=2', expect.stringMatching(/^!no_time: /)]);
    });

    test('keeps texts, yes and no, and tells sums and data', () => {
        const pack =
            '[{"bn":"a:","bt":1767607200,"n":"s","vs":"on \\u00fc"},{"n":"b","vb":false},{"n":"d","vd":"AAA"},{"n":"j","s":0.10},{"n":"x"},{"n":"h","v":21.30}]';
        expect(read(senml, pack)).toEqual([
            's=on ü',
            'b=0',
            'h=21.3',
            '!no_value: record "a:x" has no value',
            'd!no_reading: binary data, kept for a later codec ("AAA")',
            'j!no_reading: a sum, not a value (0.10)',
        ]);
    });

    test.each<[object | string, RegExp]>([
        [{ n: 'a:t', v: 1 }, /no list of SenML records/],
        [[{ bver: 11, n: 'a:t', v: 1 }], /version 11/],
        [[{ n: 'a:t', v: 1, x_: 1 }], /field "x_", which must be understood/],
        [[{ bn: 'a:', bt: 'now', n: 't', v: 1 }], /"bt" is no number/],
        ['[{"n":"a:t","v":1,"v":2}]', /stands twice/],
        ['[1]', /^/],
    ])('%j is a reject', (pack, why) => {
        const lines = read(senml, pack);
        expect(lines).toHaveLength(1);
        expect(lines[0]).toMatch(/^!(?:unreadable|no_reading): /);
        expect(lines[0]?.replace(/^!\w+: /, '')).toMatch(why);
    });

    test('is the same in CBOR, whose keys are numbers', () => {
        const pack = [
            new Map<number, unknown>([
                [-2, 'a:'],
                [-3, 1767607200.5],
                [-4, 'Cel'],
                [0, 't'],
                [2, 21.3],
            ]),
            new Map<number, unknown>([
                [0, 'on'],
                [4, true],
            ]),
        ];
        expect(read(PRESETS.get('senml-cbor')!, encode(pack))).toEqual(['t=21.3', 'on=1']);
    });
});

describe('Sparkplug B', () => {
    interface MetricWords {
        name?: string;
        alias?: number;
        datatype?: number;
        int?: number;
        long?: string;
        float?: number;
        text?: string;
        bool?: boolean;
        isNull?: boolean;
        isHistorical?: boolean;
        timestamp?: number;
        unit?: string;
    }
    const AT = 1767607200123;

    function payload(metrics: readonly MetricWords[], timestamp: number | undefined = AT): Uint8Array {
        const writer = Writer.create();
        if (timestamp !== undefined) {
            writer.uint32(8).uint64(timestamp);
        }
        for (const metric of metrics) {
            writer.uint32(18).fork();
            writeMetric(writer, metric);
            writer.ldelim();
        }
        return writer.uint32(24).uint64(7).finish();
    }

    function writeMetric(
        writer: Writer,
        { name, alias, datatype, int, long, float, text, bool, isNull, isHistorical, timestamp, unit }: MetricWords,
    ): void {
        name !== undefined && writer.uint32(10).string(name);
        alias !== undefined && writer.uint32(16).uint64(alias);
        timestamp !== undefined && writer.uint32(24).uint64(timestamp);
        datatype !== undefined && writer.uint32(32).uint32(datatype);
        isHistorical !== undefined && writer.uint32(40).bool(isHistorical);
        isNull !== undefined && writer.uint32(56).bool(isNull);
        if (unit !== undefined) {
            const value = Writer.create().uint32(8).uint32(12).uint32(66).string(unit).finish();
            writer.uint32(74).bytes(Writer.create().uint32(10).string('engUnit').uint32(18).bytes(value).finish());
        }
        int !== undefined && writer.uint32(80).uint32(int);
        if (long !== undefined) {
            writer.uint32(88).raw(Uint8Array.from(varint(BigInt(long))));
        }
        float !== undefined && writer.uint32(101).float(float);
        bool !== undefined && writer.uint32(112).bool(bool);
        text !== undefined && writer.uint32(122).string(text);
    }

    function varint(value: bigint): number[] {
        const bytes: number[] = [];
        let rest = BigInt.asUintN(64, value);
        for (; rest > 127n; rest >>= 7n) {
            bytes.push(Number(rest & 127n) | 128);
        }
        return [...bytes, Number(rest)];
    }

    const metrics = [
        {
            name: '{name}',
            path: 'value',
            digits: 2,
            statistics: false,
            only: { path: 'value', type: 'number' },
            historical: { path: 'historical', is: true },
        },
        { name: '{name}', path: 'value', kind: 'text', only: { path: 'value', type: 'text' } },
        { name: '{name}', path: 'value', kind: 'yes/no', only: { path: 'value', type: 'yes/no' } },
    ];
    const profile = {
        name: 'test',
        decoder: 'sparkplug-b',
        topics: ['spBv1.0/{group}/{type}/{edge}/{device}', 'spBv1.0/{group}/{type}/{edge}'],
        let: { name: { path: 'name' } },
        device: [{ text: '{group}/{edge}/{device}' }, { text: '{group}/{edge}' }],
        time: { path: 'timestamp', unit: 'ms' },
        metrics,
    };
    const topic = (type: string, device: string | undefined = 'd') => ({
        topic: `spBv1.0/g/${type}/e${device === '' ? '' : `/${device}`}`,
    });

    test.each<[string, number, MetricWords, string]>([
        ['a negative Int8 of 8 bits', 1, { int: 251 }, '-5'],
        ['a negative Int8 of 32 bits', 1, { int: 4294967291 }, '-5'],
        ['a negative Int16', 2, { int: 65531 }, '-5'],
        ['a negative Int32', 3, { int: 4294967291 }, '-5'],
        ['a negative Int64', 4, { long: '-5' }, '-5'],
        ['a UInt8', 5, { int: 251 }, '251'],
        ['a UInt32', 7, { int: 4294967291 }, '4294967291'],
        ['a UInt64 beyond 2^53', 8, { long: '9007199254740993' }, '9007199254740993'],
        ['an Int32 in a long', 3, { long: '-5' }, '-5'],
        ['a Float', 9, { float: 21.3 }, '21.3'],
        ['a Boolean', 11, { bool: true }, '1'],
        ['a String', 12, { text: 'ü' }, 'ü'],
        ['a DateTime', 13, { long: '1767607200123' }, '1767607200123'],
    ])('reads %s', (_, datatype, value, expected) => {
        const reader = parseProfile(profile).open();
        expect(show(reader, messageOf(payload([{ name: 'm', alias: 3, datatype, ...value }]), topic('DBIRTH')))).toEqual([`m=${expected}`]);
        // Data names only the alias: name and type are those of the birth.
        expect(show(reader, messageOf(payload([{ alias: 3, ...value }]), topic('DDATA')))).toEqual([`m=${expected}`]);
        expect(show(reader, messageOf(payload([{ name: 'm', ...value }]), topic('DDATA')))).toEqual([`m=${expected}`]);
    });

    test('asks for a birth where there was none, and forgets aliases when the edge node is born again', () => {
        const reader = parseProfile(profile).open();
        const data = messageOf(
            payload([
                { alias: 3, int: 1 },
                { name: 'n', int: 1 },
                { name: 'f', float: 1 },
            ]),
            topic('DDATA'),
        );
        const asking = [
            'f=1',
            '!no_birth: alias 3 has no name: no birth of g/e came before it in this source',
            'n!no_birth: its data type is not known: no birth of g/e came before it in this source',
        ];
        expect(show(reader, data)).toEqual(asking);
        show(
            reader,
            messageOf(
                payload([
                    { name: 'm', alias: 3, datatype: 3, int: 1 },
                    { name: 'n', datatype: 3, int: 1 },
                ]),
                topic('DBIRTH'),
            ),
        );
        expect(show(reader, data)).toEqual(['m=1', 'n=1', 'f=1']);
        show(reader, messageOf(payload([{ name: 'x', datatype: 3, int: 1 }]), topic('NBIRTH', '')));
        expect(show(reader, data)).toEqual(asking);
        // Another reader knows nothing of it.
        expect(show(parseProfile(profile).open(), data)).toEqual(asking);
    });

    test('takes the time of the metric, else that of the payload, and knows what is historical, null and in which unit', () => {
        const withUnits = {
            ...profile,
            metrics: [
                {
                    ...metrics[0],
                    only: { path: 'name', isNot: 'n' },
                    unit: 'Cel',
                    unitFrom: { path: 'properties.engUnit', units: { F: '[degF]' } },
                },
                { name: 'n', path: 'value', digits: 0, only: { path: 'name', is: 'n' } },
            ],
        };
        const { readings, problems } = parseProfile(withUnits)
            .open()
            .read(
                messageOf(
                    payload([
                        { name: 'a', datatype: 3, int: 1 },
                        { name: 'b', datatype: 3, int: 68, timestamp: AT - 1000, isHistorical: true, unit: 'F' },
                        { name: 'n', datatype: 3, isNull: true },
                    ]),
                    topic('DDATA'),
                ),
            );
        expect(readings.map(({ metric, atMs, units, isHistorical }) => [metric, atMs - AT, Number(units) / 1e9, isHistorical])).toEqual([
            ['a', 0, 1, undefined],
            ['b', -1000, 20, true],
        ]);
        expect(problems).toEqual([expect.objectContaining({ metric: 'n', reason: 'no_value', why: 'no value (null)' })]);
    });

    test('reports names that no metric has as unknown fields, and a message of nothing else as none', () => {
        const one = {
            ...profile,
            metrics: [{ name: 'a', path: 'value', digits: 0, only: { path: 'name', is: 'a' } }],
            ignore: ['type', 'seq'],
        };
        const outcome = (names: string[]) =>
            parseProfile(one)
                .open()
                .read(messageOf(payload(names.map((name) => ({ name, datatype: 3, int: 1 }))), topic('DBIRTH')));
        expect(outcome(['a', 'bdSeq', 'Node Control/Rebirth']).unknownFields).toEqual(['bdSeq', 'Node Control/Rebirth']);
        expect(outcome(['a', 'b']).problems).toEqual([]);
        expect(outcome(['b']).problems).toEqual([
            expect.objectContaining({ reason: 'no_reading', why: 'none of its records has a name that the profile names' }),
        ]);
    });

    test.each<[string, string, Uint8Array, RegExp]>([
        ['a death', 'NDEATH', payload([]), /^!no_reading: not a reading: the death of an edge node$/],
        ['a command', 'DCMD', payload([]), /^!no_reading: not a reading: a command$/],
        ['no protobuf', 'DDATA', hex('ffffffffffffffffffffff'), /^!unreadable: .*Sparkplug payload/],
        ['a part longer than the whole', 'DDATA', hex('12ff01'), /^!unreadable: .*longer than the whole/],
        ['a cut payload', 'DDATA', payload([{ name: 'm', datatype: 3, int: 1 }]).slice(0, 12), /^!unreadable: /],
        ['nothing', 'DDATA', new Uint8Array(0), /^!no_value: no value \(empty payload\)$/],
    ])('%s is no reading', (_, type, bytes, why) => {
        const lines = read(profile, bytes, topic(type));
        expect(lines).toHaveLength(1);
        expect(lines[0]).toMatch(why);
    });

    test('needs its topic', () => {
        expect(read(profile, payload([]), { topic: undefined })).toEqual([
            '!no_reading: not a reading: the topic is not known, and those of Sparkplug B begin with spBv1.0/',
        ]);
        expect(
            read({ ...profile, topics: undefined, let: { name: { path: 'name' } }, device: { text: 'x' } }, '{}', {
                topic: 'spBv1.0/STATE/host',
            }),
        ).toEqual(['!no_reading: not a reading: the state of a host']);
    });
});

test('text is read as one value', () => {
    const profile = (metric: object) => profileOf({ decoder: 'text', metrics: [metricOf({ path: '', ...metric })] });
    expect(read(profile({}), '21.30')).toEqual(['t=21.3']);
    expect(read(profile({}), ' 21.3\n')).toEqual(['t=21.3']);
    expect(read(profile({ sentinels: [{ is: 'unavailable', means: 'away' }] }), 'unavailable')).toEqual(['t!sentinel: away (unavailable)']);
    expect(read(profile({ kind: 'yes/no', digits: undefined, words: { ON: true } }), 'ON')).toEqual(['t=1']);
    expect(read(profile({}), hex('ff'))).toEqual(['!unreadable: the payload cannot be read: it is no UTF-8 text']);
    const parts = JSON.parse(JSON.stringify(profile({ path: undefined, from: { from: 'payload', split: ';', part: 2 } })));
    expect(read(parts, 'a;21.3;b')).toEqual(['t=21.3']);
});
