/** Compressed files unpacked in one go, member by member and frame by frame: gzip and zstd, told by their first bytes. */
import * as zlib from 'node:zlib';

/** The plain bytes; undefined where the file is damaged, ends too early, or has something else behind its end. */
export function unpackPlainly(bytes: Buffer): Buffer | undefined {
    const magic = bytes.toString('hex', 0, 4);
    try {
        return magic.startsWith('1f8b') ? gunzip(bytes) : magic === '28b52ffd' ? unzstd(bytes) : bytes;
    } catch {
        return undefined;
    }
}

interface Unpacked {
    buffer: Buffer;
    engine: { bytesWritten: number };
}

function gunzip(bytes: Buffer): Buffer | undefined {
    const { buffer, engine } = zlib.gunzipSync(bytes, { info: true }) as unknown as Unpacked;
    // Zeros may fill up the last block of a tape.
    return bytes.subarray(engine.bytesWritten).every((byte) => byte === 0) ? buffer : undefined;
}

function unzstd(bytes: Buffer): Buffer | undefined {
    const parts: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
        const rest = bytes.subarray(at);
        if (/^5[0-9a-f]2a4d18/.test(rest.toString('hex', 0, 4))) {
            at += 8 + rest.readUInt32LE(4);
            if (at > bytes.length) {
                return undefined;
            }
            continue;
        }
        if (rest.toString('hex', 0, 4) !== '28b52ffd') {
            return undefined;
        }
        const { buffer, engine } = zlib.zstdDecompressSync(rest, { info: true }) as unknown as Unpacked;
        parts.push(buffer);
        at += engine.bytesWritten;
    }
    return Buffer.concat(parts);
}
