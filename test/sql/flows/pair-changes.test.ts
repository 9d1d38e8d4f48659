/** pair_changes: pairs that came or went in a range of days. */
import { dayAfter, type Flow, openFixture } from '#test/support/lake-fixture';

/** Flows of one pair, one a day. */
function onDays(days: readonly number[], flow: Omit<Flow, 'day'> = {}): Flow[] {
    return days.map((day) => ({ day: dayAfter(day), ...flow }));
}

const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];

/** The range is the second of two weeks. */
const ASKED = [null, dayAfter(0), dayAfter(13), dayAfter(7), dayAfter(7)];

test('new is what was never there before, gone what was there on half of the days at least', async () => {
    const { askQuery } = await openFixture([
        ...onDays(EVERY_DAY, { src: 'steady' }),
        ...onDays([8, 9], { src: 'new', packets: 9_007_199_254_740_993n }),
        ...onDays([0, 1, 2, 3, 6], { src: 'gone' }),
        ...onDays([0, 1, 2, 3], { src: 'seldom' }),
        ...onDays([5, 9], { src: 'back' }),
    ]);
    expect(await askQuery('pair_changes', [...ASKED, 10n])).toEqual([
        {
            change: 'new',
            total: 1n,
            site: 'main',
            src_ip: 'new',
            dst_ip: '10.0.0.2',
            days: 2n,
            first_day: dayAfter(8),
            last_day: dayAfter(9),
            flows: 2n,
            fwd_pkts_sum: 18_014_398_509_481_986n,
        },
        expect.objectContaining({ change: 'gone', total: 1n, src_ip: 'gone', days: 5n, first_day: dayAfter(0), last_day: dayAfter(6) }),
    ]);
});

test('of a site that was not there before nothing is new, of one that sends nothing nothing is gone', async () => {
    const { askQuery } = await openFixture([
        ...onDays([8, 9], { site: 'opened' }),
        ...onDays([0, 1, 2, 3, 4, 5, 6], { site: 'silent' }),
        ...onDays(EVERY_DAY, { site: 'steady' }),
    ]);
    expect(await askQuery('pair_changes', [...ASKED, 10n])).toEqual([]);
});

test('the largest come first, as many as are asked for, and total counts all; a site alone can be asked for', async () => {
    const { askQuery } = await openFixture([
        ...onDays(EVERY_DAY),
        ...onDays([0, 8], { site: 'other' }),
        ...[1n, 3n, 2n].flatMap((packets) => onDays([8], { src: `new-${packets}`, packets })),
    ]);
    const found = await askQuery('pair_changes', [...ASKED, 2n]);
    expect(found.map(({ src_ip: src, total }) => [src, total])).toEqual([
        ['new-3', 3n],
        ['new-2', 3n],
    ]);
    expect(await askQuery('pair_changes', ['other', ...ASKED.slice(1), 2n])).toEqual([]);
});
