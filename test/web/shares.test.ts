/** Shares as the browser says them: what is not all or nothing is never said to be. */
import fc from 'fast-check';
import { sayShare } from '../../web/parts/quantity.ts';
import { shareOf, sumOf } from '../../web/screens/compare/compare-answer.ts';

test.each([
    [0n, 5n, '0 %'],
    [5n, 5n, '100 %'],
    [1n, 3n, '33.3 %'],
    [1n, 9_007_199_254_740_993n, '< 0.1 %'],
    [9_007_199_254_740_992n, 9_007_199_254_740_993n, '> 99.9 %'],
    [0n, 0n, '–'],
])('%s of %s is %s', (part, all, said) => {
    expect(sayShare(shareOf(part, all))).toBe(said);
});

test('a share is 0 of nothing alone, and 1 of all alone', () => {
    fc.assert(
        fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.bigInt({ min: 0n, max: 10n ** 30n }), (one, other) => {
            const [part, all] = one < other ? [one, other] : [other, one];
            const share = shareOf(part, all);
            if (all === 0n) {
                expect(share).toBeNull();
            } else {
                expect([share === 0, share === 1]).toEqual([part === 0n, part === all]);
            }
        }),
    );
});

test('sums are exact', () => {
    expect(sumOf(['9007199254740993', '-1', '2'])).toBe(9_007_199_254_740_994n);
});
