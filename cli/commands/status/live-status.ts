/** Says how live telemetry of a lake in a directory goes: how far each stage is behind. */
import type { RunContext } from '#cli/command';
import { sayCount, sayDuration } from '#cli/draw/quantity';
import type { DirectoryLake } from '#lake/lake';
import { LATEST_LATE_MS, readLiveStatus } from '#lake/serve/live-status';

/** Says on stderr how it goes; nothing of a lake that was never served. @returns what needs a person */
export async function tellLive({ directory }: DirectoryLake, { stderr }: Pick<RunContext, 'stderr'>): Promise<string[]> {
    const live = await readLiveStatus(directory);
    if (live.is === 'never served') {
        return [];
    }
    if (live.is === 'not served') {
        const { unsealed } = live;
        if (unsealed === 0) {
            await stderr.write('Nobody serves this lake now; its inbox is empty\n');
            return [];
        }
        return [
            `Nobody serves this lake, and ${sayCount(unsealed, 'message')} of devices in its inbox ${unsealed === 1 ? 'is' : 'are'} in no table: flowlake serve`,
        ];
    }
    const { status } = live;
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
        ...(latest.behindMs > LATEST_LATE_MS || latest.fault !== null
            ? [`Latest state stands still${latest.fault === null ? '' : `: ${latest.fault}`}; the log of serve says more`]
            : []),
        ...sealing.faults.map(({ what, message }) => `Not done, and tried again (${what}): ${message}`),
        ...(forwarding?.lastError ? [`Nothing can be handed on to ${forwarding.to}; it is kept: ${forwarding.lastError}`] : []),
    ];
}
