/** One address, one text. */
import { isIP, SocketAddress } from 'node:net';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { shortAddress } from '#lake/addresses';

test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:0db8:0000:0000:0000:0000:0000:0010', '2001:db8::10'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::FFFF:c000:0201', '::ffff:192.0.2.1'],
    ['FE80::1%eth0', 'fe80::1%eth0'],
])('%s is %s', (text, short) => {
    expect(shortAddress(text)).toBe(short);
});

test.each(['', '01.2.3.4', '1.2.3', '2001:db8:::1', 'fe80::1%', 'x'])('%s is none', (text) => {
    expect(shortAddress(text)).toBe(undefined);
});

test('any text of groups and colons is what Node makes of it, or none', () => {
    const group = fc.constantFrom('0', '0', '0', '00', '1', 'a0', '0db8', 'DB8', 'db8', 'ffff', '12345', 'g', '', '192.0.2.1', '1%eth0');
    const text = fc.array(fc.tuple(group, fc.constantFrom(':', ':', ':', ':', '::', ':::', '')), { minLength: 2, maxLength: 9 });
    const few = fc.array(fc.constantFrom('0', '1', 'ab', 'ffff'), { minLength: 1, maxLength: 8 });
    const spelled = fc.oneof(
        text.map((parts) => parts.flat().join('')),
        fc.tuple(few, few).map(([front, back]) => `${front.join(':')}::${back.join(':')}`),
        fc.tuple(few, few).map(([front, back]) => [...front, ...back].slice(0, 8).join(':')),
        few.map((groups) => `${groups.join(':')}::`),
        few.map((groups) => `::${groups.join(':')}`),
    );
    fc.assert(
        fc.property(spelled, (one) => {
            const [address = '', ...zone] = one.split('%');
            const short = isIP(one) === 6 ? [new SocketAddress({ address, family: 'ipv6' }).address, ...zone].join('%') : undefined;
            const wanted = isIP(one) === 4 ? one : short;
            expect(shortAddress(one)).toBe(wanted);
            expect(wanted === undefined ? undefined : shortAddress(wanted)).toBe(wanted);
        }),
        { numRuns: 3_000 * Number(process.env.FLOWLAKE_TEST_RUNS ?? 1) },
    );
});
