/** Every folder of test/fixtures/flows is a file and what the lake must make of it; adding a case is adding a folder. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { consolidate } from '#lake/commit/consolidate';
import { summarize } from '#lake/commit/summarize';
import type { PairRows } from '#lake/flows/pair-rows';
import type { ReadingOptions } from '#lake/kind';
import type { LedgerRecord } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { daysOf, factsOf, metadataOf, pairDaysKey, readPairRows, rejectsKey } from '#test/support/flow-tables';
import { memoryStore } from '#test/support/memory-store';

const FIXTURES = new URL('../../fixtures/flows/', import.meta.url).pathname;

interface Expected {
    about: string;
    ledger: Partial<LedgerRecord>;
    pair_days: Record<string, string>[];
    rejects: { line_number: number; reason: string }[];
}

describe('golden files', () => {
    test.each(readdirSync(FIXTURES))('%s', async (name) => {
        const folder = join(FIXTURES, name);
        const expected: Expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
        const input = readdirSync(folder).find((file) => file.startsWith('input.')) ?? '';
        const options: ReadingOptions = existsSync(join(folder, 'options.json'))
            ? JSON.parse(readFileSync(join(folder, 'options.json'), 'utf8'))
            : {};
        // In small pieces too: where a piece ends must not matter.
        for (const pieceBytes of [1 << 20, 7]) {
            const found = await read(readFileSync(join(folder, input)), { name: input, options, pieceBytes });
            expect(found).toEqual({
                // A case may say what the message must say, where the file is told what it is.
                ledger: {
                    ...expected.ledger,
                    ...(expected.ledger.error && {
                        error: expected.ledger.error === 'failed' ? expect.any(String) : expect.stringContaining(expected.ledger.error),
                    }),
                },
                pair_days: expected.pair_days,
                rejects: expected.rejects,
            });
        }
    });
});

async function read(bytes: Uint8Array, { name, options, pieceBytes }: { name: string; options: ReadingOptions; pieceBytes: number }) {
    const store = memoryStore({ pieceBytes });
    const key = `raw/${name}`;
    await store.put(key, bytes, { metadata: metadataOf(options) });
    const { record, periods } = await summarize(key, { store, now: () => new Date(0) });
    for (const of of periods) {
        await consolidate(of, { store });
    }
    return {
        ledger: ledgerOf(record),
        pair_days: await pairDaysOf(store, daysOf(periods)),
        rejects: await rejectsOf(store, key, record?.version ?? ''),
    };
}

function ledgerOf(record: LedgerRecord | undefined) {
    if (!record || record.error !== null) {
        return { ...(record?.state === 'skipped' && { state: record.state }), error: record?.error };
    }
    return { ...factsOf(record), error: record.error };
}

async function pairDaysOf(store: ObjectStore, days: readonly string[]) {
    const found: Record<string, string | null>[] = [];
    for (const day of days) {
        const object = await store.get(pairDaysKey(day));
        const { site, ...columns } = await readPairRows(object?.bytes ?? new Uint8Array());
        const names = Object.keys(columns) as (keyof typeof columns & keyof PairRows)[];
        site.forEach((_, at) => {
            found.push({ day, ...Object.fromEntries(names.map((name) => [name, columns[name][at]?.toString() ?? null])) });
        });
    }
    return found;
}

async function rejectsOf(store: ObjectStore, key: string, version: string) {
    const object = await store.get(rejectsKey({ source: sourceId(key), version }));
    const lines = object ? gunzipSync(object.bytes).toString().trim().split('\n') : [];
    return lines.map((line) => {
        const { line_number, reason } = JSON.parse(line);
        return { line_number, reason };
    });
}
