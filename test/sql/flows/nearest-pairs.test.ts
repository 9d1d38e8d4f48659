/** nearest_pairs: what may have been meant by a pair that is not there. */
import { dayAfter, openFixture } from '#test/support/lake-fixture';

test('names what was meant: turned round, half right, misspelt', async () => {
    const pair = (src: string, dst: string, count = 1) => Array.from({ length: count }, () => ({ day: dayAfter(0), src, dst }));
    const { askQuery } = await openFixture([
        ...pair('10.1.0.20', '10.1.0.7'),
        ...pair('10.1.0.7', '10.9.9.9'),
        ...pair('10.8.8.8', '10.1.0.20', 5),
        ...pair('10.1.0.20', '10.7.7.7'),
        ...pair('10.1.0.77', '10.1.0.21'),
        ...pair('172.16.0.1', '172.16.0.2'),
    ]);
    const found = await askQuery('nearest_pairs', ['10.1.0.7', '10.1.0.20', 5n]);
    expect(found.map(({ src_ip, dst_ip, likeness }) => [likeness, src_ip, dst_ip])).toEqual([
        ['reversed', '10.1.0.20', '10.1.0.7'],
        ['one address', '10.8.8.8', '10.1.0.20'],
        ['one address', '10.1.0.7', '10.9.9.9'],
        ['one address, reversed', '10.1.0.20', '10.7.7.7'],
        ['similar', '10.1.0.77', '10.1.0.21'],
    ]);
});

test('says how much there is of each pair, the largest of those that are equally near first, and no more rows than wanted', async () => {
    const { askQuery } = await openFixture([
        { day: dayAfter(0), site: 'a', src: '10.0.0.1', dst: '10.0.0.9' },
        { day: dayAfter(1), site: 'a', src: '10.0.0.1', dst: '10.0.0.9' },
        { day: dayAfter(1), site: 'a', src: '10.0.0.1', dst: '10.0.0.9' },
        { day: dayAfter(1), site: 'b', src: '10.0.0.1', dst: '10.0.0.8' },
        { day: dayAfter(1), site: 'c', src: '10.0.0.1', dst: '10.0.0.100' },
    ]);
    const row = { src_ip: '10.0.0.1', likeness: 'one address' };
    expect(await askQuery('nearest_pairs', ['10.0.0.1', '10.0.0.7', 2n])).toEqual([
        { ...row, site: 'a', dst_ip: '10.0.0.9', days: 2n, flows: 3n },
        { ...row, site: 'b', dst_ip: '10.0.0.8', days: 1n, flows: 1n },
    ]);
});

test('names a pair however far it is from what was asked', async () => {
    const { askQuery } = await openFixture([{ day: dayAfter(0), src: 'x'.repeat(3000), dst: 'y' }]);
    const [found] = await askQuery('nearest_pairs', ['', 'z', 5n]);
    expect(found).toMatchObject({ likeness: 'similar', dst_ip: 'y' });
});
