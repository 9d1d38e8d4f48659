/** What people type to find devices by, and that the SQL finds just that: networks are held against Node's own. */
import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { shortAddress } from '#lake/addresses';
import { type AddressSearch, conditionOf, readAddressSearch, saySearch } from '#lake/pages/address-search';
import { openDuckDb } from '#lake/query/duckdb';
import type { QueryEngine } from '#lake/query/query-engine';
import { rowsOf } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';

let engine: QueryEngine;
beforeAll(async () => {
    engine = await openDuckDb({ directory: await makeFolder() });
});
afterAll(() => engine.close());

/** Those of the addresses that the search finds. */
async function find(typed: string, addresses: readonly string[]): Promise<string[]> {
    const search = readAddressSearch(typed);
    if ('problem' in search) {
        throw new Error(search.problem);
    }
    const { sql, parameters } = conditionOf(search, 'a');
    const values = addresses.map((address) => `('${address}')`).join(', ');
    const rows = await rowsOf(engine, `select a from (values ${values}) as t (a) where ${sql}`, parameters);
    return rows.map(({ a }) => String(a)).sort();
}

test.each([
    ['10.1.0.7', '10.1.0.7'],
    [' 2001:0DB8::7 ', '2001:db8::7'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['10.1.', 'begins with 10.1.'],
    ['10.1', 'begins with 10.1'],
    ['10.1.0.7*', 'begins with 10.1.0.7'],
    ['2001:DB8:', 'begins with 2001:db8:'],
    ['::', '::'],
    ['10.1.0.7/16', 'in 10.1.0.0/16'],
    ['0.0.0.0/0', 'in 0.0.0.0/0'],
    ['2001:db8:1::ff/32', 'in 2001:db8::/32'],
    ['::ffff:10.1.2.3/112', 'in ::ffff:10.1.0.0/112'],
])('%s is understood as: %s', (typed, said) => {
    expect(saySearch(readAddressSearch(typed) as AddressSearch)).toBe(said);
});

test.each([
    ['', '"" is no address, beginning of one or network: 10.1.0.7'],
    ['berlin', '"berlin" is no address'],
    ['10.1.300', '"10.1.300" is no address'],
    ['10.01.', '"10.01." is no address'],
    ['10.1.0.0.5', '"10.1.0.0.5" is no address'],
    ["10.1' or 1=1", 'is no address'],
    ['2001:0db8:', '"2001:0db8:" is no address'],
    ['10.1/16', '"10.1" in front of the slash is no whole address: write 10.1.0.0/16'],
    ['fe80::1%eth0/64', 'is no whole address'],
    ['10.0.0.0/33', '"33" behind the slash is no length of a network: 0 to 32'],
    ['2001:db8::/129', '0 to 128'],
    ['10.0.0.0/', '"" behind the slash'],
    ['10.0.0.0/8/9', '"8/9" behind the slash'],
    ['10.0.0.0/-1', '"-1" behind the slash'],
])('%s is refused, with what to type', (typed, problem) => {
    expect(readAddressSearch(typed)).toEqual({ problem: expect.stringContaining(problem) });
});

test('a beginning is compared with the address as it is shown', async () => {
    const addresses = ['10.1.0.7', '10.10.0.1', '10.1.0.70', '2001:db8::1', '2001:db8:1::', 'fe80::1%~'];
    expect(await find('10.1', addresses)).toEqual(['10.1.0.7', '10.1.0.70', '10.10.0.1']);
    expect(await find('10.1.', addresses)).toEqual(['10.1.0.7', '10.1.0.70']);
    expect(await find('10.1.0.7', addresses)).toEqual(['10.1.0.7']);
    expect(await find('10.1.0.7*', addresses)).toEqual(['10.1.0.7', '10.1.0.70']);
    expect(await find('2001:db8:', addresses)).toEqual(['2001:db8:1::', '2001:db8::1']);
    expect(await find('fe80::1*', addresses)).toEqual(['fe80::1%~']);
});

const octet = fc.oneof(fc.constantFrom(0, 1, 10, 63, 64, 127, 128, 192, 255), fc.nat({ max: 255 }));
const ipv4 = fc.array(octet, { minLength: 4, maxLength: 4 }).map((octets) => octets.join('.'));
const group = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(0, 0, 0, 1, 0x2001, 0xdb8, 0xfe80, 0xffff) },
    { weight: 1, arbitrary: fc.nat({ max: 0xffff }) },
);
const ipv6 = fc.oneof(
    fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.map((one) => one.toString(16)).join(':')),
    ipv4.map((dotted) => `::ffff:${dotted}`),
    ipv4.map((dotted) => `::${dotted}`),
);
const address = fc.oneof(ipv4, ipv6).map((text) => shortAddress(text)!);

test('finds what is in the network, as Node finds it, and nothing else', async () => {
    let found = 0;
    await fc.assert(
        fc.asyncProperty(
            fc.uniqueArray(address, { minLength: 40, maxLength: 60 }),
            fc.nat(),
            fc.nat({ max: 128 }),
            async (addresses, at, bits) => {
                const base = addresses[at % addresses.length]!;
                const version = isIP(base);
                const length = version === 4 ? bits % 33 : bits;
                const block = new BlockList();
                block.addSubnet(base, length, version === 4 ? 'ipv4' : 'ipv6');
                const wanted = addresses.filter(
                    // Node takes an IPv4 address for the IPv6 one that holds it; in the tables these are two.
                    (one) => isIP(one) === version && block.check(one, version === 4 ? 'ipv4' : 'ipv6'),
                );
                expect(await find(`${base}/${length}`, addresses)).toEqual(wanted.toSorted());
                found += wanted.length;
            },
        ),
        { numRuns: 150 },
    );
    expect(found).toBeGreaterThan(500);
});

test('an address with a zone is in its network', async () => {
    const addresses = ['fe80::1%eth0.100', 'fe80::2', 'fec0::1%eth0', '10.0.0.1'];
    expect(await find('fe80::/10', addresses)).toEqual(['fe80::1%eth0.100', 'fe80::2']);
    expect(await find('::/0', addresses)).toEqual(['fe80::1%eth0.100', 'fe80::2', 'fec0::1%eth0']);
    expect(await find('0.0.0.0/0', addresses)).toEqual(['10.0.0.1']);
});
