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
