/** Payloads that mean harm, or are broken, give one clear reject, and cost no memory that stays. */
import { memoryUsage } from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseProfile } from '#lake/telemetry/profile/profile';
import { messageOf, metricOf, profileOf, read, show } from '#test/support/read-messages';

const unreadable = (why: RegExp) => [expect.stringMatching(new RegExp(`^!unreadable: the payload cannot be read: .*${why.source}`, 's'))];
const many = (n: number, of: (i: number) => string) => Array.from({ length: n }, (_, i) => of(i));

test.each<[string, string, RegExp]>([
    ['lists 10,000 levels deep', '['.repeat(10_000), /64 levels/],
    ['objects a million levels deep', '{"a":'.repeat(1_000_000), /64 levels/],
    ['a named key 65 levels deep', `{"t":${'['.repeat(65)}${']'.repeat(65)}}`, /64 levels/],
    ['a million keys', `{${many(1_000_000, (i) => `"k${i}":1`).join(',')}}`, /bytes|10000 values/],
    ['a hundred thousand keys', `{${many(100_000, (i) => `"k${i}":1`).join(',')}}`, /10000 values/],
    ['a hundred thousand keys where nobody looks', `{"x":{${many(100_000, (i) => `"k${i}":1`).join(',')}},"t":1}`, /10000 values/],
    ['a number of a megabyte', `{"t":${'9'.repeat(1_000_000)}}`, /1000000 characters/],
    ['a number of a megabyte where nobody looks', `{"x":[${'9'.repeat(1_000_000)}],"t":1}`, /1000000 characters/],
    ['a key of a megabyte', `{"t":1,"${'k'.repeat(1_000_000)}":1}`, /a key has 1000000 bytes/],
    ['a key of a megabyte where nobody looks', `{"t":1,"x":{"${'k'.repeat(1_000_000)}":1}}`, /a key has 1000000 bytes/],
    ['more than 8 MiB', `{"t":1,"x":"${'x'.repeat(9_000_000)}"}`, /bytes, and no more than/],
    ['half a character, the first half', '{"t":1,"x":"\\ud83d"}', /lone surrogate/],
    ['half a character, the second half', '{"t":1,"x":"\\ude00"}', /lone surrogate/],
    ['half a character before another escape', '{"t":1,"x":"\\ud83d\\n"}', /lone surrogate/],
    ['half a character in a key', '{"t":1,"\\ud83d":1}', /lone surrogate/],
    ['a key twice', '{"t":1,"t":2}', /key "t" stands twice/],
    ['a key twice, once escaped', '{"t":1,"\\u0074":2}', /key "t" stands twice/],
    ['an unknown key twice', '{"t":1,"x":1,"x":1}', /key "x" stands twice/],
    ['a key twice where nobody looks', '{"t":1,"x":{"y":{"a":1,"b":2,"a":1}}}', /key "a" stands twice/],
    ['a comma at the end', '{"t":1,}', /a key in double quotes/],
    ['a comma at the end of a list', '{"t":1,"x":[1,]}', /no JSON value/],
    ['no comma', '{"t":1 "x":2}', /comma or "}"/],
    ['no colon', '{"t" 1}', /colon/],
    ['no quotes', '{t:1}', /double quotes/],
    ['single quotes', "{'t':1}", /double quotes/],
    ['a leading zero', '{"t":01}', /zero too many/],
    ['a plus', '{"t":+1}', /no JSON value/],
    ['a point without digits', '{"t":1.}', /lacks digits/],
    ['an exponent without digits', '{"t":1e}', /lacks digits/],
    ['a minus alone', '{"t":-}', /lacks digits/],
    ['hexadecimal', '{"t":0x1F}', /comma or "}"/],
    ['NaN', '{"t":NaN}', /no JSON value/],
    ['a comment', '{"t":1/*c*/}', /comma or "}"/],
    ['a line break in a text', '{"t":1,"x":"a\nb"}', /control character/],
    ['a wrong escape', '{"t":1,"x":"\\x41"}', /escapes nothing/],
    ['a short \\u', '{"t":1,"x":"\\u12"}', /four hexadecimal digits/],
    ['no end', '{"t":1', /comma or "}"/],
    ['no end of a text', '{"t":"1', /no end/],
    ['no end of a word', '{"t":tru', /no JSON value/],
    ['two values', '{"t":1}{"t":2}', /behind the end/],
    ['two values with a line between', '{"t":1}\n{"t":2}', /behind the end/],
    ['nothing but spaces', '   ', /too early/],
    ['a zero byte', '{"t":1}\0', /behind the end/],
])('%s', (_, payload, why) => {
    expect(read(profileOf(), payload)).toEqual(unreadable(why));
});

test.each<[string, number[]]>([
    ['a byte that is no UTF-8', [0x7b, 0x22, 0x74, 0x22, 0x3a, 0x31, 0x2c, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]],
    ['a surrogate as UTF-8', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00]],
])('%s', (_, bytes) => {
    expect(read(profileOf(), Uint8Array.from(bytes))).toEqual(unreadable(/no UTF-8/));
});

test('one element of a list that is broken by itself holds up none of its neighbours', () => {
    expect(read(profileOf({ each: '[]' }), '[{"t":1},{"t":2,"t":2},{"t":3}]')).toEqual([
        't=1',
        't=3',
        expect.stringMatching(/^!unreadable: .*key "t" stands twice/),
    ]);
});

test('new keys in every message do not fill the memory', () => {
    const reader = parseProfile(profileOf({ metrics: [metricOf(), { name: '{key}', path: 'x.{key}', digits: 0 }] })).open();
    const before = heapNow();
    for (let i = 0; i < 40; i++) {
        const keys = many(1000, (k) => `"k${i}-${k}":1`).join(',');
        expect(reader.read(messageOf(`{"t":1,${keys},"x":{${keys}}}`)).readings).toHaveLength(1001);
    }
    expect(heapNow() - before).toBeLessThan(60 * 1024 * 1024);
});

test('a key that fits a pattern takes a few kilobytes, whatever the profile does to its name and value', () => {
    const reader = parseProfile(
        profileOf({
            metrics: [
                metricOf({
                    name: 'of {name:lower}',
                    path: 'x.{key}',
                    let: { name: { text: '{key}', extract: 'k*-{}' } },
                    unless: { path: 'x.{key}', is: 7, why: 'seven' },
                    sentinels: [{ is: 8, means: 'eight' }],
                    min: 0,
                    max: 10,
                }),
            ],
        }),
    ).open();
    const before = heapNow();
    const keys = many(9000, (k) => `"k1-${k}":1`).join(',');
    expect(reader.read(messageOf(`{"x":{${keys}}}`)).readings).toHaveLength(9000);
    expect((heapNow() - before) / 9000).toBeLessThan(5_000);
    expect(reader.read(messageOf('{"x":{"k1-77":1}}')).readings).toHaveLength(1);
});

function heapNow(): number {
    setFlagsFromString('--expose-gc');
    runInNewContext('gc')();
    return memoryUsage().heapUsed;
}

test('a reader that met a broken message reads the next one', () => {
    const reader = parseProfile(profileOf()).open();
    for (const payload of ['{"t":1,"t":1}', '{"t":', '[[[', '']) {
        expect(show(reader, messageOf(payload))).toHaveLength(1);
        expect(show(reader, messageOf('{"t":2}'))).toEqual(['t=2']);
    }
});

test('what stands in quotes, in any order and with any spaces, is read as it is written', () => {
    const reader = parseProfile(profileOf({ metrics: [{ name: 'x', path: 'ключ."', kind: 'text' }, metricOf()] })).open();
    const said = '\ud83d\ude00 "\\ /\n';
    const payload = ` { "a" : [ 1 , { "b" : null } ] ,\r\n\t"ключ" : { "\\"" : ${JSON.stringify(said).replace('😀', '\\ud83d\\uDE00').replace('/', '\\/')} } , "t":-0 } `;
    expect(reader.read(messageOf(payload)).readings.map(({ text, units }) => text ?? units)).toEqual([said, 0n]);
});

test('what is JSON is read, and what is none is not: as the platform’s own parser says', () => {
    const broken = fc
        .tuple(
            fc.json({ maxDepth: 4 }),
            fc.nat(),
            fc.constantFrom('', '"', '{', '}', '[', ']', ',', ':', '0', '-', '.', 'e', '\\', 'n', ' ', '\t', '\u0000', 'ü'),
            fc.boolean(),
        )
        .map(
            ([json, at, char, isReplaced]) =>
                `${json.slice(0, at % (json.length + 1))}${char}${json.slice((at % (json.length + 1)) + (isReplaced ? 1 : 0))}`,
        );
    const reader = parseProfile(profileOf({ metrics: [metricOf({ path: 'a' }), metricOf({ name: '{x}.{y}', path: '{x}.{y}' })] })).open();
    fc.assert(
        fc.property(fc.oneof(fc.json({ maxDepth: 6 }), broken), (text) => {
            const [problem] = reader.read(messageOf(text)).problems.filter(({ reason }) => reason === 'unreadable');
            // Those are refused on purpose.
            fc.pre(text !== '' && !/stands twice|lone surrogate/.test(problem?.why ?? ''));
            expect([text, problem === undefined]).toEqual([text, isJson(text)]);
        }),
        { numRuns: 3000 },
    );
});

function isJson(text: string): boolean {
    try {
        JSON.parse(text);
        return true;
    } catch {
        return false;
    }
}

test('an endless topic fits no pattern, and takes no time', () => {
    const profile = profileOf({ topics: ['{a#}/x/{b#}/x/{c#}/y'], notReadings: [{ topic: '{a#}/x/{b#}/x/{c#}/z', why: 'no' }] });
    expect(read(profile, '{"t":1}', { topic: 'x/'.repeat(30_000) })).toEqual([
        expect.stringMatching(/^!no_reading: not a reading: no topic of the profile fits/),
    ]);
});

test('what is no JSON may have a mebibyte', () => {
    expect(read(profileOf({ decoder: 'text' }), ' '.repeat(1024 * 1024 + 1))).toEqual([
        '!unreadable: the payload cannot be read: it has 1048577 bytes, and no more than 1048576 are read',
    ]);
});
