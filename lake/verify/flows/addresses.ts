/** Addresses: what is one, as a pattern for SQL and for JavaScript, and the short form of those of IPv6. */

const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const GROUP = '[0-9a-fA-F]{1,4}';

/** A dotted quad without leading zeros. */
export const IPV4 = `(?:${OCTET}\\.){3}${OCTET}`;

/** RFC 4291, 2.2: all groups, or one alternative for each number of groups in front of `::`; with a zone as RFC 4007, 11.2 has it. */
export const IPV6 = (() => {
    const alternatives = [`(?:${GROUP}:){7}${GROUP}`, `(?:${GROUP}:){6}${IPV4}`];
    for (let before = 0; before <= 7; before += 1) {
        const tails = [''];
        if (before <= 6) {
            tails.push(`${GROUP}(?::${GROUP}){0,${6 - before}}`);
        }
        if (before <= 5) {
            tails.push(`(?:${GROUP}:){0,${5 - before}}${IPV4}`);
        }
        alternatives.push(`${before === 0 ? ':' : `(?:${GROUP}:){${before}}`}:(?:${tails.join('|')})`);
    }
    return `(?:${alternatives.join('|')})(?:%[0-9a-zA-Z.:-]+)?`;
})();

const ADDRESS = new RegExp(`^(?:${IPV4}|${IPV6})$`);

export function isAddress(text: string): boolean {
    return ADDRESS.test(text);
}

/**
 * The short form of an IPv6 address (RFC 5952, 4), its zone as written. The last 32 bits are a dotted quad where 96 bits of zeros, or 80 of zeros
 * and 16 of ones, stand in front of them and no longer run of zeros is there (RFC 5952, 5).
 */
export function shortIPv6(written: string): string {
    const zoneStart = written.indexOf('%');
    const address = zoneStart < 0 ? written : written.slice(0, zoneStart);
    const zone = zoneStart < 0 ? '' : written.slice(zoneStart);
    const groups = groupsOf(address);
    const { start, end } = longestRun(groups);
    const isMapped = start === 0 && end === 5 && groups[5] === 0xffff;
    const isCompatible = start === 0 && end === 6;
    const texts = groups.map((group) => group.toString(16));
    const tail = isMapped || isCompatible ? [...texts.slice(end, 6), quadOf(groups[6] ?? 0, groups[7] ?? 0)] : texts.slice(end);
    return end - start < 2 ? texts.join(':') + zone : `${texts.slice(0, start).join(':')}::${tail.join(':')}${zone}`;
}

function groupsOf(address: string): number[] {
    const [front = '', back] = address.split('::');
    const numbers = (part: string): number[] =>
        part.split(':').flatMap((group) => {
            if (!group.includes('.')) {
                return group === '' ? [] : [Number(`0x${group}`)];
            }
            const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
            return [(a << 8) | b, (c << 8) | d];
        });
    const [head, tail] = [numbers(front), numbers(back ?? '')];
    return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** The first of the longest runs of zeros; `end` is exclusive. */
function longestRun(groups: readonly number[]): { start: number; end: number } {
    let longest = { start: 0, end: 0 };
    let start = 0;
    groups.forEach((group, at) => {
        if (group !== 0) {
            start = at + 1;
        } else if (at + 1 - start > longest.end - longest.start) {
            longest = { start, end: at + 1 };
        }
    });
    return longest;
}

function quadOf(high: number, low: number): string {
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
