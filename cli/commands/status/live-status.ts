/** Says how live telemetry of a lake in a directory goes: how far each stage is behind. */
import { existsSync } from 'node:fs';
import type { RunContext } from '#cli/command';
import { sayCount, sayDuration } from '#cli/draw/quantity';
import type { DirectoryLake } from '#lake/lake';
import { askServe } from '#lake/serve/control';
import { liveFile } from '#lake/serve/live-files';
import type { ServeStatus } from '#lake/serve/serve';

/** Latest state that is this far behind needs a person. */
const LATE_MS = 30_000;

/** Says on stderr how it goes; nothing of a lake that was never served. @returns what needs a person */
export async function tellLive({ directory }: DirectoryLake, { stderr }: Pick<RunContext, 'stderr'>): Promise<string[]> {
    if (!existsSync(liveFile(directory, 'inbox.sqlite'))) {
        return [];
    }
    const status = (await askServe(directory, 'status')) as ServeStatus | undefined;
    if (!status) {
        const { readLive } = await import('#lake/serve/read-live');
        const { unsealed } = await readLive(directory, { isServed: false });
        if (unsealed.length === 0) {
            await stderr.write('Nobody serves this lake now; its inbox is empty\n');
            return [];
        }
        return [
            `Nobody serves this lake, and ${sayCount(unsealed.length, 'message')} of devices in its inbox ${unsealed.length === 1 ? 'is' : 'are'} in no table: flowlake serve`,
        ];
    }
    const { connections, messages, latest, sealing, forwarding, inboxProblem } = status;
    const aside = messages.aside + messages.dropped;
    const { usedTwice } = connections;
    const twice = usedTwice > 0 ? `, ${sayCount(usedTwice, 'certificate')} used by two programs (the log of serve says whose)` : '';
    await stderr.write(
        `Served since ${status.since} at port ${status.mqttPort} and ${status.httpUrl}: ${sayCount(connections.connections, 'connection')}, ${sayCount(messages.taken, 'message')} taken${aside > 0 ? `, ${aside} put aside` : ''}${twice}\n`,
    );
    await stderr.write(
        `Behind: latest state ${sayDuration(latest.behindMs)}; tables ${sayCount(sealing.lagMessages, 'message')}${sealing.lagMessages > 0 ? `, the first of them for ${sayDuration(sealing.lagMs)}` : ''}${forwarding ? `; ${forwarding.to} ${sayCount(forwarding.objectsBehind, 'chain object')}` : ''}\n`,
    );
    return [
        ...(inboxProblem === null ? [] : [`Messages of devices are refused: ${inboxProblem}`]),
        ...(latest.behindMs > LATE_MS || latest.fault !== null
            ? [`Latest state stands still${latest.fault === null ? '' : `: ${latest.fault}`}; the log of serve says more`]
            : []),
        ...sealing.faults.map(({ what, message }) => `Not done, and tried again (${what}): ${message}`),
        ...(forwarding?.lastError ? [`Nothing can be handed on to ${forwarding.to}; it is kept: ${forwarding.lastError}`] : []),
    ];
}
