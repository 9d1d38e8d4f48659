/** Tells a connection what it has missed, and hands it over to who tells level connections. */
import { type FollowQuestion, readQuestion, sayEvents, sayOfStream } from '#lake/cloud/socket-messages';
import type { SocketPost } from '#lake/cloud/socket-post';
import type { Sockets } from '#lake/cloud/sockets';
import { Problem } from '#lake/live/api/problem';
import type { EventLog } from '#lake/live/api/services';

export interface Live {
    log: Pick<EventLog, 'last' | 'read'>;
    sockets: Sockets;
    post: SocketPost;
    /** UTC epoch milliseconds. */
    now: () => number;
    /** Waits a moment, while level connections are told: they are about to stand elsewhere. */
    pause: () => Promise<unknown>;
}

/** A client that misses more than can be told in this time is ended, and goes on with the last id that it has. */
const CATCH_UP_WITHIN_MS = 20_000;

/** Events that are read of the log at once. */
const BATCH = 500;

/** Does what a client's message asks; one that asks for what there is not is told so. */
export async function follow(id: string, text: string, live: Live): Promise<void> {
    const { sockets, post } = live;
    try {
        const question = readQuestion(text);
        if (await sockets.isFull()) {
            throw new Problem('unavailable', 'As many clients follow the events as may do so at once');
        }
        if (!(await catchUp(id, question, live))) {
            await endSocket(id, live);
        }
    } catch (error) {
        if (!(error instanceof Problem)) {
            throw error;
        }
        await post.post(id, error.toText());
    }
}

/** @returns false where the client is gone, or too slow */
async function catchUp(id: string, { after, ...wanted }: FollowQuestion, { log, sockets, post, now, pause }: Live): Promise<boolean> {
    const untilMs = now() + CATCH_UP_WITHIN_MS;
    if (!(await sockets.begin(id, wanted))) {
        return false;
    }
    let at = after ?? (await log.last());
    if ((await post.post(id, sayOfStream('ready', at))) !== 'sent') {
        return false;
    }
    while (now() < untilMs) {
        // Looked at before the log: what comes behind its end is told by who stands here.
        const seen = await sockets.told();
        const events = await log.read({ after: at, limit: BATCH, isLatestWanted: true });
        if (events === undefined) {
            at = await log.last();
            if ((await post.post(id, sayOfStream('reset', at))) !== 'sent') {
                return false;
            }
        } else if (events.length > 0) {
            for (const message of sayEvents(events, wanted)) {
                if ((await post.post(id, message)) !== 'sent') {
                    return false;
                }
            }
            at = events.at(-1)?.id ?? at;
        } else if (await sockets.level(id, { at: Number(at), seen })) {
            return true;
        } else {
            await pause();
        }
    }
    return false;
}

/** Ends a connection, whose client comes again with the last id that it has. */
export async function endSocket(id: string, { sockets, post }: Pick<Live, 'sockets' | 'post'>): Promise<void> {
    await sockets.close(id);
    await post.disconnect(id);
}
