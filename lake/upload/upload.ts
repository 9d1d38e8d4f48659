/**
 * Use case: bring files of this machine into a lake, and into its figures. What is asked for and what comes of it are plain values: any
 * edge may call it.
 */
import { UsageError } from '#lake/errors';
import { addInput, sayInput } from '#lake/inputs';
import type { ReadingOptions } from '#lake/kind';
import { kindOf, kinds } from '#lake/kinds';
import type { Lake } from '#lake/lake';
import { assertSaid, findMissingPresets } from './named-inputs.ts';
import type { UploadFile, UploadOptions } from './request.ts';
import type { UploadResult } from './result.ts';
import type { Trial } from './try-files.ts';

/**
 * Brings the files into the lake. In a directory they are in the figures then; in a deployed lake too, unless it does not wait for them.
 * @returns what came of each file, in no certain order
 * @throws UsageError for reading options that a file's kind does not know, and where one that it needs is missing; StorageError where the lake cannot be written, the signal's reason
 */
export async function upload(lake: Lake, files: readonly UploadFile[], options: UploadOptions): Promise<UploadResult[]> {
    for (const { key } of files) {
        assertKnown(options.readingOptions, key);
    }
    const store = await lake.store();
    await assertSaid(store, files, options);
    for (const { kind, name, document } of await findMissingPresets(store, keysOf(files), options.readingOptions)) {
        const { version } = await addInput(store, kind.inputs.prefix, name, document, { onlyFirst: true });
        await options.events?.onInputAdded?.(sayInput(kind, { name, version }));
    }
    if (lake.kind === 'directory') {
        const { uploadToDirectory } = await import('./to-directory.ts');
        return uploadToDirectory(lake, files, options);
    }
    const { uploadToBucket } = await import('./to-bucket.ts');
    return uploadToBucket(lake, files, options);
}

/**
 * What an upload of the files would come to now; changes nothing, and the lake need not be there.
 * @throws as `upload` does
 */
export async function tryUpload(lake: Lake, files: readonly UploadFile[], options: UploadOptions): Promise<Trial> {
    for (const { key } of files) {
        assertKnown(options.readingOptions, key);
    }
    const store = await lake.store();
    await assertSaid(store, files, options);
    const missing = await findMissingPresets(store, keysOf(files), options.readingOptions);
    const { tryFiles } = await import('./try-files.ts');
    return tryFiles(lake, files, { ...options, plannedInputs: new Map(missing.map(({ name, document }) => [name, document])) });
}

function keysOf(files: readonly UploadFile[]): string[] {
    return files.map(({ key }) => key);
}

/**
 * Lets reading options pass that the kind of the raw key knows. @throws UsageError for other options, and for values that are none of
 * theirs
 */
function assertKnown(readingOptions: ReadingOptions, rawKey: string): void {
    const { name: kindName, options } = kindOf(rawKey);
    for (const [name, value] of Object.entries(readingOptions)) {
        const option = options.find((known) => known.name === name);
        if (!option) {
            const flag = kinds.flatMap((kind) => kind.options).find((other) => other.name === name)?.flag ?? name;
            const known = options.map((other) => `--${other.flag}`).join(', ');
            throw new UsageError(`--${flag} says nothing of ${kindName}: their files take ${known === '' ? 'no reading options' : known}`);
        }
        if (option.choices && !option.choices.includes(value)) {
            throw new UsageError(
                `Files of kind ${kindName} take --${option.flag} ${option.choices.join(', ')}, not ${JSON.stringify(value)}`,
            );
        }
    }
}
