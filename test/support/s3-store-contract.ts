/** What the object store on S3 promises beside what every store does: what the network and S3 do to a request does nothing to the object. */
import { createHash } from 'node:crypto';
import {
    AbortMultipartUploadCommand,
    CreateMultipartUploadCommand,
    ListPartsCommand,
    PutObjectCommand,
    type S3Client,
} from '@aws-sdk/client-s3';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ConflictError, StorageError } from '#lake/errors';
import { ABSENT, type ObjectStore, type PutOptions, type Resume } from '#lake/store/object-store';
import { openS3Store } from '#lake/store/s3';
import { createS3Client } from '#lake/store/s3-client';
import { makeBucket } from '#test/aws/support/buckets';
import { type Fault, type FaultyProxy, type Seen, startFaultyProxy } from '#test/aws/support/faulty-proxy';
import { bytesOf, cut, inPieces, noise, readAll, sha256 } from '#test/support/bytes';
import { describeObjectStore } from '#test/support/object-store-contract';

const MIB = 1 << 20;

let client: S3Client;

const proxies: FaultyProxy[] = [];

/** A store whose requests some fault meets, and all requests that it made. */
async function openFaulty(faultOf: (seen: Seen) => Fault): Promise<{ store: ObjectStore; bucket: string; seen: Seen[] }> {
    const proxy = await startFaultyProxy(process.env.AWS_ENDPOINT_URL ?? '', faultOf);
    proxies.push(proxy);
    const bucket = await makeBucket(client);
    const faulty = createS3Client({ environment: { AWS_ENDPOINT_URL: proxy.endpoint } });
    return { store: openS3Store({ bucket, client: faulty }), bucket, seen: proxy.seen };
}

/** Causes the fault once, with the first request that is meant. */
function once(fault: Fault, isMeant: (seen: Seen) => boolean): (seen: Seen) => Fault {
    let isOver = false;
    return (seen) => {
        if (isOver || !isMeant(seen)) {
            return undefined;
        }
        isOver = true;
        return fault;
    };
}

const isPut = ({ method, url }: Seen): boolean => method === 'PUT' && url.includes('/raw/');

const isRange = ({ method, headers }: Seen): boolean => method === 'GET' && headers.range !== undefined;

/** Memory of an upload that was begun, for one test. */
function memory(): Resume & { upload: string | undefined } {
    return {
        upload: undefined,
        async find() {
            return this.upload;
        },
        async keep(upload) {
            this.upload = upload;
        },
        async forget() {
            this.upload = undefined;
        },
        isWorthKeeping: (error) => error instanceof Error && error.message === 'interrupted',
    };
}

/** The bytes up to `length`, then an interruption once so many parts have arrived. */
async function* brokenAfter(bytes: Uint8Array, length: number, told: number[]): AsyncGenerator<Uint8Array> {
    yield* inPieces(cut(bytes.subarray(0, length), [MIB]));
    while (told.length < Math.floor(length / (8 * MIB))) {
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error('interrupted');
}

/** Puts a part of the bytes and is interrupted. */
async function interrupted(store: ObjectStore, bytes: Uint8Array, options: PutOptions): Promise<void> {
    const told: number[] = [];
    const put = store.put('raw/a', brokenAfter(bytes, 17 * MIB, told), { ...options, onBytes: (count) => told.push(count) });
    await expect(put).rejects.toThrow('interrupted');
}

/** Runs it all against the S3 that the environment names by the time that the tests run. */
export function describeS3Store(): void {
    beforeAll(() => {
        client = createS3Client({ environment: process.env });
    });

    afterEach(async () => {
        await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
    });

    describeObjectStore('S3 store', { openStore: async () => openS3Store({ bucket: await makeBucket(client), client }), mayNest: true });

    describe('conditional writes', () => {
        test.each([
            ['bytes', () => bytesOf('a')],
            ['a stream', () => inPieces([bytesOf('a')])],
        ])('of %s are tried again after 409, which decides nothing', async (_, body) => {
            const { store, seen } = await openFaulty(once({ status: 409, code: 'ConditionalRequestConflict' }, isPut));
            const put = await store.put('raw/a', body(), { ifMatch: ABSENT });
            expect(await store.head('raw/a')).toEqual(put);
            expect(seen.filter(isPut)).toHaveLength(2);
        });

        test('are over after 412, which decides', async () => {
            const { store, seen } = await openFaulty(once({ status: 412, code: 'PreconditionFailed' }, isPut));
            await expect(store.put('raw/a', bytesOf('a'), { ifMatch: ABSENT })).rejects.toThrow(ConflictError);
            expect(seen.filter(isPut)).toHaveLength(1);
        });

        test('whose answer is lost count as lost, though they may have been won: the caller looks again', async () => {
            const { store } = await openFaulty(once('lose the answer', isPut));
            await expect(store.put('raw/a', bytesOf('a'), { ifMatch: ABSENT })).rejects.toThrow(ConflictError);
            expect((await store.get('raw/a'))?.bytes).toEqual(bytesOf('a'));
        });

        test('are tried again when S3 asks for fewer requests', async () => {
            const { store } = await openFaulty(once({ status: 503, code: 'SlowDown' }, isPut));
            await store.put('raw/a', bytesOf('a'), { ifMatch: ABSENT });
            expect((await store.get('raw/a'))?.bytes).toEqual(bytesOf('a'));
        });
    });

    describe('a large object', () => {
        test('is read in ranges, several under way at once, all pinned to one etag', async () => {
            let underWay = 0;
            let most = 0;
            const { store, seen } = await openFaulty((request) => {
                underWay += isRange(request) ? 1 : 0;
                most = Math.max(most, underWay);
                setTimeout(() => {
                    underWay -= isRange(request) ? 1 : 0;
                }, 50);
                return undefined;
            });
            const bytes = noise(45 * MIB + 11);
            const { etag } = await store.put('raw/a', bytes);
            const read = createHash('sha256');
            for await (const piece of store.open('raw/a', { ifMatch: etag })) {
                read.update(piece);
                // Slower than what is read ahead: that must not come into a buffer that is still to be read.
                await new Promise((resolve) => setTimeout(resolve, 5));
            }
            expect(read.digest('hex')).toBe(sha256(bytes));
            const ranges = seen.filter(isRange);
            // More than are under way at once, twice over: each buffer serves again.
            expect(ranges).toHaveLength(6);
            expect(ranges.every(({ headers }) => headers['if-match'] === `"${etag}"`)).toBe(true);
            expect(most).toBeGreaterThan(1);
        });

        test.each([['cut the answer'], ['lose the answer']] as const)('is read to its end where a range meets "%s"', async (fault) => {
            const { store } = await openFaulty(
                once(fault, (seen) => isRange(seen) && seen.headers.range?.startsWith('bytes=8388608-') === true),
            );
            const bytes = noise(20 * MIB);
            const { etag } = await store.put('raw/a', bytes);
            expect(sha256(await readAll(store.open('raw/a', { ifMatch: etag })))).toBe(sha256(bytes));
        });

        test('never looks whole where S3 gives too little for good', async () => {
            const { store } = await openFaulty((seen) => (isRange(seen) ? 'cut the answer' : undefined));
            const { etag } = await store.put('raw/a', noise(9 * MIB));
            await expect(readAll(store.open('raw/a', { ifMatch: etag }))).rejects.toThrow(StorageError);
        });

        test('is completed once more after 409', async () => {
            const isCompletion = ({ method, url }: Seen): boolean => method === 'POST' && url.includes('uploadId=');
            const { store, seen } = await openFaulty(once({ status: 409, code: 'ConditionalRequestConflict' }, isCompletion));
            const bytes = noise(9 * MIB);
            await store.put('raw/a', inPieces(cut(bytes, [MIB])), { ifMatch: ABSENT });
            expect(sha256((await store.get('raw/a'))?.bytes ?? bytesOf(''))).toBe(sha256(bytes));
            expect(seen.filter(isCompletion)).toHaveLength(2);
        });

        test('is put in parts, and a part that meets 503 is sent again', async () => {
            const isPart = ({ url }: Seen): boolean => url.includes('partNumber=2');
            const { store, seen } = await openFaulty(once({ status: 503, code: 'SlowDown' }, isPart));
            const bytes = noise(20 * MIB);
            const told: number[] = [];
            await store.put('raw/a', inPieces(cut(bytes, [MIB])), { onBytes: (count) => told.push(count) });
            expect(sha256((await store.get('raw/a'))?.bytes ?? bytesOf(''))).toBe(sha256(bytes));
            expect(seen.filter(isPart)).toHaveLength(2);
            expect(told.toSorted((a, b) => a - b)).toEqual([4 * MIB, 8 * MIB, 8 * MIB]);
        });
    });

    describe('an upload that was interrupted', () => {
        const bytes = noise(30 * MIB + 5);
        const whole = () => inPieces(cut(bytes, [MIB]));

        test('goes on where it was: parts that arrived are not sent again', async () => {
            const { store, seen } = await openFaulty(() => undefined);
            const resume = memory();
            const metadata = { 'date-order': 'mdy' };
            await interrupted(store, bytes, { resume, metadata, ifMatch: ABSENT });
            expect(resume.upload).toBeDefined();
            expect(await store.head('raw/a')).toBeUndefined();
            const before = seen.length;
            const put = await store.put('raw/a', whole(), { resume, metadata, ifMatch: ABSENT });
            const again = seen.slice(before).flatMap(({ url }) => /partNumber=(\d+)/.exec(url)?.[1] ?? []);
            expect(again.toSorted()).toEqual(['3', '4']);
            expect(sha256((await store.get('raw/a'))?.bytes ?? bytesOf(''))).toBe(sha256(bytes));
            expect(await store.head('raw/a')).toEqual({ ...put, metadata, sizeBytes: bytes.length });
            expect(resume.upload).toBeUndefined();
        });

        test('sends what is different where the file was changed meanwhile', async () => {
            const { store } = await openFaulty(() => undefined);
            const resume = memory();
            await interrupted(store, bytes, { resume });
            const changed = Buffer.from(bytes);
            changed[9 * MIB] = (changed[9 * MIB] ?? 0) ^ 1;
            await store.put('raw/a', inPieces(cut(changed, [MIB])), { resume });
            expect(sha256((await store.get('raw/a'))?.bytes ?? bytesOf(''))).toBe(sha256(changed));
        });

        test('begins anew where its parts are gone', async () => {
            const { store, bucket } = await openFaulty(() => undefined);
            const resume = memory();
            await interrupted(store, bytes, { resume });
            await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: 'raw/a', UploadId: resume.upload }));
            await store.put('raw/a', whole(), { resume });
            expect(sha256((await store.get('raw/a'))?.bytes ?? bytesOf(''))).toBe(sha256(bytes));
        });

        test('leaves no parts behind where nobody will take it up again', async () => {
            const { store, bucket, seen } = await openFaulty(() => undefined);
            await interrupted(store, bytes, {});
            const created = seen.find(({ url }) => url.includes('partNumber=1'));
            const UploadId = new URL(`http://s3${created?.url}`).searchParams.get('uploadId') ?? '';
            const parts = client.send(new ListPartsCommand({ Bucket: bucket, Key: 'raw/a', UploadId }));
            await expect(parts).rejects.toThrow(expect.objectContaining({ name: 'NoSuchUpload' }));
        });

        test('leaves none where another upload of the name was faster', async () => {
            const { store, bucket } = await openFaulty(() => undefined);
            const resume = memory();
            await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'raw/a', Body: 'faster' }));
            await expect(store.put('raw/a', whole(), { resume, ifMatch: ABSENT })).rejects.toThrow(ConflictError);
            expect(resume.upload).toBeUndefined();
            expect((await store.get('raw/a'))?.bytes).toEqual(bytesOf('faster'));
        });
    });

    describe('what is refused is said so that people know what to do', () => {
        test.each([
            [{ status: 403, code: 'AccessDenied' }, /cannot read s3:\/\/test-.*\/raw\/a: your AWS identity may not do that/],
            [{ status: 403, code: 'ExpiredToken' }, /your AWS session is over; log in again/],
            [{ status: 404, code: 'NoSuchBucket' }, /there is no such bucket/],
        ])('%j', async (fault, message) => {
            const { store } = await openFaulty(() => fault);
            await expect(store.get('raw/a')).rejects.toThrow(StorageError);
            await expect(store.get('raw/a')).rejects.toThrow(message);
        });

        test('a HEAD that is refused is not taken for an object that is missing', async () => {
            const { store } = await openFaulty(() => ({ status: 403, code: 'AccessDenied' }));
            await expect(store.head('raw/a')).rejects.toThrow(/may not do that/);
        });

        test('a HEAD that S3 cannot answer says so, and that it may be run again', async () => {
            const { store, seen } = await openFaulty(() => ({ status: 500, code: 'InternalError' }));
            await expect(store.head('raw/a')).rejects.toThrow(/AWS failed, at the last attempt too \(HTTP 500\); run it again later/);
            expect(seen.length).toBe(6);
        });

        test('nothing answers', async () => {
            const { store } = await openFaulty(() => undefined);
            await proxies.splice(0)[0]?.close();
            await expect(store.get('raw/a')).rejects.toThrow(
                /nothing answers there; check the network and AWS_ENDPOINT_URL \(ECONNREFUSED\)/,
            );
        });
    });

    test('an upload that another program began is left alone', async () => {
        const bucket = await makeBucket(client);
        const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: 'raw/a' }));
        await openS3Store({ bucket, client }).put('raw/a', inPieces(cut(noise(9 * MIB), [MIB])));
        expect((await client.send(new ListPartsCommand({ Bucket: bucket, Key: 'raw/a', UploadId }))).Parts ?? []).toEqual([]);
    });
}
