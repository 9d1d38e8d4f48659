/** Numbers of pairs: the same on all days, in whatever order they come. */
import { PairNumbers } from '#lake/flows/anomalies/pair-numbers';

type Pair = [site: string, source: string, destination: string];

function numbersOf(numbers: PairNumbers, pairs: readonly Pair[]): number[] {
    const [site, src_ip, dst_ip] = (['site', 'src_ip', 'dst_ip'] as const).map((column, at) => {
        const numberOf = numbers.numberTexts(column);
        return Int32Array.from(pairs, (pair) => numberOf(pair[at]!));
    }) as [Int32Array, Int32Array, Int32Array];
    return [...numbers.numbersOf({ site, src_ip, dst_ip })];
}

const MONDAY: Pair[] = [
    ['berlin', 'a', 'b'],
    ['berlin', 'a', 'c'],
    ['berlin', 'b', 'a'],
    ['main', 'a', 'b'],
];

test('finds each pair again, also where others stand between them or some are missing', () => {
    const numbers = new PairNumbers({ site: undefined, maxPairs: 9 });
    expect(numbersOf(numbers, MONDAY)).toEqual([0, 1, 2, 3]);
    expect(numbersOf(numbers, [['a', 'a', 'a'], ...MONDAY.toReversed(), ['a', 'a', 'a']])).toEqual([4, 3, 2, 1, 0, 4]);
    expect(numbersOf(numbers, MONDAY.toSpliced(1, 1))).toEqual([0, 2, 3]);
    expect(numbersOf(numbers, MONDAY)).toEqual([0, 1, 2, 3]);
    expect(MONDAY.map((_, at) => Object.values(numbers.nameOf(at)))).toEqual(MONDAY);
});

test('knows the pairs of the one site that is asked for', () => {
    const numbers = new PairNumbers({ site: 'main', maxPairs: 1 });
    expect(numbersOf(numbers, MONDAY)).toEqual([-1, -1, -1, 0]);
    expect(numbers.nameOf(0)).toEqual({ site: 'main', src_ip: 'a', dst_ip: 'b' });
});

test('refuses more pairs than it has room for, and what was no text', () => {
    expect(() => numbersOf(new PairNumbers({ site: undefined, maxPairs: 3 }), MONDAY)).toThrow('more than 3 pairs');
    expect(() => numbersOf(new PairNumbers({ site: undefined, maxPairs: 3 }), [['main', 'a\ufffd', 'b']])).toThrow('no UTF-8');
});
