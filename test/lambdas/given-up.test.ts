/** Lambda `given-up`: what was given up on its way is in the lake once, whoever wrote it, however often and late it is told; what is lost is said. */
import { gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { openDeviceLookup } from '#lake/cloud/device-lookup';
import type { StreamRecord } from '#lake/cloud/kinesis-stream';
import { allowPrograms } from '#lake/credentials';
import { registerDevice } from '#lake/devices';
import { StorageError } from '#lake/errors';
import { chainKey, sideShardOf } from '#lake/layout';
import { ChainWriter } from '#lake/live/chain';
import type { DatasetIndex } from '#lake/live/datasets';
import { NotedChain } from '#lake/live/noted-chain';
import type { ObjectStore } from '#lake/store/object-store';
import { type ChainMessage, decodeLine } from '#lake/telemetry/chain-line';
import { type BringBackBatchOptions, bringBackBatch } from '#lambdas/given-up/bring-back-batch';
import { chainMessage } from '#test/support/chain-messages';
import { memoryDatasets } from '#test/support/memory-datasets';
import { memoryStore } from '#test/support/memory-store';
import { sqsRecord, testLog, testMetrics, testTime } from './surroundings.ts';

const NOW_MS = Date.UTC(2026, 0, 5, 10);
const SENT_MS = NOW_MS - 5_000;
const SHARD = { stream: 'programs-1767000000', shard: 'shardId-000000000000' };
const MAIN = { kind: 'telemetry', ...SHARD };
const SIDE = { kind: 'telemetry', stream: SHARD.stream, shard: sideShardOf(SHARD.shard) };
const ERRORS = { kind: 'telemetry', stream: 'telemetry', shard: 'rule-errors' };

let store: ObjectStore;
let index: DatasetIndex;
let log: ReturnType<typeof testLog>;
let metrics: ReturnType<typeof testMetrics>;
/** What the stream holds. */
let held: StreamRecord[];
/** What was brought into latest state, call by call. */
let latest: string[][];

beforeEach(async () => {
    store = memoryStore({ now: () => new Date(NOW_MS) });
    index = memoryDatasets();
    log = testLog();
    metrics = testMetrics();
    latest = [];
    held = Array.from({ length: 20 }, (_, at) => ({
        sequence: `${at + 1}`,
        key: 'th-1',
        data: Buffer.from(`{"n":${at + 1}}`),
        arrivedMs: SENT_MS,
    }));
    await registerDevice(store, { device: 'th-1', profile: 'thermostat' }, { today: '2026-01-05' });
    await allowPrograms(store, 'th-1', { now: new Date(0) });
});

/** A record of a failure, as Lambda writes it. */
function rangeBody(first: number, last: number, { batchSize = last - first + 1, functionName = 'flowlake-test-chain' } = {}): string {
    return JSON.stringify({
        requestContext: {
            requestId: 'r',
            functionArn: `arn:aws:lambda:eu-central-1:000000000000:function:${functionName}`,
            condition: 'RetryAttemptsExhausted',
            approximateInvokeCount: 4,
        },
        responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
        version: '1.0',
        timestamp: '2026-01-05T09:59:00.000Z',
        KinesisBatchInfo: {
            shardId: SHARD.shard,
            startSequenceNumber: `${first}`,
            endSequenceNumber: `${last}`,
            approximateArrivalOfFirstRecord: '2026-01-05T09:58:00.000Z',
            approximateArrivalOfLastRecord: '2026-01-05T09:58:01.000Z',
            batchSize,
            streamArn: 'arn:aws:kinesis:eu-central-1:000000000000:stream/programs',
        },
    });
}

/** The document of a rule's error action. */
function ruleBody(
    payload: string,
    {
        trace = `trace of ${payload}`,
        client = 'th-1',
        topic = 't/th-1/x',
    }: { trace?: string | undefined; client?: string; topic?: string } = {},
): string {
    return JSON.stringify({
        ruleName: 'flowlake_test_telemetry',
        topic,
        cloudwatchTraceId: trace,
        clientId: client,
        base64OriginalPayload: Buffer.from(payload).toString('base64'),
        failures: [{ failedAction: 'KinesisAction', failedResource: 'telemetry', errorMessage: 'Failed to put record' }],
    });
}

/** Delivers messages to the function. @returns ids of those that come again */
async function deliver(
    bodies: readonly string[],
    { receiveCount = 1, ...options }: Partial<BringBackBatchOptions> & { receiveCount?: number } = {},
): Promise<string[]> {
    const records = bodies.map((body, at) => sqsRecord({ id: `m${at}`, body, receiveCount, sentAt: new Date(SENT_MS) }));
    const { batchItemFailures } = await bringBackBatch(records, {
        ...{ bucket: 'lake', store, index, log, metrics },
        devices: openDeviceLookup({ store, now: () => NOW_MS }),
        queue: { changeVisibility: async () => undefined },
        chainFunction: 'flowlake-test-chain',
        telemetryStream: 'telemetry',
        intoLatest: async (messages) => void latest.push(messages.map(({ payload }) => payload.toString())),
        sourceOf: () => 'programs',
        streamIdOf: async (stream) => `${stream}-1767000000`,
        readRange: async ({ first, last }) => {
            const records = held.filter(({ sequence }) => Number(sequence) >= Number(first) && Number(sequence) <= Number(last));
            return { records, gone: records[0]?.sequence === first ? undefined : `the shard holds no record ${first} any more` };
        },
        time: testTime(),
        now: () => new Date(NOW_MS),
        ...options,
    });
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

async function messagesAt(key: string): Promise<ChainMessage[] | undefined> {
    const bytes = (await store.get(key))?.bytes;
    const lines = bytes && gunzipSync(bytes).toString().trimEnd().split('\n');
    return lines?.map(decodeLine).flatMap((line) => (line.is === 'message' ? [line.message] : []));
}

const numbersAt = async (key: string): Promise<string[] | undefined> => (await messagesAt(key))?.map(({ sequence }) => sequence);

/** What the chain's own worker appended. */
async function append(first: number, last: number): Promise<void> {
    const messages = Array.from({ length: last - first + 1 }, (_, at) => chainMessage(first + at));
    await new NotedChain({ store, index, ...SHARD, now: () => new Date(NOW_MS) }).append(messages);
}

async function sideObjects(): Promise<(string[] | undefined)[]> {
    const objects: (string[] | undefined)[] = [];
    for await (const { key } of store.list(`raw/kind=telemetry/stream=${SHARD.stream}/shard=${SIDE.shard}/`)) {
        objects.push(await numbersAt(key));
    }
    return objects;
}

describe('a range that the event source gave up', () => {
    test('may come by a topic of SNS', async () => {
        await append(1, 3);
        const body = JSON.stringify({
            Type: 'Notification',
            TopicArn: 'arn:aws:sns:eu-central-1:000000000000:t',
            Message: rangeBody(4, 6),
        });
        expect(await deliver([body])).toEqual([]);
        expect(await numbersAt(chainKey(MAIN, '3'))).toEqual(['4', '5', '6']);
    });

    test('goes into the chain itself, where that has not gone on', async () => {
        await append(1, 3);
        expect(await deliver([rangeBody(4, 6)])).toEqual([]);
        expect(await numbersAt(chainKey(MAIN, '3'))).toEqual(['4', '5', '6']);
        expect(await messagesAt(chainKey(MAIN, '3'))).toMatchObject([
            { device: 'th-1', profile: 'thermostat', arrivedMs: SENT_MS },
            {},
            {},
        ]);
        expect(await sideObjects()).toEqual([]);
        expect(metrics.values).toMatchObject({ RangesGivenUp: [1], BroughtIntoChain: [3], BroughtIntoSideChain: [0], RecordsLost: [0] });
    });

    test('that stands in the chain is dropped, also once its objects are pruned', async () => {
        await append(1, 3);
        await append(4, 6);
        await deliver([rangeBody(2, 5)]);
        await store.delete(chainKey(MAIN, '0'));
        await deliver([rangeBody(1, 3), rangeBody(2, 5)]);
        expect(await sideObjects()).toEqual([]);
    });

    test('and behind which the chain has gone on is numbered in the side chain, each record once', async () => {
        await append(1, 3);
        await append(10, 12);
        await deliver([rangeBody(6, 9)]);
        await deliver([rangeBody(4, 5), rangeBody(6, 9)]);
        await deliver([rangeBody(4, 12)]);
        expect(await sideObjects()).toEqual([
            ['6', '7', '8', '9'],
            ['4', '5'],
        ]);
        expect(await numbersAt(chainKey(SIDE, '0'))).toEqual(['6', '7', '8', '9']);
        expect((await index.get(chainKey(SIDE, '1')))?.chain).toMatchObject({ first: '4', last: '5', messages: 2 });
        expect(metrics.values.BroughtIntoSideChain).toEqual([4, 2, 0]);
    });

    test('whose worker died before it noted what it had put is noted when it comes again', async () => {
        await append(10, 12);
        const dying = { ...index, noteChain: () => Promise.reject(new StorageError('the worker died')) };
        expect(await deliver([rangeBody(4, 5)], { index: dying })).toEqual(['m0']);
        expect(await deliver([rangeBody(4, 5)])).toEqual([]);
        expect(await sideObjects()).toEqual([['4', '5']]);
        expect((await index.get(chainKey(SIDE, '0')))?.chain).toMatchObject({ first: '4', last: '5' });
    });

    test('comes again where Kinesis cannot be read: that is no loss', async () => {
        expect(await deliver([rangeBody(4, 5)], { readRange: () => Promise.reject(new StorageError('Kinesis does not answer')) })).toEqual([
            'm0',
        ]);
        expect(await sideObjects()).toEqual([]);
        expect(metrics.values.RecordsLost).toEqual([0]);
    });

    test('of another function is never appended: what lies before it may still be on its way', async () => {
        await append(1, 3);
        expect(await deliver([rangeBody(7, 9, { functionName: 'flowlake-test-latest' })])).toEqual([]);
        expect(await numbersAt(chainKey(MAIN, '3'))).toBeUndefined();
        expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
        await append(4, 9);
        expect(await numbersAt(chainKey(MAIN, '3'))).toEqual(['4', '5', '6', '7', '8', '9']);
    });
});

describe('what Kinesis holds no more', () => {
    const lossAt = async (number: string) => (await messagesAt(chainKey(SIDE, number)))?.at(0);

    test('and the lake neither is lost, which is counted, and said in the lake once', async () => {
        await append(1, 3);
        held = held.filter(({ sequence }) => Number(sequence) > 5);
        await deliver([rangeBody(4, 7)]);
        await deliver([rangeBody(4, 7)]);
        expect(await numbersAt(chainKey(MAIN, '3'))).toEqual(['6', '7']);
        expect(await lossAt('0')).toMatchObject({
            sequence: '4',
            refused:
                'up to 2 records from 4 to 7 were given up (RetryAttemptsExhausted), and are lost unless they stand in what was pruned: the shard holds no record 4 any more',
        });
        expect(await sideObjects()).toHaveLength(1);
        expect(metrics.values.RecordsLost).toEqual([2, 0]);
    });

    test('and the chain holds is not lost, also where that is pruned', async () => {
        await append(1, 3);
        await append(4, 7);
        held = [];
        await deliver([rangeBody(2, 6)]);
        await store.delete(chainKey(MAIN, '0'));
        await store.delete(chainKey(MAIN, '3'));
        await deliver([rangeBody(2, 3), rangeBody(4, 7), rangeBody(5, 5)]);
        expect(metrics.values.RecordsLost).toEqual([0, 0]);
        expect(await sideObjects()).toEqual([]);
        // Of two objects that are pruned nobody knows whether a record stood between them.
        await deliver([rangeBody(2, 6)]);
        expect(await lossAt('0')).toMatchObject({ refused: expect.stringContaining('up to 5 records from 2 to 6') });
    });

    test('and the side chain holds is not lost', async () => {
        await append(1, 3);
        await append(10, 12);
        await deliver([rangeBody(2, 8)]);
        held = [];
        await store.delete(chainKey(MAIN, '0'));
        await deliver([rangeBody(2, 8)]);
        expect(await sideObjects()).toEqual([['4', '5', '6', '7', '8']]);
        expect(metrics.values.RecordsLost).toEqual([0, 0]);
    });
});

describe('a message that the IoT rule could not hand on', () => {
    test('is in the lake with its own number, as its record would have been read', async () => {
        expect(
            await deliver([ruleBody('{"t":1}'), ruleBody('{"t":2}', { topic: 't/th-2/x' }), ruleBody('x', { client: 'no id!' })]),
        ).toEqual([]);
        await deliver([ruleBody('{"t":3}')]);
        expect(await messagesAt(chainKey(ERRORS, '0'))).toEqual([
            {
                sequence: '1',
                way: 'mqtt',
                arrivedMs: SENT_MS,
                device: 'th-1',
                topic: 't/th-1/x',
                profile: 'thermostat',
                site: 'main',
                report: 'trace of {"t":1}',
                payload: Buffer.from('{"t":1}'),
            },
            expect.objectContaining({ sequence: '2', device: 'th-1', refused: expect.stringContaining('is none of device th-1') }),
            expect.objectContaining({
                sequence: '3',
                refused: 'the client of IoT Core that sent it has no id of a device',
                payload: Buffer.from('x'),
            }),
        ]);
        expect(await numbersAt(chainKey(ERRORS, '3'))).toEqual(['4']);
        expect((await index.get(chainKey(ERRORS, '0')))?.chain).toMatchObject({ first: '1', last: '3', messages: 3, refused: 2 });
        expect(metrics.values.RuleErrors).toEqual([3, 1]);
        expect(latest).toEqual([['{"t":1}', '{"t":2}', 'x'], ['{"t":3}']]);
    });

    test('comes again where latest state cannot be reached, and is brought there without another place in the chain', async () => {
        const unreachable = async () => {
            throw new StorageError('the table cannot be reached');
        };
        const bodies = [ruleBody('{"t":1}')];
        expect(await deliver(bodies, { intoLatest: unreachable })).toEqual(['m0']);
        expect(await deliver([...bodies, ruleBody('{"t":2}')], { receiveCount: 2 })).toEqual([]);
        expect(latest).toEqual([['{"t":1}', '{"t":2}']]);
        expect(await numbersAt(chainKey(ERRORS, '0'))).toEqual(['1']);
        expect(await numbersAt(chainKey(ERRORS, '1'))).toEqual(['2']);
    });

    test('is there once, where the queue hands it out again', async () => {
        const bodies = [ruleBody('{"t":1}'), ruleBody('{"t":2}')];
        await deliver(bodies.slice(0, 1));
        expect(await deliver(bodies, { receiveCount: 2 })).toEqual([]);
        expect(await numbersAt(chainKey(ERRORS, '1'))).toEqual(['2']);
        await deliver(bodies, { receiveCount: 3 });
        expect(await numbersAt(chainKey(ERRORS, '2'))).toBeUndefined();
    });

    test('is there once, where the answer to its put was lost', async () => {
        let isLost = true;
        const forgetful: ObjectStore = {
            ...store,
            async put(...rest) {
                const info = await store.put(...rest);
                if (isLost) {
                    isLost = false;
                    // As the SDK does when no answer comes: it puts once more.
                    return store.put(...rest);
                }
                return info;
            },
        };
        expect(await deliver([ruleBody('{"t":1}')], { store: forgetful })).toEqual([]);
        expect(await numbersAt(chainKey(ERRORS, '0'))).toEqual(['1']);
        expect(await numbersAt(chainKey(ERRORS, '1'))).toBeUndefined();
    });

    test('goes behind what another worker appends at the same time', async () => {
        const other = new ChainWriter(store, { stream: ERRORS.stream, shard: ERRORS.shard, now: () => new Date(NOW_MS) });
        const late: ObjectStore = {
            ...store,
            async put(...rest) {
                await other.appendUnnumbered([chainMessage(1)]);
                return store.put(...rest);
            },
        };
        let puts = 0;
        const once: ObjectStore = { ...store, put: (...rest) => (puts++ === 0 ? late : store).put(...rest) };
        expect(await deliver([ruleBody('{"t":1}')], { store: once })).toEqual([]);
        expect(await messagesAt(chainKey(ERRORS, '1'))).toMatchObject([{ sequence: '2', payload: Buffer.from('{"t":1}') }]);
    });
});

test('what is neither comes again, and ends where a person sees it', async () => {
    const bodies = [
        'no JSON',
        '[]',
        '{}',
        '{"base64OriginalPayload":"e30"}',
        ruleBody('').replace('""', '"*"'),
        rangeBody(1, 2).replace('"1"', '"one"'),
    ];
    expect(await deliver(bodies)).toEqual(bodies.map((_, at) => `m${at}`));
    expect(log.lines.every(({ message }) => message === 'cannot use the message')).toBe(true);
});
