/**
 * Publishes what the state table tells of alerts and of the pipeline. Events of one device go out in their order, devices side by side. What was published is noted at its
 * record, so that a batch that comes again publishes it once more only where the program died between the answer of SNS and the note.
 */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { DynamoDBBatchResponse, DynamoDBRecord } from 'aws-lambda';
import pMap from 'p-map';
import type { AlertTopic } from '#lake/cloud/alert-topic';
import { eventsIn } from '#lake/cloud/state-events';
import type { ToldNotes } from '#lake/cloud/told-notes';
import type { Log } from '#lambdas/batch';
import { changedRecord } from '#lambdas/changed-record';
import type { MetricSink } from '#lambdas/figures';

/** Devices whose events are published side by side. */
const DEVICES_AT_ONCE = 10;

export interface NotifyOptions {
    topic: AlertTopic;
    notes: ToldNotes;
    log: Log;
    metrics: MetricSink;
}

/** The answer that Lambda expects: what is to come again, because SNS or the table could not be reached. */
export async function notifyBatch(
    records: readonly DynamoDBRecord[],
    { topic, notes, log, metrics }: NotifyOptions,
): Promise<DynamoDBBatchResponse> {
    const counts = { Published: 0, Refused: 0, Unreadable: 0 };
    const failed: string[] = [];
    await pMap([...byPart(records).values()], publishInOrder, { concurrency: DEVICES_AT_ONCE });
    for (const [name, count] of Object.entries(counts)) {
        metrics.addMetric(`Alerts${name}`, MetricUnit.Count, count);
    }
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };

    async function publishInOrder(ofDevice: readonly DynamoDBRecord[]): Promise<void> {
        for (const [at, record] of ofDevice.entries()) {
            try {
                await publish(record);
            } catch (error) {
                log.error('an alert is not published yet, and is tried again', { event: record.eventID, error: String(error) });
                // What comes behind it goes out behind it.
                failed.push(...ofDevice.slice(at).flatMap(({ dynamodb }) => dynamodb?.SequenceNumber ?? []));
                return;
            }
        }
    }

    async function publish(record: DynamoDBRecord): Promise<void> {
        const events = read(record);
        if (events.length === 0) {
            return;
        }
        const key = { part: record.dynamodb?.Keys?.part?.S ?? '', place: record.dynamodb?.Keys?.place?.S ?? '' };
        const before = await notes.told(key);
        for (const [at, told] of events.entries()) {
            if (at < before) {
                continue;
            }
            if (await topic.publish(told)) {
                counts.Published += 1;
            } else {
                counts.Refused += 1;
                log.error('SNS refuses an alert: it is in the list of alerts alone', { event: told.id });
            }
            await notes.note(key, at + 1);
        }
    }

    /** A record that cannot be read holds up nobody. */
    function read(record: DynamoDBRecord): ReturnType<typeof eventsIn> {
        try {
            return eventsIn(changedRecord(record));
        } catch (error) {
            counts.Unreadable += 1;
            log.error('a change of the state table cannot be read as events', { event: record.eventID, error: String(error) });
            return [];
        }
    }
}

/** Records of each device, in their order. */
function byPart(records: readonly DynamoDBRecord[]): Map<string, DynamoDBRecord[]> {
    const parts = new Map<string, DynamoDBRecord[]>();
    for (const record of records) {
        const part = record.dynamodb?.Keys?.part?.S ?? '';
        const known = parts.get(part);
        if (known) {
            known.push(record);
        } else {
            parts.set(part, [record]);
        }
    }
    return parts;
}
