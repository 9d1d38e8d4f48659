/** top_pairs: the pairs that move the most. */
import { dayAfter, type FixtureLake, openFixture } from '#test/support/lake-fixture';

let lake: FixtureLake;
beforeAll(async () => {
    lake = await openFixture([
        { day: dayAfter(0), src: 'long', duration: 9n, packets: 1n },
        { day: dayAfter(1), src: 'heavy', duration: 5n, packets: 9_000_000_000_000_000_001n },
        { day: dayAfter(2), src: 'heavy', duration: 1n, packets: 9_000_000_000_000_000_001n },
        { day: dayAfter(0), src: 'many', duration: 1n, packets: 1n },
        { day: dayAfter(0), src: 'many', duration: 1n, packets: 1n },
        { day: dayAfter(0), src: 'many', duration: 1n, packets: 1n },
        { day: dayAfter(0), site: 'berlin', src: 'far', duration: 2n, packets: 2n },
    ]);
});
const sources = async (...parameters: (string | bigint | null)[]) =>
    (await lake.askQuery('top_pairs', parameters)).map(({ src_ip }) => src_ip);

test('puts the largest first, by what counts', async () => {
    expect(await sources(null, null, null, 'duration', 10n)).toEqual(['long', 'heavy', 'many', 'far']);
    expect(await sources(null, null, null, 'packets', 2n)).toEqual(['heavy', 'many']);
    expect(await sources(null, null, null, 'flows', 1n)).toEqual(['many']);
});

test('counts only the days and the site that are asked for', async () => {
    expect(await sources(null, dayAfter(1), null, 'duration', 10n)).toEqual(['heavy']);
    expect(await sources(null, null, dayAfter(0), 'packets', 1n)).toEqual(['many']);
    expect(await sources('berlin', null, null, 'packets', 10n)).toEqual(['far']);
});

test('adds up what no bigint holds', async () => {
    expect(await lake.askQuery('top_pairs', [null, null, null, 'packets', 1n])).toEqual([
        {
            site: 'main',
            src_ip: 'heavy',
            dst_ip: '10.0.0.2',
            days: 2n,
            first_day: dayAfter(1),
            last_day: dayAfter(2),
            flows: 2n,
            flow_duration_us_sum: 6n,
            fwd_pkts_sum: 18_000_000_000_000_000_002n,
        },
    ]);
});
