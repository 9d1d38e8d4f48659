/** Random histories of latest state on AWS: whatever comes late, twice or out of order, whatever dies or loses its answer when, the end is that of a plain recompute. */
import { expect, test } from '@jest/globals';
import { playCloudSeed } from '#test/live-histories/play-cloud';

const COUNT = 60;

/** What must have come about, or the histories say less than they seem to. */
const TO_REACH = [
    'dies before PutItem',
    'dies behind PutItem',
    'dies behind TransactWriteItems',
    'another is faster PutItem',
    'another is faster TransactWriteItems',
];

test(`${COUNT} histories end as a plain recompute says`, async () => {
    const wrong: string[] = [];
    const reached = new Set<string>();
    for (let seed = 1; seed <= COUNT && wrong.length === 0; seed += 1) {
        const what = await playCloudSeed(seed, { isNoted: (noted) => reached.add(noted) });
        wrong.push(...(what === undefined ? [] : [`seed ${seed}: ${what}`]));
    }
    expect(wrong).toEqual([]);
    expect([...reached]).toEqual(expect.arrayContaining(TO_REACH));
});
