/** Gathers files, uploads them, and shows how far it is and what came of each. */
import type { RunContext } from '#cli/command';
import { useLake } from '#cli/use-lake';
import type { ReadingOptions } from '#lake/kind';
import { kinds } from '#lake/kinds';
import type { UploadResult } from '#lake/upload/result';
import { upload } from '#lake/upload/upload';
import { gatherFiles } from './gather-files.ts';
import { exitCodeOf, report } from './report.ts';
import { showUpload } from './show-upload.ts';

interface UploadCommandOptions {
    kind: string;
    site: string | undefined;
    as: string | undefined;
    replace: boolean;
    allowDuplicate: boolean;
    wait: boolean;
    /** How the files must be read, by the names of the kinds' options, where it was said. */
    reading: ReadingOptions;
}

/** Uploads what the words mean and prints a row for each file. @returns 1 where a file was refused or could not be used */
export async function uploadFiles(
    words: readonly string[],
    { kind: kindName, ...options }: UploadCommandOptions,
    context: RunContext,
): Promise<number> {
    const kind = kinds.find(({ name }) => name === kindName) ?? kinds[0];
    return useLake(
        context,
        async (lake) => {
            const { files, skipped, cleanUp } = await gatherFiles(words, { ...options, kind, lake, context });
            try {
                const { signal, now, environment } = context;
                const { replace, allowDuplicate, wait, reading } = options;
                const shown = showUpload(lake, context);
                const asked = { replace, allowDuplicate, wait, readingOptions: reading, signal, now, environment, events: shown.events };
                const uploaded = files.length > 0 ? await upload(lake, files, asked).finally(shown.end) : [];
                const results = [
                    ...uploaded,
                    ...skipped.map(
                        ({ file, what }): UploadResult => ({ file, result: 'skipped', note: `${what}, no file of ${kind.name}` }),
                    ),
                ];
                await report(results, context);
                return exitCodeOf(results);
            } finally {
                await cleanUp();
            }
        },
        { mayBeNew: true },
    );
}
