/** Puts files into a directory lake and sees them through to the figures. */

import { consolidateAll } from '#lake/commit/finish';
import { readAllRecords } from '#lake/commit/reconcile';
import { ConflictError } from '#lake/errors';
import { changeDirectory, clearIfNothingIsLeft } from '#lake/here/change-directory';
import { hashLocalFile } from '#lake/here/local-file';
import type { Mark } from '#lake/here/marks';
import type { Task } from '#lake/here/tasks';
import { workInThreads } from '#lake/here/thread-workers';
import { type Outcome, openThreads, runTasks, type Threads } from '#lake/here/threads';
import type { DirectoryLake } from '#lake/lake';
import type { TablePeriod } from '#lake/layout';
import { type LedgerRecord, readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { knownByRecords, type UploadDecision } from './decide.ts';
import { type DecideAllOptions, type Decided, decideAll, decideOne } from './decide-all.ts';
import { noteTwins } from './note-twins.ts';
import type { UploadFile, UploadOptions } from './request.ts';
import { resultOf, type UploadResult } from './result.ts';

/** The directory that the files go to, and what is known of it. */
interface Place {
    directory: string;
    store: ObjectStore;
}

/**
 * Brings the files into the directory lake. @returns what came of each file. @throws where the lake itself could not be written; what is
 * half in is finished by the next command then
 */
export async function uploadToDirectory(
    { directory, store: openStore }: Pick<DirectoryLake, 'directory' | 'store'>,
    files: readonly UploadFile[],
    options: UploadOptions,
): Promise<UploadResult[]> {
    const { signal, now, events } = options;
    const store = await openStore();
    const { onCutOff, onUnfinished } = events ?? {};
    const results = await changeDirectory(directory, { signal, now, onCutOff, onUnfinished }, (mark) =>
        takeIn(files, { directory, store, mark, options }),
    );
    await events?.onTaken?.(results.filter(({ result }) => result === 'added' || result === 'replaced').length);
    return results;
}

/** Takes the files in. Where that breaks off it tells how far it came, and clears the mark if nothing is left for others to finish. */
async function takeIn(
    files: readonly UploadFile[],
    { mark, options, ...place }: Place & { mark: Mark; options: UploadOptions },
): Promise<UploadResult[]> {
    const taken: UploadResult[] = [];
    try {
        const { refused, records } = await putAndMerge(files, { ...place, options, onTaken: (result) => taken.push(result) });
        return [...(options.allowDuplicate ? taken : noteTwins(taken, records)), ...refused];
    } catch (error) {
        // A new file that did not make it is not in the lake. What is half in, as a file that replaces another, the next command finishes.
        const isAnyLeft = !(await clearIfNothingIsLeft(place.directory, mark, { now: options.now() }));
        await options.events?.onBrokenOff?.({ taken: taken.length, of: files.length, isAnyLeft });
        throw error;
    }
}

/**
 * Decides what each file means, puts and summarizes those that go in, and merges the periods that they touch.
 * @returns those that were refused, and what the ledger said before
 */
async function putAndMerge(
    files: readonly UploadFile[],
    { options, onTaken, ...place }: Place & { options: UploadOptions; onTaken: (result: UploadResult) => void },
): Promise<{ refused: UploadResult[]; records: Iterable<LedgerRecord> }> {
    const { signal, events } = options;
    const records = await readAllRecords(place.store);
    const decided = await decideAll(files, decidingInDirectory(options, place.store, records));
    const totalBytes = decided.reduce((sum, { file, decision }) => sum + (decision.action === 'refuse' ? 0 : file.sizeBytes), 0);
    events?.onBegin?.(totalBytes);
    const periods: TablePeriod[] = [];
    const errors: Error[] = [];
    const threads = openThreads(place.directory, { onBytes: events?.onBytes, signal });
    try {
        for await (const { file, decision, outcome } of putAll(decided, { ...place, threads, totalBytes, options })) {
            if ('error' in outcome) {
                errors.push(outcome.error);
            } else if (outcome.result.summarized) {
                periods.push(...outcome.result.summarized.periods);
                onTaken(resultOf(file, decision, outcome.result.summarized.record));
            }
        }
        signal.throwIfAborted();
        errors.push(...(await consolidateAll(workInThreads(place.directory, { totalBytes, signal, threads }), periods)));
    } finally {
        await threads.close();
    }
    if (errors[0]) {
        throw errors[0];
    }
    const refused = decided.flatMap(({ file, decision }): UploadResult[] =>
        decision.action === 'refuse' ? [{ file, result: 'refused', note: decision.reason }] : [],
    );
    return { refused, records: records.values() };
}

interface PutOptions extends Place {
    threads: Threads;
    totalBytes: number;
    options: UploadOptions;
}

/** Puts the files that are to be put, summarizes them and those that are there already, and tells how each came out, as it comes. */
async function* putAll(
    decided: readonly Decided[],
    { threads, totalBytes, options, ...place }: PutOptions,
): AsyncGenerator<Pick<Decided, 'file' | 'decision'> & { outcome: Outcome }> {
    const entryOfKey = new Map(decided.map((entry) => [entry.file.key, entry]));
    const tasks = decided.flatMap(({ file, decision }) => taskOf(file, decision));
    for await (const outcome of threads.run(tasks, { totalBytes })) {
        const entry = entryOfKey.get('key' in outcome.task ? outcome.task.key : '');
        if (entry) {
            const isLost = outcome.task.kind === 'put' && isConflict(outcome);
            yield { ...entry, outcome: isLost ? await afterConflict(entry.file, place, options) : outcome };
        }
    }
}

/** How files are decided on, by these records. One has an object's bytes if the etag is its SHA-256: in a directory lake it always is. */
export function decidingInDirectory(
    options: UploadOptions,
    store: ObjectStore,
    records: ReadonlyMap<string, LedgerRecord>,
): DecideAllOptions {
    const known = knownByRecords(records, store);
    return { ...options, known, store, mayCompareRows: true, hasBytesOf: async (_, { etag }, sha256) => etag === (await sha256()) };
}

function taskOf(file: UploadFile, decision: UploadDecision): Task[] {
    switch (decision.action) {
        case 'put':
            return [{ kind: 'put', path: file.path, key: file.key, ifMatch: decision.ifMatch, metadata: decision.metadata }];
        case 'skip':
            return [{ kind: 'summarize', key: file.key }];
        default:
            return [];
    }
}

function isConflict(outcome: Outcome): boolean {
    return 'error' in outcome && outcome.error instanceof ConflictError;
}

/**
 * Decides once more where another upload of this name was faster: the same bytes are as good as ours, others are refused or replaced anew.
 */
async function afterConflict(file: UploadFile, place: Place, options: UploadOptions): Promise<Outcome> {
    const { record } = await readLedger(place.store, sourceId(file.key));
    const records = new Map(record ? [[sourceId(file.key), record]] : []);
    const sha256 = () => hashLocalFile(file.path, options.signal);
    const decision = await decideOne(file, { ...decidingInDirectory(options, place.store, records), sha256 });
    const [task] = taskOf(file, decision);
    if (!task) {
        const reason = decision.action === 'refuse' ? decision.reason : 'another upload of this name was faster';
        return { task: { kind: 'summarize', key: file.key }, error: new ConflictError(`${file.shown}: ${reason}`) };
    }
    for await (const outcome of runTasks(place.directory, [task], { signal: options.signal })) {
        return outcome;
    }
    throw new ConflictError(`${file.shown}: another upload of this name was faster`);
}
