/** Numbers that are times, and numbers that leave open which. */
import { expect, test } from '@jest/globals';
import { readEpoch } from '#lake/flows/epochs';

const NONE: undefined = undefined;

test.each([
    ['1708072447', 's 2024-02-16'],
    ['1708072447.999999999', 's 2024-02-16'],
    ['1708072447000', 'ms 2024-02-16'],
    ['1708072447000000', 'us 2024-02-16'],
    ['1708072447000000000', 'ns 2024-02-16'],
    ['1.708072447E9', 's 2024-02-16'],
    ['1.708072447000E+12', 'ms 2024-02-16'],
    ['+1708072447', 's 2024-02-16'],
    ['1612223999.9999999999999999', 's 2021-02-01'],
    ['631152000000', 'ms 1990-01-01'],
    ['4102444799', 's 2099-12-31'],
    ['100000000', 's 1973-03-03'],
])('%s is %s', (text, wanted) => {
    const found = readEpoch(text, 0);
    expect(found && `${found.unit} ${found.day}`).toBe(wanted);
});

// Each is between two units, or is a date written without separators.
test.each([
    '4102444800',
    '631151999999',
    '20240216083407',
    '202402160834',
    '2024021608',
    '20240216083407123',
    '-1',
    '',
    '.',
    'e9',
    '1e999',
])('%s is none', (text) => {
    expect(readEpoch(text, 0)).toBe(NONE);
});

test('one with digits that are not written is the day that all of them lie in, or none', () => {
    expect(readEpoch('1.71475e+09', 0)).toEqual({ day: '2024-05-03', unit: 's' });
    expect(readEpoch('1.7148e+09', 0)).toBe(NONE);
    expect(readEpoch('1.71e9', 0)).toBe(NONE);
});

test('a number below the smallest timestamp is none: a serial day, or a clock', () => {
    expect(readEpoch('99999999', 100_000_000)).toBe(NONE);
    expect(readEpoch('100000000', 100_000_000)).toEqual({ day: '1973-03-03', unit: 's' });
});
