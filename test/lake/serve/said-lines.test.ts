/** A log that many clients write into stays readable, and tells how often. */
import { expect, test } from '@jest/globals';
import { Allowance } from '#lake/serve/device-stream';
import { SaidLines } from '#lake/serve/said-lines';

test('the same is said once a minute, with how often it came, and something else at once', () => {
    let now = 0;
    const said: string[] = [];
    const lines = new SaidLines({ say: (line) => said.push(line), now: () => now });
    for (let second = 0; second <= 61; second += 1) {
        now = second * 1_000;
        lines.say('a', 'refused a');
    }
    lines.say('b', 'refused b');
    expect(said).toEqual(['refused a', 'refused a (59 more like this since the last line)', 'refused b']);
});

test('of more than a thousand different lines the oldest are forgotten, and said again', () => {
    const said: string[] = [];
    const lines = new SaidLines({ say: (line) => said.push(line), now: () => 0 });
    for (let at = 0; at < 1_500; at += 1) {
        lines.say(`${at}`, `${at}`);
    }
    lines.say('0', 'again');
    lines.say('1499', 'not again');
    expect([said.length, said.at(-1)]).toEqual([1_501, 'again']);
});

test('a device may send what it is allowed in a second at once, and then as fast as that', () => {
    let now = 1_000;
    const allowance = new Allowance({ perSecond: 100, now: () => now });
    expect(allowance.take(100)).toBe(0);
    expect(allowance.take(50)).toBe(500);
    now += 250;
    expect(allowance.take(0)).toBe(250);
    now += 10_000;
    expect(allowance.take(100)).toBe(0);
    // A clock that is set back stops nobody for longer, and gives nothing.
    now -= 100_000;
    expect(allowance.take(10)).toBe(100);
    now += 100;
    expect(allowance.take(0)).toBe(0);
});
