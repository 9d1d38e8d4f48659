/** `verify` on a lake in S3: as strong as on a directory, and with the same answers. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { consolidate } from '#lake/commit/consolidate';
import { workInTurn } from '#lake/commit/finish';
import { findPending, planRepair, repairLake } from '#lake/commit/repair';
import { summarize } from '#lake/commit/summarize';
import { nameOfPeriod, type TablePeriod } from '#lake/layout';
import { readLedger } from '#lake/ledger';
import { readContains } from '#lake/parquet';
import { sourceId } from '#lake/source-id';
import { openDirectoryStore } from '#lake/store/directory';
import type { ObjectStore } from '#lake/store/object-store';
import { openS3Store } from '#lake/store/s3';
import { createS3Client } from '#lake/store/s3-client';
import { verifyLake } from '#lake/verify/verify';
import { pairDaysKey, readPairRows, summaryKey, writePairRows } from '#test/support/flow-tables';
import { makeFolder } from '#test/support/temporary';
import { makeBucket } from './support/buckets.ts';

const client = createS3Client({ environment: process.env });

const HEADER = 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts\n';
const row = (at: number): string => `10.0.0.${at % 200},10.0.1.1,2026-01-0${1 + (at % 9)} 10:00:00,${at * 1000},${at}\n`;
const rows = (from: number, until: number): string => Array.from({ length: until - from }, (_, at) => row(from + at)).join('');

const RAW: Record<string, string | Uint8Array> = {
    'raw/plain.csv': HEADER + rows(0, 300),
    'raw/site=berlin/packed.csv.gz': gzipSync(`${HEADER}${rows(0, 500)}10.0.0.1,host,2026-01-01,1,1\n10.0.0.1,10.0.1.1,2026-01-01,-1,1\n`),
    'raw/site=berlin/frames.csv.zst': Buffer.concat([zstdCompressSync(HEADER + rows(0, 50_000)), zstdCompressSync(rows(50_000, 90_000))]),
    // Several ranges long; the store reads them side by side.
    'raw/large.csv': `${HEADER}${rows(0, 20_000)}${'10.0.0.7,10.0.1.7,2026-01-04 11:00:00,12,3\n'.repeat(250_000)}`,
    'raw/useless.csv': 'no,such,header\n1,2,3\n',
};

async function fill(store: ObjectStore, files: Record<string, string | Uint8Array> = RAW): Promise<ObjectStore> {
    const touched = new Map<string, TablePeriod>();
    for (const [key, text] of Object.entries(files)) {
        await store.put(key, Buffer.from(text));
        const { periods } = await summarize(key, { store, now: () => new Date('2026-02-01') });
        for (const of of periods) {
            touched.set(nameOfPeriod(of), of);
        }
    }
    for (const of of touched.values()) {
        await consolidate(of, { store });
    }
    return store;
}

async function bucketLake(files?: Record<string, string | Uint8Array>): Promise<ObjectStore> {
    return fill(openS3Store({ bucket: await makeBucket(client), client }), files);
}

const SMALL = { 'raw/a.csv': HEADER + rows(0, 50), 'raw/b.csv': HEADER + rows(50, 60) };

test('a lake in a bucket is equal in every figure, and says the same as its twin in a directory', async () => {
    const result = await verifyLake({ store: await bucketLake() });
    expect(result).toMatchObject({
        verdict: 'equal',
        sources: { recomputed: 4, fromSummaries: 0 },
        rowsRead: 300 + 502 + 90_000 + 270_000,
        compared: [{ table: 'pair_days', periods: 9 }],
    });
    expect(result).toEqual(await verifyLake({ store: await fill(openDirectoryStore(await makeFolder())) }));
});

test('one figure that is wrong by one is named', async () => {
    const store = await bucketLake(SMALL);
    const day = await store.get(pairDaysKey('2026-01-03'));
    const wrong = await readPairRows(day!.bytes);
    wrong.fwd_pkts_sum_sq[2]! += 1n;
    await store.put(pairDaysKey('2026-01-03'), writePairRows(wrong, { contains: readContains(day!.bytes) }));
    const { verdict, differences } = await verifyLake({ store });
    expect([verdict, differences]).toEqual([
        'different',
        [expect.objectContaining({ kind: 'row', table: 'pair_days', period: '2026-01-03', figure: 'fwd_pkts_sum_sq' })],
    ]);
});

test('what is damaged in a bucket is mended by the process that found it', async () => {
    const store = await bucketLake(SMALL);
    const { record } = await readLedger(store, sourceId('raw/a.csv'));
    const summary = summaryKey({ day: '2026-01-02', source: sourceId('raw/a.csv'), version: record!.version! });
    await store.put(summary, (await store.get(summary))!.bytes.slice(0, 300));
    await store.put(pairDaysKey('2026-01-04'), Buffer.from('no Parquet'));
    await store.put('raw/c.csv', Buffer.from(HEADER + rows(3, 9)));
    const now = new Date();
    const pending = await findPending(store);
    const result = await verifyLake({ store, pending, now });
    const plan = await planRepair(store, { result, pending, now });
    expect(plan).toMatchObject({ toRead: ['raw/c.csv'], toReadAnew: new Map([['raw/a.csv', record!.version!]]) });
    const workers = workInTurn(store, { now: () => now, signal: new AbortController().signal });
    expect((await repairLake(store, plan, { workers, now: () => now })).errors).toEqual([]);
    expect(await verifyLake({ store, now })).toMatchObject({ verdict: 'equal', sources: { recomputed: 3 } });
});

test('raw objects that are gone, changed, replaced while they are read or not summarized are told apart', async () => {
    const store = await bucketLake({ ...SMALL, 'raw/c.csv': HEADER + rows(3, 9) });
    await store.delete('raw/a.csv');
    await store.put('raw/b.csv', Buffer.from(HEADER + rows(1, 3)));
    await store.put('raw/new.csv', Buffer.from(HEADER));
    await store.put('raw/site=berlin/', new Uint8Array());
    const busy: ObjectStore = {
        ...store,
        async *open(key, options) {
            if (key === 'raw/c.csv') {
                await store.put(key, Buffer.from(HEADER));
            }
            yield* store.open(key, options);
        },
    };
    const { verdict, sources, notes } = await verifyLake({ store: busy });
    expect([verdict, sources]).toEqual(['incomplete', { recomputed: 0, fromSummaries: 3 }]);
    expect(notes.map(({ kind, key }) => [kind, key])).toEqual([
        ['not_summarized', 'raw/new.csv'],
        ['raw_gone', 'raw/a.csv'],
        ['raw_changed', 'raw/b.csv'],
        ['changed_meanwhile', 'raw/c.csv'],
    ]);
});

test('what S3 does not hand out is not taken for missing', async () => {
    const store = await bucketLake(SMALL);
    const refused = openS3Store({ bucket: 'no-such-bucket-of-anybody', client });
    const { record } = await readLedger(store, sourceId('raw/a.csv'));
    const half: ObjectStore = {
        ...store,
        head: (key) =>
            (key === record?.source ? refused.get(key) : store.head(key)).then((found) => (found && 'info' in found ? found.info : found)),
    };
    const { verdict, notes } = await verifyLake({ store: half });
    expect([verdict, notes.map(({ kind, key }) => [kind, key])]).toEqual(['incomplete', [['could_not_read', 'raw/a.csv']]]);
    await expect(verifyLake({ store: refused })).rejects.toThrow('there is no such bucket');
});
