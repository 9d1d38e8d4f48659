/** A file is known again by the etag that S3 gave its bytes, however they were put there. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashLocalFile, hasS3Etag } from '#lake/here/local-file';
import { noise } from '#test/support/bytes';
import { makeFolder } from '#test/support/temporary';

const MIB = 1 << 20;
const bytes = noise(21 * MIB + 3);
let path: string;

beforeAll(async () => {
    path = join(await makeFolder(), 'a.csv');
    await writeFile(path, bytes);
});

const md5 = (part: Uint8Array) => createHash('md5').update(part).digest();

/** The etag as https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html has it. */
function etagOfParts(partBytes: number): string {
    const parts: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += partBytes) {
        parts.push(md5(bytes.subarray(at, at + partBytes)));
    }
    return `${md5(Buffer.concat(parts)).toString('hex')}-${parts.length}`;
}

const isKnown = (etag: string) => hasS3Etag(path, { etag, sizeBytes: bytes.length });

test('put whole', async () => {
    expect(await isKnown(md5(bytes).toString('hex'))).toBe(true);
    expect(await isKnown(md5(bytes.subarray(1)).toString('hex'))).toBe(false);
});

test.each([5, 8, 10, 15, 16, 25, 64])('put in parts of %d MiB', async (mebibytes) => {
    expect(await isKnown(etagOfParts(mebibytes * MIB))).toBe(true);
});

test('not by the etag of other bytes in as many parts, of parts of no usual size, or of a KMS key', async () => {
    expect(await isKnown(etagOfParts(8 * MIB).replace(/^./, (digit) => (digit === '0' ? '1' : '0')))).toBe(false);
    expect(await isKnown(etagOfParts(7 * MIB))).toBe(false);
    expect(await isKnown('AQICAHj-no-md5')).toBe(false);
});

test('the SHA-256 is that of the bytes, and a file that is not there is an error', async () => {
    expect(await hashLocalFile(path)).toBe(createHash('sha256').update(bytes).digest('hex'));
    await expect(hashLocalFile(`${path}.gone`)).rejects.toThrow(/cannot read .*ENOENT/);
});
