/** Puts gathered files into a directory lake, sees them through to the figures and tells how each came out. */

import type { Context } from '#cli/command';
import { openProgress } from '#cli/draw/progress';
import { sayCount } from '#cli/draw/quantity';
import type { UploadFile } from '#cli/gather-files';
import { exitCodeOf, report, resultOf, type UploadResult } from '#cli/upload-report';
import { findUndoneWork, readAllRecords } from '#lake/commit/reconcile';
import { ConflictError } from '#lake/errors';
import { consolidateDays, finishWork } from '#lake/here/finish-work';
import { hashLocalFile } from '#lake/here/local-file';
import { type Mark, markRunning, type Outcome, runTasks, type Task } from '#lake/here/local-work';
import { sourceId } from '#lake/layout';
import { type LedgerRecord, readLedger } from '#lake/ledger';
import { openDirectoryStore } from '#lake/store/directory';
import { type KnownSources, knownByRecords, type UploadDecision } from './decide.ts';
import { type DecideAllOptions, decideAll, decideOne } from './decide-all.ts';

export interface UploadOptions extends Pick<DecideAllOptions, 'replace' | 'allowDuplicate' | 'dateOrder' | 'durationUnit'> {
    directory: string;
    context: Pick<Context, 'stdout' | 'stderr' | 'signal' | 'output' | 'now'>;
}

/** @returns the exit code: 1 where a file was refused or could not be used. @throws where the lake itself could not be written. */
export async function uploadToDirectory(files: readonly UploadFile[], options: UploadOptions): Promise<number> {
    const { directory, context } = options;
    const mark = await markRunning(directory);
    if (mark.isWorkLeft) {
        await context.stderr.write('A command was cut off in this lake; finishing its work first\n');
        await finishWork(directory, { now: context.now(), signal: context.signal });
    }
    const known = knownByRecords(await readAllRecords(openDirectoryStore(directory)));
    const decided = await decideAll(files, decideOptions(options, known));
    const totalBytes = decided.reduce((sum, { file, decision }) => sum + (decision.action === 'refuse' ? 0 : file.sizeBytes), 0);
    const progress = openProgress({ stderr: context.stderr, now: context.now, doing: 'Uploading', totalBytes });
    const onBytes = (bytes: number): void => void progress.advance(bytes);
    const results: UploadResult[] = [];
    const days: string[] = [];
    const errors: Error[] = [];
    try {
        const fileOfKey = new Map(decided.map((entry) => [entry.file.key, entry]));
        const tasks = decided.flatMap(({ file, decision }) => taskOf(file, decision));
        for await (const outcome of runTasks(directory, tasks, { onBytes, totalBytes, signal: context.signal })) {
            const entry = fileOfKey.get('key' in outcome.task ? outcome.task.key : '');
            const after = entry && outcome.task.kind === 'put' && isConflict(outcome) ? await afterConflict(entry.file, options) : outcome;
            if ('error' in after) {
                errors.push(after.error);
            } else if (entry) {
                days.push(...after.result.days);
                results.push(resultOf(entry.file, entry.decision, after.result.record));
            }
        }
        context.signal.throwIfAborted();
        errors.push(...(await consolidateDays(directory, days, { totalBytes, signal: context.signal })));
        context.signal.throwIfAborted();
    } finally {
        await progress.stop();
        if (errors.length > 0 || context.signal.aborted) {
            await tellWhatIsLeft(mark, { results, files, options });
        }
    }
    for (const { file, decision } of decided) {
        if (decision.action === 'refuse') {
            results.push({ file, result: 'refused', note: decision.reason });
        }
    }
    if (errors[0]) {
        throw errors[0];
    }
    await mark.clear();
    await progress.finish(
        `Uploaded ${sayCount(results.filter(({ result }) => result === 'added' || result === 'replaced').length, 'file')}`,
    );
    await report(results, context);
    return exitCodeOf(results);
}

/** The etag of a directory lake is the SHA-256. */
function decideOptions({ directory, context, ...options }: UploadOptions, known: KnownSources): DecideAllOptions {
    return {
        ...options,
        known,
        store: openDirectoryStore(directory),
        hasBytesOf: async (_, { etag }, sha256) => etag === (await sha256()),
        signal: context.signal,
    };
}

/** After an error or Ctrl-C: a new file that did not make it is not in the lake; what is half in is finished later, and that is said. */
async function tellWhatIsLeft(
    mark: Mark,
    { results, files, options }: { results: readonly UploadResult[]; files: readonly UploadFile[]; options: UploadOptions },
): Promise<void> {
    const { stderr, now } = options.context;
    const { sources, days } = await findUndoneWork(openDirectoryStore(options.directory), { now: now() });
    const isAllDone = sources.length + days.length === 0;
    if (isAllDone) {
        await mark.clear();
    }
    const taken = `${results.length} of ${files.length} files taken in`;
    await stderr.write(
        `${taken}; ${isAllDone ? 'of the others nothing is in the lake' : 'the next upload or flowlake reconcile finishes the rest'}\n`,
    );
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

/** Another upload of this name was faster: with the same bytes that is as good as ours, with others it is refused or replaced anew. */
async function afterConflict(file: UploadFile, options: UploadOptions): Promise<Outcome> {
    const { record } = await readLedger(openDirectoryStore(options.directory), sourceId(file.key));
    const known = knownByRecords(new Map<string, LedgerRecord>(record ? [[sourceId(file.key), record]] : []));
    const sha256 = () => hashLocalFile(file.path, options.context.signal);
    const decision = await decideOne(file, { ...decideOptions(options, known), sha256 });
    const [task] = taskOf(file, decision);
    if (!task) {
        const reason = decision.action === 'refuse' ? decision.reason : 'another upload of this name was faster';
        return { task: { kind: 'summarize', key: file.key }, error: new ConflictError(`${file.shown}: ${reason}`) };
    }
    for await (const outcome of runTasks(options.directory, [task], { signal: options.context.signal })) {
        return outcome;
    }
    throw new ConflictError(`${file.shown}: another upload of this name was faster`);
}
