/** After the Spark job of a deployed lake the workers are told of days of derived tables. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { tellDerived } from '#cli/commands/rebuild/tell-derived';
import type { Kind } from '#lake/kind';
import { kinds } from '#lake/kinds';
import type { BucketLake } from '#lake/lake';
import type { MessageQueue } from '#lake/queue/message-queue';
import type { ObjectStore } from '#lake/store/object-store';
import { parsePeriodNews } from '#lake/work/messages';
import { fakeWorld } from '#test/cli/fake-surroundings';
import { gauges } from '#test/kinds/gauges';
import { memoryQueue } from '#test/support/memory-queue';
import { memoryStore } from '#test/support/memory-store';

let store: ObjectStore;
let queue: MessageQueue;
let interruption: AbortController;

beforeAll(() => {
    (kinds as unknown as Kind[]).push(gauges);
});

beforeEach(async () => {
    store = memoryStore();
    queue = memoryQueue({ isFifo: true });
    interruption = new AbortController();
    for (const period of ['2026-01-05/13', '2026-01-06/00', '2026-01-09/02']) {
        await store.put(`gauges_hours/day=${period}.parquet`, Buffer.from('merged'));
    }
});

/** @returns what was said, and the periods that were told */
async function tell({ from, to, wait }: { from: string; to: string; wait: boolean }): Promise<{ said: string; told: string[] }> {
    const lake = { kind: 's3', bucket: 'lake', store: async () => store, queue: async () => queue, hasTelemetry: async () => false };
    const world = fakeWorld({ signal: interruption.signal });
    await tellDerived(lake as unknown as BucketLake, { from, to, wait, context: world });
    const told = (await queue.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 30 })).map(({ body }) => parsePeriodNews(body));
    return { said: world.stderr.text, told: told.map(({ table, period }) => `${table} ${period}`) };
}

const RANGE = { from: '2026-01-05', to: '2026-01-06' };
const LATER =
    'Once it is over the job has the days of tables that are built on these derived; where it is cut off, flowlake reconcile does it\n';

describe('days that are built on those of the job', () => {
    test('are told when it is over, of the range alone', async () => {
        expect(await tell({ ...RANGE, wait: true })).toEqual({
            said: 'The workers derive 4 days of tables that are built on these; flowlake status shows when it is done\n',
            told: ['floods 2026-01-05', 'floods 2026-01-06', 'gauge_tops 2026-01-05', 'gauge_tops 2026-01-06'],
        });
    });

    test('are left to the job where nobody waits for it, from the beginning or any more', async () => {
        expect(await tell({ ...RANGE, wait: false })).toEqual({ said: LATER, told: [] });
        interruption.abort();
        expect(await tell({ ...RANGE, wait: true })).toEqual({ said: LATER, told: [] });
    });

    test('are not mentioned where there are none', async () => {
        expect(await tell({ from: '2026-02-01', to: '2026-02-02', wait: true })).toEqual({ said: '', told: [] });
    });
});
