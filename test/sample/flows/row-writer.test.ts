import { describe, expect, test } from '@jest/globals';
import { javaDouble } from '#sample/flows/java-number';
import { asciiBytes, RowWriter } from '#sample/flows/row-writer';

function written(put: (writer: RowWriter) => void): string {
    const writer = new RowWriter(200);
    put(writer);
    return Buffer.from(writer.take()).toString('latin1');
}

describe('numbers look as Java prints them', () => {
    test.each([
        [0, '0.0'],
        [275, '275.0'],
        [9_999_999, '9999999.0'],
        [10_000_000, '1.0E7'],
        [108_749_912, '1.08749912E8'],
        [22.916666666666668, '22.916666666666668'],
        [0.001, '0.001'],
        [0.000028, '2.8E-5'],
        [Number.NaN, 'NaN'],
        [Number.POSITIVE_INFINITY, 'Infinity'],
    ])('%p as %p', (value, text) => {
        expect(javaDouble(value)).toBe(text);
    });

    test.each([
        [0, '0', '0.0'],
        [7, '7', '7.0'],
        [9999, '9999', '9999.0'],
        [10_000, '10000', '10000.0'],
        [100_020_003, '100020003', '1.00020003E8'],
        [120_000_000, '120000000', '1.2E8'],
        [9_007_199_254_740_991, '9007199254740991', '9.007199254740991E15'],
    ])('whole number %p as %p and %p', (value, whole, double) => {
        expect(written((writer) => writer.putWhole(value))).toBe(whole);
        expect(written((writer) => writer.putWholeDouble(value))).toBe(double);
    });

    test.each([
        [0, 0, 'NaN'],
        [5, 0, 'Infinity'],
        [0, 9, '0.0'],
        [6, 3, '2.0'],
        [1, 4, '0.25'],
        [1, 120, '0.0083333333333333'],
        [100_001, 100, '1000.01'],
        [275_000_000, 108_750_551, '2.528722819988'],
        [40_000_001, 4, '1.000000025E7'],
    ])('quotient %p / %p as %p', (numerator, denominator, text) => {
        expect(written((writer) => writer.putQuotient(numerator, denominator))).toBe(text);
    });

    test.each([
        [0.0004, '0.0'],
        [2.5, '2.5'],
        [37_342_062.5, '3.73420625E7'],
    ])('any number %p as %p', (value, text) => {
        expect(written((writer) => writer.putDouble(value))).toBe(text);
    });
});

test('a row can be repeated, and taking it leaves the writer empty', () => {
    const writer = new RowWriter(100);
    writer.put(asciiBytes('head\n'));
    writer.put(asciiBytes('row\n'));
    writer.repeat(5);
    expect(Buffer.from(writer.take()).toString()).toBe('head\nrow\nrow\n');
    expect(writer.length).toBe(0);
});
