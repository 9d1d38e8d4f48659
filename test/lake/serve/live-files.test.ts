/** Files of a served lake. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { StorageError } from '#lake/errors';
import { makeLiveFolder } from '#lake/serve/live-files';

test('a place at which no folder can be made is an error that people understand', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'flowlake-live-files-'));
    await writeFile(join(folder, 'file'), '');
    expect(() => makeLiveFolder(join(folder, 'file', 'lake'))).toThrow(StorageError);
    await rm(folder, { recursive: true });
});
