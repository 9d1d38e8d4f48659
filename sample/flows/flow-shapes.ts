/**
 * Flow shapes: what a flow carries, packet by packet, and the columns that follow from it and from nothing else. They are worked out and
 * written once; a row then only adds who, when and how long.
 */

import { bell, grow, type Random, unit } from '#sample/random';
import { javaDouble } from './java-number.ts';
import { asciiBytes } from './row-writer.ts';
import type { FlowLook } from './services.ts';

/** Shapes of one service, from few packets to many. */
export const SHAPES_PER_SERVICE = 64;

const NEVER_IDLE = ',0,0,0,0,0,0,0,0,No Label\n';
const MAX_PACKETS = 12_000;
const MAX_PAYLOAD_BYTES = 1460;

/** Longer flows repeat the sizes of their first packets; a multiple of four. */
const DISTINCT_PACKETS = 64;

export interface FlowShape {
    protocol: 6 | 17;
    /** Port of the destination; 0: another one for every flow. */
    port: number;
    forward: number;
    backward: number;
    /** Bytes of payload, both ways. */
    bytes: number;
    durationUs: number;
    silence: number;
    /** CSV text, each piece from comma to before the next comma: `Tot Fwd Pkts` to `Bwd Pkt Len Std`, ... */
    sizes: Uint8Array;
    /** ... `Fwd PSH Flags` to `Bwd Header Len`, ... */
    flags: Uint8Array;
    /** ... and `Pkt Len Min` to the line's end, for a flow without and with a pause above a second (then it counts as a subflow). */
    rest: Uint8Array;
    restWithPause: Uint8Array;
    /** CSV text `restWithPause` up to `Fwd Seg Size Min`: above five seconds `Active Mean` to `Idle Min` tell of the pause. */
    restBeforeIdle: Uint8Array;
}

/** The shapes of a service, in the order of their packets. */
export function createShapes(look: FlowLook, random: Random): FlowShape[] {
    const counts = Array.from({ length: SHAPES_PER_SERVICE }, () => {
        const packets = Math.round(look.packets * grow(look.spread * bell(random.next())));
        return Math.min(Math.max(packets, look.answer === 0 ? 2 : 1), MAX_PACKETS);
    });
    counts.sort((a, b) => a - b);
    return counts.map((forward) => createShape(look, { forward, backward: Math.ceil(forward * look.answer) }, random));
}

/** The last words of a TCP connection, which CICFlowMeter counts as a flow of its own: one packet each way, nothing in them. */
export function createTeardown(look: FlowLook, random: Random): FlowShape {
    return createShape({ ...look, bytes: [0, 0], durationUs: 90 }, { forward: 1, backward: 1 }, random);
}

function createShape(look: FlowLook, { forward, backward }: { forward: number; backward: number }, random: Random): FlowShape {
    const isTcp = look.protocol === 'tcp';
    const sent = drawPackets(forward, { meanBytes: look.bytes[0], isTcp, random });
    const received = drawPackets(backward, { meanBytes: look.bytes[1], isTcp, random });
    const total = sent.bytes + received.bytes;
    const header = isTcp ? 20 : 8;
    const pushes = isTcp ? sent.withData : 0;
    const handshake = isTcp && forward > 2 ? 2 : 0;
    const rest = (subflow: number[]) =>
        csv([
            ...overallLengths(sent, received),
            ...(isTcp ? [handshake, handshake, 0, pushes, forward + backward] : [0, 0, 0, 0, 0]),
            ...[0, 0, 0],
            javaDouble(Math.floor(backward / forward)),
            javaDouble(total / (forward + backward)),
            javaDouble(sent.bytes / forward),
            javaDouble(backward === 0 ? 0 : received.bytes / backward),
            ...[0, 0, 0, 0, 0, 0],
            ...subflow,
            ...(isTcp ? [64240, backward === 0 ? 0 : 65535] : [0, 0]),
            Math.max(sent.withData - 1, 0),
            header,
        ]);
    const beforeIdle = rest([forward, sent.bytes, backward, received.bytes]);
    const totals = [forward, backward, javaDouble(sent.bytes), javaDouble(received.bytes)];
    return {
        protocol: isTcp ? 6 : 17,
        port: look.port,
        forward,
        backward,
        bytes: total,
        durationUs: Math.round(look.durationUs * grow(0.7 * bell(random.next()))),
        silence: Math.min(look.silence * (0.5 + unit(random.next())), 0.95),
        sizes: asciiBytes(csv([...totals, ...lengthColumns(sent), ...lengthColumns(received)])),
        flags: asciiBytes(csv([pushes > 0 ? 1 : 0, 0, 0, 0, forward * header, backward * header])),
        rest: asciiBytes(rest([0, 0, 0, 0]) + NEVER_IDLE),
        restWithPause: asciiBytes(beforeIdle + NEVER_IDLE),
        restBeforeIdle: asciiBytes(beforeIdle),
    };
}

/** What the packets of one direction carry. */
interface Packets {
    count: number;
    bytes: number;
    /** Sum of the squares of their payloads. */
    squares: number;
    min: number;
    max: number;
    first: number;
    withData: number;
}

/** The first packet and every fourth of a TCP connection (handshake, acknowledgements) carry nothing. */
function drawPackets(count: number, { meanBytes, isTcp, random }: { meanBytes: number; isTcp: boolean; random: Random }): Packets {
    const sizes = Array.from({ length: Math.min(count, DISTINCT_PACKETS) }, (_, place) => {
        const drawn = Math.round(meanBytes * (0.5 + unit(random.next())));
        return isTcp && count > 1 && place % 4 === 0 ? 0 : Math.min(drawn, MAX_PAYLOAD_BYTES);
    });
    const first = sizes[0] ?? 0;
    const packets = { count, bytes: 0, squares: 0, min: first, max: first, first, withData: 0 };
    sizes.forEach((size, place) => {
        const times = Math.ceil((count - place) / DISTINCT_PACKETS);
        packets.bytes += times * size;
        packets.squares += times * size * size;
        packets.min = Math.min(packets.min, size);
        packets.max = Math.max(packets.max, size);
        packets.withData += size === 0 ? 0 : times;
    });
    return packets;
}

/** Columns max, min, mean, deviation: CICFlowMeter writes a bare 0 for a direction without packets. */
function lengthColumns(packets: Packets): string[] {
    const { count, max, min, bytes } = packets;
    return count === 0 ? ['0', '0', '0', '0'] : [max, min, bytes / count, Math.sqrt(variance(packets))].map(javaDouble);
}

/** Columns min, max, mean, deviation and variance of both directions; CICFlowMeter counts the flow's first packet twice here. */
function overallLengths(sent: Packets, received: Packets): string[] {
    const count = sent.count + received.count + 1;
    const bytes = sent.bytes + received.bytes + sent.first;
    const squares = sent.squares + received.squares + sent.first * sent.first;
    const min = received.count === 0 ? sent.min : Math.min(sent.min, received.min);
    const spread = variance({ count, bytes, squares });
    return [min, Math.max(sent.max, received.max), bytes / count, Math.sqrt(spread), spread].map(javaDouble);
}

/** Variance of a sample, as Apache Commons Math has it: 0 for one value. Whole numbers below 2^53 until the quotient. */
function variance({ count, bytes, squares }: { count: number; bytes: number; squares: number }): number {
    return count < 2 ? 0 : (count * squares - bytes * bytes) / (count * (count - 1));
}

function csv(values: Array<string | number>): string {
    return values.map((value) => `,${value}`).join('');
}
