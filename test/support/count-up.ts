/**
 * A process that counts up in one object of a directory store, as often as it can: `node count-up.ts <directory> <times>`.
 * Each increment that it knows of is one line on its standard output.
 */
import { writeSync } from 'node:fs';
import { ConflictError } from '#lake/errors';
import { openDirectoryStore } from '#lake/store/directory';
import { ABSENT } from '#lake/store/object-store';

const COUNTER_KEY = 'ledger/counter.json';

/** Increments by process id. */
export type Counts = Record<string, number>;

const [directory = '', times = '0'] = process.argv.slice(2);
const store = openDirectoryStore(directory);

for (let done = 0; done < Number(times); ) {
    const found = await store.get(COUNTER_KEY);
    const counts: Counts = found ? JSON.parse(Buffer.from(found.bytes).toString()) : {};
    const next = { ...counts, [process.pid]: (counts[process.pid] ?? 0) + 1 };
    try {
        await store.put(COUNTER_KEY, Buffer.from(JSON.stringify(next)), { ifMatch: found?.info.etag ?? ABSENT });
        done += 1;
        writeSync(1, `${done}\n`);
    } catch (error) {
        if (!(error instanceof ConflictError)) {
            throw error;
        }
    }
}
