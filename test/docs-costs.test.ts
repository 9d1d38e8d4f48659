/** What docs/scale.md says that live telemetry costs adds up, by the table of prices and nothing else. */
import { expect, test } from '@jest/globals';
import { ASSUMED, costOf, costsOf, describeCosts, FLEETS, othersOf, PRICES, shardsOf, totalOf } from '../docs/costs.ts';

const cents = (usd: number): number => Math.round(usd * 100);

test('the lines that can be counted on one hand are what a hand counts', () => {
    const lines = new Map(costsOf(100).map(({ part, usd }) => [part, cents(usd)]));
    // 100 devices x 43,200 minutes and messages a month.
    expect(lines.get('IoT Core: connectivity')).toBe(cents(4.32 * 0.08));
    expect(lines.get('IoT Core: messages')).toBe(432);
    expect(lines.get('IoT Core: rule and its action')).toBe(cents(4.32 * 0.3));
    // A record of 500 bytes is paid as 1,024.
    expect(lines.get('Kinesis on demand: enhanced fan-out for latest state')).toBe(cents((4.32e6 * 1024 * 0.05) / 1e9));
    expect(lines.get('DynamoDB: latest state, a read and a write a message')).toBe(cents(4.32 * 0.75));
});

test('messages beyond the first thousand million are paid by their own prices', () => {
    const [line] = costsOf(200_000).filter(({ part }) => part === 'IoT Core: messages');
    expect(cents(line?.usd ?? 0)).toBe(cents(1_000 * 1 + 4_000 * 0.8 + (200_000 * 0.0432 - 5_000) * 0.7));
});

test('the total is that of the lines, and the first way is this one', () => {
    for (const devices of FLEETS) {
        const [own] = othersOf(devices);
        expect(cents(own?.usd ?? 0)).toBe(cents(totalOf(costsOf(devices))));
        expect(costsOf(devices).every(({ usd }) => usd > 0)).toBe(true);
    }
});

test('every price and every assumption is used, and says where it stands or what it is', () => {
    const text = describeCosts();
    for (const { what, page } of Object.values(PRICES)) {
        expect(text).toContain(`| ${what} |`);
        expect(page).toMatch(/^https:\/\/aws\.amazon\.com\//);
    }
    for (const { says } of Object.values(ASSUMED)) {
        expect(text).toContain(says);
    }
    expect(costOf('streamIn', 2e9)).toBe(0.16);
});

test('shards follow the messages, and are four at least on demand', () => {
    expect([100, 10_000, 1_000_000].map((devices) => shardsOf(devices, { least: 4 }))).toEqual([4, 4, 34]);
});
