/** Folders that go with the test that made them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';

const made: string[] = [];

/** A new empty folder, removed after the test file's last test. */
export async function makeFolder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'flowlake-test-'));
    made.push(folder);
    return folder;
}

afterAll(async () => {
    await Promise.all(made.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});
