/** A made-up capture of two days, and what it holds: conversations of which every packet is known, so that figures can be counted without any exporter. */
import { Random } from '#sample/random';
import { arpFrame, type Captured, echoFrame, pcapOf, tagFrame, tcpFrame, udpFragments, udpFrame, unreachableFrame } from './frames.ts';

export interface Conversation {
    /** Who sends the first packet. */
    src: string;
    dst: string;
    protocol: 'tcp' | 'udp' | 'icmp';
    dstPort: number;
    /** True if its frames carry the tag of a VLAN. */
    isTagged: boolean;
    /** True if it is short, without silence and alone on its ports, so that each exporter makes a single flow of it. */
    isPlain: boolean;
    /** True if both sides are silent for minutes. */
    isSilent: boolean;
    packets: readonly SeenPacket[];
}

interface SeenPacket extends Captured {
    isForward: boolean;
}

const ORDINARY = { isTagged: false, isPlain: true, isSilent: false };
const ODD = { ...ORDINARY, isPlain: false };

const DAY_US = 86_400_000_000n;
const SECOND_US = 1_000_000n;
const FIRST_DAY_US = BigInt(Date.UTC(2026, 0, 5)) * 1000n;
const DRAWN = 240;

/** All conversations of the capture, the same each time. */
export function conversations(): Conversation[] {
    return [...chosenConversations(), ...drawnConversations()];
}

/** The capture file, in the order of its times. ARP, which belongs to no conversation, is among it. */
export function captureOf(list: readonly Conversation[]): Uint8Array {
    const who = { src: '192.0.2.10', dst: '192.0.2.1' };
    const frames: Captured[] = [
        ...list.flatMap(({ packets }) => packets),
        { atUs: at('10:00:44'), frame: arpFrame({ ...who, isReply: false }) },
        { atUs: at('10:00:44', 400n), frame: arpFrame({ src: who.dst, dst: who.src, isReply: true }) },
    ];
    return pcapOf(frames.sort((a, b) => (a.atUs < b.atUs ? -1 : a.atUs > b.atUs ? 1 : 0)));
}

/** What exporters are known to see each in its own way, one of a kind. */
function chosenConversations(): Conversation[] {
    const minutes = (count: number): bigint => BigInt(count) * 60n * SECOND_US;
    const closed = { src: '192.0.2.10', dst: '198.51.100.20', srcPort: 40_001, dstPort: 443 };
    const reused = { src: '192.0.2.18', dst: '198.51.100.36', srcPort: 40_009, dstPort: 443 };
    const silent = { src: '192.0.2.17', dst: '198.51.100.35', srcPort: 40_008, dstPort: 8883 };
    const beat = { src: '192.0.2.19', dst: '198.51.100.37', srcPort: 5003, dstPort: 5004, payload: 64 };
    const cut = { src: '192.0.2.15', dst: '198.51.100.33', srcPort: 6000, dstPort: 6001, payload: 4000 };
    const refused = { src: '192.0.2.14', dst: '198.51.100.32', srcPort: 5002, dstPort: 161, payload: 20 };
    return [
        tcp(closed, { beginsUs: at('10:00:00', 123_456n), lengths: [120, -500, -500, 80], stepUs: 100_000n }),
        tcp({ ...closed, srcPort: 40_003, dst: '198.51.100.21' }, { beginsUs: at('10:00:10'), lengths: [], stepUs: 500n, end: 'refused' }),
        icmp({ src: '192.0.2.22', dst: '198.51.100.40', beginsUs: at('10:00:22'), count: 3 }),
        icmp({ src: '2001:db8::22', dst: '2001:db8:1::20', beginsUs: at('10:00:33'), count: 2 }),
        { ...udp(refused, { beginsUs: at('10:00:26'), ways: '>', stepUs: 1n }), isPlain: false },
        {
            src: refused.dst,
            dst: refused.src,
            protocol: 'icmp',
            dstPort: 0,
            ...ODD,
            packets: [{ atUs: at('10:00:26', 3000n), isForward: true, frame: unreachableFrame(refused) }],
        },
        tcp(
            { ...closed, src: '2001:db8::10', dst: '2001:db8:1::20' },
            { beginsUs: at('10:00:30', 500_000n), lengths: [200, -900], stepUs: 150_000n },
        ),
        {
            src: cut.src,
            dst: cut.dst,
            protocol: 'udp',
            dstPort: cut.dstPort,
            ...ODD,
            packets: udpFragments(cut, { fragment: 1480, id: 7 }).map((frame, index) => ({
                atUs: at('10:00:36', 500n * BigInt(index)),
                isForward: true,
                frame,
            })),
        },
        tagged(
            tcp({ ...closed, src: '192.0.2.16', dst: '198.51.100.34' }, { beginsUs: at('10:00:40'), lengths: [60, -700], stepUs: 90_000n }),
        ),
        {
            ...tcp(silent, { beginsUs: at('10:10:00'), lengths: [10, -10, 10, -10], stepUs: 20_000n, silenceUs: minutes(10) }),
            isPlain: false,
            isSilent: true,
        },
        { ...udp(beat, { beginsUs: at('11:00:00'), ways: '>'.repeat(81), stepUs: 30n * SECOND_US }), isPlain: false },
        ...[at('12:00:00'), at('12:05:00')].map((beginsUs) => ({
            ...tcp(reused, { beginsUs, lengths: [300, -40], stepUs: 70_000n }),
            isPlain: false,
        })),
        udp(
            { src: '192.0.2.20', dst: '198.51.100.38', srcPort: 5005, dstPort: 5006, payload: 100 },
            { beginsUs: at('23:59:58', 500_000n), ways: '><><><', stepUs: 600_000n },
        ),
        udp(
            { src: '192.0.2.21', dst: '198.51.100.39', srcPort: 53_002, dstPort: 53, payload: 40 },
            { beginsUs: at('00:30:00', 500_000n, 1n), ways: '><', stepUs: 30_000n },
        ),
    ];
}

/** Short conversations of all lengths, over both days, so that pairs have several and sums are sums. */
function drawnConversations(): Conversation[] {
    const random = new Random(13, 0);
    const below = (limit: number): number => random.next() % limit;
    return Array.from({ length: DRAWN }, (_, index) => {
        const [network, subnet] = below(5) === 0 ? ['2001:db8::', '2001:db8:1::'] : ['192.0.2.', '198.51.100.'];
        const ends = {
            src: `${network}${40 + below(9)}`,
            dst: `${subnet}${50 + below(4)}`,
            srcPort: 20_000 + index,
            dstPort: [53, 443, 1883, 5683][below(4)] ?? 53,
        };
        const beginsUs =
            FIRST_DAY_US +
            5n * SECOND_US +
            ((2n * DAY_US - 20n * SECOND_US) * BigInt(below(1_000_000))) / 1_000_000n +
            BigInt(below(1_000_000));
        const stepUs = BigInt(1 + below(400_000));
        const ways = `>${Array.from({ length: below(9) }, () => (below(3) === 0 ? '<' : '>')).join('')}`;
        return below(3) === 0
            ? tcp(ends, { beginsUs, lengths: [...ways].map((way) => (way === '>' ? 1 : -1) * (1 + below(900))), stepUs: stepUs / 2n + 1n })
            : udp({ ...ends, payload: 8 + below(600) }, { beginsUs, ways, stepUs });
    });
}

interface Ends {
    src: string;
    dst: string;
    srcPort: number;
    dstPort: number;
}

interface Connection {
    beginsUs: bigint;
    /** What it carries; below zero: from the server. */
    lengths: readonly number[];
    stepUs: bigint;
    /** Time that the client lets go by after a packet of the server, beside the step. */
    silenceUs?: bigint;
    end?: 'closed' | 'refused';
}

/** A connection that is opened, carries something and is closed; or one that is refused. */
function tcp(ends: Ends, { beginsUs, lengths, stepUs, silenceUs = 0n, end = 'closed' }: Connection): Conversation {
    const back = { src: ends.dst, dst: ends.src, srcPort: ends.dstPort, dstPort: ends.srcPort };
    const sent = { true: 1000, false: 9000 };
    const packets: SeenPacket[] = [];
    let atUs = beginsUs;
    const send = (isForward: boolean, flags: string, payload = 0): void => {
        const [mine, other] = isForward ? (['true', 'false'] as const) : (['false', 'true'] as const);
        const segment = { ...(isForward ? ends : back), flags, seq: sent[mine], ack: flags.includes('A') ? sent[other] : 0, payload };
        sent[mine] += payload + (/[SF]/.test(flags) ? 1 : 0);
        packets.push({ atUs, isForward, frame: tcpFrame(segment) });
        atUs += stepUs + (isForward ? 0n : silenceUs);
    };
    send(true, 'S');
    if (end === 'refused') {
        send(false, 'RA');
    } else {
        send(false, 'SA');
        send(true, 'A');
        for (const length of lengths) {
            send(length > 0, 'PA', Math.abs(length));
        }
        send(true, 'FA');
        send(false, 'FA');
        send(true, 'A');
    }
    return {
        src: ends.src,
        dst: ends.dst,
        protocol: 'tcp',
        dstPort: ends.dstPort,
        ...ORDINARY,
        packets,
    };
}

/** Datagrams, there (`>`) and back (`<`). */
function udp(
    { payload, ...ends }: Ends & { payload: number },
    { beginsUs, ways, stepUs }: { beginsUs: bigint; ways: string; stepUs: bigint },
): Conversation {
    const back = { src: ends.dst, dst: ends.src, srcPort: ends.dstPort, dstPort: ends.srcPort };
    const packets = [...ways].map((way, index) => ({
        atUs: beginsUs + stepUs * BigInt(index),
        isForward: way === '>',
        frame: udpFrame({ ...(way === '>' ? ends : back), payload }),
    }));
    return {
        src: ends.src,
        dst: ends.dst,
        protocol: 'udp',
        dstPort: ends.dstPort,
        ...ORDINARY,
        packets,
    };
}

/** Echoes, one a second, each answered after 10 ms. */
function icmp({ src, dst, beginsUs, count }: { src: string; dst: string; beginsUs: bigint; count: number }): Conversation {
    const packets = Array.from({ length: 2 * count }, (_, index) => {
        const number = index >> 1;
        const isForward = index % 2 === 0;
        const ends = isForward ? { src, dst } : { src: dst, dst: src };
        return {
            atUs: beginsUs + BigInt(number) * SECOND_US + (isForward ? 0n : 10_000n),
            isForward,
            frame: echoFrame({ ...ends, isReply: !isForward, id: 7, number }),
        };
    });
    return { src, dst, protocol: 'icmp', dstPort: 0, ...ODD, packets };
}

/** The conversation on a VLAN. */
function tagged(conversation: Conversation): Conversation {
    return {
        ...conversation,
        isTagged: true,
        packets: conversation.packets.map((packet) => ({ ...packet, frame: tagFrame(packet.frame, 42) })),
    };
}

/** Microseconds since 1970 of a time of the first day, or of a later one. */
function at(time: string, us = 0n, day = 0n): bigint {
    const [hours = 0n, minutes = 0n, seconds = 0n] = time.split(':').map(BigInt);
    return FIRST_DAY_US + day * DAY_US + ((hours * 60n + minutes) * 60n + seconds) * SECOND_US + us;
}
