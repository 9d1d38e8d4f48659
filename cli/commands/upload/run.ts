/** Gathers files, uploads them, and shows how far it is and what came of each. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunContext } from '#cli/command';
import { tellOlderFigures } from '#cli/use-figures';
import { useLake } from '#cli/use-lake';
import type { ReadingOptions } from '#lake/kind';
import { kinds } from '#lake/kinds';
import type { Lake } from '#lake/lake';
import { findFirstReject } from '#lake/reports/first-reject';
import type { UploadFile, UploadOptions } from '#lake/upload/request';
import type { UploadResult } from '#lake/upload/result';
import { tryUpload, upload } from '#lake/upload/upload';
import { gatherFiles } from './gather-files.ts';
import { exitCodeOf, report } from './report.ts';
import { columnsOfTrial, columnsOfUpload } from './report-columns.ts';
import { showUpload } from './show-upload.ts';

interface UploadCommandOptions {
    kind: string;
    site: string | undefined;
    as: string | undefined;
    replace: boolean;
    allowDuplicate: boolean;
    /** True if the files are read, what would become of them is told, and nothing is changed. */
    dryRun: boolean;
    wait: boolean;
    /** How the files must be read, by the names of the kinds' options, where it was said. */
    reading: ReadingOptions;
}

/** Uploads what the words mean and prints a row for each file. @returns 1 where a file was refused, could not be used or keeps nothing */
export async function uploadFiles(
    words: readonly string[],
    { kind: kindName, dryRun: isTrial, ...options }: UploadCommandOptions,
    context: RunContext,
): Promise<number> {
    const kind = kinds.find(({ name }) => name === kindName) ?? kinds[0];
    return useLake(
        isTrial ? { ...context, lake: context.lake ?? NO_LAKE } : context,
        async (lake) => {
            const { files, skipped, unusable, cleanUp } = await gatherFiles(words, { ...options, kind, lake, isTrial, context });
            try {
                const { signal, now, environment } = context;
                const { replace, allowDuplicate, wait, reading } = options;
                const shown = showUpload(lake, context, { isTrial });
                const asked = { replace, allowDuplicate, wait, readingOptions: reading, signal, now, environment, events: shown.events };
                const leftOut = [
                    ...skipped.map(
                        ({ file, what }): UploadResult => ({ file, result: 'skipped', note: `${what}, no file of ${kind.name}` }),
                    ),
                    ...unusable.map(({ file, why }): UploadResult => ({ file, result: 'failed', note: why })),
                ];
                return await (isTrial ? tryAll : uploadAll)(lake, files, { asked, leftOut, end: shown.end, context });
            } finally {
                await cleanUp();
            }
        },
        { mayBeNew: true },
    );
}

/** The lake of a trial that names none: nobody makes a folder there. */
const NO_LAKE = { kind: 'directory', name: 'none', directory: join(tmpdir(), `flowlake-none-${randomUUID()}`) } as const;

interface Asked {
    asked: UploadOptions;
    /** Files that are told of, and go nowhere. */
    leftOut: readonly UploadResult[];
    /** Takes away what is drawn. */
    end: () => Promise<void>;
    context: RunContext;
}

async function uploadAll(lake: Lake, files: readonly UploadFile[], { asked, leftOut, end, context }: Asked): Promise<number> {
    const uploaded = files.length > 0 ? await upload(lake, files, asked).finally(end) : [];
    const results = [...uploaded, ...leftOut];
    const store = await lake.store();
    await report(results, context, {
        columns: columnsOfUpload({ isTable: context.output === 'table' }),
        findFirstReject: async ({ record }, reason) => record && findFirstReject(record, { reason, store }),
        isTrial: false,
    });
    await tellOlderFigures(lake, context);
    return exitCodeOf(results);
}

async function tryAll(lake: Lake, files: readonly UploadFile[], { asked, leftOut, end, context }: Asked): Promise<number> {
    const tried = files.length > 0 ? await tryUpload(lake, files, asked).finally(end) : undefined;
    const results = [...(tried?.results ?? []), ...leftOut];
    await report(results, context, {
        columns: columnsOfTrial(results, { isTable: context.output === 'table', now: context.now() }),
        findFirstReject: async ({ file }, reason) => tried?.firstRejects.get(file.key)?.get(reason),
        isTrial: true,
    });
    return exitCodeOf(results);
}
