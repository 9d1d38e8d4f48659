/** How far the stages on the way into the tables are behind: of a served lake, and of a deployed one. */
import { expect, test } from '@jest/globals';
import type { BucketLake, DirectoryLake, QueuePart } from '#lake/lake';
import { readLag } from '#lake/pages/server/read-lag';
import { openControl } from '#lake/serve/control';
import { memoryQueue } from '#test/support/memory-queue';
import { newLake, serveLake } from '#test/support/served-lake';

const NOW = new Date('2026-02-01T12:00:00Z');

test('a server that answers tells of its stages, and which of them needs a person', async () => {
    const directory = await newLake();
    // Leaves an inbox, as a lake that is served has one.
    await serveLake(directory);
    const status = {
        inboxProblem: null,
        latest: { behindMs: 45_000, fault: null },
        sealing: { lagMessages: 3, lagMs: 1_200, faults: [{ what: 'raw/a', message: 'the disk is full' }] },
        forwarding: { to: 'https://there', objectsBehind: 2, lastError: null },
    };
    const control = await openControl(directory, async () => status);
    const lake = { kind: 'directory', directory } as DirectoryLake;
    expect(await readLag(lake, { now: NOW })).toEqual({
        is: 'served',
        stages: [
            { what: 'inbox', behindMs: null, waiting: null, why: null },
            { what: 'latest state', behindMs: 45_000, waiting: null, why: expect.stringContaining('stands still') },
            { what: 'tables', behindMs: 1_200, waiting: 3, why: 'raw/a: the disk is full; it is tried again' },
            { what: 'handing on to https://there', behindMs: null, waiting: 2, why: null },
        ],
    });
    await control?.close();
});

async function bucketLake({ hasTelemetry }: { hasTelemetry: boolean }): Promise<BucketLake> {
    const parts: QueuePart[] = [
        'summarizeQueue',
        'summarizeDeadLetters',
        'consolidateQueue',
        'consolidateDeadLetters',
        'hoursQueue',
        'hoursDeadLetters',
        'givenUpQueue',
        'givenUpDeadLetters',
    ];
    const queues = new Map(parts.map((part) => [part, memoryQueue({ name: part })]));
    await queues.get('summarizeQueue')?.send([{ body: '1' }, { body: '2' }]);
    await queues.get('consolidateDeadLetters')?.send([{ body: '3' }]);
    return {
        kind: 's3',
        hasTelemetry: async () => hasTelemetry,
        telemetry: async () => ({ stage: 'prod', names: { apiUrl: 'https://api' } }),
        queue: async (which: QueuePart) => queues.get(which),
        oldestMessages: async () => new Map([['summarizeQueue', 90]]),
        oldestRecords: async () => new Map([['flowlake-prod-latest', 61_000]]),
    } as unknown as BucketLake;
}

test('a deployed lake tells what its queues hold and what was given up', async () => {
    const { is, stages } = await readLag(await bucketLake({ hasTelemetry: false }), { now: NOW });
    expect([is, stages]).toEqual([
        'deployed',
        [
            { what: 'summarize queue', behindMs: 90_000, waiting: 2, why: null },
            {
                what: 'consolidate queue',
                behindMs: null,
                waiting: 0,
                why: expect.stringMatching(/^1 could not be worked off: .*flowlake redrive$/),
            },
        ],
    ]);
});

test('one with live telemetry tells of the readers of its streams, of which no figure is no lag', async () => {
    const { stages } = await readLag(await bucketLake({ hasTelemetry: true }), { now: NOW });
    expect(stages.slice(-2)).toEqual([
        { what: 'latest state', behindMs: 61_000, waiting: null, why: expect.stringContaining('aws logs tail /flowlake/prod/latest') },
        { what: 'the chain', behindMs: null, waiting: null, why: null },
    ]);
});
