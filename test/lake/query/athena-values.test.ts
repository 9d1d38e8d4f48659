/** Values on their way to Athena and back. */
import { columnOf, parameterOf, readerOf } from '#lake/query/athena-values';
import type { Value } from '#lake/query/query-engine';

test.each<[Value, string]>([
    ["it's", "'it''s'"],
    ['', "''"],
    [null, 'null'],
    [true, 'true'],
    [5n, '5'],
    [-9_223_372_036_854_775_807n, '-9223372036854775807'],
    [-(2n ** 63n), "decimal '-9223372036854775808'"],
    [2n ** 100n, "decimal '1267650600228229401496703205376'"],
    [5, '5e0'],
    [-0.1, '-0.1e0'],
    [1e300, '1e+300'],
    [Number.NaN, 'nan()'],
    [Number.NEGATIVE_INFINITY, '-infinity()'],
])('%p goes in as %s', (value, literal) => {
    expect(parameterOf(value)).toBe(literal);
});

test.each([
    ['bigint', '9223372036854775807', 2n ** 63n - 1n],
    ['integer', '-5', -5n],
    ['tinyint', '5', 5n],
    ['double', '1.0E10', 1e10],
    ['double', '-Infinity', Number.NEGATIVE_INFINITY],
    ['float', '0.1', 0.1],
    ['boolean', 'false', false],
    ['varchar', '5', '5'],
    ['date', '2026-01-05', '2026-01-05'],
    ['array', '[1, 2]', '[1, 2]'],
])('%s %s comes out as %p', (Type, text, value) => {
    const read = readerOf(columnOf({ Name: 'x', Type }));
    expect(read(text)).toEqual(value);
    expect(read(null)).toBeNull();
});

test('decimals without a fraction are whole numbers', () => {
    const whole = columnOf({ Name: 'x', Type: 'decimal', Precision: 38, Scale: 0 });
    const cents = columnOf({ Name: 'x', Type: 'decimal', Precision: 38, Scale: 2 });
    expect([whole.type, cents.type]).toEqual(['decimal(38,0)', 'decimal(38,2)']);
    expect(readerOf(whole)('99999999999999999999999999999999999999')).toBe(10n ** 38n - 1n);
    expect(readerOf(cents)('1.50')).toBe('1.50');
});
