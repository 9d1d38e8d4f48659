/** Decimal text to whole numbers, against fractions of bigints. */
import fc from 'fast-check';
import { hasFraction, MAX_BIGINT, parseWhole } from '#lake/flows/numbers';

/** `digits` times 10^`exponent`, rounded half up, as integers do it. */
function rounded(digits: bigint, exponent: number): bigint {
    if (exponent >= 0) {
        return digits * 10n ** BigInt(exponent);
    }
    const divisor = 10n ** BigInt(-exponent);
    return (2n * digits + divisor) / (2n * divisor);
}

const decimals = fc.record({
    whole: fc.stringMatching(/^\d{1,20}$/),
    fraction: fc.stringMatching(/^\d{0,20}$/),
    exponent: fc.integer({ min: -30, max: 30 }),
    scale: fc.constantFrom(0, 6),
});

test('equals the exact value rounded half up, for any digits, exponent and scale', () => {
    fc.assert(
        fc.property(decimals, ({ whole, fraction, exponent, scale }) => {
            const wanted = rounded(BigInt(whole + fraction), exponent - fraction.length + scale);
            const found = parseWhole(`${whole}.${fraction}e${exponent}`, { scale });
            expect(found).toEqual(wanted > MAX_BIGINT ? { ok: false, reason: 'too_large' } : { ok: true, value: wanted });
        }),
        { numRuns: 2_000 },
    );
});

test.each([
    ['0', 0n],
    ['007', 7n],
    ['12.', 12n],
    ['.5', 1n],
    ['0.49999999999999999999', 0n],
    ['1E7', 10_000_000n],
    ['+3', 3n],
    ['-0', 0n],
    ['-0.000e5', 0n],
    ['9223372036854775807', MAX_BIGINT],
    ['9223372036854775807.4', MAX_BIGINT],
    ['9007199254740993', 9_007_199_254_740_993n],
    ['1e-999999999999', 0n],
    ['0e999999999999', 0n],
])('%s is %s', (text, value) => {
    expect(parseWhole(text)).toEqual({ ok: true, value });
});

test.each([
    ['9223372036854775807.5', 'too_large'],
    ['1e999999999999', 'too_large'],
    ['-0.0000001', 'negative'],
    ['NaN', 'nan'],
    ['-nan', 'nan'],
    ['inf', 'infinity'],
    ['-Infinity', 'infinity'],
    ['', 'not_a_number'],
    ['.', 'not_a_number'],
    ['1,000', 'not_a_number'],
    ['0x10', 'not_a_number'],
    ['1e', 'not_a_number'],
    ['1 2', 'not_a_number'],
])('%s is rejected as %s', (text, reason) => {
    expect(parseWhole(text)).toEqual({ ok: false, reason });
});

test('a fraction is rounded, cut or rejected as asked', () => {
    expect(parseWhole('1612223999.999999999999', { fraction: 'cut' })).toEqual({ ok: true, value: 1_612_223_999n });
    expect(parseWhole('4.5', { fraction: 'reject' })).toEqual({ ok: false, reason: 'not_whole' });
    expect(parseWhole('1e-3', { fraction: 'reject' })).toEqual({ ok: false, reason: 'not_whole' });
    expect(parseWhole('4.000', { fraction: 'reject' })).toEqual({ ok: true, value: 4n });
    expect(parseWhole('45e-1', { fraction: 'reject' })).toEqual({ ok: false, reason: 'not_whole' });
});

test('a number is no whole one however small its exponent makes it', () => {
    expect(['1.25', '1e-3', '1e-9999999999', '45e-1'].map(hasFraction)).toEqual([true, true, true, true]);
    expect(['1', '4.0', '0e-9999999999', '1e9999999999', '1.5e1', '', 'x'].map(hasFraction).includes(true)).toBe(false);
});
