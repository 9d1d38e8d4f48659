/** How far each reader of the streams of a deployed lake is behind, and when that needs a person. */
import { expect, test } from '@jest/globals';
import { sayLate, sayLiveLags } from '#cli/commands/status/live-lag';
import type { BucketLake } from '#lake/lake';
import { readLiveLags } from '#lake/reports/live-lag';

const NOW = new Date('2026-02-01T12:00:00Z');

/** A lake whose functions CloudWatch tells these ages of. */
function lagsWith(ages: Record<string, number>) {
    const asked: string[] = [];
    const lake = {
        telemetry: async () => ({ stage: 'prod' }),
        oldestRecords: async (functions: readonly string[]) => {
            asked.push(...functions);
            return new Map(Object.entries(ages));
        },
    } as unknown as BucketLake;
    return readLiveLags(lake, { now: NOW }).then((lags) => ({ lags, asked }));
}

test('each reader is asked for by its name, and its lag said', async () => {
    const { lags, asked } = await lagsWith({ 'flowlake-prod-latest': 120, 'flowlake-prod-chain': 61_000 });
    expect(asked).toEqual(['flowlake-prod-latest', 'flowlake-prod-chain']);
    expect(sayLiveLags(lags)).toBe('Behind the streams: latest state 0.1 s, the chain 1 min 1 s');
    expect(lags.map(sayLate)).toEqual([undefined, undefined]);
});

test('a reader that is late needs a person, who is told what is missing and where to look', async () => {
    const { lags } = await lagsWith({ 'flowlake-prod-latest': 61_000, 'flowlake-prod-chain': 700_000 });
    expect(lags.map(sayLate)).toEqual([
        expect.stringMatching(/^latest state is 1 min 1 s behind: people and alerts see what was\. .*\/flowlake\/prod\/latest .*doctor$/),
        expect.stringMatching(/^the chain is 11 min 40 s behind: what devices sent since is in no table\. .*\/flowlake\/prod\/chain /),
    ]);
});

test('no figure is not taken for no lag', async () => {
    expect(sayLiveLags((await lagsWith({})).lags)).toBe(
        'No message came from devices for a quarter of an hour, or nobody reads the streams: flowlake doctor tells which',
    );
    expect(sayLiveLags((await lagsWith({ 'flowlake-prod-chain': 1000 })).lags)).toBe(
        'Behind the streams: latest state not known, the chain 1.0 s',
    );
});
