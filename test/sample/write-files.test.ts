import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { StorageError } from '#lake/errors';
import { flowFiles, sampleFiles } from '#sample/flows/sample-files';
import { type SampleProgress, writeFiles } from '#sample/write-files';
import { makeFolder } from '#test/support/temporary';
import { textOf } from './flows/sample-rows.ts';

const OPTIONS = { flows: 600, days: 2, pairs: 12, sites: ['berlin', 'lisbon'] };

describe('writing a sample', () => {
    test('puts each file under its site, so that the folder can be uploaded as it is', async () => {
        const folder = join(await makeFolder(), 'new', 'samples');
        const told: SampleProgress[] = [];
        const done = await writeFiles(folder, flowFiles(OPTIONS), { onProgress: (progress) => told.push(progress) });
        expect((await readdir(folder, { recursive: true })).sort()).toEqual([
            'site=berlin',
            'site=berlin/2026-01-05_Flow.csv',
            'site=berlin/2026-01-06_Flow.csv',
            'site=lisbon',
            'site=lisbon/2026-01-05_Flow.csv',
            'site=lisbon/2026-01-06_Flow.csv',
        ]);
        let sizeBytes = 0;
        for (const file of sampleFiles(OPTIONS)) {
            const found = await readFile(join(folder, `site=${file.site}`, file.name), 'latin1');
            expect(found).toBe(textOf(file));
            sizeBytes += found.length;
        }
        expect(done).toEqual({ files: 4, rows: 600, sizeBytes });
        expect(told.at(-1)).toEqual(done);
    });

    test('again gives the same files', async () => {
        const folder = await makeFolder();
        await writeFiles(folder, flowFiles(OPTIONS));
        await writeFiles(folder, flowFiles(OPTIONS));
        expect(await readdir(join(folder, 'site=berlin'))).toEqual(['2026-01-05_Flow.csv', '2026-01-06_Flow.csv']);
    });

    test('that is interrupted leaves finished files and no half one', async () => {
        const folder = await makeFolder();
        const control = new AbortController();
        const reason = new Error('Ctrl-C');
        // The second file is of several chunks, and the signal fires within it.
        const onProgress = ({ files }: SampleProgress) => files === 1 && control.abort(reason);
        const options = { ...OPTIONS, flows: 20_000, pairs: 20, sites: ['berlin'] };
        await expect(writeFiles(folder, flowFiles(options), { onProgress, signal: control.signal })).rejects.toBe(reason);
        expect(await readdir(join(folder, 'site=berlin'))).toEqual(['2026-01-05_Flow.csv']);
    });

    test('where a file stands in the way is one clear error', async () => {
        const folder = await makeFolder();
        const file = join(folder, 'notes.txt');
        await writeFile(file, '');
        const failed = writeFiles(file, flowFiles(OPTIONS));
        await expect(failed).rejects.toBeInstanceOf(StorageError);
        await expect(failed).rejects.toThrow(
            `Cannot write ${join(file, 'site=berlin', '2026-01-05_Flow.csv')}: a file stands where a folder is needed (ENOTDIR).`,
        );
    });

    test('where no folder can be made is one clear error', async () => {
        await expect(writeFiles('/proc/nowhere', flowFiles(OPTIONS))).rejects.toThrow(
            /^Cannot write \/proc\/nowhere\/.* \((ENOENT|EACCES|EPERM|EROFS)\)/,
        );
    });
});
