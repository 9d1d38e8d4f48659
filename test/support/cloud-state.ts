/** Latest state on AWS over a table in memory. */
import { type CloudState, openCloudState } from '#lake/cloud/state-store';
import { STATE_TABLE } from '#lake/cloud/state-table';
import { MemoryDynamo, type MemoryDynamoOptions } from './memory-dynamo.ts';

export interface MemoryCloud {
    dynamo: MemoryDynamo;
    state: CloudState;
}

/** The clock is that of the test. Small pages and batches, so that each list is cut. */
export function openMemoryCloud({ now, ...options }: { now: () => number } & Partial<MemoryDynamoOptions>): MemoryCloud {
    const dynamo = new MemoryDynamo({ shape: STATE_TABLE, maxPage: 3, maxBatch: 7, ...options });
    return { dynamo, state: openCloudState({ client: dynamo, table: dynamo.table, now }) };
}
