/** Holds the questions of one command to one limit of what is scanned, and tells what each has cost. */
import type { QueryEngine, Scanned } from '#lake/query/query-engine';

export interface Meter {
    /** Bytes that all questions together may read. Default: no limit but the engine's own. */
    maxScanBytes?: number | undefined;
    /** Called with what a question reads, before its first row; not by engines that cost nothing. */
    onScanned?: ((scanned: Scanned) => Promise<void>) | undefined;
}

/** The engine, metered. A question gets what those before it have left; one that asks for less gets that. */
export function meterEngine(engine: QueryEngine, { maxScanBytes, onScanned }: Meter): QueryEngine {
    let scannedBytes = 0;
    return {
        async query(sql, options = {}) {
            const leftBytes = maxScanBytes === undefined ? [] : [Math.max(0, maxScanBytes - scannedBytes)];
            const limits = [...leftBytes, ...(options.maxScanBytes === undefined ? [] : [options.maxScanBytes])];
            const result = await engine.query(sql, { ...options, ...(limits.length > 0 && { maxScanBytes: Math.min(...limits) }) });
            if (result.scanned) {
                scannedBytes += result.scanned.bytes;
                await onScanned?.(result.scanned);
            }
            return result;
        },
        close: () => engine.close(),
    };
}
