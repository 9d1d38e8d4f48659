/** A large object put to S3 in parts, several under way at once; what was interrupted can be taken up again where it was. */
import { createHash } from 'node:crypto';
import {
    AbortMultipartUploadCommand,
    type CompletedPart,
    CompleteMultipartUploadCommand,
    CreateMultipartUploadCommand,
    type Part,
    paginateListParts,
    type S3Client,
    UploadPartCommand,
} from '@aws-sdk/client-s3';
import { awsCodeOf, awsStatusOf } from '#lake/aws/aws-errors';
import { tryAgain } from '#lake/aws/try-again';
import type { ByteStream, Resume } from './object-store.ts';

/** Size of the first part; smaller bodies go in one piece. The AWS command line uses it too, so equal bytes mostly get equal etags. */
export const FIRST_PART_BYTES = 8 << 20;

/** Parts that an upload may have: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;

const PARTS_AT_ONCE = 4;

export interface PutInPartsOptions {
    client: S3Client;
    Bucket: string;
    Key: string;
    metadata: Record<string, string>;
    condition: { IfMatch?: string; IfNoneMatch?: string };
    resume?: Resume | undefined;
    onBytes?: ((bytes: number) => void) | undefined;
}

/** How large each part of a body of this size is. Equal sizes give equal parts, else nothing could be taken up again. */
function partBytesOf(sizeBytes: number | undefined): number {
    let partBytes = FIRST_PART_BYTES;
    while (partBytes * MAX_PARTS < (sizeBytes ?? 0)) {
        partBytes *= 2;
    }
    return partBytes;
}

/**
 * True for status 409: another write to the same key was under way and nothing was decided; S3 asks to try again
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html). Status 412 is a decision: the other one won.
 */
export function isConcurrent(error: unknown): boolean {
    return awsStatusOf(error) === 409;
}

/** The body in parts of one size, the last one smaller; each is the reader's own. */
export async function* cutIntoParts(body: ByteStream, { sizeBytes }: { sizeBytes: number | undefined }): AsyncGenerator<Uint8Array> {
    const partBytes = partBytesOf(sizeBytes);
    let part = Buffer.allocUnsafeSlow(partBytes);
    let filled = 0;
    for await (const chunk of body) {
        for (let at = 0; at < chunk.length; ) {
            const taken = Math.min(chunk.length - at, partBytes - filled);
            part.set(chunk.subarray(at, at + taken), filled);
            at += taken;
            filled += taken;
            if (filled === partBytes) {
                yield part;
                part = Buffer.allocUnsafeSlow(partBytes);
                filled = 0;
            }
        }
    }
    if (filled > 0) {
        yield part.subarray(0, filled);
    }
}

/**
 * Puts the object whole or not at all. After an error nothing is left of it, unless it can be taken up again: then its parts wait for
 * the next call, which sends only what is missing or different. (The bucket's lifecycle removes parts that nobody comes back for.)
 */
export async function putInParts(
    parts: AsyncIterable<Uint8Array>,
    { client, Bucket, Key, metadata, condition, resume, onBytes }: PutInPartsOptions,
): Promise<{ ETag?: string | undefined; VersionId?: string | undefined; sizeBytes: number }> {
    const there = await findParts(await resume?.find(), { client, Bucket, Key });
    const UploadId = there?.UploadId ?? (await createUpload());
    const done: CompletedPart[] = [];
    const running = new Set<Promise<void>>();
    const failure = new AbortController();
    let sizeBytes = 0;
    let number = 0;

    async function createUpload(): Promise<string | undefined> {
        const command = new CreateMultipartUploadCommand({ Bucket, Key, Metadata: metadata, ChecksumAlgorithm: 'SHA256' });
        const created = (await client.send(command)).UploadId;
        await resume?.keep(created ?? '');
        return created;
    }

    async function sendPart(bytes: Uint8Array, PartNumber: number): Promise<void> {
        const ChecksumSHA256 = createHash('sha256').update(bytes).digest('base64');
        const known = there?.parts.get(PartNumber);
        if (known?.Size === bytes.length && known.ChecksumSHA256 === ChecksumSHA256) {
            done.push({ PartNumber, ETag: known.ETag, ChecksumSHA256 });
        } else {
            const command = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: bytes, ChecksumSHA256 });
            const { ETag } = await client.send(command, { abortSignal: failure.signal });
            done.push({ PartNumber, ETag, ChecksumSHA256 });
        }
        onBytes?.(bytes.length);
    }

    async function sendAll(): Promise<void> {
        for await (const part of parts) {
            failure.signal.throwIfAborted();
            number += 1;
            sizeBytes += part.length;
            const sending = sendPart(part, number).catch((error: unknown) => failure.abort(error));
            running.add(sending);
            void sending.then(() => running.delete(sending));
            if (running.size >= PARTS_AT_ONCE) {
                await Promise.race(running);
            }
        }
        await Promise.all(running);
        failure.signal.throwIfAborted();
    }

    try {
        await sendAll();
        const Parts = done.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
        const complete = new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...condition });
        const { ETag, VersionId } = await tryAgain(() => client.send(complete), { mayHelp: isConcurrent });
        await resume?.forget();
        return { ETag, VersionId, sizeBytes };
    } catch (error) {
        failure.abort(error);
        await Promise.all(running);
        if (!resume?.isWorthKeeping(error)) {
            await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(() => undefined);
            await resume?.forget();
        }
        throw error;
    }
}

/** The parts of an upload that was begun, by their number; undefined where it is no more. */
async function findParts(
    UploadId: string | undefined,
    { client, Bucket, Key }: Pick<PutInPartsOptions, 'client' | 'Bucket' | 'Key'>,
): Promise<{ UploadId: string; parts: Map<number, Part> } | undefined> {
    if (UploadId === undefined) {
        return undefined;
    }
    const parts = new Map<number, Part>();
    try {
        for await (const { Parts } of paginateListParts({ client }, { Bucket, Key, UploadId })) {
            for (const part of Parts ?? []) {
                parts.set(part.PartNumber ?? 0, part);
            }
        }
        return { UploadId, parts };
    } catch (error) {
        if (awsCodeOf(error) === 'NoSuchUpload') {
            return undefined;
        }
        throw error;
    }
}
