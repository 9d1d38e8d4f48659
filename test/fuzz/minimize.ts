/** Makes a failing input small: takes away lines, then bytes, as long as it still fails (delta debugging). */

/**
 * The smallest bytes found for which `stillFails` holds, as it must for `bytes`. It is asked `maxTries` times at most.
 */
export async function minimize(
    bytes: Buffer,
    stillFails: (bytes: Buffer) => Promise<boolean>,
    { maxTries = 3000 }: { maxTries?: number } = {},
): Promise<Buffer> {
    let tries = 0;
    let parts: Buffer[] = splitLines(bytes);
    const reduce = async (): Promise<void> => {
        for (let size = Math.ceil(parts.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
            for (let at = 0; at < parts.length && tries < maxTries; ) {
                const rest = [...parts.slice(0, at), ...parts.slice(at + size)];
                tries += 1;
                if (await stillFails(Buffer.concat(rest))) {
                    parts = rest;
                } else {
                    at += size;
                }
            }
        }
    };
    await reduce();
    for (let before = Number.POSITIVE_INFINITY; parts.length < before && tries < maxTries; ) {
        parts = [...Buffer.concat(parts)].map((byte) => Buffer.from([byte]));
        before = parts.length;
        await reduce();
    }
    return Buffer.concat(parts);
}

function splitLines(bytes: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
        const end = bytes.indexOf(0x0a, at) + 1 || bytes.length;
        lines.push(bytes.subarray(at, end));
        at = end;
    }
    return lines;
}
