/** Lambda notify: each alert is published once, in order, over retries and partial failures; none is lost. */
import type { PublishCommand } from '@aws-sdk/client-sns';
import type { DynamoDBRecord } from 'aws-lambda';
import { openAlertTopic } from '#lake/cloud/alert-topic';
import { devicePart, eventRecords, itemRecord, timeText } from '#lake/cloud/state-records';
import { ALARMS } from '#lake/cloud/state-table';
import { openToldNotes } from '#lake/cloud/told-notes';
import { newItem } from '#lake/live/latest';
import type { LiveEpisode, LiveEvent } from '#lake/live/state-store';
import { notifyBatch } from '#lambdas/notify/notify-batch';
import { openMemoryCloud } from '#test/support/cloud-state';

const T0 = 1_767_609_060_000;

const alertOf = (device: string, n = 0): LiveEpisode => ({
    ...{ id: `${device}~hot~${T0 + n}`, site: 'main', device, profile: 'p', rule: 'hot', kind: 'alert', severity: 'critical' },
    ...{ began_ms: T0 + n, ended_ms: null, worst: '31.50', readings: 1, raised_ms: T0, why: 'too warm: temperature was 31.50' },
});

interface Published {
    subject: string;
    message: string;
    attributes: Record<string, string>;
}

function openWorld() {
    const { dynamo } = openMemoryCloud({ now: () => T0 });
    const published: Published[] = [];
    let fate: (device: string) => 'works' | 'fails' | 'lost' | 'refused' = () => 'works';
    const client = {
        send: (async ({ input: { Subject = '', Message = '', MessageAttributes = {} } }: PublishCommand) => {
            const attributes = Object.fromEntries(
                Object.entries(MessageAttributes).map(([name, { StringValue = '' }]) => [name, StringValue]),
            );
            const is = fate(attributes.device ?? '');
            const error = (name: string) => Object.assign(new Error(name), { name, $metadata: { httpStatusCode: 400 } });
            if (is === 'fails') {
                throw error('ThrottledException');
            }
            if (is === 'refused') {
                throw error('InvalidParameterException');
            }
            published.push({ subject: Subject, message: Message, attributes });
            if (is === 'lost') {
                throw error('TimeoutError');
            }
            return {};
        }) as any,
    };
    const metrics = new Map<string, number>();
    const run = async (records: DynamoDBRecord[]) =>
        notifyBatch(records, {
            topic: openAlertTopic({ client, topicArn: 'arn:aws:sns:eu-central-1:1:alerts', lake: 'our-lake' }),
            notes: openToldNotes({ client: dynamo, table: dynamo.table }),
            log: { info: () => undefined, warn: () => undefined, error: () => undefined },
            metrics: { addMetric: (name, _, value) => metrics.set(name, (metrics.get(name) ?? 0) + value) },
        });
    /** Writes events of a device, as the state does, and gives the records that Lambda is handed. */
    const tell = async (device: string, version: number, ...events: LiveEvent[]): Promise<DynamoDBRecord[]> => {
        const records = eventRecords(events, { part: devicePart(device), name: timeText(version), nowMs: T0 });
        const { PutItemCommand } = await import('@aws-sdk/client-dynamodb');
        for (const Item of records) {
            await dynamo.send(new PutItemCommand({ TableName: dynamo.table, Item }));
        }
        return dynamo.records.slice(-records.length).map((record) => asHanded(record));
    };
    const ids = () => published.map(({ attributes: { device, type } }) => `${device} ${type}`);
    return {
        dynamo,
        published,
        metrics,
        run,
        tell,
        ids,
        setFate: (next: typeof fate) => {
            fate = next;
        },
    };
}

function asHanded({ eventName, dynamodb }: any): DynamoDBRecord {
    return { eventID: dynamodb.SequenceNumber, eventName, dynamodb: JSON.parse(JSON.stringify(dynamodb)) };
}

const raised = (device: string, n = 0): LiveEvent => ({ kind: 'raised', alert: alertOf(device, n) });
const cleared = (device: string, n = 0): LiveEvent => ({ kind: 'cleared', alert: { ...alertOf(device, n), ended_ms: T0 + n + 5 } });

test('says an alert in words, with what programs filter by', async () => {
    const { published, run, tell } = openWorld();
    await run(await tell('th-1', 1, raised('th-1')));
    expect(published).toMatchObject([
        {
            subject: 'our-lake: critical: th-1 hot',
            attributes: { type: 'alert.raised', severity: 'critical', device: 'th-1', site: 'main', rule: 'hot', alert: `th-1~hot~${T0}` },
        },
    ]);
    expect(published[0]?.message).toBe(
        [
            'critical: too warm: temperature was 31.50',
            '',
            'Device th-1, site main, rule hot of profile p',
            'Began 2026-01-05T10:31:00.000Z, worst value 31.50',
            `Lake our-lake, alert th-1~hot~${T0}, event ${published[0]?.attributes.event_id}`,
        ].join('\n'),
    );
});

test('publishes nothing twice where a batch comes again, and in order', async () => {
    const { run, tell, ids, setFate, published } = openWorld();
    const records = [
        ...(await tell('a', 1, raised('a'), cleared('a'))),
        ...(await tell('b', 1, raised('b'))),
        ...(await tell('a', 2, raised('a', 9))),
        ...(await tell('b', 2, cleared('b'))),
    ];
    let calls = 0;
    setFate((device) => {
        calls += 1;
        return device === 'a' && calls > 1 ? 'fails' : 'works';
    });
    const { batchItemFailures } = await run(records);
    expect(batchItemFailures).toEqual([{ itemIdentifier: '1' }, { itemIdentifier: '3' }]);
    expect(ids().filter((id) => id.startsWith('b'))).toEqual(['b alert.raised', 'b alert.cleared']);
    // Lambda hands over everything again from the first of these on.
    setFate(() => 'works');
    expect(await run(records)).toEqual({ batchItemFailures: [] });
    await run(records);
    expect(ids().filter((id) => id.startsWith('a'))).toEqual(['a alert.raised', 'a alert.cleared', 'a alert.raised']);
    expect(new Set(published.map(({ attributes }) => attributes.event_id)).size).toBe(5);
    expect(published).toHaveLength(5);
});

test('publishes again, with the same id, where the answer was lost', async () => {
    const { run, tell, published, setFate } = openWorld();
    const records = await tell('a', 1, raised('a'));
    setFate(() => 'lost');
    expect((await run(records)).batchItemFailures).toHaveLength(1);
    setFate(() => 'works');
    await run(records);
    await run(records);
    expect(published).toHaveLength(2);
    expect(new Set(published.map(({ attributes }) => attributes.event_id)).size).toBe(1);
});

test('what SNS will never take holds up nobody, and is counted', async () => {
    const { run, tell, ids, setFate, metrics } = openWorld();
    const records = [...(await tell('a', 1, raised('a'))), ...(await tell('a', 2, cleared('a')))];
    let first = true;
    setFate(() => {
        const is = first ? 'refused' : 'works';
        first = false;
        return is;
    });
    expect(await run(records)).toEqual({ batchItemFailures: [] });
    expect(ids()).toEqual(['a alert.cleared']);
    expect(metrics.get('AlertsRefused')).toBe(1);
    const broken = asHanded({
        eventName: 'INSERT',
        dynamodb: { SequenceNumber: '9', Keys: {}, NewImage: { is: { S: 'events' }, at_ms: { N: '1' }, events: { S: '[' } } },
    });
    expect(await run([broken])).toEqual({ batchItemFailures: [] });
    expect(metrics.get('AlertsUnreadable')).toBe(1);
});

test('a late pipeline is told of in words', async () => {
    const { run, tell, published } = openWorld();
    await run(await tell('x', 1, { kind: 'pipeline_late', since_ms: T0, why: 'the function fails' }));
    expect(published).toMatchObject([
        { subject: 'our-lake: latest state is late', attributes: { type: 'pipeline.late', severity: 'critical' } },
    ]);
    expect(published[0]?.message).toContain('since 2026-01-05T10:31:00.000Z: the function fails.');
});

test('only records of alarms are for the function: its filter lets no other pass', () => {
    const audienceOf = (...events: LiveEvent[]) => eventRecords(events, { part: 'p', name: 'n', nowMs: T0 })[0]?.audience?.S;
    const judged: LiveEvent = { kind: 'judged', alert: { ...alertOf('a'), acknowledged: null, history: 'gone', inHistory: null } };
    expect([audienceOf(raised('a')), audienceOf(cleared('a')), audienceOf({ kind: 'pipeline_late', since_ms: 1, why: '' })]).toEqual([
        ALARMS,
        ALARMS,
        ALARMS,
    ]);
    expect([audienceOf(judged), audienceOf({ kind: 'state', device: 'a', site: '', state: 'late' })]).toEqual([undefined, undefined]);
    expect(itemRecord(newItem('a', 's'), { events: [], nowMs: T0 }).audience).toBeUndefined();
});
