/** One address, one text. */
import { expect, test } from '@jest/globals';
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
