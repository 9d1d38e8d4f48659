import { instant, UnreadableOption } from '#cli/option';

describe('an instant', () => {
    test.each([
        ['2026-01-05', '2026-01-05T00:00:00.000Z'],
        ['2026-01-05T13:30', '2026-01-05T13:30:00.000Z'],
        ['2026-01-05 13:30:09Z', '2026-01-05T13:30:09.000Z'],
        ['2026-01-05T13:30:09.5Z', '2026-01-05T13:30:09.500Z'],
    ])('may be written %s', (given, expected) => {
        expect(instant('--from <time>', '').parse?.(given)).toBe(expected);
    });

    test('of a day is its end where it ends a time', () => {
        const { parse } = instant('--to <time>', '', { isEnd: true });
        expect(parse?.('2026-02-28')).toBe('2026-03-01T00:00:00.000Z');
        expect(parse?.('2026-02-28T10:00Z')).toBe('2026-02-28T10:00:00.000Z');
    });

    test.each([
        '',
        'yesterday',
        '2026-02-30',
        '2026-02-30T10:00',
        '2026-01-05T25:00',
        '2026-01-05T10:00+01:00',
        '1767607200',
        '2026-01-05T24:00',
    ])('is not %j', (given) => {
        expect(() => instant('--from <time>', '').parse?.(given)).toThrow(UnreadableOption);
    });
});
