/** Looks into the databases of a served lake from outside. */
import { existsSync } from 'node:fs';
import type { ChainMessage } from '#lake/telemetry/chain-line';
import { readMessages } from './inbox-database.ts';
import { liveFile } from './live-files.ts';
import { openStateDatabase } from './state-database.ts';

/** Messages that are in the inbox alone, where nobody serves it, and when the tables had what stands in chain objects. @throws StorageError */
export async function readLive(
    directory: string,
    { isServed }: { isServed: boolean },
): Promise<{ unsealed: ChainMessage[]; inLakeMs: ReadonlyMap<string, number> }> {
    const [inboxFile, stateFile] = [liveFile(directory, 'inbox.sqlite'), liveFile(directory, 'state.sqlite')];
    const unsealed = !isServed && existsSync(inboxFile) ? [...readMessages(inboxFile, { now: () => new Date() })] : [];
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
