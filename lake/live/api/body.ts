/** Reads the body of a request, unpacked, and never more of it than is allowed. */
import { gunzip } from 'node:zlib';
import { Problem } from './problem.ts';

/** The encodings that are taken, as a client is told. */
const TAKEN_ENCODINGS = { 'accept-encoding': 'gzip' };

/** @throws Problem for a body that is larger, packed in another way than gzip, or damaged */
export async function readBody(request: Request, { maxBytes }: { maxBytes: number }): Promise<Buffer> {
    const encoding = (request.headers.get('content-encoding') ?? 'identity').trim().toLowerCase();
    if (!['identity', 'gzip', 'x-gzip'].includes(encoding)) {
        throw new Problem('wrong_type', `Content-Encoding ${encoding} is not taken: send gzip, or the plain bytes`, {
            headers: TAKEN_ENCODINGS,
        });
    }
    const body = await readPlain(request, maxBytes);
    return encoding === 'identity' ? body : unpack(body, maxBytes);
}

async function readPlain(request: Request, maxBytes: number): Promise<Buffer> {
    const declared = request.headers.get('content-length');
    if (declared !== null && Number(declared) > maxBytes) {
        throw tooLarge(maxBytes);
    }
    try {
        if (declared !== null && !request.headers.has('transfer-encoding')) {
            // What follows is as long as was said: the server sees to that.
            return Buffer.from(await request.arrayBuffer());
        }
        const chunks: Uint8Array[] = [];
        let length = 0;
        for await (const chunk of request.body ?? []) {
            length += chunk.length;
            if (length > maxBytes) {
                throw tooLarge(maxBytes);
            }
            chunks.push(chunk);
        }
        return Buffer.concat(chunks);
    } catch (error) {
        throw error instanceof Problem ? error : new Problem('bad_request', 'The body ended before its end: send it again');
    }
}

function unpack(packed: Buffer, maxBytes: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
        // With `info` the result tells how many bytes were used: Node leaves aside what stands behind the end.
        gunzip(packed, { maxOutputLength: maxBytes, info: true }, (error, result: unknown) => {
            if (error) {
                const isTooLarge = 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
                reject(isTooLarge ? tooLarge(maxBytes) : new Problem('bad_request', 'The body is no sound gzip'));
                return;
            }
            const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } };
            if (engine.bytesWritten === packed.length) {
                resolve(buffer);
            } else {
                reject(new Problem('bad_request', 'The body is no sound gzip: something else stands behind its end'));
            }
        });
    });
}

function tooLarge(maxBytes: number): Problem {
    return new Problem('too_large', `A body has ${maxBytes.toLocaleString('en')} bytes at most, unpacked: send it in several requests`);
}
