/** Tells connections that are level of events that were added to the log. */
import pMap from 'p-map';
import { sayEvents, sayOfStream } from '#lake/cloud/socket-messages';
import type { Socket } from '#lake/cloud/sockets';
import type { NumberedEvent } from '#lake/live/api/services';
import { endSocket, type Live } from './follow.ts';

/** Events that are read of the log at once. */
const BATCH = 500;

/** Connections that are told at once. */
const POSTS_AT_ONCE = 32;

/** Tells until all are level with the log. Safe to repeat: whoever is told twice is told the same ids. @returns how many events were told, and how many connections ended */
export async function tellLevel(live: Live): Promise<{ events: number; ended: number }> {
    const { log, sockets } = live;
    const done = { events: 0, ended: 0 };
    for (;;) {
        const seen = await sockets.told();
        const last = Number(await log.last());
        if (seen.at >= last) {
            return done;
        }
        const events = await log.read({ after: String(seen.at), limit: BATCH, isLatestWanted: true });
        const to = Number(events?.at(-1)?.id ?? last);
        const leading = { at: seen.at, to };
        if (!(await sockets.lead(seen, leading))) {
            continue;
        }
        // Whoever becomes level from here on has to wait until we are there.
        const level = await sockets.list();
        const ended = await pMap(level, (socket) => tell(socket, { events, to }, live), { concurrency: POSTS_AT_ONCE });
        done.events += events?.length ?? 0;
        done.ended += ended.filter(Boolean).length;
        await sockets.lead(leading, { at: to, to });
    }
}

/** @returns true where the connection is over: gone, too slow, or as old as one gets */
async function tell(
    { id, at, untilMs, ...wanted }: Socket,
    { events, to }: { events: readonly NumberedEvent[] | undefined; to: number },
    live: Live,
): Promise<boolean> {
    const messages =
        events === undefined
            ? [sayOfStream('reset', String(to))]
            : sayEvents(
                  events.filter((event) => Number(event.id) > at),
                  wanted,
              );
    for (const message of messages) {
        if ((await live.post.post(id, message)) !== 'sent') {
            await endSocket(id, live);
            return true;
        }
    }
    if (live.now() >= untilMs) {
        await endSocket(id, live);
        return true;
    }
    return false;
}
