/**
 * Latest state on AWS, in one DynamoDB table. What a batch changes of a device is one write on condition of the item's version: its item, its alerts, and the events that
 * are told of them. Devices are written side by side.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBClient as Client } from '@aws-sdk/client-dynamodb';
import pMap from 'p-map';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';
import { checkSigned } from '#lake/live/acknowledge';
import type { Acknowledged, ApiServices } from '#lake/live/api/services';
import type { LiveClock } from '#lake/live/device-state';
import type { Cursor, DeviceItem, LiveAlert, LiveEpisode, LiveEvent, StateChange, StateStore } from '#lake/live/state-store';
import { StateCalls, type Write } from './state-calls.ts';
import { CLOCK_KEY, clockOf } from './state-clock.ts';
import { StateQueries } from './state-queries.ts';
import {
    alertColumns,
    alertIn,
    alertKey,
    deviceKey,
    devicePart,
    eventRecords,
    itemIn,
    itemRecord,
    RefusedWrite,
    textIn,
    timeText,
} from './state-records.ts';

/**
 * Alerts of one transaction, which takes 100 records: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html. Alerts beyond are written before it: they
 * are seen some milliseconds before they are told of, and nothing is told twice.
 */
const MAX_ALERTS = 90;

/** Devices that are written at once. */
const WRITES_AT_ONCE = 16;

/** A look at the clock serves for so long. */
const CLOCK_BELIEVED_MS = 1_000;

export interface CloudStateOptions {
    client: Pick<DynamoDBClient, 'send'>;
    /** Name of the table. */
    table: string;
    /** The machine's clock, UTC epoch milliseconds. */
    now: () => number;
    /** Is told of a device whose state no record can hold: it stays as it was, and holds up nobody. Default: the error is thrown. */
    onRefused?: (device: string, why: string) => void;
}

/** The state, and what the API asks of it. Lists come from indexes, which are some milliseconds behind what was written. */
export interface CloudState extends StateStore, Pick<ApiServices, 'fleet' | 'devices' | 'device' | 'alerts' | 'acknowledge'> {
    /** What time it is for latest state, as the watch noted it within the last minute: by this the states of devices are told, and `isPipelineLate` is health's. */
    clock(): Promise<LiveClock>;
}

/** A client of DynamoDB; credentials come from where the SDK looks for them. */
export function createDynamoClient(options: ClientOptions): DynamoDBClient {
    return new Client(clientConfig(options, 'DYNAMODB'));
}

/** Opens the state, without a call to AWS. */
export function openCloudState({ client, table, now, onRefused }: CloudStateOptions): CloudState {
    const calls = new StateCalls({ client, table });
    let known: { clock: LiveClock; lookedMs: number } | undefined;

    async function clock(): Promise<LiveClock> {
        const nowMs = now();
        if (!known || Math.abs(nowMs - known.lookedMs) >= CLOCK_BELIEVED_MS) {
            known = { clock: clockOf(await calls.get(CLOCK_KEY), nowMs), lookedMs: nowMs };
        }
        const { isPipelineLate, watermarkMs } = known.clock;
        return { ...known.clock, nowMs, watermarkMs: isPipelineLate ? watermarkMs : nowMs };
    }

    async function writeChange({ item, alerts, events }: StateChange, nowMs: number): Promise<boolean> {
        const at = { stream: item.stream, sequence: item.sequence };
        const told = events.filter(({ kind }) => kind !== 'latest' && kind !== 'state');
        const part = devicePart(item.device);
        const writes: Write[] = [
            {
                put: itemRecord(item, { events, nowMs }),
                if: item.version === 1 ? { is: 'absent', column: 'part' } : { is: 'equal', column: 'version', to: item.version - 1 },
            },
            ...alerts.slice(0, MAX_ALERTS).map((alert) => alertWrite(alert, { at, nowMs })),
            // Versions begin anew for a device whose item was lost: the time keeps names apart.
            ...eventRecords(told, { part, name: `${timeText(item.version)}#${nowMs}`, nowMs }).map((put) => ({ put })),
        ];
        for (const alert of alerts.slice(MAX_ALERTS)) {
            await calls.write([alertWrite(alert, { at, nowMs })]);
        }
        return calls.write(writes);
    }

    async function writeOrRefuse(change: StateChange, nowMs: number): Promise<boolean> {
        try {
            return await writeChange(change, nowMs);
        } catch (error) {
            if (!(error instanceof RefusedWrite) || !onRefused) {
                throw error;
            }
            onRefused(change.item.device, error.message);
            return true;
        }
    }

    return {
        async read(devices) {
            const records = await calls.getAll([...new Set(devices)].map(deviceKey));
            return new Map(records.map((record) => [textIn(record, 'rank') ?? '', itemIn(record)] satisfies [string, DeviceItem]));
        },
        async write({ changes, nowMs }) {
            const written = await pMap(changes, (change) => writeOrRefuse(change, nowMs), { concurrency: WRITES_AT_ONCE });
            return !written.includes(false);
        },
        async acknowledge({ id, by, note }): Promise<Acknowledged> {
            checkSigned(by);
            const atMs = now();
            const key = alertKey(id);
            const record = key && (await calls.get(key));
            if (!key || !record) {
                return { is: 'missing' };
            }
            const before = alertIn(record);
            if (before.acknowledged) {
                return { is: before.acknowledged.by === by && before.acknowledged.note === note ? 'acknowledged' : 'taken', alert: before };
            }
            const alert: LiveAlert = { ...before, acknowledged: { at_ms: atMs, by, note } };
            const event: LiveEvent = { kind: 'acknowledged', alert };
            const isNoted = await calls.write([
                {
                    key,
                    set: { acknowledged_ms: atMs, acknowledged_by: by, acknowledged_note: note },
                    if: { is: 'present', column: 'part', andAbsent: 'acknowledged_ms' },
                },
                ...eventRecords([event], { part: devicePart(alert.device), name: `acknowledged#${id}`, nowMs: atMs }).map((put) => ({
                    put,
                })),
            ]);
            // Somebody else was faster, or an answer was lost: the alert says which.
            return isNoted ? { is: 'acknowledged', alert } : this.acknowledge({ id, by, note });
        },
        clock,
        ...new StateQueries({ calls, clock }).answers(),
    };
}

/** Writes the alert as it is now; what people said of it stays. History is to judge it anew. */
function alertWrite(alert: LiveEpisode, { at, nowMs }: { at?: Cursor; nowMs: number }): Write {
    const key = alertKey(alert.id);
    if (!key) {
        throw new TypeError(`${alert.id} is no id of an alert`);
    }
    const { set, remove } = alertColumns(alert, { at, nowMs });
    return { key, set, keep: { raised_ms: alert.raised_ms }, remove };
}
