/** The first row that was rejected for a reason is found in whatever pieces a store hands its object out. */
import { gzipSync } from 'node:zlib';
import { findFirstReject } from '#lake/reports/first-reject';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { memoryStore } from '#test/support/memory-store';

test('finds a reject behind many others, where each piece overwrites the one before', async () => {
    const source = 'raw/big.csv';
    const rows = Array.from({ length: 20_000 }, (_, line) => ({
        source,
        version: '1-a',
        line_number: line,
        reason: line === 19_999 ? 'nan' : 'negative',
        line: `${Math.sin(line)}`,
    }));
    const inner = memoryStore();
    await inner.put(`rejects/${sourceId(source)}.1-a.jsonl.gz`, gzipSync(rows.map((row) => JSON.stringify(row)).join('\n')));
    const store: ObjectStore = {
        ...inner,
        async *open(key, options) {
            const piece = Buffer.alloc(1 << 12);
            for await (const chunk of inner.open(key, options)) {
                for (let from = 0; from < chunk.length; from += piece.length) {
                    const part = chunk.subarray(from, from + piece.length);
                    piece.set(part);
                    yield piece.subarray(0, part.length);
                    piece.fill(0);
                }
            }
        },
    };
    expect(await findFirstReject({ source, version: '1-a' }, { reason: 'nan', store })).toMatchObject({ line_number: 19_999 });
    expect(await findFirstReject({ source, version: '1-a' }, { reason: 'infinity', store })).toBeUndefined();
});
