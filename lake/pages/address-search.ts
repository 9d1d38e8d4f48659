/**
 * What a person types to find devices by: an address, the beginning of one, or a network (CIDR). And the SQL that finds it, which is one text for
 * every engine: an address is compared as the text that the tables have (`lake/addresses.ts`), group by group.
 */
import { isIP } from 'node:net';
import { shortAddress } from '#lake/addresses';

export type AddressSearch =
    | { kind: 'address'; address: string }
    | { kind: 'beginning'; text: string }
    /** `network` as text, its host bits 0; `base` the same as a number of 32 or 128 bits. */
    | { kind: 'network'; network: string; version: 4 | 6; base: bigint; length: number };

/** A condition of SQL with the values of its `?`. */
export interface Condition {
    sql: string;
    parameters: string[];
}

/** What was typed, or why it cannot be searched for. */
export function readAddressSearch(typed: string): AddressSearch | { problem: string } {
    const text = typed.trim();
    const address = shortAddress(text);
    if (address !== undefined) {
        return { kind: 'address', address };
    }
    const [, base = '', length = ''] = /^([^/]*)\/(.*)$/.exec(text) ?? [];
    if (text.includes('/')) {
        return readNetwork(base, length);
    }
    const beginning = text.replace(/\*$/, '').toLowerCase();
    if (isBeginning(beginning)) {
        return { kind: 'beginning', text: beginning };
    }
    return {
        problem: `${JSON.stringify(text)} is no address, beginning of one or network: 10.1.0.7, 10.1. or 10.1.0.0/16, 2001:db8::7 or 2001:db8::/32`,
    };
}

/** What is searched for, in words. */
export function saySearch(search: AddressSearch): string {
    if (search.kind === 'network') {
        return `in ${search.network}`;
    }
    return search.kind === 'address' ? search.address : `begins with ${search.text}`;
}

const BITS = { 4: 32, 6: 128 } as const;

function readNetwork(typedBase: string, typedLength: string): AddressSearch | { problem: string } {
    const version = isIP(typedBase);
    if ((version !== 4 && version !== 6) || typedBase.includes('%')) {
        return { problem: `${JSON.stringify(typedBase)} in front of the slash is no whole address: write 10.1.0.0/16 or 2001:db8::/32` };
    }
    const bits = BITS[version];
    const length = /^\d{1,3}$/.test(typedLength) ? Number(typedLength) : Number.NaN;
    if (!(length <= bits)) {
        return { problem: `${JSON.stringify(typedLength)} behind the slash is no length of a network: 0 to ${bits}` };
    }
    const hostBits = BigInt(bits - length);
    const base = (numberOf(typedBase, version) >> hostBits) << hostBits;
    return { kind: 'network', network: `${addressOf(base, version)}/${length}`, version, base, length };
}

/** True for what an address may begin with, as the tables write it: some groups, the last one perhaps not whole. */
function isBeginning(text: string): boolean {
    const octets = text.replace(/\.$/, '').split('.');
    const isOfIPv4 = octets.length <= 4 && octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) <= 255);
    const [, ...compressed] = text.split('::');
    const groups = text.split(':').filter((group) => group !== '');
    const isOfIPv6 = compressed.length <= 1 && groups.length <= 8 && !text.includes(':::') && /^[0-9a-f:]+$/.test(text);
    return isOfIPv4 || (isOfIPv6 && groups.every((group) => /^(0|[1-9a-f][0-9a-f]{0,3})$/.test(group)));
}

const GROUPS = 8;

/** The address as a number. */
function numberOf(address: string, version: 4 | 6): bigint {
    if (version === 4) {
        return address.split('.').reduce((number, octet) => number * 256n + BigInt(octet), 0n);
    }
    // An IPv4 address at the end is the last two groups.
    const dotted = /[^:]*\.[^:]*$/.exec(address)?.[0];
    const hex = (number: bigint): string => number.toString(16);
    const last = dotted === undefined ? 0n : numberOf(dotted, 4);
    const plain = dotted === undefined ? address : `${address.slice(0, -dotted.length)}${hex(last >> 16n)}:${hex(last & 0xffffn)}`;
    const [front = '', back] = plain.split('::').map((part) => part.split(':').filter((group) => group !== ''));
    const [ahead, behind] = [front as string[], back ?? []];
    const zeros = Array.from({ length: GROUPS - ahead.length - behind.length }, () => '0');
    return [...ahead, ...zeros, ...behind].reduce((number, group) => number * 65_536n + BigInt(`0x${group}`), 0n);
}

/** The number as an address in the form that the tables have. */
function addressOf(number: bigint, version: 4 | 6): string {
    const text = version === 4 ? octetsOf(number).join('.') : groupsOf(number).join(':');
    return shortAddress(text) ?? text;
}

function octetsOf(number: bigint): string[] {
    return [24n, 16n, 8n, 0n].map((shift) => String((number >> shift) & 0xffn));
}

function groupsOf(number: bigint): string[] {
    return Array.from({ length: GROUPS }, (_, at) => ((number >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));
}

/** The condition that the column's address is found. */
export function conditionOf(search: AddressSearch, column: string): Condition {
    if (search.kind === 'address') {
        return { sql: `${column} = cast(? as varchar)`, parameters: [search.address] };
    }
    if (search.kind === 'beginning') {
        return beginsWith(column, search.text);
    }
    return search.version === 4 ? inIPv4(column, search) : inIPv6(column, search);
}

/** Both conditions, or either. */
export function joinConditions(word: 'and' | 'or', conditions: readonly Condition[]): Condition {
    return {
        sql: `(${conditions.map(({ sql }) => sql).join(` ${word} `)})`,
        parameters: conditions.flatMap(({ parameters }) => parameters),
    };
}

/** Behind every character that an address may go on with. */
const BEHIND_ALL = '~';

/** The texts that begin so: as a range, by which engines leave out what cannot hold it. */
function beginsWith(column: string, text: string): Condition {
    return {
        sql: `(${column} >= cast(? as varchar) and ${column} < cast(? as varchar))`,
        parameters: [text, `${text}${BEHIND_ALL}`],
    };
}

interface Network {
    base: bigint;
    length: number;
}

function inIPv4(column: string, { base, length }: Network): Condition {
    const octets = octetsOf(base);
    const whole = Math.floor(length / 8);
    const rest = length % 8;
    if (whole === 4) {
        return { sql: `${column} = cast(? as varchar)`, parameters: [octets.join('.')] };
    }
    const isIPv4: Condition = { sql: `${column} like '%.%' and ${column} not like '%:%'`, parameters: [] };
    const inWhole = whole === 0 ? isIPv4 : beginsWith(column, `${octets.slice(0, whole).join('.')}.`);
    if (rest === 0) {
        return { ...inWhole, sql: `(${inWhole.sql})` };
    }
    const first = Number(octets[whole]);
    const last = first + 2 ** (8 - rest) - 1;
    const inRest = `cast(split_part(${column}, '.', ${whole + 1}) as bigint) between ${first} and ${last}`;
    // A case, because engines may look at conditions of an `and` in any order, and of an IPv6 address there is no octet to cast.
    return { sql: `(case when ${inWhole.sql} then ${inRest} else false end)`, parameters: inWhole.parameters };
}

/** What an IPv6 address is that holds one of IPv4 is written with dots: `::ffff:192.0.2.1`, and `::192.0.2.1` (RFC 5952, section 5). */
const DOTTED = [
    { begins: '::ffff:', base: 0xffffn << 32n, group: 4 },
    { begins: '::', base: 0n, group: 3 },
] as const;
const DOTTED_LENGTH = 96;

function inIPv6(column: string, { base, length }: Network): Condition {
    // Without the zone, which is none of the network's.
    const address = `split_part(${column}, '%', 1)`;
    const dotted = DOTTED.flatMap(({ begins, base: dottedBase, group }): Condition[] => {
        const common = BigInt(128 - Math.min(length, DOTTED_LENGTH));
        if (base >> common !== dottedBase >> common) {
            return [];
        }
        const isSo = [
            `${address} like '${begins}%.%'`,
            ...(begins === '::' ? [`${address} not like '::ffff:%'`] : []),
            ...(length > DOTTED_LENGTH ? [dottedBetween(`split_part(${address}, ':', ${group})`, { base, length })] : []),
        ];
        return [{ sql: isSo.join(' and '), parameters: [] }];
    });
    return joinConditions('or', [inPlainIPv6(column, address, { base, length }), ...dotted]);
}

/** The condition that an IPv4 address, the end of one of IPv6, is in the network. */
function dottedBetween(dotted: string, { base, length }: Network): string {
    const pad = (octets: readonly string[]): string => octets.map((octet) => octet.padStart(3, '0')).join('');
    const key = [1, 2, 3, 4].map((at) => `lpad(split_part(${dotted}, '.', ${at}), 3, '0')`).join(', ');
    const low = base & 0xffff_ffffn;
    const high = low + (1n << BigInt(128 - length)) - 1n;
    return `concat(${key}) between '${pad(octetsOf(low))}' and '${pad(octetsOf(high))}'`;
}

/** The condition for addresses without dots: their first groups, each of four digits, lie between those of the network's first and last address. */
function inPlainIPv6(column: string, address: string, { base, length }: Network): Condition {
    const groups = groupsOf(base);
    const zero = groups.indexOf('0');
    // In front of the first group that is 0 nothing is left out of the text.
    const written = groups.slice(0, Math.min(Math.floor(length / 16), zero < 0 ? GROUPS - 1 : zero));
    const begins = written.length > 0 ? [beginsWith(column, `${written.join(':')}:`)] : [];
    const isPlain: Condition = { sql: `${address} like '%:%' and ${address} not like '%.%'`, parameters: [] };
    const count = Math.ceil(length / 16);
    if (count === 0) {
        return isPlain;
    }
    // `::` stands for as many groups as lack.
    const colons = `(length(${address}) - length(replace(${address}, ':', '')))`;
    const full = `replace(${address}, '::', concat(':', substr('0:0:0:0:0:0:0:', 1, 2 * (8 - ${colons}))))`;
    const key = Array.from({ length: count }, (_, at) => `lpad(split_part(${full}, ':', ${at + 1}), 4, '0')`);
    const pad = (number: bigint): string =>
        groupsOf(number)
            .slice(0, count)
            .map((group) => group.padStart(4, '0'))
            .join('');
    const last = base + (1n << BigInt(128 - length)) - 1n;
    const inKey: Condition = {
        sql: `concat(${[...key, "''"].join(', ')}) between '${pad(base)}' and '${pad(last)}'`,
        parameters: [],
    };
    return joinConditions('and', [...begins, isPlain, inKey]);
}
