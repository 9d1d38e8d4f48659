/** A file that is read while it is put comes to what reading it out of the lake comes to. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { summarize } from '#lake/commit/summarize';
import { putAndRead } from '#lake/here/put-and-read';
import { runTask } from '#lake/here/tasks';
import type { LedgerRecord } from '#lake/ledger';
import { openDirectoryStore } from '#lake/store/directory';
import { ABSENT } from '#lake/store/object-store';
import { flowCsv } from '#test/support/flow-csv';
import { metadataOf } from '#test/support/flow-tables';
import { memoryStore } from '#test/support/memory-store';
import { makeFolder } from '#test/support/temporary';

const FIXTURES = new URL('../../fixtures/flows/', import.meta.url).pathname;

describe('every golden file', () => {
    test.each(readdirSync(FIXTURES))('%s', async (name) => {
        const folder = join(FIXTURES, name);
        const input = readdirSync(folder).find((file) => file.startsWith('input.')) ?? '';
        const given = join(folder, 'options.json');
        const metadata = existsSync(given) ? metadataOf(JSON.parse(readFileSync(given, 'utf8'))) : {};
        const path = join(folder, input);
        const key = `raw/${input}`;
        const counted: number[] = [];
        const { summarized } = await runTask(
            await makeFolder(),
            { kind: 'put', path, key, ifMatch: ABSENT, metadata },
            { onBytes: (bytes) => counted.push(bytes) },
        );
        const store = memoryStore();
        await store.put(key, readFileSync(path), { metadata });
        const { record } = await summarize(key, { store, now: () => new Date(0) });
        const etag = summarized?.record?.etag;
        expect(factsOfRecord(summarized?.record)).toEqual({ ...factsOfRecord(record), etag });
        const sizeBytes = readFileSync(path).length;
        expect(counted.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(sizeBytes);
    });
});

/** A record without what is another one's each time: its attempt, and when it was. */
function factsOfRecord(record: LedgerRecord | undefined) {
    const { version: _, versions = {}, summarized_at: __, history: ___, ...facts } = record ?? ({} as Partial<LedgerRecord>);
    return { ...facts, periods: Object.values(versions) };
}

const NEW = { ifMatch: ABSENT, metadata: {}, onBytes: () => undefined, signal: undefined };

describe('one pass', () => {
    async function readOf(bytes: Uint8Array | string, name = 'a.csv') {
        const path = join(await makeFolder(), name);
        await writeFile(path, bytes);
        const store = openDirectoryStore(await makeFolder());
        const told: [number, boolean][] = [];
        const { raw, reading } = await putAndRead(path, {
            ...NEW,
            store,
            key: `raw/${name}`,
            onBytes: (count, isRead) => told.push([count, isRead]),
        });
        expect(Buffer.from((await store.get(raw.key))?.bytes ?? [])).toEqual(Buffer.from(bytes));
        return { raw, reading, told };
    }

    test('is enough for a file of flows, plain or packed', async () => {
        const plain = flowCsv([{}, {}]);
        for (const bytes of [plain, gzipSync(plain)]) {
            const { raw, reading, told } = await readOf(bytes);
            expect(reading).toMatchObject({ etag: raw.etag, options: {}, outcome: { ok: true, rowsRead: 2 } });
            expect(told).toEqual([[bytes.length, true]]);
        }
    });

    test('is enough for a file that is none of flows, which is put all the same', async () => {
        const { reading } = await readOf(`no,flows\n${'1,2\n'.repeat(500_000)}`);
        expect(reading?.outcome.ok).toBe(false);
    });

    test('is not enough where rows are rejected, or what settles a thing comes too late', async () => {
        expect((await readOf(flowCsv([{}, { duration: 'NaN' }]))).reading).toBeUndefined();
        expect((await readOf('PAR1 and no more PAR1', 'a.parquet')).reading).toBeUndefined();
    });

    test('ends with the put where that fails', async () => {
        const store = openDirectoryStore(await makeFolder());
        await store.put('raw/a.csv', Buffer.from('there'));
        const path = join(await makeFolder(), 'a.csv');
        await writeFile(path, flowCsv([{}]));
        const put = putAndRead(path, { ...NEW, store, key: 'raw/a.csv' });
        await expect(put).rejects.toThrow('changed by another writer');
        const gone = putAndRead(`${path}.gone`, { ...NEW, store, key: 'raw/b.csv' });
        await expect(gone).rejects.toThrow('cannot read');
    });

    test('of other bytes than the lake has now counts for nothing', async () => {
        const store = memoryStore();
        const path = join(await makeFolder(), 'a.csv');
        await writeFile(path, flowCsv([{}]));
        const { reading } = await putAndRead(path, { ...NEW, store, key: 'raw/a.csv' });
        await store.put('raw/a.csv', Buffer.from(flowCsv([{}, {}, {}])));
        const { record } = await summarize('raw/a.csv', { store, now: () => new Date(0), reading });
        expect(record?.rows_kept).toBe(3);
    });
});
