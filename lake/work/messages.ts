/** What the queues of a deployment carry: S3's news of raw objects, and periods to be consolidated or derived. */
import { derivations, findInput, kinds } from '#lake/kinds';
import { nameOfPeriod, RAW_PREFIX, type TablePeriod } from '#lake/layout';
import { unwrapNotification } from './unwrap-notification.ts';

/** A raw object that may have to be summarized, or the pointer of an input that may have another version: then sources that name it must be read. */
export interface SourceNews {
    bucket: string;
    /** Raw key, or the pointer's. */
    key: string;
    /** Time at which S3 took the object; for a message that somebody sent again, at which they sent it. */
    uploadedAt: Date;
}

/** A period that may have to be consolidated, or of a derived table derived. */
export interface PeriodNews extends TablePeriod {
    /** Time of the upload that this goes back to: lag counts from it until the figures are there. */
    uploadedAt: Date;
}

/**
 * The raw objects and pointers of inputs that a message of the summarize queue tells of, as S3 sends it, or by way of EventBridge or a topic of SNS. An `s3:TestEvent` (S3
 * sends one when notifications are set up) and other objects outside of raw/ tell of none; folders that the S3 console makes (`raw/site=x/`, no bytes) are no sources
 * either.
 * @throws Error for anything else: the message then ends in the dead-letter queue, where a person sees it.
 */
export function parseSourceNews(body: string): SourceNews[] {
    const message = unwrapNotification(body);
    if (!isObject(message)) {
        throw new Error('the message is no S3 event notification');
    }
    if (message.Event === 's3:TestEvent') {
        return [];
    }
    const isOfEventBridge = message.source === 'aws.s3' && isObject(message.detail);
    if (!isOfEventBridge && !Array.isArray(message.Records)) {
        throw new Error('the message is no S3 event notification: it has no Records');
    }
    const news = Array.isArray(message.Records) ? message.Records.map(parseRecord) : [parseEvent(message)];
    return news.filter(({ key }) => (key.startsWith(RAW_PREFIX) && !key.endsWith('/')) || findInput(key) !== undefined);
}

/** The message that S3 itself would send for this object: one parser serves both. */
export function sourceMessage({ bucket, key, uploadedAt }: SourceNews): string {
    const object = { key: encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+') };
    const record = {
        eventSource: 'flowlake',
        eventName: 'Reconcile',
        eventTime: uploadedAt.toISOString(),
        s3: { bucket: { name: bucket }, object },
    };
    return JSON.stringify({ Records: [record] });
}

/**
 * The period that a message of the consolidate queue tells of. One of an earlier version names a day and no table: it is the first kind's.
 * @throws Error for anything but what `periodMessage` makes, or made.
 */
export function parsePeriodNews(body: string): PeriodNews {
    const message: unknown = JSON.parse(body);
    const { table, period } = isObject(message) ? ('day' in message ? { table: kinds[0].merged.name, period: message.day } : message) : {};
    const built = [...kinds.map(({ merged }) => merged), ...derivations().map(({ derived }) => derived.table)];
    const found = built.find(({ name }) => name === table);
    if (found === undefined) {
        throw new Error(`the message names no table whose periods are consolidated (${built.map(({ name }) => name).join(', ')})`);
    }
    if (typeof period !== 'string' || !PERIODS[found.per].test(period)) {
        throw new Error(`the message names no ${found.per} (${found.per === 'day' ? 'YYYY-MM-DD' : 'YYYY-MM-DDTHH'})`);
    }
    return { table: found.name, period, uploadedAt: parseInstant(isObject(message) ? message.uploaded_at : undefined) };
}

const PERIODS = { day: /^\d{4}-\d{2}-\d{2}$/, hour: /^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3])$/ } as const;

/** The message that `parsePeriodNews` understands. */
export function periodMessage({ table, period, uploadedAt }: PeriodNews): string {
    return JSON.stringify({ table, period, uploaded_at: uploadedAt.toISOString() });
}

/** The FIFO group of a period's messages: one message of a period is out at a time, and periods of other tables are not held up. */
export function groupOf({ table, period }: TablePeriod): string {
    return `${table}/${period}`;
}

/** How long one deduplication id of a period holds: as long as SQS remembers it. */
const WINDOW_MS = 5 * 60_000;

/**
 * The deduplication id of a period's message on the delayed queue: sends of one window are one message. A send that is dropped stands behind one that
 * is delivered only later, because the queue holds each message back for longer than SQS remembers its id.
 */
export function deduplicationIdOf(of: TablePeriod, { now }: { now: Date }): string {
    return `${groupOf(of)}@${Math.floor(now.getTime() / WINDOW_MS)}`;
}

/** The raw object of one record of S3's news: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
function parseRecord(record: unknown): SourceNews {
    const s3 = isObject(record) && isObject(record.s3) ? record.s3 : {};
    const bucket = isObject(s3.bucket) ? s3.bucket.name : undefined;
    const key = isObject(s3.object) ? s3.object.key : undefined;
    if (typeof bucket !== 'string' || typeof key !== 'string') {
        throw new Error('the message is no S3 event notification: a record names no bucket or no key');
    }
    // "The key is URL-encoded": as in a form, so that a blank is a plus.
    const plainKey = decodeURIComponent(key.replaceAll('+', ' '));
    return { bucket, key: plainKey, uploadedAt: parseInstant(isObject(record) ? record.eventTime : undefined) };
}

/**
 * The raw object of an event of EventBridge, whose key stands as it is, and not as in a form:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
 */
function parseEvent({ detail, time }: Record<string, unknown>): SourceNews {
    const { bucket: { name: bucket } = {}, object: { key } = {} } = fieldsOfEvent(detail);
    if (typeof bucket !== 'string' || typeof key !== 'string') {
        throw new Error('the message is no event of S3: it names no bucket or no key');
    }
    return { bucket, key, uploadedAt: parseInstant(time) };
}

function fieldsOfEvent(detail: unknown): { bucket?: Record<string, unknown>; object?: Record<string, unknown> } {
    const { bucket, object } = isObject(detail) ? detail : {};
    return { ...(isObject(bucket) && { bucket }), ...(isObject(object) && { object }) };
}

function parseInstant(text: unknown): Date {
    const instant = new Date(typeof text === 'string' ? text : Number.NaN);
    if (Number.isNaN(instant.getTime())) {
        throw new Error('the message does not say when the upload came');
    }
    return instant;
}

function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === 'object' && value !== null;
}

/** What a message of a queue is of, by the names that the workers note tries by. @throws Error as the parser does */
export function subjectsOf(queue: 'summarize' | 'consolidate' | 'hours', body: string): string[] {
    return queue === 'summarize' ? parseSourceNews(body).map(({ key }) => key) : [nameOfPeriod(parsePeriodNews(body))];
}
