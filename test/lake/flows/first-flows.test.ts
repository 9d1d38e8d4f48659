/** Hashes of a file's first flows: the same for the whole file as for its beginning alone, and no more is read for them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readFirstFlows } from '#lake/flows/read';
import { readFlows } from '#lake/flows/read-flows';
import { flowCsv } from '#test/support/flow-csv';

const FIXTURES = new URL('../../fixtures/flows/', import.meta.url).pathname;

/** Most hashes of a beginning: of 1, 2, 4, 8, 16, 32 and 64 flows. */
const MOST_HASHES = 7;

async function* pieces(bytes: Buffer, pieceBytes: number, onPiece: () => void = () => undefined): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
        onPiece();
        yield bytes.subarray(at, at + pieceBytes);
    }
}

function sourceOf(bytes: Buffer, pieceBytes: number) {
    return {
        open: () => pieces(bytes, pieceBytes),
        sizeBytes: bytes.length,
        readRange: async ({ start, end }: { start: number; end: number }) => Uint8Array.from(bytes.subarray(start, end)),
    };
}

function fileOf(count: number, { eachDuration = (at: number): unknown => at } = {}): Buffer {
    return Buffer.from(flowCsv(Array.from({ length: count }, (_, at) => ({ src: `10.0.0.${at % 200}`, duration: `${eachDuration(at)}` }))));
}

async function beginningOf(bytes: Buffer): Promise<readonly string[]> {
    const result = await readFlows(() => pieces(bytes, 1 << 16));
    return result.ok ? result.beginning : [];
}

describe('the first flows', () => {
    test.each([0, 1, 2, 3, 63, 64, 65, 5000])('of %i have a hash for each power of two', async (count) => {
        const beginning = await beginningOf(fileOf(count));
        expect(beginning).toHaveLength(count === 0 ? 0 : Math.min(MOST_HASHES, Math.floor(Math.log2(count)) + 1));
        expect(new Set(beginning).size).toBe(beginning.length);
        expect((await beginningOf(fileOf(5000))).slice(0, beginning.length)).toEqual(beginning);
        expect(await readFirstFlows(sourceOf(fileOf(count), 1 << 10), {})).toEqual(beginning);
    });

    test('are those that are kept: rejects between them say nothing', async () => {
        const withRejects = fileOf(140, { eachDuration: (at) => (at % 7 === 3 ? 'nan' : at) });
        const without = Buffer.from(withRejects.toString().replaceAll(/.*,nan,.*\n/g, ''));
        expect(await beginningOf(withRejects)).toEqual(await beginningOf(without));
    });

    test('are found without reading the file to its end', async () => {
        let read = 0;
        const source = { ...sourceOf(fileOf(50_000), 1 << 12), open: () => pieces(fileOf(50_000), 1 << 12, () => (read += 1)) };
        expect(await readFirstFlows(source, {})).toHaveLength(MOST_HASHES);
        expect(read).toBeLessThan(10);
    });

    const usable = readdirSync(FIXTURES).filter((name) => expectedOf(name).rows_kept !== undefined);
    test.each(usable)('of %s are as many as its kept rows say, and known from its beginning', async (name) => {
        const folder = join(FIXTURES, name);
        const files = readdirSync(folder);
        const bytes = readFileSync(join(folder, files.find((file) => file.startsWith('input.')) ?? ''));
        const options = files.includes('options.json') ? JSON.parse(readFileSync(join(folder, 'options.json'), 'utf8')) : {};
        const beginning = await readFirstFlows(sourceOf(bytes, 1 << 16), options);
        const kept = expectedOf(name).rows_kept ?? 0;
        expect(beginning).toHaveLength(kept === 0 ? 0 : Math.min(MOST_HASHES, Math.floor(Math.log2(kept)) + 1));
    });
});

function expectedOf(name: string): { rows_kept?: number } {
    return JSON.parse(readFileSync(join(FIXTURES, name, 'expected.json'), 'utf8')).ledger;
}
