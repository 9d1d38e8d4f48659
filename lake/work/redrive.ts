/** Use cases: bring dead letters back into the queue that they come from, and have what waits for its next try tried at once. */
import type { MessageQueue } from '#lake/queue/message-queue';
import type { Tries } from './tries.ts';

/** Seconds that letters are held: longer than a batch takes. The letters of a killed command are back where they were after this. */
const HOLD_SECONDS = 60;

/**
 * Sends every dead letter that is there now to `queue` and returns how many. A letter is deleted once it was sent: when it is killed in the
 * middle, a message may come twice, which changes nothing, and none is lost. Letters that die once more meanwhile are left for the next time.
 */
export async function redrive({
    deadLetters,
    queue,
    signal,
    onSend,
    onRedriven,
}: {
    deadLetters: MessageQueue;
    queue: MessageQueue;
    signal?: AbortSignal | undefined;
    /** Called with the bodies of letters before these are sent. */
    onSend?: (bodies: string[]) => Promise<void>;
    /** Called with how many letters were sent so far. */
    onRedriven?: (count: number) => void;
}): Promise<number> {
    const { waiting } = await deadLetters.depth();
    let redriven = 0;
    // The depth is approximate: it bounds the work, and the queue's being empty ends it.
    while (redriven < Math.max(waiting, 1)) {
        signal?.throwIfAborted();
        const letters = await deadLetters.receive({ visibilitySeconds: HOLD_SECONDS, waitSeconds: 1 });
        if (letters.length === 0) {
            break;
        }
        await onSend?.(letters.map(({ body }) => body));
        // Without its deduplication id, and held back as any message: with it a send could be dropped behind a letter that is worked on already.
        await queue.send(letters.map(({ body, group }) => ({ body, group })));
        for (const { receipt } of letters) {
            await deadLetters.delete(receipt);
        }
        redriven += letters.length;
        onRedriven?.(redriven);
    }
    return redriven;
}

/**
 * Has the messages of a queue that have failed handed out again at once, and with each the messages of its group behind it. One that is worked on just now is
 * left to its worker. @returns how many messages were asked for; one that has come back meanwhile is left as it is
 */
export async function freeNow(
    notes: readonly Tries[],
    { queue, now }: { queue: Pick<MessageQueue, 'changeVisibility'>; now: Date },
): Promise<number> {
    const waits = ({ is_under_way, dead_at, next_try_at }: Tries): boolean =>
        next_try_at !== null &&
        Date.parse(next_try_at) > now.getTime() &&
        (!is_under_way || (dead_at !== null && Date.parse(dead_at) < now.getTime()));
    const receipts = notes.filter(waits).flatMap((note) => note.receipts);
    for (const receipt of receipts) {
        await queue.changeVisibility(receipt, 0);
    }
    return receipts.length;
}
