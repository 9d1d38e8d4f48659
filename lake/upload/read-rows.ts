/** Reads a file of this machine as the lake would, and writes nothing. */
import { basename } from 'node:path';
import { fingerprintOf } from '#lake/commit/fingerprint';
import { openLocalScratch, readLocalBeginning, readLocalFile, readLocalPart } from '#lake/here/local-file';
import { openInputs } from '#lake/inputs';
import type { ByRange, ReadingOptions, ReadOutcome } from '#lake/kind';
import { kindOf } from '#lake/kinds';
import { siteOf } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import type { UploadFile } from './request.ts';

export interface RowsRead {
    outcome: ReadOutcome;
    /** See lake/commit/fingerprint.ts; null where nothing counts. */
    fingerprint: string | null;
    /** The first reject of each reason, as the kind's table of rejects has it. */
    firstRejects: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
}

export interface ReadRowsOptions {
    /** The lake that the file is to go to: inputs of its kind come from there. */
    store: ObjectStore;
    readingOptions: ReadingOptions;
    /** See `UploadOptions.plannedInputs`. */
    plannedInputs?: ReadonlyMap<string, unknown> | undefined;
    signal: AbortSignal;
    /** Called with the bytes read since the last call. */
    onBytes?: ((bytes: number) => void) | undefined;
}

/** Frees what the rows that were read stand in outside of memory. */
export function closeRows({ outcome }: RowsRead): void {
    if (outcome.ok) {
        outcome.periods.close?.();
    }
}

/** What the file would come to. The caller closes it by `closeRows`. @throws StorageError where it cannot be read, the signal's reason */
export async function readRows(
    file: UploadFile,
    { store, readingOptions, plannedInputs, signal, onBytes }: ReadRowsOptions,
): Promise<RowsRead> {
    const kind = kindOf(file.key);
    const firstRejects = new Map<string, Readonly<Record<string, unknown>>>();
    const outcome = await kind.read(
        {
            site: siteOf(file.key),
            signal,
            ...rangesOf(file),
            openScratch: openLocalScratch,
            input: openInputs(store, kind, { planned: plannedInputs }).input,
            open() {
                firstRejects.clear();
                return readLocalFile(file.path, { signal, onBytes });
            },
            async reject(rows) {
                for (const row of rows) {
                    const reason = String(row.reason);
                    if (!firstRejects.has(reason)) {
                        firstRejects.set(reason, row);
                    }
                }
            },
        },
        readingOptions,
    );
    const fingerprint = outcome.ok ? fingerprintOf(kind.contributions, outcome.periods) : null;
    return { outcome, fingerprint, firstRejects };
}

/** Hashes of the file's first rows; see `Kind.beginning`. */
export async function readBeginning(
    file: UploadFile,
    { store, readingOptions, plannedInputs, signal }: Omit<ReadRowsOptions, 'onBytes'>,
): Promise<readonly string[]> {
    const kind = kindOf(file.key);
    const { input } = openInputs(store, kind, { planned: plannedInputs });
    const source = { ...rangesOf(file), open: () => readLocalBeginning(file.path, signal), input, signal };
    return (await kind.beginning?.(source, readingOptions)) ?? [];
}

function rangesOf({ path, sizeBytes }: UploadFile): ByRange {
    return { name: basename(path), sizeBytes, readRange: (range) => readLocalPart(path, range) };
}
