/** The object store in an S3 bucket. Conditions, pins and generations are S3's own: If-Match, If-None-Match and version ids. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
    CopyObjectCommand,
    DeleteObjectCommand,
    GetObjectCommand,
    type GetObjectCommandInput,
    HeadObjectCommand,
    ListObjectVersionsCommand,
    PutObjectCommand,
    paginateListObjectsV2,
    type S3Client,
} from '@aws-sdk/client-s3';
import { awsStatusOf, translated } from '#lake/aws/aws-errors';
import { tryAgain } from '#lake/aws/try-again';
import { ConflictError } from '#lake/errors';
import { ABSENT, type ByteStream, type ListedObject, type ObjectInfo, type ObjectStore, type PutOptions } from './object-store.ts';
import { fillFrom, withWholeBody } from './s3-body.ts';
import { cutIntoParts, FIRST_PART_BYTES, isConcurrent, putInParts } from './s3-parts.ts';
import { readRanges } from './s3-ranges.ts';
import { openScratchFile } from './scratch-file.ts';

/** The store in `bucket`. The bucket should be versioned; where it is not, a generation is told by etag and time. */
export function openS3Store({ bucket, client }: { bucket: string; client: S3Client }): ObjectStore {
    const at = (key: string) => ({ Bucket: bucket, Key: key });
    const named = (key: string): string => `s3://${bucket}/${key}`;

    async function head(key: string): Promise<ObjectInfo | undefined> {
        const found = await orMissing(client.send(new HeadObjectCommand(at(key))));
        return found && infoOf(key, found, found.ContentLength ?? 0);
    }

    async function* open(key: string, ifMatch: string): ByteStream & AsyncGenerator<Uint8Array> {
        const ranges = readRanges({ client, ...at(key), IfMatch: ifMatch });
        try {
            yield* ranges;
        } catch (error) {
            throw conflictOf(error, key);
        }
    }

    /** What the error of a conditional call means: another writer was faster, or what it says. */
    function conflictOf(error: unknown, key: string): unknown {
        const status = awsStatusOf(error);
        const isMissingBucket = error instanceof Error && error.name === 'NoSuchBucket';
        if (status === 412 || (status === 404 && !isMissingBucket)) {
            const fate = status === 412 ? 'was changed by another writer' : 'is gone';
            return new ConflictError(`${named(key)} ${fate}`, { cause: error });
        }
        return error;
    }

    async function getWhole(
        input: GetObjectCommandInput,
    ): Promise<{ object: Described; bytes: Uint8Array<ArrayBuffer>; sizeBytes: number }> {
        try {
            const object = await client.send(new GetObjectCommand(input));
            const bytes = new Uint8Array(object.ContentLength ?? 0);
            await fillFrom(object.Body, bytes);
            return { object, bytes, sizeBytes: Number(/\/(\d+)$/.exec(object.ContentRange ?? '')?.[1] ?? bytes.length) };
        } catch (error) {
            // No range of an empty object can be satisfied.
            if (awsStatusOf(error) === 416 && input.Range?.startsWith('bytes=-')) {
                const { Range: _, ...whole } = input;
                return getWhole(whole);
            }
            throw error;
        }
    }

    async function putWhole(key: string, bytes: Uint8Array, { ifMatch, metadata = {} }: PutOptions): Promise<ObjectInfo> {
        const command = new PutObjectCommand({ ...at(key), Body: bytes, Metadata: metadata, ...conditionOf(ifMatch) });
        const put = await tryAgain(() => client.send(command), { mayHelp: isConcurrent });
        return { ...infoOf(key, put, bytes.length), metadata };
    }

    async function put(key: string, body: Uint8Array | ByteStream, options: PutOptions): Promise<ObjectInfo> {
        if (body instanceof Uint8Array) {
            return putWhole(key, body, options);
        }
        const parts = cutIntoParts(body, { sizeBytes: options.sizeBytes })[Symbol.asyncIterator]();
        const first = await parts.next();
        if (first.done || first.value.length < FIRST_PART_BYTES) {
            const whole = await putWhole(key, first.done ? new Uint8Array() : first.value, options);
            options.onBytes?.(whole.sizeBytes);
            return whole;
        }
        const { metadata = {}, ifMatch, resume, onBytes } = options;
        const condition = conditionOf(ifMatch);
        const all = (async function* () {
            yield first.value;
            yield* { [Symbol.asyncIterator]: () => parts };
        })();
        const { sizeBytes, ...written } = await putInParts(all, { client, ...at(key), metadata, condition, resume, onBytes });
        return { ...infoOf(key, written, sizeBytes), metadata };
    }

    async function deleteObject(key: string, ifMatch?: string): Promise<void> {
        const command = new DeleteObjectCommand({ ...at(key), ...(ifMatch && { IfMatch: quoted(ifMatch) }) });
        try {
            await tryAgain(() => client.send(command), { mayHelp: isConcurrent });
        } catch (error) {
            if (awsStatusOf(error) !== 404) {
                throw conflictOf(error, key);
            }
        }
    }

    /**
     * Deletes the object if it is that very upload. S3 compares etags only, and the same bytes may be put once more just now. So the
     * versions are looked at before and after, and one that was hidden unseen is put in front again: a new upload to everybody, with an
     * event of its own.
     */
    async function deleteOnly(key: string, { etag, generation }: Pick<ObjectInfo, 'etag' | 'generation'>): Promise<void> {
        const findNewer = async (): Promise<string | undefined> => {
            const { Versions = [] } = await client.send(
                new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, MaxKeys: NEWEST_VERSIONS }),
            );
            const newest = Versions.find((version) => version.Key === key)?.VersionId;
            return newest === undefined || newest === UNVERSIONED || newest === generation ? undefined : newest;
        };
        const putAgain = new ConflictError(`${named(key)} was put once more by another writer`);
        if (await findNewer()) {
            throw putAgain;
        }
        await deleteObject(key, etag);
        const hidden = await findNewer();
        if (hidden !== undefined) {
            await client.send(
                new CopyObjectCommand({ ...at(key), CopySource: `${bucket}/${encodeURIComponent(key)}?versionId=${hidden}` }),
            );
            throw putAgain;
        }
    }

    return {
        head: (key) => translated(() => head(key), { doing: `read ${named(key)}` }),

        open: (key, { ifMatch }) => translatedStream(open(key, ifMatch), { doing: `read ${named(key)}` }),

        readRange: (key, { ifMatch, start, end }) =>
            translated(
                async () => {
                    if (end <= start) {
                        return new Uint8Array(0);
                    }
                    const range = { ...at(key), IfMatch: quoted(ifMatch), Range: `bytes=${start}-${end - 1}` };
                    try {
                        return (await withWholeBody(() => getWhole(range))).bytes.subarray(0, end - start);
                    } catch (error) {
                        if (awsStatusOf(error) === 416) {
                            return new Uint8Array(0);
                        }
                        throw conflictOf(error, key);
                    }
                },
                { doing: `read ${named(key)}` },
            ),

        get: (key) =>
            translated(
                async () => {
                    const found = await orMissing(withWholeBody(() => getWhole(at(key))));
                    return found && { info: infoOf(key, found.object, found.sizeBytes), bytes: found.bytes };
                },
                { doing: `read ${named(key)}` },
            ),

        readEnd: (key, { lastBytes }) =>
            translated(
                async () => {
                    const found = await orMissing(withWholeBody(() => getWhole({ ...at(key), Range: `bytes=-${lastBytes}` })));
                    return found && { bytes: found.bytes, sizeBytes: found.sizeBytes };
                },
                { doing: `read ${named(key)}` },
            ),

        put: (key, body, options = {}) =>
            translated(
                async () => {
                    try {
                        return await put(key, body, options);
                    } catch (error) {
                        throw options.ifMatch === undefined ? error : conflictOf(error, key);
                    }
                },
                { doing: `write ${named(key)}` },
            ),

        delete: (key, { only } = {}) =>
            translated(() => (only ? deleteOnly(key, only) : deleteObject(key)), { doing: `delete ${named(key)}` }),

        list: (prefix) => translatedStream(listObjects(prefix), { doing: `list s3://${bucket}/${prefix}` }),

        openScratch: () => openScratchFile(join(tmpdir(), `flowlake-${randomUUID()}`)),
    };

    async function* listObjects(prefix: string): AsyncGenerator<ListedObject> {
        for await (const { Contents } of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
            for (const { Key = '', Size = 0, LastModified = new Date(0), ETag, StorageClass } of Contents ?? []) {
                yield {
                    ...{ key: Key, sizeBytes: Size, modifiedAt: LastModified, storageClass: StorageClass ?? 'STANDARD' },
                    ...(ETag !== undefined && { etag: etagOf(ETag) }),
                };
            }
        }
    }
}

/** Versions of a key that are listed: S3 has the newest first, delete markers among them; other keys that begin so come after. */
const NEWEST_VERSIONS = 10;
/** The version id where a bucket keeps no versions. */
const UNVERSIONED = 'null';

interface Described {
    ETag?: string | undefined;
    VersionId?: string | undefined;
    LastModified?: Date | undefined;
    Metadata?: Record<string, string> | undefined;
}

/** S3 writes etags in quotes. */
function etagOf(quotedEtag: string): string {
    return quotedEtag.replaceAll('"', '');
}

function infoOf(key: string, { ETag = '', VersionId, LastModified, Metadata = {} }: Described, sizeBytes: number): ObjectInfo {
    const etag = etagOf(ETag);
    const generation = VersionId ?? `${etag}-${LastModified?.getTime() ?? ''}`;
    return { key, etag, sizeBytes, generation, metadata: Metadata };
}

function conditionOf(ifMatch: string | undefined): { IfMatch?: string; IfNoneMatch?: string } {
    return ifMatch === undefined ? {} : ifMatch === ABSENT ? { IfNoneMatch: '*' } : { IfMatch: quoted(ifMatch) };
}

function quoted(etag: string): string {
    return `"${etag}"`;
}

/** The answer, or undefined where there is no such object. A bucket that is not there is another thing. */
async function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
    try {
        return await answer;
    } catch (error) {
        if (awsStatusOf(error) === 404 && error instanceof Error && error.name !== 'NoSuchBucket') {
            return undefined;
        }
        throw error;
    }
}

async function* translatedStream<T>(stream: AsyncIterable<T>, { doing }: { doing: string }): AsyncGenerator<T> {
    const items = stream[Symbol.asyncIterator]();
    try {
        for (;;) {
            const item = await translated(() => items.next(), { doing });
            if (item.done) {
                return;
            }
            yield item.value;
        }
    } finally {
        await items.return?.();
    }
}
