/** Addresses in the form that the tables have, so that one device is one whatever a tool writes. */
import { isIP, SocketAddress } from 'node:net';

/**
 * An IPv4 address (no leading zeros) as it is, an IPv6 address in its short form (RFC 5952) with its zone as written; undefined for any other
 * text.
 */
export function shortAddress(text: string): string | undefined {
    if (isShortIPv6(text)) {
        return text;
    }
    const kind = isIP(text);
    if (kind !== 6) {
        return kind === 4 ? text : undefined;
    }
    const [address = '', ...zone] = text.split('%');
    return [new SocketAddress({ address, family: 'ipv6' }).address, ...zone].join('%');
}

const COLON = 0x3a;
const ZERO = 0x30;
const GROUPS = 8;
const MAX_GROUP_DIGITS = 4;

/**
 * True if the text is surely an IPv6 address in its short form; false for many that are, too: those that begin with `::`, which may end like an IPv4
 * address. Tools write most addresses so, and Node takes ten times as long to read and write one.
 */
function isShortIPv6(text: string): boolean {
    let groups = 0;
    let isShortened = false;
    let wasZero = false;
    for (let at = 0; at < text.length; ) {
        const start = at;
        while (at < text.length && isHexDigit(text.charCodeAt(at))) {
            at += 1;
        }
        const digits = at - start;
        const isZero = digits === 1 && text.charCodeAt(start) === ZERO;
        if (digits === 0 || digits > MAX_GROUP_DIGITS || (digits > 1 && text.charCodeAt(start) === ZERO) || (isZero && wasZero)) {
            return false;
        }
        groups += 1;
        wasZero = isZero;
        if (at === text.length) {
            break;
        }
        if (text.charCodeAt(at) !== COLON) {
            return false;
        }
        at += 1;
        if (text.charCodeAt(at) === COLON) {
            if (isShortened || isZero) {
                return false;
            }
            isShortened = true;
            at += 1;
            // What is left out ends before a group that is not 0.
            if (text.charCodeAt(at) === ZERO) {
                return false;
            }
        } else if (at === text.length) {
            return false;
        }
    }
    // Two groups at least are left out.
    return isShortened ? groups <= GROUPS - 2 : groups === GROUPS;
}

/** True for the digits as the short form has them, with small letters. */
function isHexDigit(code: number): boolean {
    return (code >= ZERO && code <= 0x39) || (code >= 0x61 && code <= 0x66);
}
