/** What the queue of given-up messages carries: ranges that an event source gave up, and messages that a rule of IoT Core could not hand on. */
import { streamNameOf } from '#lake/cloud/kinesis-stream';
import { unwrapNotification } from '#lake/work/unwrap-notification';

/** https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html */
export interface GivenUpRange {
    is: 'range';
    /** Name of the function that the range was for. */
    functionName: string;
    /** Name of the stream. */
    stream: string;
    shard: string;
    first: string;
    last: string;
    /** Records that the range had. */
    recordCount: number;
    /** Why it was given up, as Lambda says it: `RetryAttemptsExhausted`. */
    condition: string;
    /** Time when its last record came, UTC epoch milliseconds; when it was given up, where that is not told. */
    lastArrivedMs: number;
}

/** https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html */
export interface RuleError {
    is: 'rule error';
    rule: string;
    /** Client id of the device. */
    client: string;
    topic: string;
    payload: Buffer;
    /** Tells it from any other message that failed. */
    report: string;
    /** Why the rule's actions failed. */
    why: string;
    sentMs: number;
    /** True if it was handed out before, and may be in the lake already. */
    isRepeated: boolean;
}

/** What the queue knows of a message. */
interface Sent {
    id: string;
    sentMs: number;
    receiveCount: number;
}

/** What a message of the queue says, by itself or from a topic of SNS. @throws Error for anything else: it then ends in the dead-letter queue, where a person sees it */
export function parseGivenUp(body: string, { id, sentMs, receiveCount }: Sent): [GivenUpRange | RuleError] {
    const message = fieldsOf(unwrapNotification(body));
    if ('KinesisBatchInfo' in message) {
        return [rangeOf(message, sentMs)];
    }
    const { ruleName: rule, topic, clientId: client, cloudwatchTraceId: trace, base64OriginalPayload: base64, failures } = message;
    if (typeof base64 !== 'string' || typeof topic !== 'string' || typeof client !== 'string') {
        throw new Error('the message is neither a batch that was given up nor an error of a rule');
    }
    const payload = Buffer.from(base64, 'base64');
    if (payload.toString('base64') !== base64) {
        throw new Error('the payload of the rule error is no base64');
    }
    const why = (Array.isArray(failures) ? failures : []).map((failure: unknown) => textOf(fieldsOf(failure).errorMessage)).join('; ');
    const report = textOf(trace) || id;
    return [{ is: 'rule error', rule: textOf(rule), client, topic, payload, report, why, sentMs, isRepeated: receiveCount > 1 }];
}

function rangeOf({ KinesisBatchInfo, requestContext }: Record<string, unknown>, sentMs: number): GivenUpRange {
    const info = fieldsOf(KinesisBatchInfo);
    const { functionArn, condition } = fieldsOf(requestContext);
    const { shardId: shard, startSequenceNumber: first, endSequenceNumber: last, batchSize: recordCount } = info;
    const stream = streamNameOf(textOf(info.streamArn));
    const functionName = /^arn:[^:]+:lambda:[^:]+:[^:]+:function:([^:]+)/.exec(textOf(functionArn))?.[1];
    if (stream === undefined || functionName === undefined || typeof shard !== 'string' || typeof recordCount !== 'number') {
        throw new Error('the batch that was given up names no stream, shard, function or number of records');
    }
    if (!isSequence(first) || !isSequence(last)) {
        throw new Error('the batch that was given up names no sequence numbers');
    }
    const lastArrivedMs = Date.parse(textOf(info.approximateArrivalOfLastRecord));
    return {
        ...{ is: 'range', functionName, stream, shard, first, last, recordCount, condition: textOf(condition) },
        lastArrivedMs: Number.isNaN(lastArrivedMs) ? sentMs : lastArrivedMs,
    };
}

function isSequence(value: unknown): value is string {
    return typeof value === 'string' && /^\d{1,129}$/.test(value);
}

function textOf(value: unknown): string {
    return typeof value === 'string' ? value : '';
}

function fieldsOf(value: unknown): Record<string, unknown> {
    return typeof value === 'object' && value !== null ? { ...value } : {};
}
