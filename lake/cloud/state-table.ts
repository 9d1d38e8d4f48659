/** The DynamoDB table of latest state: its keys and indexes. lake/cloud/state-records.ts says what else each record has, docs/cloud.md why it is cut so. */

/**
 * Records of a device stand together: its item, its alerts, its events. Index `lists` has devices by their ids and alerts by their beginnings; `waiting` what has not
 * ended: open alerts, and the times at which silences are looked for; `ends` alerts by the UTC day of their end. All three are sparse: a message that only brings
 * new values changes none of them.
 */
export const STATE_TABLE = {
    partitionKey: { name: 'part', type: 'S' },
    sortKey: { name: 'place', type: 'S' },
    indexes: {
        lists: {
            partitionKey: { name: 'list', type: 'S' },
            sortKey: { name: 'rank', type: 'S' },
            projected: ['site', 'profile', 'rule', 'severity', 'ended_ms', 'acknowledged_ms'],
        },
        waiting: {
            partitionKey: { name: 'wait', type: 'S' },
            sortKey: { name: 'wait_rank', type: 'S' },
            projected: ['site', 'rule', 'severity', 'acknowledged_ms'],
        },
        ends: { partitionKey: { name: 'ended_day', type: 'S' }, sortKey: { name: 'rank', type: 'S' }, projected: [] },
    },
    /** Seconds since 1970 after which DynamoDB may delete the record. */
    timeToLive: 'expires_s',
    stream: 'NEW_IMAGE',
} as const;

/** Column `audience` of records with events that SNS is told of. */
export const ALARMS = 'alarms';
