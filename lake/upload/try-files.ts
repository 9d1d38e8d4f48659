/** Tries an upload: reads each file as the lake would, and says what would become of it. Changes nothing; the lake need not be there. */
import { readingOf } from '#lake/commit/read-source';
import { readAllRecords } from '#lake/commit/reconcile';
import { kindOf } from '#lake/kinds';
import type { Lake } from '#lake/lake';
import { siteOf } from '#lake/layout';
import { type LedgerRecord, readFewRecords } from '#lake/ledger';
import type { ObjectStore } from '#lake/store/object-store';
import { type DecideAllOptions, decideAll } from './decide-all.ts';
import { noteTwins } from './note-twins.ts';
import { closeRows, type RowsRead, readRows } from './read-rows.ts';
import type { UploadFile, UploadOptions } from './request.ts';
import { resultOf, type UploadResult } from './result.ts';

export interface Trial {
    /** What an upload would say of each file, with the record that it would commit; a refused file has one too. */
    results: UploadResult[];
    /** The first reject of each reason, by the files' raw keys. */
    firstRejects: ReadonlyMap<string, RowsRead['firstRejects']>;
}

/** What an upload of these files would come to now. @throws what an upload throws */
export async function tryFiles(lake: Lake, files: readonly UploadFile[], options: UploadOptions): Promise<Trial> {
    const { readingOptions, plannedInputs, signal, events } = options;
    const store = await lake.store();
    const { deciding, records } = await look(lake, store, options);
    events?.onBegin?.(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    const results: UploadResult[] = [];
    const firstRejects = new Map<string, RowsRead['firstRejects']>();
    for (const { file, decision } of await decideAll(files, deciding)) {
        const read = await readRows(file, { store, readingOptions, plannedInputs, signal, onBytes: events?.onBytes });
        closeRows(read);
        firstRejects.set(file.key, read.firstRejects);
        const record = recordOf(file, read, options);
        results.push(
            decision.action === 'refuse' ? { file, result: 'refused', record, note: decision.reason } : resultOf(file, decision, record),
        );
    }
    await events?.onTaken?.(files.length);
    return { results: options.allowDuplicate ? results : noteTwins(results, records), firstRejects };
}

async function look(
    lake: Lake,
    store: ObjectStore,
    options: UploadOptions,
): Promise<{ deciding: DecideAllOptions; records: Iterable<LedgerRecord> }> {
    if (lake.kind === 'directory') {
        const { decidingInDirectory } = await import('./to-directory.ts');
        const records = await readAllRecords(store);
        return { deciding: decidingInDirectory(options, store, records), records: records.values() };
    }
    const { decidingInBucket } = await import('./to-bucket.ts');
    return { deciding: decidingInBucket(options, store), records: (await readFewRecords(store)) ?? [] };
}

/** The record that the file would have, but for what only a commit tells. */
function recordOf(file: UploadFile, { outcome, fingerprint }: RowsRead, { readingOptions, now }: UploadOptions): LedgerRecord {
    return {
        source: file.key,
        site: siteOf(file.key),
        version: null,
        ...kindOf(file.key).nothingFound,
        ...readingOf(outcome, { fingerprint }),
        options: readingOptions,
        size_bytes: file.sizeBytes,
        etag: '',
        summarized_at: now().toISOString(),
        commits: 0,
        versions: {},
        retracted_generation: null,
    };
}
