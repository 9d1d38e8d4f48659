/** Puts gathered files into a directory lake, sees them through to the figures and tells how each came out. */
import { createReadStream } from 'node:fs';
import { ConflictError } from '#lake/errors';
import { consolidateDays, findUndoneWork, finishWork } from '#lake/finish-work';
import { whyUnusable } from '#lake/flows/read-flows';
import { siteOf, sourceId } from '#lake/layout';
import { type LedgerRecord, readLedger } from '#lake/ledger';
import { hashLocalFile, type Mark, markRunning, type Outcome, runTasks, type Task } from '#lake/local-work';
import type { Value } from '#lake/query/query-engine';
import { readAllRecords } from '#lake/reconcile';
import { openDirectoryStore } from '#lake/store/directory';
import { type DecideOptions, decideUpload, type UploadDecision } from '#lake/upload';
import { batchOf } from './batch-of.ts';
import type { Context } from './command.ts';
import type { UploadFile } from './gather-files.ts';
import { printRows } from './print-rows.ts';
import { openProgress } from './progress.ts';
import { sayCount } from './quantity.ts';

export interface UploadOptions {
    directory: string;
    replace: boolean;
    allowDuplicate: boolean;
    dateOrder: 'dmy' | 'mdy' | 'ymd' | undefined;
    durationUnit: 'us' | 's' | undefined;
    context: Pick<Context, 'stdout' | 'stderr' | 'signal' | 'output' | 'now'>;
}

/** How one file came out. */
interface UploadResult {
    file: UploadFile;
    result: 'added' | 'replaced' | 'skipped' | 'refused' | 'failed';
    record?: LedgerRecord | undefined;
    note?: string | undefined;
}

/** @returns the exit code: 1 where a file was refused or could not be used. @throws where the lake itself could not be written. */
export async function uploadFiles(files: readonly UploadFile[], options: UploadOptions): Promise<number> {
    const { directory, context } = options;
    const mark = await markRunning(directory);
    if (mark.isWorkLeft) {
        await context.stderr.write('A command was cut off in this lake; finishing its work first\n');
        await finishWork(directory, { now: context.now(), signal: context.signal });
    }
    const decided = await decideAll(files, options);
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
    return results.some(({ result }) => result === 'refused' || result === 'failed') ? 1 : 0;
}

/** After an error or Ctrl-C: a new file that did not make it is not in the lake; what is half in is finished later, and that is said. */
async function tellWhatIsLeft(
    mark: Mark,
    { results, files, options }: { results: readonly UploadResult[]; files: readonly UploadFile[]; options: UploadOptions },
): Promise<void> {
    const { stderr, now } = options.context;
    const { sources, days } = await findUndoneWork(options.directory, { now: now() });
    const isAllDone = sources.length + days.length === 0;
    if (isAllDone) {
        await mark.clear();
    }
    const taken = `${results.length} of ${files.length} files taken in`;
    await stderr.write(
        `${taken}; ${isAllDone ? 'of the others nothing is in the lake' : 'the next upload or flowlake reconcile finishes the rest'}\n`,
    );
}

interface Decided {
    file: UploadFile;
    decision: UploadDecision;
}

async function decideAll(files: readonly UploadFile[], options: UploadOptions): Promise<Decided[]> {
    const store = openDirectoryStore(options.directory);
    const records = new Map<string, DecideOptions['records'] extends ReadonlyMap<string, infer R> ? R : never>(await readAllRecords(store));
    const sizes = new Map<number, number>();
    for (const { sizeBytes } of files) {
        sizes.set(sizeBytes, (sizes.get(sizeBytes) ?? 0) + 1);
    }
    const decided: Decided[] = [];
    for (const file of files) {
        options.context.signal.throwIfAborted();
        const etag = once(() => hashLocalFile(file.path, options.context.signal));
        const decision = await decide(file, { etag, records, options });
        decided.push({ file, decision });
        // Hashing reads the whole file: only where another of this upload may have the same bytes.
        if (decision.action === 'put' && (sizes.get(file.sizeBytes) ?? 0) > 1) {
            records.set(sourceId(file.key), { source: file.key, size_bytes: file.sizeBytes, etag: await etag(), state: 'done' });
        }
    }
    return decided;
}

async function decide(
    file: UploadFile,
    { etag, records, options }: { etag: () => Promise<string>; records: DecideOptions['records']; options: UploadOptions },
): Promise<UploadDecision> {
    return decideUpload(
        { key: file.key, sizeBytes: file.sizeBytes, etag, whyUnusable: () => whyUnusable(createReadStream(file.path)) },
        {
            store: openDirectoryStore(options.directory),
            readingOptions: {
                ...(options.dateOrder && { dateOrder: options.dateOrder }),
                ...(options.durationUnit && { durationUnit: options.durationUnit }),
            },
            records,
            mayReplace: options.replace,
            mayDuplicate: options.allowDuplicate,
        },
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
    const store = openDirectoryStore(options.directory);
    const { record } = await readLedger(store, sourceId(file.key));
    const records = new Map(record && [[sourceId(file.key), record]]);
    const decision = await decide(file, { etag: () => hashLocalFile(file.path, options.context.signal), records, options });
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

function resultOf(file: UploadFile, decision: UploadDecision, record: LedgerRecord | undefined): UploadResult {
    if (record?.state === 'failed') {
        return { file, result: 'failed', record, note: record.error ?? undefined };
    }
    if (decision.action === 'skip') {
        return { file, result: 'skipped', record, note: 'the lake has these bytes under this name' };
    }
    const isReplacing = decision.action === 'put' && decision.isReplacing;
    return { file, result: isReplacing ? 'replaced' : 'added', record };
}

const COLUMNS = [
    { name: 'site', type: 'varchar' },
    { name: 'file', type: 'varchar' },
    { name: 'result', type: 'varchar' },
    { name: 'rows_kept', type: 'bigint' },
    { name: 'rows_rejected', type: 'bigint' },
    { name: 'first_day', type: 'varchar' },
    { name: 'last_day', type: 'varchar' },
];

/** The reasons in words: in a table they would push the figures off the screen, so there they stand below it. */
const NOTE = { name: 'note', type: 'varchar' };

async function report(results: readonly UploadResult[], context: UploadOptions['context']): Promise<void> {
    const isTable = context.output === 'table';
    const sorted = results.toSorted((a, b) => (a.file.key < b.file.key ? -1 : 1));
    const rows = sorted.map(({ file, result, record, note }): Value[] => [
        siteOf(file.key),
        file.shown,
        result,
        record ? BigInt(record.rows_kept) : null,
        record ? BigInt(record.rows_rejected) : null,
        record?.first_day ?? null,
        record?.last_day ?? null,
        ...(isTable ? [] : [note ?? null]),
    ]);
    await printRows({ columns: isTable ? COLUMNS : [...COLUMNS, NOTE], batches: batchOf(rows) }, context);
    if (isTable) {
        await sayNotes(sorted, context);
    }
    const rejected = results.reduce((sum, { record }) => sum + (record?.rows_rejected ?? 0), 0);
    if (rejected > 0) {
        await context.stderr.write(`${sayCount(rejected, 'row was', 'rows were')} rejected; flowlake rejects shows which and why\n`);
    }
    const assumed = results.filter(({ record, result }) => record?.date_order === 'assumed' && result !== 'skipped');
    if (assumed.length > 0) {
        await context.stderr.write(
            `Nothing in ${sayCount(assumed.length, 'file')} tells day from month (${assumed[0]?.file.shown}${assumed.length > 1 ? ', ...' : ''}): ` +
                'day first was taken; if the month is first: --replace --date-order mdy\n',
        );
    }
}

/** Each note once, with the files that it holds for. */
async function sayNotes(results: readonly UploadResult[], { stderr }: Pick<Context, 'stderr'>): Promise<void> {
    const filesOfNote = new Map<string, string[]>();
    for (const { file, result, note } of results) {
        if (note !== undefined) {
            const text = `${result}: ${note}`;
            filesOfNote.set(text, [...(filesOfNote.get(text) ?? []), file.shown]);
        }
    }
    for (const [text, [first, ...others]] of filesOfNote) {
        await stderr.write(`${first}${others.length > 0 ? ` and ${sayCount(others.length, 'more', 'more')}` : ''} ${text}\n`);
    }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
    let result: Promise<T> | undefined;
    return () => {
        result ??= work();
        return result;
    };
}
