/** A server with as much of S3 as results need: objects put and got (also from a byte on), in memory, over real HTTP. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { S3Client } from '@aws-sdk/client-s3';

export interface ResultStore {
    client: S3Client;
    /** Objects by `/bucket/key`. */
    objects: Map<string, Buffer>;
    /** Bytes after which the answers to reads break off, one entry for each read. */
    breakAfterBytes: number[];
    /** How often something was read. */
    reads: number;
    stop(): Promise<void>;
}

export async function startResultStore(): Promise<ResultStore> {
    const objects = new Map<string, Buffer>();
    const server = createServer(async (request, response) => {
        const path = decodeURIComponent(new URL(request.url ?? '/', 'http://s3').pathname);
        if (request.method === 'PUT') {
            objects.set(path, await buffer(request));
            response.writeHead(200, { etag: '"1"' }).end();
            return;
        }
        store.reads += 1;
        const object = objects.get(path);
        if (object === undefined) {
            response.writeHead(404, { 'content-type': 'application/xml' });
            response.end('<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>');
            return;
        }
        const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
        const bytes = object.subarray(from);
        response.writeHead(from === 0 ? 200 : 206, { 'content-length': bytes.length, etag: '"1"' });
        const breakAfter = store.breakAfterBytes.shift();
        if (breakAfter === undefined) {
            response.end(bytes);
        } else {
            response.write(bytes.subarray(0, breakAfter), () => response.destroy());
        }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const store: ResultStore = {
        client: new S3Client({
            endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
            region: 'us-east-1',
            credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
            forcePathStyle: true,
        }),
        objects,
        breakAfterBytes: [],
        reads: 0,
        async stop() {
            store.client.destroy();
            server.closeAllConnections();
            await new Promise<void>((resolve) => server.close(() => resolve()));
        },
    };
    return store;
}
