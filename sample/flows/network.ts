/** Lays out who stands in a branch office and who talks to whom: every branch has the same private addresses, as in life. */
import { bell, grow, hash } from '#sample/random';
import { SERVICE_LIST, type ServiceName, serviceNumber } from './services.ts';

/** A link from a device to its peer: a server (192.168.1.<number>), a cloud endpoint or, by IPv6 multicast, all neighbours. */
interface Link {
    service: ServiceName;
    peer: number | 'cloud' | 'neighbours';
    /** True if the peer opens the flow, not the device. */
    isPolled?: true;
}

const DNS: Link = { service: 'dns', peer: 1 };
const NTP: Link = { service: 'ntp', peer: 2 };
const COLLECTOR = 4;
const RECORDER = 5;
const PRINT_SERVER = 6;
const ACCESS_CONTROLLER = 8;
const SYSLOG: Link = { service: 'syslog', peer: 9 };
const MQTT: Link = { service: 'mqtt', peer: 'cloud' };
const VIDEO: Link = { service: 'video', peer: RECORDER };

/** Devices in the order in which a branch installs them, over and over. */
const DEVICES: ReadonlyArray<{ kind: string; links: readonly Link[] }> = [
    { kind: 'gateway', links: [{ service: 'upload', peer: 'cloud' }, DNS, SYSLOG, NTP] },
    { kind: 'camera', links: [VIDEO, NTP, { service: 'control', peer: RECORDER, isPolled: true }] },
    { kind: 'thermostat', links: [MQTT, DNS, { service: 'mdns', peer: 'neighbours' }] },
    { kind: 'meter', links: [{ service: 'coap', peer: COLLECTOR }, { service: 'poll', peer: COLLECTOR, isPolled: true }, NTP] },
    { kind: 'badge reader', links: [{ service: 'badge', peer: ACCESS_CONTROLLER }, DNS, NTP] },
    { kind: 'camera', links: [VIDEO, DNS, SYSLOG] },
    { kind: 'printer', links: [{ service: 'print', peer: PRINT_SERVER, isPolled: true }, DNS, { service: 'https', peer: 'cloud' }] },
    { kind: 'thermostat', links: [MQTT, DNS] },
];

/** Longest text of a pair: an IPv6 link-local address (25) and ff02::fb (8), or two IPv4 addresses (30). */
const MAX_PAIR_BYTES = 33;

/** The last device number that 192.168.1.20 - 192.168.255.249 has room for; the next ones stand in 10.0.0.0/8. */
const SMALL_NETWORK_DEVICES = 255 * 230;

/** The pairs of a site, column by column: a million of them must fit. */
export interface SiteNetwork {
    site: string;
    pairCount: number;
    /** Source address, destination address, source address, ... of one pair after another. */
    addresses: Uint8Array;
    /** Beginnings of the pairs' source addresses (one more entry than pairs), and of their destination addresses. */
    srcAt: Uint32Array;
    dstAt: Uint32Array;
    /** Services of the pairs, as places in SERVICE_LIST. */
    services: Uint8Array;
    /** Devices of the pairs: pairs of one device appear and vanish together. */
    devices: Uint32Array;
    /** A pair's usual flows of a working day, relative to other pairs. */
    weights: Uint32Array;
}

/** The network of one site; equal seeds and site numbers give equal networks. */
export function createSiteNetwork({
    site,
    siteNumber,
    pairCount,
    seed,
}: {
    site: string;
    siteNumber: number;
    pairCount: number;
    seed: number;
}): SiteNetwork {
    const text = Buffer.alloc(pairCount * MAX_PAIR_BYTES);
    const network: SiteNetwork = {
        site,
        pairCount,
        addresses: text,
        srcAt: new Uint32Array(pairCount + 1),
        dstAt: new Uint32Array(pairCount),
        services: new Uint8Array(pairCount),
        devices: new Uint32Array(pairCount),
        weights: new Uint32Array(pairCount),
    };
    let pair = 0;
    let at = 0;
    for (let device = 0; pair < pairCount; device++) {
        for (const link of DEVICES[device % DEVICES.length]?.links ?? []) {
            if (pair === pairCount) {
                break;
            }
            const [src, dst] = addressesOf(link, device);
            network.srcAt[pair] = at;
            at += text.write(src, at, 'latin1');
            network.dstAt[pair] = at;
            at += text.write(dst, at, 'latin1');
            const service = serviceNumber(link.service);
            network.services[pair] = service;
            network.devices[pair] = device;
            network.weights[pair] = 1000 * (SERVICE_LIST[service]?.rhythm.weight ?? 0) * grow(0.8 * bell(hash(seed, siteNumber, pair)));
            pair++;
        }
    }
    network.srcAt[pairCount] = at;
    return network;
}

/** The addresses of one pair. */
export function pairAddresses(network: SiteNetwork, pair: number): { src: string; dst: string } {
    const text = Buffer.from(network.addresses.buffer, network.addresses.byteOffset, network.addresses.length);
    const split = network.dstAt[pair];
    return { src: text.toString('latin1', network.srcAt[pair], split), dst: text.toString('latin1', split, network.srcAt[pair + 1]) };
}

function addressesOf(link: Link, device: number): [string, string] {
    if (link.peer === 'neighbours') {
        return [`fe80::21e:c0ff:fe${hex(device >>> 16, 2)}:${hex(device & 0xffff, 1)}`, 'ff02::fb'];
    }
    const own = deviceAddress(device);
    const peer = link.peer === 'cloud' ? `203.0.113.${10 + (device % 40)}` : `192.168.1.${link.peer}`;
    return link.isPolled ? [peer, own] : [own, peer];
}

/** An address for a device, from 192.168.1.20 on: below it stand the servers. */
function deviceAddress(device: number): string {
    const big = device - SMALL_NETWORK_DEVICES;
    return big < 0
        ? `192.168.${1 + Math.floor(device / 230)}.${20 + (device % 230)}`
        : `10.${big >>> 16}.${(big >>> 8) & 255}.${big & 255}`;
}

function hex(value: number, digits: number): string {
    return value.toString(16).padStart(digits, '0');
}
