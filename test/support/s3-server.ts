/**
 * A server with as much of S3 as the lake's store asks for, in memory over real HTTP: conditional writes, ranges, versions, listings in
 * pages, uploads in parts.
 */

import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface S3Server {
    /** Address of the server, for AWS_ENDPOINT_URL. */
    endpoint: string;
    /** Makes a bucket with these tags. */
    makeBucket(name: string, tags: Readonly<Record<string, string>>): void;
    stop(): Promise<void>;
}

interface Stored {
    bytes: Buffer;
    /** Etag without quotes. */
    etag: string;
    versionId: string;
    metadata: Record<string, string>;
    modifiedAt: Date;
}

/** A versioned bucket hides what is deleted. */
type Marker = Pick<Stored, 'versionId' | 'modifiedAt'>;

interface Upload {
    key: string;
    metadata: Record<string, string>;
    parts: Map<number, { bytes: Buffer; etag: string; sha256: string }>;
}

interface Bucket {
    objects: Map<string, Stored>;
    /** Every upload of each key and every delete marker, newest first. */
    versions: Map<string, (Stored | Marker)[]>;
    uploads: Map<string, Upload>;
    tags: Readonly<Record<string, string>>;
}

interface Asked {
    method: string;
    query: URLSearchParams;
    headers: IncomingHttpHeaders;
    body: Buffer;
}

interface Answer {
    status: number;
    headers?: Record<string, string | number>;
    body?: Buffer | string;
}

/** Objects that S3 lists at once: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
const PAGE_OBJECTS = 1_000;

/** A server without any bucket; each comes to be with the first request that creates it (path style). */
export async function startS3Server(): Promise<S3Server> {
    const buckets = new Map<string, Bucket>();
    const server = createServer(async (request, response) => send(request, response, answerTo(buckets, request, await buffer(request))));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
        endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        makeBucket: (name, tags) => void buckets.set(name, emptyBucket(tags)),
        async stop() {
            server.closeAllConnections();
            await new Promise<void>((resolve) => server.close(() => resolve()));
        },
    };
}

function emptyBucket(tags: Bucket['tags'] = {}): Bucket {
    return { objects: new Map(), versions: new Map(), uploads: new Map(), tags };
}

function send({ method }: IncomingMessage, response: ServerResponse, { status, headers, body = '' }: Answer): void {
    // A HEAD is answered with the headers alone.
    response.writeHead(status, { 'content-length': Buffer.byteLength(body), 'x-amz-request-id': randomUUID(), ...headers });
    response.end(method === 'HEAD' ? undefined : body);
}

function answerTo(buckets: Map<string, Bucket>, { method = '', url = '/', headers }: IncomingMessage, body: Buffer): Answer {
    const { pathname, searchParams: query } = new URL(url, 'http://s3');
    const [, name = '', path = ''] = /^\/([^/]+)\/?(.*)$/s.exec(pathname) ?? [];
    const key = decodeURIComponent(path);
    if (key === '' && method === 'PUT') {
        buckets.set(name, buckets.get(name) ?? emptyBucket());
        return { status: 200 };
    }
    const bucket = buckets.get(name);
    if (!bucket) {
        return failure(404, 'NoSuchBucket');
    }
    const asked = { method, query, headers, body };
    if (key === '') {
        return ofBucket(bucket, asked);
    }
    if (headers['x-amz-copy-source'] !== undefined) {
        return copy(buckets, String(headers['x-amz-copy-source']), { bucket, key });
    }
    return query.has('uploads') || query.has('uploadId') ? inParts(bucket, key, asked) : one(bucket, key, asked);
}

function ofBucket(bucket: Bucket, { method, query }: Asked): Answer {
    if (method === 'HEAD') {
        return { status: 200, headers: { 'x-amz-bucket-region': 'us-east-1' } };
    }
    if (query.has('tagging')) {
        const tags = Object.entries(bucket.tags).map(
            ([name, value]) => `<Tag><Key>${escaped(name)}</Key><Value>${escaped(value)}</Value></Tag>`,
        );
        return tags.length > 0 ? xml('Tagging', `<TagSet>${tags.join('')}</TagSet>`) : failure(404, 'NoSuchTagSet');
    }
    return query.has('versions') ? listVersions(bucket, query) : list(bucket, query);
}

function one(bucket: Bucket, key: string, { method, headers, body }: Asked): Answer {
    const stored = bucket.objects.get(key);
    if (method === 'PUT') {
        return refusal(stored, headers) ?? written(store(bucket, key, { bytes: body, etag: md5(body), metadata: metadataOf(headers) }));
    }
    if (method === 'DELETE') {
        const refused = refusal(stored, headers);
        if (!refused) {
            bucket.objects.delete(key);
            keepVersion(bucket, key, { versionId: randomUUID(), modifiedAt: new Date() });
        }
        return refused ?? { status: 204 };
    }
    return stored ? (refusal(stored, headers) ?? read(stored, headers.range)) : failure(404, 'NoSuchKey');
}

/** Copies a version that may be hidden by now; `source` is `bucket/key?versionId=...`, encoded. */
function copy(buckets: Map<string, Bucket>, source: string, { bucket, key }: { bucket: Bucket; key: string }): Answer {
    const [, name = '', from = '', versionId] = /^\/?([^/]+)\/([^?]+)(?:\?versionId=(.+))?$/.exec(source) ?? [];
    const versions = buckets.get(name)?.versions.get(decodeURIComponent(from)) ?? [];
    const found = versions.find((version) => versionId === undefined || version.versionId === versionId);
    if (!found || !('bytes' in found)) {
        return failure(404, 'NoSuchVersion');
    }
    const { headers = {} } = written(store(bucket, key, found));
    return { ...xml('CopyObjectResult', `<ETag>&quot;${found.etag}&quot;</ETag>`), headers };
}

/** Why a conditional request is refused: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html */
function refusal(stored: Stored | undefined, headers: IncomingHttpHeaders): Answer | undefined {
    const ifMatch = headers['if-match'];
    if (ifMatch !== undefined && !stored) {
        return failure(404, 'NoSuchKey');
    }
    const isRefused =
        (ifMatch !== undefined && ifMatch !== `"${stored?.etag}"`) || (headers['if-none-match'] === '*' && stored !== undefined);
    return isRefused ? failure(412, 'PreconditionFailed') : undefined;
}

function read({ bytes, etag, versionId, metadata, modifiedAt }: Stored, range: string | undefined): Answer {
    const headers = {
        etag: `"${etag}"`,
        'x-amz-version-id': versionId,
        'last-modified': modifiedAt.toUTCString(),
        ...Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
    };
    if (range === undefined) {
        return { status: 200, headers, body: bytes };
    }
    const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
    const start = from === '' ? Math.max(0, bytes.length - Number(to)) : Number(from);
    const end = from === '' || to === '' ? bytes.length : Math.min(bytes.length, Number(to) + 1);
    return start >= bytes.length
        ? failure(416, 'InvalidRange')
        : {
              status: 206,
              headers: { ...headers, 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` },
              body: bytes.subarray(start, end),
          };
}

function inParts(bucket: Bucket, key: string, { method, query, headers, body }: Asked): Answer {
    if (query.has('uploads')) {
        const id = randomUUID();
        bucket.uploads.set(id, { key, metadata: metadataOf(headers), parts: new Map() });
        return xml('InitiateMultipartUploadResult', `<UploadId>${id}</UploadId>`);
    }
    const id = query.get('uploadId') ?? '';
    const upload = bucket.uploads.get(id);
    if (upload?.key !== key) {
        return failure(404, 'NoSuchUpload');
    }
    switch (method) {
        case 'PUT':
            return takePart(upload, Number(query.get('partNumber')), { headers, body });
        case 'GET':
            return xml(
                'ListPartsResult',
                [...upload.parts]
                    .map(([number, { bytes, etag, sha256 }]) => partXml(number, { etag, sizeBytes: bytes.length, sha256 }))
                    .join(''),
            );
        case 'DELETE':
            bucket.uploads.delete(id);
            return { status: 204 };
        default:
            return complete(bucket, { key, id, upload }, { headers, body });
    }
}

function takePart(upload: Upload, number: number, { headers, body }: Pick<Asked, 'headers' | 'body'>): Answer {
    const sha256 = createHash('sha256').update(body).digest('base64');
    if (headers['x-amz-checksum-sha256'] !== sha256) {
        return failure(400, 'BadDigest');
    }
    upload.parts.set(number, { bytes: body, etag: md5(body), sha256 });
    return { status: 200, headers: { etag: `"${md5(body)}"` } };
}

/** Completes an upload of the parts that are named alone, in their order, each as it arrived. */
function complete(
    bucket: Bucket,
    { key, id, upload }: { key: string; id: string; upload: Upload },
    { headers, body }: Pick<Asked, 'headers' | 'body'>,
): Answer {
    const refused = refusal(bucket.objects.get(key), headers);
    if (refused) {
        return refused;
    }
    const named = [...body.toString().matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
        number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
        etag: /<ETag>(?:"|&quot;)?([0-9a-f]+)/.exec(part)?.[1],
    }));
    const parts = named.map(({ number }) => upload.parts.get(number));
    const isInOrder = named.every(({ number, etag }, at) => number > (named[at - 1]?.number ?? 0) && parts[at]?.etag === etag);
    if (named.length === 0 || !isInOrder) {
        return failure(400, 'InvalidPart');
    }
    bucket.uploads.delete(id);
    const bytes = Buffer.concat(parts.map((part) => part?.bytes ?? Buffer.alloc(0)));
    const etag = `${md5(Buffer.from(parts.map((part) => part?.etag).join(''), 'hex'))}-${parts.length}`;
    const { headers: said = {} } = written(store(bucket, key, { bytes, etag, metadata: upload.metadata }));
    return { ...xml('CompleteMultipartUploadResult', `<ETag>&quot;${etag}&quot;</ETag>`), headers: said };
}

function store(bucket: Bucket, key: string, object: Pick<Stored, 'bytes' | 'etag' | 'metadata'>): Stored {
    const stored = { ...object, versionId: randomUUID(), modifiedAt: new Date() };
    bucket.objects.set(key, stored);
    keepVersion(bucket, key, stored);
    return stored;
}

function keepVersion({ versions }: Bucket, key: string, version: Stored | Marker): void {
    versions.set(key, [version, ...(versions.get(key) ?? [])]);
}

function written({ etag, versionId }: Stored): Answer {
    return { status: 200, headers: { etag: `"${etag}"`, 'x-amz-version-id': versionId } };
}

function list({ objects }: Bucket, query: URLSearchParams): Answer {
    const after = Buffer.from(query.get('continuation-token') ?? '', 'base64').toString();
    const keys = [...objects.keys()]
        .filter((key) => key.startsWith(query.get('prefix') ?? ''))
        .sort(byBytes)
        .filter((key) => after === '' || byBytes(key, after) > 0);
    const page = keys.slice(0, PAGE_OBJECTS);
    const contents = page.map((key) => {
        const { etag = '', bytes, modifiedAt } = objects.get(key) ?? {};
        return `<Contents><Key>${escaped(key)}</Key><Size>${bytes?.length}</Size><ETag>&quot;${etag}&quot;</ETag><LastModified>${modifiedAt?.toISOString()}</LastModified></Contents>`;
    });
    const isTruncated = page.length < keys.length;
    const next = isTruncated ? `<NextContinuationToken>${Buffer.from(page.at(-1) ?? '').toString('base64')}</NextContinuationToken>` : '';
    return xml('ListBucketResult', `${contents.join('')}<IsTruncated>${isTruncated}</IsTruncated>${next}`);
}

function listVersions({ versions }: Bucket, query: URLSearchParams): Answer {
    const keys = [...versions.keys()].filter((key) => key.startsWith(query.get('prefix') ?? '')).sort(byBytes);
    const all = keys.flatMap((key) => (versions.get(key) ?? []).map((version, at) => ({ key, version, isLatest: at === 0 })));
    const page = all.slice(0, Math.min(PAGE_OBJECTS, Number(query.get('max-keys') ?? PAGE_OBJECTS)));
    const entries = page.map(({ key, version, isLatest }) => {
        const kind = 'bytes' in version ? 'Version' : 'DeleteMarker';
        return `<${kind}><Key>${escaped(key)}</Key><VersionId>${version.versionId}</VersionId><IsLatest>${isLatest}</IsLatest></${kind}>`;
    });
    return xml('ListVersionsResult', `${entries.join('')}<IsTruncated>${page.length < all.length}</IsTruncated>`);
}

function byBytes(a: string, b: string): number {
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function partXml(number: number, { etag, sizeBytes, sha256 }: { etag: string; sizeBytes: number; sha256: string }): string {
    const sum = `<ChecksumSHA256>${sha256}</ChecksumSHA256>`;
    return `<Part><PartNumber>${number}</PartNumber><ETag>&quot;${etag}&quot;</ETag><Size>${sizeBytes}</Size>${sum}</Part>`;
}

function metadataOf(headers: IncomingHttpHeaders): Record<string, string> {
    const prefix = 'x-amz-meta-';
    const own = Object.entries(headers).filter(([name]) => name.startsWith(prefix));
    return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), String(value)]));
}

function md5(bytes: Buffer): string {
    return createHash('md5').update(bytes).digest('hex');
}

function xml(root: string, inside: string): Answer {
    const body = `<?xml version="1.0" encoding="UTF-8"?><${root}>${inside}</${root}>`;
    return { status: 200, headers: { 'content-type': 'application/xml' }, body };
}

function failure(status: number, code: string): Answer {
    return { ...xml('Error', `<Code>${code}</Code><Message>${code}</Message>`), status };
}

function escaped(text: string): string {
    return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
