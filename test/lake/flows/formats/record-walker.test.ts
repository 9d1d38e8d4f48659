/** Records that are known by heart are found with their values, whatever these are, wherever a block of bytes ends and whoever else reads. */
import { expect, test } from '@jest/globals';
import { walkObject } from '#lake/flows/formats/json-object';
import { Shapes } from '#lake/flows/formats/json-shapes';
import {
    DESTINATION_KEY,
    DURATION,
    ENDS,
    HAS_DESTINATION,
    HAS_DURATION,
    HAS_PACKETS,
    HAS_SOURCE,
    PACKETS_COUNT,
    PLAIN,
    records,
    SOURCE_KEY,
    STARTS,
    walked,
} from '#lake/flows/formats/record-walk';
import { RecordWalker } from '#lake/flows/formats/record-walker';
import { readFlowsOf } from '#test/support/read-flows-of';

const [SOURCE, DESTINATION, END, PACKETS] = [1, 2, 4, 5];
const ROLES = new Map([
    ['/src', SOURCE],
    ['/dst', DESTINATION],
    ['/took', END],
    ['/pkts', PACKETS],
]);
const SAMPLE = { src: '"10.0.0.1"', dst: '"10.0.0.2"', took: '1.5', pkts: '7', other: '"text"' };
const OTHERS = ['"text"', '12', 'true'];

/** A record of a line, its values as JSON texts. */
function recordOf(values: Partial<typeof SAMPLE>): string {
    return `{${Object.entries({ ...SAMPLE, ...values })
        .map(([key, value]) => `"${key}":${value}`)
        .join(',')}}`;
}

/** A walker that has learned `SAMPLE`, with each kind of value in the place of `other`. */
function walkerOver(bytes: Buffer, { durationScale = 6, roles = ROLES } = {}): RecordWalker {
    const shapes = new Shapes(roles);
    for (const other of OTHERS) {
        const record = Buffer.from(recordOf({ other }));
        const found = walkObject(record, { start: 0, end: record.length, isSpread: false });
        expect(found.is).toBe('whole');
        shapes.learn(record, found.is === 'whole' ? found.values : [], { start: 0, end: record.length });
    }
    const walker = new RecordWalker(shapes, { isArray: false, durationScale });
    walker.begin(bytes);
    return walker;
}

/** What is read of one record between others; undefined where it is not known by heart. */
function read(values: Partial<typeof SAMPLE>, durationScale = 6) {
    const text = recordOf(values);
    const bytes = Buffer.from(`${recordOf({})}\n${text}\n${recordOf({})}\n`, 'latin1');
    const start = bytes.indexOf('\n') + 1;
    const walker = walkerOver(bytes, { durationScale });
    expect(walker.find(0)).toBe(true);
    if (!walker.find(start)) {
        return undefined;
    }
    expect(walker.end).toBe(start + text.length);
    expect(walker.linesBefore).toBe(1);
    const word = (index: number): number => records[walker.record + index] as number;
    const has = (flag: number): boolean => (word(PLAIN) & flag) !== 0;
    const textOf = (role: number): string => walked.toString('latin1', word(STARTS + role), word(ENDS + role));
    return {
        src: textOf(SOURCE),
        source: has(HAS_SOURCE) ? word(SOURCE_KEY) >>> 0 : undefined,
        destination: has(HAS_DESTINATION) ? word(DESTINATION_KEY) >>> 0 : undefined,
        pkts: textOf(PACKETS),
        packets: has(HAS_PACKETS) ? word(PACKETS_COUNT) : undefined,
        took: textOf(END),
        durationUs: has(HAS_DURATION) ? word(DURATION) >>> 0 : undefined,
    };
}

const keyOf = (address: string): number => address.split('.').reduce((key, octet) => key * 256 + Number(octet), 0);

test('an IPv4 address is read in each way in which its points can stand', () => {
    const octets = ['0', '7', '10', '99', '100', '249', '255'];
    for (const [at, first] of octets.entries()) {
        for (const [other, second] of octets.entries()) {
            const src = [first, second, octets[(at + 3) % 7], octets[(other + 5) % 7]].join('.');
            const dst = [octets[(at + 2) % 7], octets[(other + 4) % 7], second, first].join('.');
            expect(read({ src: `"${src}"`, dst: `"${dst}"` })).toMatchObject({ src, source: keyOf(src), destination: keyOf(dst) });
        }
    }
});

test.each([
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.04',
    '1.2.3.00',
    '256.1.1.1',
    '1.1.1.999',
    '1..2.3',
    '.1.2.3',
    '1.2.3.',
    '1.2.3.4 ',
    '1.2.3/4',
    '1111.2.3.4',
    '::1',
    '',
    'text',
])('the text %p is no IPv4 address', (src) => {
    expect(read({ src: `"${src}"` })).toMatchObject({ src, source: undefined, destination: keyOf('10.0.0.2') });
});

test('packets of up to eight digits are read, and others left alone', () => {
    for (let digits = 1; digits <= 20; digits += 1) {
        const pkts = '9876543210'.repeat(2).slice(0, digits);
        expect(read({ pkts })).toMatchObject({ pkts, packets: digits <= 8 ? Number(pkts) : undefined });
    }
    expect(read({ pkts: '0' })).toMatchObject({ packets: 0 });
    expect(read({ pkts: '1.0' })).toMatchObject({ pkts: '1.0', packets: undefined });
    expect(read({ pkts: '-5' })).toMatchObject({ pkts: '-5', packets: undefined });
});

test.each([
    ['0.000001', 6, 1],
    ['0.0000005', 6, 1],
    ['0.00000049', 6, 0],
    ['12345678.9', 0, 12_345_679],
    ['1.5', 3, 1_500],
    ['1.0005', 3, 1_001],
    ['1.99999999', 3, 2_000],
    ['4294.967294', 6, 4_294_967_294],
    ['4294.9672944', 6, 4_294_967_294],
    ['4294.9672945', 6, undefined],
    ['4294.967295', 6, undefined],
    ['99999999', 6, undefined],
    ['99999999', 0, 99_999_999],
    ['123456789', 0, undefined],
    ['1.123456789', 6, undefined],
    ['-1.5', 6, undefined],
    ['1.5', -3, undefined],
])('the duration %s is rounded half up at the scale %p', (took, scale, durationUs) => {
    expect(read({ took }, scale)).toMatchObject({ took, durationUs });
});

test.each([
    '01',
    '00',
    '-01',
    '1.',
    '.5',
    '-',
    '--1',
    '1.5.2',
    '+1',
    '1e5',
    '1/2',
    '1"',
    'True',
    'tru',
    'nul',
    '1 2',
    '"a\\"b"',
    '"a\tb"',
    '"a\0b"',
    '"',
    '',
])('a record with the value %p is not known by heart', (other) => {
    expect(read({ other })).toBeUndefined();
    // What takes care must see it also where a role needs it.
    expect(read({ pkts: other.startsWith('"') ? `1${other}` : other })).toBeUndefined();
});

test('numbers and texts of any length are passed over', () => {
    for (let length = 0; length <= 80; length += 1) {
        expect(read({ other: `"${'é, {:}'.repeat(20).slice(0, length)}"` })?.pkts).toBe('7');
        for (const other of [`${'1'.repeat(length)}`, `-${'1'.repeat(length)}`, `0.${'0'.repeat(length)}`, `-12.${'3'.repeat(length)}`]) {
            // Longer ones are left to the way that takes care.
            expect(read({ other })?.pkts).toBe(length > 0 && length < 32 ? '7' : undefined);
        }
    }
    expect(['true', 'false', 'null', '0', '-0', '0.5'].map((other) => read({ other })?.pkts)).toEqual(new Array(6).fill('7'));
});

test('every record of many blocks is found, however long it is', () => {
    const lines = Array.from({ length: 4_000 }, (_, at) => recordOf({ pkts: String(at), other: `"${'x'.repeat((at * 7) % 300)}"` }));
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    const walker = walkerOver(bytes);
    let at = 0;
    for (const [number, line] of lines.entries()) {
        expect(walker.find(at)).toBe(true);
        expect(records[walker.record + PACKETS_COUNT]).toBe(number);
        at += line.length + 1;
    }
});

test('walkers that take turns do not disturb each other', () => {
    const bytes = Buffer.from(`${recordOf({})}\n`);
    const swapped = new Map([...ROLES, ['/src', DESTINATION], ['/dst', SOURCE]]);
    const walkers = [walkerOver(bytes), walkerOver(bytes, { roles: swapped }), walkerOver(bytes)];
    const sources = ['10.0.0.1', '10.0.0.2', '10.0.0.1'].map(keyOf);
    for (let turn = 0; turn < 3; turn += 1) {
        for (const [at, walker] of walkers.entries()) {
            walker.begin(bytes);
            expect(walker.find(0)).toBe(true);
            expect(records[walker.record + SOURCE_KEY]).toBe(sources[at]);
        }
    }
});

test('files that one thread reads piece by piece in turn come to what each comes to alone', async () => {
    const zeek = (at: number): string =>
        `{"ts":${1_767_571_200 + at}.5,"id.orig_h":"10.0.0.${at % 200}","id.resp_h":"10.1.0.1","duration":${at}.25,"orig_pkts":${at}}\n`;
    const nfdump = (at: number): string =>
        `{"type":"FLOW","first":"2026-01-05T00:00:0${at % 10}","last":"2026-01-05T00:01:00","src4_addr":"10.9.0.${at % 200}","dst4_addr":"10.1.0.1","in_packets":${at}}\n`;
    const files = [zeek, nfdump, zeek].map((lineOf, file) => Array.from({ length: 3_000 }, (_, at) => lineOf(at * (file + 1))).join(''));
    const together = await Promise.all(files.map((file) => readFlowsOf(file, { pieceBytes: 5_000 })));
    for (const [at, file] of files.entries()) {
        const alone = await readFlowsOf(file, { isCareful: true });
        expect(alone.totals.length).toBeGreaterThan(50);
        expect(together[at]?.totals).toEqual(alone.totals);
    }
});
