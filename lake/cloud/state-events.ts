/** Events out of the stream of the state table, for who tells them on: to SNS, and to who listens by WebSocket. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { LiveEvent, StateOfDevice } from '#lake/live/state-store';
import { itemIn, numberIn, type StoredRecord, textIn } from './state-records.ts';

/** A record of the table's stream, as Lambda hands it over. */
export interface StreamRecord {
    eventName?: string | undefined;
    dynamodb?: { NewImage?: Readonly<Record<string, AttributeValue>> | undefined; SequenceNumber?: string | undefined } | undefined;
}

export interface ToldEvent {
    /** Text that names the event for ever: who acts on an event remembers it. */
    id: string;
    atMs: number;
    event: LiveEvent;
}

/**
 * The events of a record, in their order; none for records that tell of nothing. New values and states are told by the record of the device's item, everything else by
 * records of its own.
 */
export function eventsIn({ eventName, dynamodb }: StreamRecord): ToldEvent[] {
    const record = dynamodb?.NewImage;
    const [kind, atMs] = [record && textIn(record, 'is'), record && numberIn(record, 'at_ms')];
    if (!record || atMs === undefined || eventName === 'REMOVE') {
        return [];
    }
    const name = `${textIn(record, 'part')}/${textIn(record, 'place')}`;
    if (kind === 'device') {
        return latestIn(record).map((event) => ({ id: `${name}/${numberIn(record, 'version')}/${atMs}/${event.kind}`, atMs, event }));
    }
    if (kind === 'events' && eventName === 'INSERT') {
        const events: LiveEvent[] = JSON.parse(textIn(record, 'events') ?? '[]');
        return events.map((event, n) => ({ id: `${name}/${n}`, atMs, event }));
    }
    return [];
}

function latestIn(record: StoredRecord): LiveEvent[] {
    const names: string[] | undefined = JSON.parse(textIn(record, 'newer') ?? '[]');
    const state = textIn(record, 'told_state') as StateOfDevice | undefined;
    const item = itemIn(record);
    const { device, site, profile, lastReceivedMs, metrics } = item;
    const newer = Object.fromEntries((names ?? []).flatMap((name) => (metrics[name] ? [[name, metrics[name]]] : [])));
    const latest: LiveEvent = { kind: 'latest', device, site, profile, received_ms: lastReceivedMs ?? 0, metrics: newer };
    return [
        ...(Object.keys(newer).length > 0 ? [latest] : []),
        ...(state === undefined ? [] : [{ kind: 'state', device, site, state } satisfies LiveEvent]),
    ];
}
