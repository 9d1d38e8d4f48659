/** Puts what the stream of the state table tells into the log of events. */
import type { DynamoDBRecord } from 'aws-lambda';
import type { CloudEventLog } from '#lake/cloud/event-log';
import { eventsIn } from '#lake/cloud/state-events';
import { changedRecord } from '#lambdas/changed-record';

/** A record that cannot be read holds up nobody. @returns how many records could not be read */
export async function noteEvents(
    records: readonly DynamoDBRecord[],
    { log, onUnreadable }: { log: CloudEventLog; onUnreadable: (error: unknown, eventId: string) => void },
): Promise<number> {
    let unreadable = 0;
    const events = records.flatMap((record) => {
        try {
            return eventsIn(changedRecord(record)).map(({ event }) => event);
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
