/** Use case: the very lines of a raw object that one key's figures in one period are made of, found by the reader that summarized it. */
import { ConflictError } from '#lake/errors';
import { openInputsAsRead } from '#lake/inputs';
import type { Kind, SourceBytes, TracedRow } from '#lake/kind';
import { siteOf } from '#lake/layout';
import { factsOf, type LedgerRecord } from '#lake/ledger';
import type { ByteStream, ObjectStore } from '#lake/store/object-store';

export interface FoundLines {
    /** The first lines, up to `maxLines`; all are counted. */
    lines: TracedRow[];
    count: bigint;
    /** What all lines come to, by measure. */
    sums: Map<string, bigint>;
    /** How many lines have a value, by measure. */
    counts: Map<string, bigint>;
    /** Why the file cannot be read any more as it was summarized; nothing was found then. */
    problem?: string;
}

export interface FindLinesOptions {
    store: ObjectStore;
    kind: Pick<Kind, 'name' | 'inputs' | 'trace'>;
    /** Values of the key columns but `site`, in their order. */
    key: readonly string[];
    period: string;
    maxLines: number;
    /** Called with the bytes of the raw object read since the last call. */
    onBytes?: ((bytes: number) => void) | undefined;
    signal?: AbortSignal | undefined;
}

/** The lines of the raw object that the record speaks of; reads all of it. */
export async function findLines(
    record: LedgerRecord,
    { store, kind, key, period, maxLines, onBytes, signal }: FindLinesOptions,
): Promise<FoundLines> {
    const none: FoundLines = { lines: [], count: 0n, sums: new Map(), counts: new Map() };
    const raw = await store.head(record.source);
    if (raw?.etag !== record.etag) {
        return { ...none, problem: raw ? 'it was changed since it was summarized: run flowlake reconcile' : 'it is gone' };
    }
    let found: FoundLines = none;
    const onRow = (row: TracedRow): void => {
        found.count += 1n;
        for (const [measure, value] of Object.entries(row.values)) {
            found.sums.set(measure, (found.sums.get(measure) ?? 0n) + (value ?? 0n));
            found.counts.set(measure, (found.counts.get(measure) ?? 0n) + (value === null ? 0n : 1n));
        }
        if (found.lines.length < maxLines) {
            found.lines.push(row);
        }
    };
    const bytes: SourceBytes = {
        site: siteOf(record.source),
        open: () => {
            found = { lines: [], count: 0n, sums: new Map(), counts: new Map() };
            return counted(store.open(record.source, { ifMatch: raw.etag }), onBytes);
        },
        sizeBytes: raw.sizeBytes,
        readRange: async (range) => {
            const part = await store.readRange(record.source, { ...range, ifMatch: raw.etag });
            onBytes?.(part.length);
            return part;
        },
        // What could not be used is no part of any figure.
        reject: async () => undefined,
        input: openInputsAsRead(store, kind, record.inputs ?? {}).input,
        signal,
    };
    try {
        const problem = await kind.trace(bytes, { key, period, options: record.options ?? {}, found: factsOf(record), onRow });
        return problem === undefined ? found : { ...none, problem };
    } catch (error) {
        if (error instanceof ConflictError) {
            return { ...none, problem: 'it was replaced while it was read' };
        }
        throw error;
    }
}

async function* counted(source: ByteStream, onBytes: FindLinesOptions['onBytes']): ByteStream & AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
        onBytes?.(chunk.length);
        yield chunk;
    }
}
