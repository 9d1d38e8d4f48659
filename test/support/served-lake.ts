/** A lake in a directory with an inbox that is sealed into it, opened and closed by the test. */
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { type Inbox, openInbox } from '#lake/serve/inbox';
import { endOfChainIn } from '#lake/serve/seal-pass';
import { type Sealer, type SealerOptions, startSealing } from '#lake/serve/sealing';
import { openDirectoryStore } from '#lake/store/directory';
import type { ObjectStore } from '#lake/store/object-store';
import { addThermometer } from './chain-messages.ts';
import { makeFolder } from './temporary.ts';

export interface ServedLake {
    directory: string;
    store: ObjectStore;
    inbox: Inbox;
    sealer: Sealer;
    close(): Promise<void>;
}

const opened: ServedLake[] = [];

afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
});

export function inboxFile(directory: string): string {
    return join(directory, '.flowlake/live/inbox.sqlite');
}

/** Opens the inbox of the lake and begins to seal, when somebody asks for it. */
export async function serveLake(
    directory: string,
    options: Partial<SealerOptions> & { endOfChain?: () => Promise<string> } = {},
): Promise<ServedLake> {
    const { store = openDirectoryStore(directory), endOfChain = endOfChainIn(openDirectoryStore(directory)), ...more } = options;
    const now = () => new Date();
    const inbox = await openInbox(inboxFile(directory), { now, endOfChain });
    const { signal } = new AbortController();
    const sealer = startSealing({ inbox, directory, store, now, signal, settings: { everyMs: 1e9 }, ...more });
    const served: ServedLake = {
        directory,
        store,
        inbox,
        sealer,
        async close() {
            await sealer.stop();
            await inbox.close();
        },
    };
    opened.push(served);
    return served;
}

/** A lake that knows the profile of the messages. */
export async function newLake(): Promise<string> {
    const directory = join(await makeFolder(), 'lake');
    await addThermometer(openDirectoryStore(directory));
    return directory;
}
