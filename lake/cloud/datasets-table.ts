/** The DynamoDB table of the index of chain objects: its keys. lake/cloud/datasets-items.ts says what else an item has. */

/**
 * An item a chain object. Its chain is the partition, `<stream>/<shard>`; the end of the object's predecessor, in the fixed width of its name, sorts them.
 * Index `arrivals` has the items by the UTC day of their arrivals, `2026-01-05`, and by their last arrival; items of more than one day stand in its
 * partition `several`, so that no day has to be asked for what began before it.
 */
export const DATASETS_TABLE = {
    partitionKey: { name: 'chain', type: 'S' },
    sortKey: { name: 'place', type: 'S' },
    indexes: {
        arrivals: { partitionKey: { name: 'arrived_day', type: 'S' }, sortKey: { name: 'last_arrived_ms', type: 'N' } },
    },
} as const;
