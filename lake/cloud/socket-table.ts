/**
 * The DynamoDB table of who listens by WebSocket: the connections, and the log of events that they are told of. lake/cloud/event-log.ts and lake/cloud/sockets.ts say what
 * its records hold; nothing of it is worth keeping for longer than some hours.
 */
export const SOCKET_TABLE = {
    partitionKey: { name: 'part', type: 'S' },
    sortKey: { name: 'place', type: 'S' },
    indexes: {},
    /** Seconds since 1970 after which DynamoDB may delete the record. */
    timeToLive: 'expires_s',
    /** Whoever is told of a change looks at the table by itself. */
    stream: 'KEYS_ONLY',
} as const;

/** Partition of the log of events: who follows it is told of changes of this one. */
export const LOG_PART = 'log';
