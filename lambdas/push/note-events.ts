/** Puts what the stream of the state table tells into the log of events. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import type { CloudEventLog } from '#lake/cloud/event-log';
import { eventsIn } from '#lake/cloud/state-events';

/** A record that cannot be read holds up nobody. @returns how many records could not be read */
export async function noteEvents(
    records: readonly DynamoDBRecord[],
    { log, onUnreadable }: { log: CloudEventLog; onUnreadable: (error: unknown, eventId: string) => void },
): Promise<number> {
    let unreadable = 0;
    const events = records.flatMap((record) => {
        try {
            return eventsIn(recordOf(record)).map(({ event }) => event);
        } catch (error) {
            unreadable += 1;
            onUnreadable(error, record.eventID ?? '');
            return [];
        }
    });
    // A device's state is told by its times: clients judge it themselves.
    const told = events.filter(({ kind }) => kind !== 'state');
    await log.append(told, { name: records[0]?.eventID ?? '' });
    return unreadable;
}

/** The record as the SDK has it: what Lambda hands over is JSON, and bytes are base64 in it. */
function recordOf({ eventName, dynamodb }: DynamoDBRecord) {
    const image = Object.entries(dynamodb?.NewImage ?? {});
    return { eventName, dynamodb: { NewImage: Object.fromEntries(image.map(([name, value]) => [name, attributeOf(value)])) } };
}

/** The lake's tables hold texts, numbers and bytes. */
function attributeOf({ S, N, B }: { S?: string | undefined; N?: string | undefined; B?: string | undefined }): AttributeValue {
    return S !== undefined ? { S } : N !== undefined ? { N } : { B: Buffer.from(B ?? '', 'base64') };
}
