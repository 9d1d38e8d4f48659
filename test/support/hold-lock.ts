/**
 * A process that takes the directory store's lock slowly: `node hold-lock.ts <folder>`. It says `looked` when it has seen who had
 * the last turn, and `inside` when it holds the lock; each time it goes on with the next line on its standard input.
 */
import { writeSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { createInterface } from 'node:readline';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function sayAndWait(word: string): Promise<void> {
    writeSync(1, `${word}\n`);
    await lines.next();
}

const { readdir } = promises;
promises.readdir = (async (path: string) => {
    promises.readdir = readdir;
    syncBuiltinESMExports();
    const names = await readdir(path);
    await sayAndWait('looked');
    return names;
}) as typeof readdir;
syncBuiltinESMExports();

const { withLock } = await import('#lake/store/directory-lock');
await withLock(process.argv[2] ?? '', () => sayAndWait('inside'));
process.stdin.destroy();
