/** Use case: the very lines of a raw file that one pair's day is made of, found by the reader that summarized it. */
import { ConflictError } from '#lake/errors';
import type { WatchedRow } from '#lake/flows/formats/row-scanner';
import { readFlows } from '#lake/flows/read-flows';
import type { LedgerRecord } from '#lake/ledger';
import type { ByteStream, ObjectStore } from '#lake/store/object-store';
import type { PairKey } from './row-lookup.ts';

export interface FoundLine {
    /** Line of the file at which the row begins, from 1. */
    lineNumber: number;
    durationUs: bigint;
    packets: bigint;
    /** The row as read, bytes that are not UTF-8 replaced, cut at 4,096 characters. */
    line: string;
}

export interface FoundLines {
    /** The first ones, up to `maxLines`; all are counted. */
    lines: FoundLine[];
    count: bigint;
    durationUsSum: bigint;
    packetsSum: bigint;
    /** Why the file cannot be read any more as it was summarized; nothing was found then. */
    problem?: string;
}

export interface FindLinesOptions {
    store: ObjectStore;
    maxLines: number;
    /** Told how many bytes of the raw object were read since the last call. */
    onBytes?: ((bytes: number) => void) | undefined;
    signal?: AbortSignal | undefined;
}

/** Reads the whole raw object that the record speaks of. */
export async function findLines(
    record: LedgerRecord,
    { src, dst, day }: Pick<PairKey, 'src' | 'dst'> & { day: string },
    { store, maxLines, onBytes, signal }: FindLinesOptions,
): Promise<FoundLines> {
    const none: FoundLines = { lines: [], count: 0n, durationUsSum: 0n, packetsSum: 0n };
    const raw = await store.head(record.source);
    if (raw?.etag !== record.etag) {
        return { ...none, problem: raw ? 'it was changed since it was summarized: run flowlake reconcile' : 'it is gone' };
    }
    const found: FoundLines = { ...none, lines: [] };
    const isMonthFirst = record.date_order === 'mdy';
    const onRow = ({ date, lineNumber, durationUs, packets, line }: WatchedRow): void => {
        if ((isMonthFirst ? date.mdy : date.dmy) !== day) {
            return;
        }
        found.count += 1n;
        found.durationUsSum += durationUs;
        found.packetsSum += packets;
        if (found.lines.length < maxLines) {
            found.lines.push({ lineNumber, durationUs, packets, line });
        }
    };
    try {
        const result = await readFlows(counted(store.open(record.source, { ifMatch: raw.etag }), onBytes), {
            ...record.options,
            watch: { src, dst, onRow },
            signal,
        });
        return 'error' in result ? { ...none, problem: result.error } : found;
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
