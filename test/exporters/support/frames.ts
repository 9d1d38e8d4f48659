/** Ethernet frames and the capture file that holds them (RFC 791, 792, 768, 4443, 8200, 9293; the classic format of libpcap). */

export interface Segment {
    src: string;
    dst: string;
    srcPort: number;
    dstPort: number;
    /** Letters of the flags, as `SA` or `FPA`. */
    flags: string;
    /** Number of the first byte that the segment carries, and of the next one that its sender awaits. */
    seq: number;
    ack: number;
    payload: number;
}

export interface Datagram {
    src: string;
    dst: string;
    srcPort: number;
    dstPort: number;
    payload: number;
}

/** A captured frame and when it was seen, in microseconds since 1970 UTC. */
export interface Captured {
    atUs: bigint;
    frame: Uint8Array;
}

const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmp6: 58 } as const;
const FLAG: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, A: 16 };
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const ARP = 0x0806;
const VLAN_TAG = 0x8100;

export function tcpFrame({ src, dst, srcPort, dstPort, flags, seq, ack, payload }: Segment): Uint8Array {
    const bits = [...flags].reduce((sum, flag) => sum | (FLAG[flag] ?? 0), 0);
    const header = [...u16(srcPort), ...u16(dstPort), ...u32(seq), ...u32(ack), 0x50, bits, ...u16(65_000), 0, 0, 0, 0];
    return ipFrame({
        src,
        dst,
        protocol: PROTOCOL.tcp,
        body: withChecksum([...header, ...filler(payload)], 16, { src, dst, protocol: 6 }),
    });
}

export function udpFrame(datagram: Datagram): Uint8Array {
    return ipFrame({ src: datagram.src, dst: datagram.dst, protocol: PROTOCOL.udp, body: udpBody(datagram) });
}

/** A datagram of UDP in fragments of IPv4, each of at most `fragment` bytes behind its header (a multiple of 8). */
export function udpFragments(datagram: Datagram, { fragment, id }: { fragment: number; id: number }): Uint8Array[] {
    const body = udpBody(datagram);
    const frames: Uint8Array[] = [];
    for (let at = 0; at < body.length; at += fragment) {
        const more = at + fragment < body.length ? 0x2000 : 0;
        const part = body.slice(at, at + fragment);
        frames.push(ipFrame({ src: datagram.src, dst: datagram.dst, protocol: PROTOCOL.udp, body: part, id, fragment: more | (at / 8) }));
    }
    return frames;
}

/** A request for an echo, or its answer; ICMPv6 where the addresses are of IPv6. */
export function echoFrame({
    src,
    dst,
    isReply,
    id,
    number,
}: {
    src: string;
    dst: string;
    isReply: boolean;
    id: number;
    number: number;
}): Uint8Array {
    const rest = [...u16(id), ...u16(number), ...filler(40)];
    if (src.includes(':')) {
        const body = withChecksum([isReply ? 129 : 128, 0, 0, 0, ...rest], 2, { src, dst, protocol: PROTOCOL.icmp6 });
        return ipFrame({ src, dst, protocol: PROTOCOL.icmp6, body });
    }
    return ipFrame({ src, dst, protocol: PROTOCOL.icmp, body: withChecksum([isReply ? 0 : 8, 0, 0, 0, ...rest], 2) });
}

/** "Port unreachable", with the beginning of the datagram that it answers. */
export function unreachableFrame(datagram: Datagram): Uint8Array {
    const answered = udpFrame(datagram).slice(14, 14 + 28);
    const body = withChecksum([3, 3, 0, 0, 0, 0, 0, 0, ...answered], 2);
    return ipFrame({ src: datagram.dst, dst: datagram.src, protocol: PROTOCOL.icmp, body });
}

/** "Who has `dst`? Tell `src`", or the answer to it. */
export function arpFrame({ src, dst, isReply }: { src: string; dst: string; isReply: boolean }): Uint8Array {
    const asked = isReply ? macOf(dst) : [0, 0, 0, 0, 0, 0];
    const body = [
        ...u16(1),
        ...u16(IPV4),
        6,
        4,
        ...u16(isReply ? 2 : 1),
        ...macOf(src),
        ...addressBytes(src),
        ...asked,
        ...addressBytes(dst),
    ];
    return ethernet({ src, dst, type: ARP, body });
}

/** The frame with a VLAN's tag (IEEE 802.1Q). */
export function tagFrame(frame: Uint8Array, vlan: number): Uint8Array {
    return Uint8Array.from([...frame.slice(0, 12), ...u16(VLAN_TAG), ...u16(vlan), ...frame.slice(12)]);
}

/** A capture file of these frames, microseconds in its times. */
export function pcapOf(frames: readonly Captured[]): Uint8Array {
    const records = frames.map(({ atUs, frame }) => {
        const words = [Number(atUs / 1_000_000n), Number(atUs % 1_000_000n), frame.length, frame.length];
        return Buffer.concat([Buffer.from(Uint32Array.from(words).buffer), frame]);
    });
    const header = Uint32Array.from([0xa1b2c3d4, 0x00040002, 0, 0, 65_535, 1]);
    return Buffer.concat([Buffer.from(header.buffer), ...records]);
}

function udpBody({ src, dst, srcPort, dstPort, payload }: Datagram): number[] {
    const header = [...u16(srcPort), ...u16(dstPort), ...u16(8 + payload), 0, 0];
    return withChecksum([...header, ...filler(payload)], 6, { src, dst, protocol: PROTOCOL.udp });
}

interface IpPacket {
    src: string;
    dst: string;
    protocol: number;
    body: readonly number[];
    id?: number;
    /** Flags and offset of a fragment. */
    fragment?: number;
}

function ipFrame({ src, dst, protocol, body, id = 0, fragment = 0 }: IpPacket): Uint8Array {
    if (src.includes(':')) {
        const header = [0x60, 0, 0, 0, ...u16(body.length), protocol, 64, ...addressBytes(src), ...addressBytes(dst)];
        return ethernet({ src, dst, type: IPV6, body: [...header, ...body] });
    }
    const [length, place] = [u16(20 + body.length), [...u16(id), ...u16(fragment)]];
    const header = [0x45, 0, ...length, ...place, 64, protocol, 0, 0, ...addressBytes(src), ...addressBytes(dst)];
    return ethernet({ src, dst, type: IPV4, body: [...withChecksum(header, 10), ...body] });
}

function ethernet({ src, dst, type, body }: { src: string; dst: string; type: number; body: readonly number[] }): Uint8Array {
    return Uint8Array.from([...macOf(dst), ...macOf(src), ...u16(type), ...body]);
}

/** Each address has a card of its own: some exporters tell directions by them. */
function macOf(address: string): number[] {
    return [2, 0, ...addressBytes(address).slice(-4)];
}

/** The bytes with their checksum (RFC 1071) at a place that was 0 till now; with addresses, over the pseudo-header too. */
function withChecksum(bytes: readonly number[], place: number, of?: { src: string; dst: string; protocol: number }): number[] {
    const pseudo = of === undefined ? [] : [...addressBytes(of.src), ...addressBytes(of.dst), ...u32(bytes.length), ...u32(of.protocol)];
    const all = [...pseudo, ...bytes];
    let sum = 0;
    for (let at = 0; at < all.length; at += 2) {
        sum += ((all[at] ?? 0) << 8) | (all[at + 1] ?? 0);
    }
    while (sum > 0xffff) {
        sum = (sum & 0xffff) + (sum >>> 16);
    }
    return [...bytes.slice(0, place), ...u16(~sum & 0xffff), ...bytes.slice(place + 2)];
}

function addressBytes(address: string): number[] {
    if (!address.includes(':')) {
        return address.split('.').map(Number);
    }
    const [before = '', after = ''] = address.split('::');
    const words = (text: string): number[] => (text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16)));
    const [head, tail] = [words(before), words(after)];
    return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail].flatMap(u16);
}

function filler(length: number): number[] {
    return Array.from({ length }, (_, at) => 97 + (at % 26));
}

function u16(value: number): number[] {
    return [(value >>> 8) & 255, value & 255];
}

function u32(value: number): number[] {
    return [...u16(value >>> 16), ...u16(value & 0xffff)];
}
