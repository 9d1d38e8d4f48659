/**
 * A process that puts an object twice, `node note-syncs.ts <folder>`: as one that is to be new, and whatever is there. At each wait for the
 * disk it prints a line: whether the object had its name already.
 */
import fs, { existsSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

const [, , folder = ''] = process.argv;
const { fsync } = fs;
fs.fsync = ((fd, done) => {
    fsync(fd, (error) => {
        process.stdout.write(`${existsSync(join(folder, 'ledger/a.json'))}\n`);
        done(error);
    });
}) as typeof fsync;
syncBuiltinESMExports();

const { openDirectoryStore } = await import('#lake/store/directory');
const { ABSENT } = await import('#lake/store/object-store');
const store = openDirectoryStore(folder);
await store.put('ledger/a.json', Buffer.from('{}'), { ifMatch: ABSENT });
await store.delete('ledger/a.json');
await store.put('ledger/a.json', Buffer.from('{}'));
