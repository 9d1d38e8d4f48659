/** How live telemetry of a lake in a directory goes, for who looks from outside. */
import { existsSync } from 'node:fs';
import type { BrokerCounts } from './broker.ts';
import { askServe } from './control.ts';
import { liveFile } from './live-files.ts';
import type { SealingStatus } from './sealing.ts';

/** How it goes. Plain data: other processes ask for it. */
export interface ServeStatus {
    since: string;
    mqttPort: number;
    httpUrl: string;
    connections: BrokerCounts;
    /** Messages since the start: taken, those of them put aside, and those that were only counted. */
    messages: { taken: number; aside: number; dropped: number };
    /** Why the inbox refuses messages; null where it takes them. */
    inboxProblem: string | null;
    latest: { behindMs: number; fault: string | null };
    sealing: SealingStatus;
    forwarding: { to: string; objectsBehind: number; lastError: string | null } | null;
}

/** Latest state that is this far behind needs a person. */
export const LATEST_LATE_MS = 30_000;

export type LiveStatus =
    | { is: 'never served' }
    /** `unsealed`: messages of devices that are in the inbox, and in no table. */
    | { is: 'not served'; unsealed: number }
    | { is: 'served'; status: ServeStatus };

/** @throws StorageError where the server cannot be asked */
export async function readLiveStatus(directory: string): Promise<LiveStatus> {
    if (!existsSync(liveFile(directory, 'inbox.sqlite'))) {
        return { is: 'never served' };
    }
    const status = (await askServe(directory, 'status')) as ServeStatus | undefined;
    if (status) {
        return { is: 'served', status };
    }
    const { readLive } = await import('./read-live.ts');
    const { unsealed } = await readLive(directory, { isServed: false });
    return { is: 'not served', unsealed: unsealed.length };
}
