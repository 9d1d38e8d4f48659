/** What an upload means for each of its files, before anything is put. */
import { hashLocalFile, inspectLocalFile } from '#lake/here/local-file';
import type { ReadingOptions } from '#lake/kind';
import { kindOf } from '#lake/kinds';
import { once } from '#lake/once';
import type { ObjectStore } from '#lake/store/object-store';
import { addRows, decideUpload, type KnownBytes, type KnownSources, removeRows, type UploadDecision } from './decide.ts';
import { type Beginning, rowsOfFile, sayIsBeginning } from './known-rows.ts';
import { readBeginning, readRows } from './read-rows.ts';
import type { UploadFile } from './request.ts';

export interface DecideAllOptions {
    store: ObjectStore;
    known: KnownSources;
    replace: boolean;
    allowDuplicate: boolean;
    readingOptions: ReadingOptions;
    /** See `UploadOptions.plannedInputs`. */
    plannedInputs?: ReadonlyMap<string, unknown> | undefined;
    /** True if a file has the bytes of an object of its size; calls `sha256`, which reads the file, only where that tells. */
    hasBytesOf: (file: UploadFile, object: KnownBytes, sha256: () => Promise<string>) => Promise<boolean>;
    /** True where a file with the rows of another one of this upload is refused: in a directory, where those of the lake are known too. */
    mayCompareRows: boolean;
    signal: AbortSignal;
}

export interface Decided {
    file: UploadFile;
    decision: UploadDecision;
    /** SHA-256 of the file in hex; the file is read for it once at most. */
    sha256: () => Promise<string>;
}

/** Metadata of a raw object: the SHA-256 of its bytes in hex, where the store's own etag is another thing. */
export const SHA256 = 'sha256';

/**
 * One decision for each file, in their order; two files of one upload with the same bytes, or rows, are twins too. Of those the first is taken, but
 * where it is no more than the beginning of the other: then that one is, whatever the two are called.
 */
export async function decideAll(files: readonly UploadFile[], options: DecideAllOptions): Promise<Decided[]> {
    const sizes = new Map<number, number>();
    for (const { sizeBytes } of files) {
        sizes.set(sizeBytes, (sizes.get(sizeBytes) ?? 0) + 1);
    }
    let ofThisUpload: KnownBytes[] = [];
    const rows = new Map([...options.known.rows].map(([first, known]) => [first, [...known]]));
    const known: KnownSources = {
        recordOf: options.known.recordOf,
        ofSize: async (sizeBytes) => [
            ...(await options.known.ofSize(sizeBytes)),
            ...ofThisUpload.filter((twin) => twin.sizeBytes === sizeBytes),
        ],
        rows,
    };
    const decided = new Map<string, Decided>();
    for (const file of files) {
        options.signal.throwIfAborted();
        const sha256 = once(() => hashLocalFile(file.path, options.signal));
        const beginning = once(() => readBeginning(file, options));
        let decision = await decideOne(file, { ...options, known, sha256, beginning });
        for (let part = beginningIn(decision, decided); part; part = beginningIn(decision, decided)) {
            // All its rows are in this file too: it makes way, and this file is judged as if there were no such one.
            decided.set(part.source, { ...part.entry, decision: { action: 'refuse', reason: sayIsBeginning(part, { of: file.key }) } });
            ofThisUpload = ofThisUpload.filter(({ source }) => source !== part?.source);
            removeRows(rows, part.source);
            decision = await decideOne(file, { ...options, known, sha256, beginning });
        }
        if (decision.action === 'put' && options.mayCompareRows && files.length > 1) {
            addRows(rows, rowsOfFile(file.key, { beginning: await beginning(), read: () => readRows(file, options) }));
        }
        decided.set(file.key, { file, decision, sha256 });
        // Hashing reads the whole file: only where another of this upload may have the same bytes.
        if (decision.action === 'put' && (sizes.get(file.sizeBytes) ?? 0) > 1) {
            const hash = await sha256();
            ofThisUpload.push({ source: file.key, sizeBytes: file.sizeBytes, etag: hash, metadata: { [SHA256]: hash }, isUnread: true });
        }
    }
    return [...decided.values()];
}

/** The new file of this upload that keeps another one out because that begins with it; undefined where it is a source of the lake. */
function beginningIn(decision: UploadDecision, decided: ReadonlyMap<string, Decided>): (Beginning & { entry: Decided }) | undefined {
    const beginsWith = decision.action === 'refuse' ? decision.beginsWith : undefined;
    const entry = decided.get(beginsWith?.source ?? '');
    return beginsWith && entry?.decision.action === 'put' && !entry.decision.isReplacing ? { ...beginsWith, entry } : undefined;
}

/** The decision for one file. */
export function decideOne(
    file: UploadFile,
    {
        sha256,
        hasBytesOf,
        beginning = () => readBeginning(file, options),
        ...options
    }: DecideAllOptions & { sha256: () => Promise<string>; beginning?: () => Promise<readonly string[]> },
): Promise<UploadDecision> {
    const { store, known, readingOptions, replace, allowDuplicate } = options;
    return decideUpload(
        {
            key: file.key,
            sizeBytes: file.sizeBytes,
            hasBytesOf: (object) => hasBytesOf(file, object, sha256),
            inspect: () => inspectLocalFile(file.path, { kind: kindOf(file.key) }),
            beginning,
            readRows: () => readRows(file, options),
        },
        { store, known, readingOptions, mayReplace: replace, mayDuplicate: allowDuplicate },
    );
}
