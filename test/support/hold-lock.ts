/**
 * A process that takes the directory store's lock slowly: `node hold-lock.ts <folder>`. It says `looked` when it has seen who had
 * the last turn, and `inside` when it holds the lock; each time it goes on with the next line on its standard input.
 */
import fs, { readSync, writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

function sayAndWait(word: string): void {
    writeSync(1, `${word}\n`);
    readSync(0, Buffer.alloc(1));
}

const { readdirSync } = fs;
fs.readdirSync = ((path: string) => {
    fs.readdirSync = readdirSync;
    syncBuiltinESMExports();
    const names = readdirSync(path);
    sayAndWait('looked');
    return names;
}) as typeof readdirSync;
syncBuiltinESMExports();

const { withLock } = await import('#lake/store/directory-lock');
await withLock(process.argv[2] ?? '', async () => sayAndWait('inside'));
