/** The queues of the deployed lake, for tests that cannot wait half an hour until a message comes back. */
import { GetQueueAttributesCommand, GetQueueUrlCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { createSqsClient } from '#lake/queue/sqs';
import { environment, flowlake, queueOf, settled, until } from './deployed.ts';

const QUEUES = ['summarizeQueue', 'consolidateQueue'] as const;
const DEAD_LETTERS = ['summarizeDeadLetters', 'consolidateDeadLetters'] as const;

const sqs = createSqsClient({ environment });

/** A message that was handed out and not deleted comes back after so many seconds, until the returned function is called. */
export async function hideMessagesFor(seconds: number): Promise<() => Promise<void>> {
    const undo: (() => Promise<unknown>)[] = [];
    for (const queue of QUEUES) {
        const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: (await queueOf(queue)).name }));
        const set = (VisibilityTimeout: string) => sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout } }));
        const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['VisibilityTimeout'] }));
        await set(String(seconds));
        undo.push(() => set(Attributes?.VisibilityTimeout ?? ''));
    }
    return async () => {
        await Promise.all(undo.map((one) => one()));
    };
}

/** How many messages there are in both queues, handed out or waiting. */
export async function messagesThere(): Promise<number> {
    return sumOf(QUEUES);
}

export async function deadLettersThere(): Promise<number> {
    return sumOf(DEAD_LETTERS);
}

async function sumOf(queues: readonly (typeof QUEUES | typeof DEAD_LETTERS)[number][]): Promise<number> {
    const depths = await Promise.all(queues.map(async (queue) => (await queueOf(queue)).depth()));
    return depths.reduce((sum, { waiting, inFlight }) => sum + waiting + inFlight, 0);
}

/**
 * Waits until all messages are used up, with `flowlake redrive` for those that died meanwhile, and nothing is undone; nobody reconciles.
 * Returns how many dead letters there were.
 */
export async function drained({ folder }: { folder: string }): Promise<number> {
    let dead = 0;
    for (;;) {
        await until(async () => (await messagesThere()) === 0, 'the queues are empty');
        const letters = await deadLettersThere();
        if (letters === 0) {
            await settled();
            return dead;
        }
        dead += letters;
        const { exitCode, stderr } = await flowlake('redrive', { folder });
        if (exitCode !== 0) {
            throw new Error(`redrive ended with ${exitCode}: ${stderr}`);
        }
    }
}
