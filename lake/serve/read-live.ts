/** Looks into the databases of a served lake from outside. */
import { existsSync } from 'node:fs';
import { readOriginsOfChains } from '#lake/live/chain-origins';
import { openDirectoryStore } from '#lake/store/directory';
import type { ChainMessage } from '#lake/telemetry/chain-line';
import { openInbox } from './inbox.ts';
import { liveFile } from './live-files.ts';
import { openStateDatabase } from './state-database.ts';

const AT_ONCE = { maxMessages: 10_000, maxBytes: 8 << 20 };

/** Messages that are in the inbox alone, where nobody serves it, and when the tables had what stands in chain objects. @throws StorageError */
export async function readLive(
    directory: string,
    { isServed }: { isServed: boolean },
): Promise<{ unsealed: ChainMessage[]; inLakeMs: ReadonlyMap<string, number> }> {
    const [inboxFile, stateFile] = [liveFile(directory, 'inbox.sqlite'), liveFile(directory, 'state.sqlite')];
    const unsealed: ChainMessage[] = [];
    if (!isServed && existsSync(inboxFile)) {
        // Its end is not held against the chain here: that is for who goes on with it.
        const inbox = await openInbox(inboxFile, {
            now: () => new Date(),
            endOfChain: async () => '0',
            originsOfChains: () => readOriginsOfChains(openDirectoryStore(directory)),
        });
        try {
            for (let after = inbox.discardedTo(); ; ) {
                const messages = inbox.read({ after, ...AT_ONCE });
                unsealed.push(...messages);
                const last = messages.at(-1)?.sequence;
                if (last === undefined) {
                    break;
                }
                after = last;
            }
        } finally {
            await inbox.close();
        }
    }
    if (!existsSync(stateFile)) {
        return { unsealed, inLakeMs: new Map() };
    }
    const state = openStateDatabase(stateFile);
    try {
        return { unsealed, inLakeMs: state.inLake() };
    } finally {
        state.close();
    }
}
