/** The file that Athena wrote a result to, as a stream that outlives a lost connection. */
import { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { asStorageError, awsStatusOf } from '#lake/aws/aws-errors';
import { StorageError } from '#lake/errors';

/** Failures in a row, without a byte between them, that end the reading. */
const MAX_FAILURES = 4;

export interface OutputOptions {
    s3: S3Client;
    /** Address of the file, `s3://bucket/key`, as Athena says it. */
    location: string;
    signal: AbortSignal;
}

/** The file's bytes, in memory that does not grow with it. @throws StorageError @throws the signal's reason */
export async function* readOutput({ s3, location, signal }: OutputOptions): AsyncGenerator<Uint8Array> {
    const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(location) ?? [];
    let offset = 0;
    for (let failures = 0; ; failures += 1) {
        let cause: unknown;
        try {
            // Where it goes on is the same file: nobody writes to a result again.
            const Range = offset === 0 ? undefined : `bytes=${offset}-`;
            const { Body, ContentLength = 0 } = await s3.send(new GetObjectCommand({ Bucket, Key, Range }), { abortSignal: signal });
            const end = offset + ContentLength;
            for await (const chunk of Body instanceof Readable ? Body : []) {
                offset += chunk.length;
                failures = 0;
                yield chunk;
            }
            if (offset === end) {
                return;
            }
        } catch (error) {
            signal.throwIfAborted();
            // With a status it is S3 that says no, and the SDK has tried again by itself.
            if (awsStatusOf(error) !== undefined) {
                throw asStorageError(error, { doing: `read the query’s result ${location}` });
            }
            cause = error;
        }
        if (failures >= MAX_FAILURES) {
            throw new StorageError(`The connection to S3 breaks off at byte ${offset} of ${location}: run it again`, { cause });
        }
    }
}
