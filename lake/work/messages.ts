/** What the queues of a deployment carry: S3's news of raw objects, and days to be consolidated. */
import { RAW_PREFIX } from '#lake/layout';

/** A raw object that may have to be summarized. */
export interface SourceNews {
    bucket: string;
    /** Raw key. */
    key: string;
    /** When S3 took the object; of a message that somebody sent again, when they sent it. */
    uploadedAt: Date;
}

/** A day that may have to be consolidated. */
export interface DayNews {
    day: string;
    /** When the upload came that this goes back to: how long until its figures were there. */
    uploadedAt: Date;
}

/**
 * The raw objects that a message of the summarize queue tells of. An `s3:TestEvent` (S3 sends one when notifications are set up) and
 * objects outside of raw/ tell of none; folders that the S3 console makes (`raw/site=x/`, no bytes) are no sources either.
 * @throws Error for anything else: the message then ends in the dead-letter queue, where a person sees it.
 */
export function parseSourceNews(body: string): SourceNews[] {
    const message: unknown = JSON.parse(body);
    if (!isObject(message)) {
        throw new Error('the message is no S3 event notification');
    }
    if (message.Event === 's3:TestEvent') {
        return [];
    }
    if (!Array.isArray(message.Records)) {
        throw new Error('the message is no S3 event notification: it has no Records');
    }
    return message.Records.map(parseRecord).filter(({ key }) => key.startsWith(RAW_PREFIX) && !key.endsWith('/'));
}

/** The message that S3 itself would send of this object: one parser serves both. */
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

/** @throws Error for anything but what `dayMessage` makes. */
export function parseDayNews(body: string): DayNews {
    const message: unknown = JSON.parse(body);
    if (!isObject(message) || typeof message.day !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(message.day)) {
        throw new Error('the message names no day (YYYY-MM-DD)');
    }
    return { day: message.day, uploadedAt: parseInstant(message.uploaded_at) };
}

export function dayMessage({ day, uploadedAt }: DayNews): string {
    return JSON.stringify({ day, uploaded_at: uploadedAt.toISOString() });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
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
