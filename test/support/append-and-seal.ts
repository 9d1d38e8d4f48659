/**
 * A process that takes messages into the inbox of a lake and seals them, to be killed: `node append-and-seal.ts <directory> <first number> <how many at once>
 * <rounds> <answers>`. The file <answers> gets a line with the number of each message that was answered. After each round it seals; with `Infinity` rounds
 * sealing has its own times.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { openInbox } from '#lake/serve/inbox';
import { endOfChainIn } from '#lake/serve/seal-pass';
import { startSealing } from '#lake/serve/sealing';
import { openDirectoryStore } from '#lake/store/directory';
import { newMessage } from './chain-messages.ts';

const [, , directory = '', first = '1', atOnce = '1', rounds = '1', answers = ''] = process.argv;
const store = openDirectoryStore(directory);
const now = () => new Date();
const { signal } = new AbortController();
const inbox = await openInbox(join(directory, '.flowlake/live/inbox.sqlite'), { now, endOfChain: endOfChainIn(store) });
const isForEver = rounds === 'Infinity';
const sealer = startSealing({ inbox, directory, store, now, signal, settings: { everyMs: isForEver ? 20 : 1e9 } });
let next = Number(first);
for (let round = 0; round < Number(rounds); round += 1) {
    const appended = Array.from({ length: Number(atOnce) }, async (_, at) => {
        await inbox.append(newMessage(next + at));
        appendFileSync(answers, `${next + at}\n`);
    });
    await Promise.all(appended);
    next += Number(atOnce);
    if (!isForEver) {
        const { faults } = await sealer.sealNow();
        if (faults[0]) {
            throw new Error(faults[0].message);
        }
    }
}
await sealer.stop();
await inbox.close();
