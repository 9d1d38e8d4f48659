/** Which day a timestamp's date means, and when it means none. */
import { type DateRules, parseDate } from '#lake/flows/dates';

const OPEN: DateRules = { minEpochSeconds: 0 };

function days(written: string, rules: Partial<DateRules> = {}) {
    const date = parseDate(written, { ...OPEN, ...rules });
    return date.ok ? [date.slot.dmy, date.slot.mdy] : date.reason;
}

test('a date whose order is open means a day in each order, where the calendar has it', () => {
    expect(days('03/04/2026')).toEqual(['2026-04-03', '2026-03-04']);
    expect(days('13/04/2026')).toEqual(['2026-04-13', undefined]);
    expect(days('4/13/2026')).toEqual([undefined, '2026-04-13']);
    expect(days('3-4-2026')).toEqual(['2026-04-03', '2026-03-04']);
});

test.each([
    ['29/02/2024', '2024-02-29'],
    ['29/02/2000', '2000-02-29'],
    ['29/02/1900', 'date_unreadable'],
    ['29/02/2023', 'date_unreadable'],
    ['31/04/2026', 'date_unreadable'],
    ['30/04/2026', '2026-04-30'],
    ['31/12/9999', '9999-12-31'],
    ['01/01/0000', 'date_unreadable'],
    ['00/01/2026', 'date_unreadable'],
    ['01/13/2026', 'date_against_order'],
    ['13/13/2026', 'date_unreadable'],
    ['01.02.2026', '2026-02-01'],
    ['2026-02-03', '2026-02-03'],
    ['2026/2/3', '2026-02-03'],
    ['2026-02/03', 'date_unreadable'],
    ['1/2/26', 'date_unreadable'],
    ['', 'date_unreadable'],
])('in a day-first file %s is %s', (written, day) => {
    const found = days(written, { slashOrder: 'dmy' });
    expect(found).toEqual(/^\d/.test(day) ? [day, day] : day);
});

test('a given order holds for all three numbers', () => {
    expect(days('01.02.2026', { givenOrder: 'mdy' })).toEqual(['2026-01-02', '2026-01-02']);
    expect(days('01/02/2026', { givenOrder: 'ymd' })).toBe('date_against_order');
    expect(days('2026-02-03', { givenOrder: 'dmy' })).toBe('date_against_order');
    expect(days('2026-02-30', { givenOrder: 'dmy' })).toBe('date_unreadable');
    expect(days('13/01/2026', { givenOrder: 'mdy' })).toBe('date_against_order');
});
