/** Verifies the rejects of one source: that their object can be read whole, and says what the recount or the ledger says. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { StorageError } from '#lake/errors';
import type { Recount } from '#lake/kind';
import { rejectsKey } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import { type Engine, fileList, literal, textOf, wholeOf } from './engine.ts';
import { messageOf } from './lake-files.ts';
import type { LiveRecord, VerifySourceOptions } from './source-work.ts';

/** Compares the rejects by their reasons with the recount, or their number with the ledger. */
export async function verifyRejects(record: LiveRecord, options: VerifySourceOptions & { recount: Recount | undefined }): Promise<void> {
    const { kind, engine, findings, copies, objects, signal, recount } = options;
    const { source, version } = record;
    const about = { source, table: kind.merged.name };
    const id = sourceId(source);
    const found = objects.rejects.get(`${id}.${version}`) ?? [];
    const key = rejectsKey(kind.rejects, { source: id, version });
    const expected = recount ? recount.rejects : new Map([['lines', rejectsOf(record, kind)]]);
    const isExpected = [...expected.values()].some((count) => count > 0n);
    if (found.length === 0) {
        if (isExpected) {
            findings.add({ kind: 'rejects', ...about, figure: 'object', in_lake: null, recomputed: key });
        }
        return;
    }
    try {
        const lines = await copies.use(found, ([path = '']) =>
            countLines(engine, path, { source, version, isByReason: recount !== undefined }),
        );
        if ('fault' in lines) {
            findings.add({ kind: 'damaged', ...about, figure: lines.fault.replaceAll('\n', ' '), in_lake: key, recomputed: null });
            return;
        }
        const differing = [...new Set([...expected.keys(), ...lines.counts.keys()])]
            .sort()
            .filter((figure) => (lines.counts.get(figure) ?? 0n) !== (expected.get(figure) ?? 0n));
        findings.add(
            ...differing.map((figure) => ({
                kind: 'rejects' as const,
                ...about,
                figure,
                in_lake: lines.counts.get(figure) ?? 0n,
                recomputed: expected.get(figure) ?? 0n,
            })),
        );
        if (lines.strangers > 0n) {
            findings.add({
                kind: 'rejects',
                ...about,
                figure: 'lines of another source or version',
                in_lake: lines.strangers,
                recomputed: 0n,
            });
        }
    } catch (error) {
        signal?.throwIfAborted();
        findings.note('could_not_read', key, `the rejects of ${source} could not be read: ${messageOf(error)}`);
    }
}

/** How many rejects the ledger tells of: one for each rejected row, and for parts of rows where the kind has such. */
function rejectsOf(record: LiveRecord, { accounts }: VerifySourceOptions['kind']): bigint {
    const parts = accounts?.partsRejected === undefined ? 0 : Number(record[accounts.partsRejected]);
    return BigInt(record.rows_rejected) + BigInt(parts);
}

interface Lines {
    /** Count of lines for each reason, or of all together as `lines`. */
    counts: Map<string, bigint>;
    /** Count of lines that say that they are of another source or version. */
    strangers: bigint;
}

async function countLines(
    engine: Engine,
    path: string,
    { source, version, isByReason }: { source: string; version: string; isByReason: boolean },
): Promise<Lines | { fault: string }> {
    try {
        // The engine takes a file that was cut, or whose checksum is wrong, for a whole one.
        await pipeline(createReadStream(path), createGunzip(), async (chunks) => {
            for await (const _ of chunks) {
                // Unpacked to the end.
            }
        });
        const rows = await engine.rows(`
            select ${isByReason ? 'reason' : `'lines'`} as figure, count(*) as lines, count(*) filter (source is distinct from ${literal(source)} or version is distinct from ${literal(version)}) as strangers
            from read_json(${fileList([path])}, format = 'newline_delimited', compression = 'gzip',
                columns = {source: 'varchar', version: 'varchar', reason: 'varchar'})
            group by 1`);
        return {
            counts: new Map(rows.map((row) => [textOf(row, 'figure') ?? '', wholeOf(row, 'lines') ?? 0n])),
            strangers: rows.reduce((sum, row) => sum + (wholeOf(row, 'strangers') ?? 0n), 0n),
        };
    } catch (error) {
        if (error instanceof StorageError) {
            throw error;
        }
        return { fault: messageOf(error) };
    }
}
