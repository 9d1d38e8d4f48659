/** Quantities as the web application shows them: no digit is lost. */
import { expect, test } from '@jest/globals';
import { groupDigits, sayBytes, sayUsd } from '../../web/parts/quantity.ts';

test.each([
    ['0', '0'],
    ['999', '999'],
    ['1000', '1 000'],
    ['9007199254740993', '9 007 199 254 740 993'],
    ['170141183460469231731687303715884105727', '170 141 183 460 469 231 731 687 303 715 884 105 727'],
    ['-1234', '−1 234'],
    ['1234.56789', '1 234.56789'],
    ['-0.5', '−0.5'],
    ['on', 'on'],
    ['', ''],
])('%s is shown as %s', (digits, shown) => {
    expect(groupDigits(digits).replaceAll('\u202f', ' ')).toBe(shown);
});

test.each([
    ['0', '0 bytes'],
    ['812', '812 bytes'],
    ['1000', '1 kB'],
    ['1540000', '1.5 MB'],
    ['999999', '1 MB'],
    ['123456789', '123 MB'],
    ['9007199254740993000', '9007 PB'],
])('%s bytes are %s', (bytes, said) => {
    expect(sayBytes(bytes)).toBe(said);
});

test.each([
    [0, '$0.0000'],
    [0.00001, 'less than $0.0001'],
    [0.0123, '$0.0123'],
    [12, '$12.0000'],
])('%s dollars are %s', (usd, said) => {
    expect(sayUsd(usd)).toBe(said);
});
