/** Numbers keep their digits from the bytes on; what is no value says why. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatUnits } from '#lake/rows';
import { parseDecimal, roundTo } from '#lake/telemetry/profile/decimal';
import { parseProfile } from '#lake/telemetry/profile/profile';
import { messageOf, metricOf, profileOf, read, readValue } from '#test/support/read-messages';

test.each<[string, object, string]>([
    ['21.30', {}, 't=21.3'],
    ['-0', {}, 't=0'],
    ['-0.001', {}, 't=0'],
    ['1e3', {}, 't=1000'],
    ['2.13E+1', {}, 't=21.3'],
    ['123456789e-9', { digits: 9 }, 't=0.123456789'],
    ['2.005', {}, 't=2.01'],
    ['1.005', {}, 't=1.01'],
    ['-1.005', {}, 't=-1.01'],
    ['1.0049999999999999', {}, 't=1'],
    ['0.5', { digits: 0 }, 't=1'],
    ['-0.5', { digits: 0 }, 't=-1'],
    ['1.5', { digits: 0 }, 't=2'],
    ['2.5', { digits: 0 }, 't=3'],
    ['1000000.123456789', { digits: 9, statistics: false }, 't=1000000.123456789'],
    ['18446744073709551615', { digits: 0, statistics: false }, 't!out_of_limits'],
    ['9999999999999999999', { digits: 0, statistics: false }, 't=9999999999999999999'],
    ['-9999999999999999999.999999999', { digits: 9, statistics: false }, 't=-9999999999999999999.999999999'],
    ['9007199254740993', { digits: 0, statistics: false }, 't=9007199254740993'],
    ['9007199254740993', { digits: 0 }, 't!out_of_limits'],
    ['1000000000000000', { digits: 0 }, 't=1000000000000000'],
    ['1000000000000001', { digits: 0 }, 't!out_of_limits'],
    ['10000000000000.00', {}, 't=10000000000000'],
    ['10000000000000.01', {}, 't!out_of_limits'],
    ['1e400', {}, 't!out_of_limits'],
    ['1e-400', {}, 't=0'],
    ['1e99999999999', {}, 't!out_of_limits'],
    ['"21.30"', {}, 't=21.3'],
    ['" 21.30 "', {}, 't=21.3'],
    ['"+007.5"', {}, 't=7.5'],
    ['"21,30"', { decimalComma: true }, 't=21.3'],
    ['"21.3 °C"', { suffix: '°C' }, 't=21.3'],
    ['"21.3"', { suffix: '°C' }, 't=21.3'],
    ['"0x1F"', {}, 't!wrong_type: "0x1F" is no number'],
    ['""', {}, 't!wrong_type: "" is no number'],
    ['"nan"', {}, 't!no_value: no value (nan)'],
    ['"-Infinity"', {}, 't!no_value: no value (-Infinity)'],
    ['true', {}, 't!wrong_type: true is no number'],
    ['[1]', {}, 't!wrong_type: a list stands where a number should'],
    ['{"a":1}', {}, 't!wrong_type: an object stands where a number should'],
    ['null', {}, 't!no_value: no value (null)'],
    ['null', { nullMeans: 'not read' }, 't!no_value: no value (null: not read)'],
    // Scale and offset, on the text.
    ['213', { scale: 0.1 }, 't=21.3'],
    ['0.29', { scale: 100, digits: 0 }, 't=29'],
    ['1.1', { scale: 1.1, digits: 9 }, 't=1.21'],
    ['1', { scale: '0.000000000123456789', digits: 9 }, 't=0'],
    ['613', { scale: 0.1, offset: -40 }, 't=21.3'],
    ['1', { offset: '0.005' }, 't=1.01'],
    ['1234567.8', { scale: 1000000 }, 't=1234567800000'],
    // Limits, after rounding.
    ['85', { max: 85 }, 't=85'],
    ['85.004', { max: 85 }, 't=85'],
    ['85.005', { max: 85 }, 't!out_of_limits: 85.01 is above 85 (sent: 85.005)'],
    ['-40.01', { min: -40, unit: 'Cel' }, 't!out_of_limits: -40.01 Cel is below -40 Cel (sent: -40.01)'],
    ['0.1', { min: '0.1' }, 't=0.1'],
    // Sentinels are of what is sent, suspects of what is kept.
    ['255', { sentinels: [{ is: 255, means: 'unknown' }] }, 't!sentinel: unknown (255)'],
    ['255.0', { sentinels: [{ is: 255, means: 'unknown' }] }, 't!sentinel: unknown (255.0)'],
    ['2550', { scale: 0.1, sentinels: [{ is: 255, means: 'unknown' }] }, 't=255'],
    [
        '-127',
        {
            sentinels: [
                { is: 85, means: 'a' },
                { is: -127, means: 'no probe' },
            ],
        },
        't!sentinel: no probe (-127)',
    ],
    ['"unavailable"', { sentinels: [{ is: 'unavailable', means: 'the device is away' }] }, 't!sentinel: the device is away (unavailable)'],
    ['850', { scale: 0.1, suspects: [{ is: 85, means: 'power-on' }] }, 't!suspect: suspect: 850 = 85.00 is power-on'],
    ['84.996', { suspects: [{ is: 85, means: 'power-on' }] }, 't!suspect: suspect: 84.996 = 85.00 is power-on'],
    ['84.99', { suspects: [{ is: 85, means: 'power-on' }] }, 't=84.99'],
    ['85', { suspects: [{ is: 85, means: 'power-on', keep: true }] }, 't=85 | t!suspect: suspect: 85 = 85.00 is power-on'],
    // Words.
    ['"low"', { words: { low: 1, high: 2 }, digits: 0 }, 't=1'],
    ['"ON"', { kind: 'yes/no', digits: undefined, words: { ON: true, OFF: false } }, 't=1'],
    ['"OFF"', { kind: 'yes/no', digits: undefined, words: { ON: true, OFF: false } }, 't=0'],
    [
        '"on"',
        { kind: 'yes/no', digits: undefined, words: { ON: true, OFF: false } },
        't!wrong_type: "on" is neither yes nor no: add "words": {"on": true}, or false',
    ],
    ['true', { kind: 'yes/no', digits: undefined }, 't=1'],
    ['false', { kind: 'yes/no', digits: undefined }, 't=0'],
    ['1', { kind: 'yes/no', digits: undefined }, 't=1'],
    ['0.0', { kind: 'yes/no', digits: undefined }, 't=0'],
    ['2', { kind: 'yes/no', digits: undefined }, 't!wrong_type: 2 is neither yes nor no'],
    ['2', { kind: 'yes/no', digits: undefined, words: { 2: false } }, 't=0'],
    ['5', { kind: 'yes/no', digits: undefined, bit: 2 }, 't=1'],
    ['5', { kind: 'yes/no', digits: undefined, bit: 1 }, 't=0'],
    ['9223372036854775808', { kind: 'yes/no', digits: undefined, bit: 63 }, 't=1'],
    ['1.5', { kind: 'yes/no', digits: undefined, bit: 1 }, 't!wrong_type: bit 1 is asked of 1.5, which is no whole number'],
    ['"idle"', { kind: 'text', digits: undefined }, 't=idle'],
    ['18446744073709551615', { kind: 'text', digits: undefined }, 't=18446744073709551615'],
    ['1.50', { kind: 'text', digits: undefined }, 't=1.50'],
    ['3', { kind: 'text', digits: undefined, words: { 3: 'moving' } }, 't=moving'],
    [
        '4',
        { kind: 'text', digits: undefined, words: { 3: 'moving' } },
        't!unknown_word: 4 is none of the words that the profile knows: add it to "words"',
    ],
    ['"?"', { kind: 'text', digits: undefined, sentinels: [{ is: '?', means: 'unknown' }] }, 't!sentinel: unknown (?)'],
    [`"${'x'.repeat(1025)}"`, { kind: 'text', digits: undefined }, 't!out_of_limits: the text has 1025 characters'],
])('%s with %j is %s', (json, words, expected) => {
    expect(readValue(words, json).startsWith(expected)).toBe(true);
    if (expected.includes('=')) {
        expect(readValue(words, json)).toBe(expected);
    }
});

test('the quick way and the exact way give the same number', () => {
    const decimal = fc
        .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 17n }), fc.integer({ min: 0, max: 12 }))
        .map(([isNegative, units, digits]) => `${isNegative ? '-' : ''}${formatUnits(units, digits)}`);
    const words = fc.record({
        digits: fc.integer({ min: 0, max: 9 }),
        scale: fc.constantFrom(1, 0.1, 100, 0.5, '0.005', 3),
        offset: fc.constantFrom(0, -40, '0.05', 273.15),
        min: fc.constantFrom(undefined, -40, 0),
        max: fc.constantFrom(undefined, 85, 100_000),
        sentinels: fc.constantFrom(undefined, [{ is: 255, means: 's' }]),
        suspects: fc.constantFrom(undefined, [{ is: 85, means: 's' }]),
    });
    fc.assert(
        fc.property(
            words,
            fc.array(fc.oneof(decimal, fc.constantFrom('255', '85', '-40', '100000', '0.0')), { minLength: 1, maxLength: 20 }),
            (metric, numbers) => {
                const of = (more: object) => {
                    const reader = parseProfile(
                        profileOf({ metrics: [metricOf({ ...JSON.parse(JSON.stringify(metric)), ...more })] }),
                    ).open();
                    return numbers.map((number) => {
                        const { readings, problems } = reader.read(messageOf(`{"t":${number}}`));
                        return [readings.map(({ units }) => units), problems.map(({ reason, why }) => [reason, why])];
                    });
                };
                // A condition that always holds sends a metric the long way.
                expect(of({})).toEqual(of({ only: { text: 'x', is: 'x' } }));
            },
        ),
        { numRuns: 300 },
    );
});

test('a number is rounded once, from all of its digits, by an arithmetic of its own', () => {
    fc.assert(
        fc.property(
            fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n }),
            fc.integer({ min: 0, max: 12 }),
            fc.integer({ min: 0, max: 6 }),
            (units, sent, digits) => {
                const text = formatUnits(units, sent);
                const step = 10n ** BigInt(Math.max(0, sent - digits));
                const size = units < 0n ? -units : units;
                const up = (size + step / 2n) / step;
                const expected = (units < 0n ? -up : up) * 10n ** BigInt(Math.max(0, digits - sent));
                expect(roundTo(parseDecimal(text)!, digits)).toBe(expected);
            },
        ),
    );
});

test.each<[string, string, string, number, string]>([
    ['185.0', '[degF]', 'Cel', 1, '85'],
    ['72.4', '[degF]', 'Cel', 2, '22.44'],
    ['-40', '[degF]', 'Cel', 3, '-40'],
    ['294.45', 'K', 'Cel', 2, '21.3'],
    ['21.3', 'Cel', '[degF]', 2, '70.34'],
    ['760', 'mm[Hg]', 'hPa', 2, '1013.25'],
    ['29.92', "[in_i'Hg]", 'hPa', 2, '1013.21'],
    ['1', '[psi]', 'kPa', 4, '6.8948'],
    ['10', 'm/s', 'km/h', 1, '36'],
    ['10', '[kn_i]', 'm/s', 4, '5.1444'],
    ['1', '[mi_i]/h', 'km/h', 6, '1.609344'],
    ['1523.4', 'W.h', 'kW.h', 4, '1.5234'],
    ['3005', 'mV', 'V', 3, '3.005'],
    ['1', 'h', 'min', 0, '60'],
    ['0.98', '1', '%', 1, '98'],
    ['1', '[gal_us]', 'L', 6, '3.785412'],
])('%s %s is as many %s with %d digits: %s', (number, from, to, digits, expected) => {
    const metric = metricOf({ unit: to, digits, unitFrom: { path: 'u', units: { x: from } } });
    expect(read(profileOf({ metrics: [metric] }), `{"t":${number},"u":"x"}`)).toEqual([`t=${expected}`]);
});

test('the unit of a message that is not known is told, and one that is not said is the metric’s', () => {
    const profile = profileOf({ metrics: [metricOf({ unit: 'Cel', unitFrom: { path: 'u', units: { C: 'Cel', F: '[degF]' } } })] });
    expect(read(profile, '{"t":20,"u":"K"}')).toEqual([
        't!unknown_unit: its unit is "K", which the profile does not know: add it to "units"',
    ]);
    expect(read(profile, '{"t":20}')).toEqual(['t=20']);
    expect(read(profile, '{"t":20,"u":null}')).toEqual(['t=20']);
    const free = profileOf({ metrics: [metricOf({ unit: 'Cel', unitFrom: { path: 'u' } })] });
    expect(read(free, '{"t":68,"u":"[degF]"}')).toEqual(['t=20']);
    expect(read(free, '{"t":68,"u":"V"}')).toEqual(['t!unknown_unit: it is in V, which cannot be made Cel: Cel, K, [degF], [degR] can']);
});

test('one reading in two units is taken once, from the first place that has it', () => {
    const metric = metricOf({ path: undefined, unit: 'Cel', digits: 1, from: [{ path: 'tC' }, { path: 'tF', unit: '[degF]' }] });
    const profile = JSON.parse(JSON.stringify(profileOf({ metrics: [metric] })));
    expect(read(profile, '{"tC":19.8,"tF":67.6}')).toEqual(['t=19.8']);
    expect(read(profile, '{"tF":67.64}')).toEqual(['t=19.8']);
    expect(read(profile, '{"tC":null,"tF":67.64}')).toEqual(['t=19.8']);
    expect(read(profile, '{"tC":null,"tF":null}')).toEqual(['t!no_value: no value (null)']);
});

test('a multiplier, a power of ten and an offset may stand in the message', () => {
    const profile = profileOf({
        metrics: [
            metricOf({ name: 'a', path: 'a', scale: { path: 'k' } }),
            metricOf({ name: 'w', path: 'w', scalePower: { path: 'sf' } }),
            metricOf({ name: 'long', path: 'high', digits: 0, scale: 65536, offset: { path: 'low' } }),
            metricOf({ name: 'south', path: 'lat', scale: { path: 'ns', map: { N: 1, S: -1 } } }),
        ],
    });
    expect(read(profile, '{"a":213,"k":0.1,"w":1234,"sf":-1,"high":1,"low":2,"lat":12.5,"ns":"S"}')).toEqual([
        'a=21.3',
        'w=123.4',
        'long=65538',
        'south=-12.5',
    ]);
    expect(read(profile, '{"a":213}')).toEqual(['a!no_scale: its scale or offset is absent, no number']);
    expect(read(profile, '{"w":213,"sf":0.5}')).toEqual(['w!no_scale: its power of ten is no whole number from -30 to 30']);
});

test('a multiplier per key is a table', () => {
    const profile = profileOf({
        metrics: [{ name: 'io.{id}', path: 'io.{id}', digits: 3, scale: { text: '{id}', map: { 66: '0.001', 67: 0.01 } } }],
    });
    expect(read(profile, '{"io":{"66":12567,"67":401}}')).toEqual(['io.66=12.567', 'io.67=4.01']);
    expect(read(profile, '{"io":{"68":5}}')).toEqual(['io.68=340']);
});

test('what is absent is nothing, a value, or a problem, as the profile says', () => {
    expect(read(profileOf({ metrics: [metricOf({ absent: 0 }), metricOf({ name: 'x', path: 'x' })] }), '{"x":1}')).toEqual(['t=0', 'x=1']);
    expect(
        read(profileOf({ metrics: [metricOf({ absentMeans: 'the sensor is off' }), metricOf({ name: 'x', path: 'x' })] }), '{"x":1}'),
    ).toEqual(['x=1', 't!no_value: no value (absent: the sensor is off)']);
    expect(read(profileOf({ metrics: [metricOf(), metricOf({ name: 'x', path: 'x' })] }), '{"x":1}')).toEqual(['x=1']);
});

test('numbers in binary data are read from hexadecimal and base64', () => {
    const of = (bytes: object, words: object = {}) => {
        const metric = metricOf({ path: undefined, digits: 3, from: { path: 'data', bytes }, ...words });
        return JSON.parse(JSON.stringify(profileOf({ metrics: [metric] })));
    };
    const data = '0512fc5394c37c0004fffc040cac364200cd';
    expect(read(of({ encoding: 'hex', at: 1, length: 2, as: 'signed' }, { scale: '0.005' }), { data })).toEqual(['t=24.3']);
    expect(read(of({ encoding: 'hex', at: 3, length: 2, as: 'unsigned' }, { scale: '0.0025' }), { data })).toEqual(['t=53.49']);
    expect(
        read(of({ encoding: 'hex', at: 13, length: 2, as: 'unsigned', bits: [5, 11] }, { scale: '0.001', offset: 1.6 }), { data }),
    ).toEqual(['t=2.977']);
    expect(read(of({ encoding: 'hex', at: -2, length: 2, as: 'unsigned', little: true }), { data })).toEqual(['t=52480']);
    expect(read(of({ encoding: 'base64', at: 0, length: 4, as: 'float' }), { data: 'QapmZg==' })).toEqual(['t=21.3']);
    expect(read(of({ encoding: 'hex', at: 17, length: 2, as: 'signed' }), { data })).toEqual([
        '!no_reading: nothing in it is named by the profile',
    ]);
});
