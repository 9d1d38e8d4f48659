/**
 * Puts messages into a stream. All that wait at a time go in one request; of what Kinesis does not take, each record is tried again after a while, and nothing
 * of the same partition key goes with it or before it. Only what went along with it at the first time may be taken before it: Kinesis promises no order there.
 */
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { asStorageError, awsStatusOf } from '#lake/aws/aws-errors';
import { StorageError, UsageError } from '#lake/errors';
import type { InboxWriter } from '#lake/live/inbox';
import { encodeEnvelope } from './kinesis-record.ts';

/** Records of one request: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html */
const MAX_REQUEST_RECORDS = 500;

/** Half of what a request may hold today, and all of what it could until 2025: the time of one that is lost is the shorter. */
const MAX_REQUEST_BYTES = 5 * 1024 * 1024;

/** A record with its key, as long as the stream is not told to take larger ones. */
const MAX_RECORD_BYTES = 1024 * 1024;

/** Waits double from the first to the longest; each is a random part of that, so that writers that met once do not meet again. */
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2_000;

const TIME_LIMIT_MS = 10_000;

export interface StreamWriterOptions {
    client: KinesisClient;
    /** Name of the stream. */
    stream: string;
    /** How long a record is tried; an answer may take as long again where Kinesis gives none. */
    timeLimitMs?: number;
    /** Milliseconds of a clock that never goes back. */
    monotonicMs?: () => number;
    /** Numbers from 0 to below 1. */
    random?: () => number;
    /** Called with what Kinesis said, each time that records have to be tried again. */
    onTrouble?: (why: string) => void;
}

export interface StreamWriter {
    /**
     * Puts a record. @returns its sequence number, once Kinesis has it
     * @throws StorageError where Kinesis did not take it in time, or gave no answer: then it may be there all the same
     * @throws UsageError for a record that no stream takes
     */
    put(key: string, data: Uint8Array): Promise<string>;
}

/** The way in of messages that come by HTTP: each is an envelope in the stream, with its device as the partition key. */
export function openKinesisInbox(options: StreamWriterOptions): InboxWriter {
    const writer = openStreamWriter(options);
    return {
        append: async (message) => {
            const { device } = message;
            if (device === undefined) {
                throw new UsageError('a message of no device cannot go into a stream: its partition key is its device');
            }
            return writer.put(device, encodeEnvelope(message));
        },
    };
}

interface Waiting {
    key: string;
    data: Uint8Array;
    sizeBytes: number;
    /** Since when it is tried. */
    sinceMs: number;
    tries: number;
    /** It is not tried again before. */
    notBeforeMs: number;
    /** Why it was not taken. */
    why: string;
    resolve: (sequence: string) => void;
    reject: (error: unknown) => void;
}

export function openStreamWriter({
    client,
    stream,
    timeLimitMs = TIME_LIMIT_MS,
    monotonicMs = () => performance.now(),
    random = Math.random,
    onTrouble,
}: StreamWriterOptions): StreamWriter {
    /** In the order of the calls. */
    let waiting: Waiting[] = [];
    let isSending = false;
    /** Ends a wait before its time. */
    let wake = (): void => undefined;

    /** Sends for as long as something waits: one request at a time, so that order is what the requests are in. */
    async function sendAll(): Promise<void> {
        isSending = true;
        // Whoever puts in this turn goes along.
        await nextTurn();
        while (waiting.length > 0) {
            const batch = takeBatch(monotonicMs());
            if (batch.length > 0) {
                await send(batch);
            } else if (waiting.length > 0) {
                await waitUntil(Math.min(...waiting.map(({ notBeforeMs }) => notBeforeMs)));
            }
        }
        isSending = false;
    }

    function waitUntil(atMs: number): Promise<void> {
        return new Promise((resolve) => {
            const timer = setTimeout(resolve, Math.max(1, atMs - monotonicMs()));
            wake = () => {
                clearTimeout(timer);
                resolve();
            };
        });
    }

    /** Takes what goes into the next request, and refuses what has waited for too long. */
    function takeBatch(nowMs: number): Waiting[] {
        const batch: Waiting[] = [];
        const rest: Waiting[] = [];
        const heldKeys = new Set<string>();
        let sizeBytes = 0;
        for (const one of waiting) {
            if (nowMs - one.sinceMs > timeLimitMs) {
                one.reject(new StorageError(`stream ${stream} did not take the message within ${timeLimitMs / 1000} s: ${one.why}`));
                continue;
            }
            const isHeld = one.notBeforeMs > nowMs || heldKeys.has(one.key);
            if (isHeld || batch.length === MAX_REQUEST_RECORDS || sizeBytes + one.sizeBytes > MAX_REQUEST_BYTES) {
                heldKeys.add(one.key);
                rest.push(one);
            } else {
                batch.push(one);
                sizeBytes += one.sizeBytes;
                if (one.tries > 0) {
                    // It may be refused once more: nothing of its key goes along.
                    heldKeys.add(one.key);
                }
            }
        }
        waiting = rest;
        return batch;
    }

    async function send(batch: readonly Waiting[]): Promise<void> {
        const again: Waiting[] = [];
        try {
            const Records = batch.map(({ key, data }) => ({ PartitionKey: key, Data: data }));
            const abortSignal = AbortSignal.timeout(timeLimitMs);
            const answer = await client.send(new PutRecordsCommand({ StreamName: stream, Records }), { abortSignal });
            for (const [at, one] of batch.entries()) {
                const { SequenceNumber, ErrorCode, ErrorMessage } = answer.Records?.[at] ?? {};
                if (SequenceNumber !== undefined && ErrorCode === undefined) {
                    one.resolve(SequenceNumber);
                } else {
                    one.why = `${ErrorMessage ?? 'Kinesis did not say why'} (${ErrorCode ?? 'no answer'})`;
                    again.push(one);
                }
            }
        } catch (error) {
            const { message } = asStorageError(error, { doing: `put messages into stream ${stream}` }) as Error;
            if (!mayHelpAgain(error)) {
                for (const one of batch) {
                    one.reject(new StorageError(message, { cause: error }));
                }
                return;
            }
            for (const one of batch) {
                one.why = message;
                again.push(one);
            }
        }
        for (const one of again) {
            one.tries += 1;
            one.notBeforeMs = monotonicMs() + random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** one.tries);
        }
        if (again[0]) {
            onTrouble?.(again[0].why);
        }
        // They came before all that has been put since.
        waiting = [...again, ...waiting];
    }

    return {
        async put(key, data) {
            const sizeBytes = Buffer.byteLength(key) + data.length;
            if (sizeBytes > MAX_RECORD_BYTES) {
                throw new UsageError(`a record of ${sizeBytes} bytes is too large for a stream: ${MAX_RECORD_BYTES} at most, with its key`);
            }
            return new Promise((resolve, reject) => {
                waiting.push({ key, data, sizeBytes, sinceMs: monotonicMs(), tries: 0, notBeforeMs: 0, why: '', resolve, reject });
                wake();
                if (!isSending) {
                    void sendAll();
                }
            });
        },
    };
}

/** True where the request may be taken when it comes again: no answer, a fault of AWS, or too many requests. */
function mayHelpAgain(error: unknown): boolean {
    const status = awsStatusOf(error);
    const name = error instanceof Error ? error.name : '';
    return status === undefined || status >= 500 || status === 429 || /Throttl|ProvisionedThroughput|LimitExceeded/.test(name);
}
