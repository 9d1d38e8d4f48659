/** Use case: look at dead letters, one by one, and take one out or bring it back. */
import { UsageError } from '#lake/errors';
import type { BucketLake } from '#lake/lake';
import type { MessageQueue, ReceivedMessage } from '#lake/queue/message-queue';
import { forgetTries } from './tries.ts';
import { type WorkQueue, workQueuesOf } from './work-queues.ts';

export interface DeadLetter extends ReceivedMessage {
    queue: WorkQueue['queue'];
}

/** What a look finds. */
export interface Letters {
    letters: DeadLetter[];
    /**
     * Letters that are there, as SQS counts them, and were not handed out: beyond `max`, held by another command, or behind ten others of their group, for one group's
     * letters are handed out ten at a time.
     */
    unseen: number;
}

/** Seconds that letters are held while somebody looks at them. Those of a killed command are back after this. */
const HOLD_SECONDS = 120;

/** Letters that are looked at where one is looked for. */
const MOST_LETTERS = 10_000;

type Lake = Pick<BucketLake, 'queue' | 'hasTelemetry'>;

interface LookOptions {
    /** Letters of each queue that are looked at, at most. */
    max: number;
    signal: AbortSignal;
}

/** Looks at the dead letters of every queue; all of them are where they were after it. */
export async function lookAtLetters(lake: Lake, options: LookOptions): Promise<Letters> {
    const all: Letters = { letters: [], unseen: 0 };
    for (const of of await workQueuesOf(lake)) {
        const found = await holding(of, { lake, options, use: async (letters, unseen) => ({ letters, unseen }) });
        all.letters.push(...found.letters);
        all.unseen += found.unseen;
    }
    return all;
}

/** The one letter whose id begins so. @throws UsageError where none does, or more than one */
export async function findLetter(lake: Lake, id: string, { signal }: Pick<LookOptions, 'signal'>): Promise<DeadLetter> {
    const { letters, unseen } = await lookAtLetters(lake, { max: MOST_LETTERS, signal });
    return oneOf(letters, { id, unseen });
}

/** Takes one letter out for good. @returns the letter @throws UsageError where no letter, or more than one, has an id that begins so */
export async function dropLetter(lake: Lake, id: string, options: Pick<LookOptions, 'signal'>): Promise<DeadLetter> {
    return settle(lake, id, { ...options, settleIt: async () => undefined });
}

/**
 * Brings one letter back to its queue. It is sent before it is deleted: killed in between it comes twice, which changes nothing.
 * @returns the letter @throws UsageError where no letter, or more than one, has an id that begins so
 */
export async function redriveLetter(
    lake: Lake & Pick<BucketLake, 'store'>,
    id: string,
    options: Pick<LookOptions, 'signal'>,
): Promise<DeadLetter> {
    const store = await lake.store();
    return settle(lake, id, {
        ...options,
        async settleIt({ queue, body, group }, live) {
            await forgetTries(store, { queue, bodies: [body] });
            await live.send([{ body, group }]);
        },
    });
}

async function settle(
    lake: Lake,
    id: string,
    { signal, settleIt }: Pick<LookOptions, 'signal'> & { settleIt: (letter: DeadLetter, live: MessageQueue) => Promise<void> },
): Promise<DeadLetter> {
    const wanted = await findLetter(lake, id, { signal });
    const of = (await workQueuesOf(lake)).find(({ queue }) => queue === wanted.queue);
    if (!of) {
        throw new TypeError(`a letter came from ${wanted.queue}, which is no queue`);
    }
    // Looked for once more: the receipt of the first look no longer holds, and the letter may be gone.
    return holding(of, {
        lake,
        options: { max: MOST_LETTERS, signal },
        async use(letters, unseen, dead) {
            const letter = oneOf(letters, { id: wanted.id, unseen });
            await settleIt(letter, await lake.queue(of.live));
            await dead.delete(letter.receipt);
            letters.splice(letters.indexOf(letter), 1);
            return letter;
        },
    });
}

interface Holding<T> {
    lake: Lake;
    options: LookOptions;
    /** Uses what is held; what it takes out of the list is not let go. */
    use: (letters: DeadLetter[], unseen: number, dead: MessageQueue) => Promise<T>;
}

/** Holds a queue's dead letters while they are used, and lets them go. */
async function holding<T>({ queue, dead }: WorkQueue, { lake, options: { max, signal }, use }: Holding<T>): Promise<T> {
    const letterBox = await lake.queue(dead);
    const { waiting, inFlight } = await letterBox.depth();
    const letters: DeadLetter[] = [];
    const held: ReceivedMessage[] = [];
    try {
        while (letters.length < max) {
            signal.throwIfAborted();
            const received = await letterBox.receive({
                max: Math.min(10, max - letters.length),
                visibilitySeconds: HOLD_SECONDS,
                waitSeconds: 1,
            });
            held.push(...received);
            letters.push(...received.map((message) => ({ ...message, queue })));
            if (received.length === 0) {
                break;
            }
        }
        const result = await use(letters, Math.max(0, waiting + inFlight - held.length), letterBox);
        return result;
    } finally {
        const receipts = new Set(letters.map(({ receipt }) => receipt));
        for (const { receipt } of held) {
            if (receipts.has(receipt)) {
                await letterBox.changeVisibility(receipt, 0);
            }
        }
    }
}

function oneOf(letters: readonly DeadLetter[], { id, unseen }: { id: string; unseen: number }): DeadLetter {
    const [letter, ...others] = letters.filter((one) => one.id.startsWith(id));
    if (letter === undefined || id === '') {
        const behind = unseen === 0 ? '' : ` (${unseen} more are held by another command, or wait behind others of their group)`;
        throw new UsageError(`There is no dead letter ${id}${behind}: flowlake dead-letters list`);
    }
    if (others.length > 0) {
        throw new UsageError(`${others.length + 1} dead letters have an id that begins with ${id}: give more of it`);
    }
    return letter;
}
