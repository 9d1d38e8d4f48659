/** What the broker sees of a device's packets: all that is in order, byte by byte, and of the rest what can be put aside. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_PAYLOAD_BYTES } from '#lake/live/inbox';
import { ASIDE_PREFIX, PacketGate } from '#lake/serve/packet-gate';

const text = (value: string | Buffer): Buffer => {
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};

function packet(firstByte: number, ...parts: Buffer[]): Buffer {
    const rest = Buffer.concat(parts);
    const length: number[] = [];
    for (let left = rest.length; ; left >>= 7) {
        length.push(left < 0x80 ? left : (left & 0x7f) | 0x80);
        if (left < 0x80) {
            return Buffer.concat([Buffer.from([firstByte, ...length]), rest]);
        }
    }
}

const connect = (level = 4): Buffer => packet(0x10, text('MQTT'), Buffer.from([level, 2, 0, 60]), text('client'));
const publish = (topic: string | Buffer, payload: Buffer, { qos = 1, id = 7 } = {}): Buffer =>
    packet(0x30 | (qos << 1), text(topic), qos > 0 ? Buffer.from([id >> 8, id & 0xff]) : Buffer.alloc(0), payload);

function takeAll(stream: Buffer, pieceBytes: number): { gate: PacketGate; passed: Buffer } {
    const gate = new PacketGate();
    const passed: Buffer[] = [];
    for (let at = 0; at < stream.length; at += pieceBytes) {
        passed.push(...gate.take(stream.subarray(at, at + pieceBytes)));
    }
    return { gate, passed: Buffer.concat(passed) };
}

test('passes on what is in order as it is, in whatever pieces it comes', () => {
    const packets = fc.array(
        fc.oneof(
            fc
                .record({
                    topic: fc.stringMatching(/^[a-z/]{1,40}$/),
                    payload: fc.uint8Array({ maxLength: 400 }),
                    qos: fc.constantFrom(0, 1, 2),
                })
                .map(({ topic, payload, qos }) => publish(topic, Buffer.from(payload), { qos })),
            fc.constantFrom(
                packet(0xc0),
                packet(0x62, Buffer.from([0, 7])),
                packet(0x82, Buffer.from([0, 1]), text('t/a/#'), Buffer.from([1])),
            ),
        ),
        { maxLength: 20 },
    );
    fc.assert(
        fc.property(packets, fc.integer({ min: 1, max: 500 }), (some, pieceBytes) => {
            const stream = Buffer.concat([connect(), ...some]);
            const { gate, passed } = takeAll(stream, pieceBytes);
            expect(passed.equals(stream)).toBe(true);
            expect({ fault: gate.fault, level: gate.level, aside: gate.aside.size }).toEqual({ fault: undefined, level: 4, aside: 0 });
            expect(gate.publishes).toBe(some.filter((one) => (one[0] ?? 0) >> 4 === 3).length);
        }),
    );
});

describe('puts aside, with its neighbours as they were,', () => {
    const large = Buffer.alloc(MAX_PAYLOAD_BYTES + 1, 'x');
    test.each<[string, string, Buffer, string]>([
        ['a payload that is too large', 't/a', large, 'its payload has 131073 bytes, of 131072 at most'],
        ['an empty topic', '', Buffer.from('{}'), 'its topic is empty'],
        ['a wildcard', 't/+/a', Buffer.from('{}'), 'holds #, + or NUL'],
        ['a NUL', 't/\0', Buffer.alloc(0), 'holds #, + or NUL'],
        ['a topic that is too long', 'a'.repeat(1_025), Buffer.from('{}'), 'has 1025 bytes, of 1024 at most'],
        ['a topic of too many levels', '/'.repeat(100), Buffer.from('{}'), 'has 101 levels'],
        ['a topic of the broker itself', `${ASIDE_PREFIX}1`, Buffer.from('{}'), 'one of the broker itself'],
    ])('%s', (_, topic, payload, refused) => {
        const [before, after] = [publish('t/a', Buffer.from('1')), publish('t/a', Buffer.from('2'))];
        const stream = Buffer.concat([connect(), before, publish(topic, payload, { id: 513 }), after]);
        for (const pieceBytes of [1, 1_000, 1 << 16, 1 << 20]) {
            const { gate, passed } = takeAll(stream, pieceBytes);
            const name = `${ASIDE_PREFIX}1`;
            const short = publish(name, payload.subarray(0, 16_384), { id: 513 });
            expect(passed.equals(Buffer.concat([connect(), before, short, after]))).toBe(true);
            expect([...gate.aside]).toEqual([[name, { topic: topic.slice(0, 1_024), refused: expect.stringContaining(refused) }]]);
            expect(gate.publishes).toBe(3);
        }
    });

    test('a payload of 100 MB, of which no more than a little is ever kept', () => {
        const gate = new PacketGate();
        gate.take(connect());
        const head = packet(0x32, text('t/a'), Buffer.from([0, 1])).subarray(2);
        const total = 100_000_000;
        const length = total + head.length;
        gate.take(
            Buffer.concat([
                Buffer.from([0x32, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, ((length >> 14) & 0x7f) | 0x80, length >> 21]),
                head,
            ]),
        );
        const piece = Buffer.alloc(1_000_000, 'y');
        const passed = Array.from({ length: 100 }, () => gate.take(piece)).flat();
        expect(Buffer.concat(passed).length).toBeLessThan(17_000);
        expect([...gate.aside.values()]).toEqual([{ topic: 't/a', refused: 'its payload has 100000000 bytes, of 131072 at most' }]);
    });
});

test.each([
    ['something else than a CONNECT first', publish('t/a', Buffer.from('1')), 'no CONNECT'],
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'no CONNECT'],
    ['a CONNECT that is too large', packet(0x10, Buffer.alloc(200_000)), 'CONNECT has 200000 bytes'],
    ['a subscription that is too large', Buffer.concat([connect(), packet(0x82, Buffer.alloc(20_000))]), 'type 8 has 20000 bytes'],
    ['a length that does not end', Buffer.concat([connect(), Buffer.from([0x32, 0xff, 0xff, 0xff, 0xff, 0xff])]), 'does not end'],
    ['a topic longer than its packet', Buffer.concat([connect(), packet(0x32, Buffer.from([0xff, 0xff, 1]))]), 'shorter than its topic'],
])('%s is a fault, and nothing more is passed on', (_, stream, why) => {
    for (const pieceBytes of [1, 1 << 20]) {
        const { gate, passed } = takeAll(Buffer.concat([stream, Buffer.alloc(500, 0xc0)]), pieceBytes);
        expect(gate.fault).toContain(why);
        expect(connect().indexOf(passed)).toBe(0);
    }
});

test.each([3, 4, 5, 0x84])('tells protocol level %i', (level) => {
    expect(takeAll(connect(level), 3).gate.level).toBe(level & 0x7f);
});
