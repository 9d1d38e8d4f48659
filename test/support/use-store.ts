/**
 * A process that does one thing to a directory store, for tests of what the system refuses: `node use-store.ts <directory> put <key>
 * <bytes>` or `head <key>`. Prints what came of it as JSON: `{ info }` or `{ error: { name, message } }`.
 */
import { openDirectoryStore } from '#lake/store/directory';
import type { ObjectInfo } from '#lake/store/object-store';

export interface StoreOutcome {
    info?: ObjectInfo;
    error?: { name: string; message: string };
}

const [directory = '', operation, key = '', bytes = '0'] = process.argv.slice(2);
const store = openDirectoryStore(directory);
let outcome: StoreOutcome;
try {
    const info = operation === 'put' ? await store.put(key, Buffer.alloc(Number(bytes), 'x')) : await store.head(key);
    outcome = info ? { info } : {};
} catch (error) {
    outcome = {
        error: error instanceof Error ? { name: error.name, message: error.message } : { name: 'unknown', message: String(error) },
    };
}
process.stdout.write(JSON.stringify(outcome));
