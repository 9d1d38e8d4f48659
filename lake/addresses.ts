/** Addresses in the form that the tables have, so that one device is one whatever a tool writes. */
import { isIP, SocketAddress } from 'node:net';

/**
 * An IPv4 address (no leading zeros) as it is, an IPv6 address in its short form (RFC 5952) with its zone as written; undefined for any other
 * text.
 */
export function shortAddress(text: string): string | undefined {
    const kind = isIP(text);
    if (kind !== 6) {
        return kind === 4 ? text : undefined;
    }
    const [address = '', ...zone] = text.split('%');
    return [new SocketAddress({ address, family: 'ipv6' }).address, ...zone].join('%');
}
