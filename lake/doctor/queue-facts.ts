/** How a queue is set up and what waits in it. */
import { GetQueueAttributesCommand, GetQueueUrlCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { StorageError } from '#lake/errors';
import { type Answer, ask } from './finding.ts';
import { type PolicyStatement, parsePolicy } from './policy.ts';

export interface QueueFacts {
    arn: string;
    isFifo: boolean;
    isDeduplicatedByContent: boolean;
    visibilitySeconds: number;
    /** How long each message is held back at first. */
    delaySeconds: number;
    retentionSeconds: number;
    /** Approximate: waiting to be handed out, handed out and not deleted. */
    waiting: number;
    inFlight: number;
    /** Queue for messages that fail again and again, and after how many tries they go there. */
    redrive: { deadLetterArn: string; maxReceiveCount: number } | undefined;
    policy: readonly PolicyStatement[];
}

export function gatherQueue(client: SQSClient, name: string): Promise<Answer<QueueFacts>> {
    const doing = `look at queue ${name}`;
    return ask(
        async () => {
            const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: name })).catch((error: unknown) => {
                throw isRefusal(error)
                    ? new StorageError(`cannot ${doing}: you may have no right to (sqs:GetQueueUrl), or it is not there`)
                    : error;
            });
            const { Attributes = {} } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
            return factsOf(Attributes);
        },
        { doing, isMissing: (error) => error.name === 'QueueDoesNotExist' },
    );
}

/**
 * True if SQS refuses to tell. It gives one code for this and for a queue that is missing; who may not ask gets other words: "... does not
 * exist or you do not have access to it."
 */
function isRefusal(error: unknown): boolean {
    return error instanceof Error && error.name === 'QueueDoesNotExist' && /access/i.test(error.message);
}

function factsOf(attributes: Partial<Record<string, string>>): QueueFacts {
    const { RedrivePolicy, Policy } = attributes;
    const redrive: unknown = RedrivePolicy === undefined ? undefined : JSON.parse(RedrivePolicy);
    const count = (name: string): number => Number(attributes[name] ?? 0);
    return {
        arn: attributes.QueueArn ?? '',
        isFifo: attributes.FifoQueue === 'true',
        isDeduplicatedByContent: attributes.ContentBasedDeduplication === 'true',
        visibilitySeconds: count('VisibilityTimeout'),
        delaySeconds: count('DelaySeconds'),
        retentionSeconds: count('MessageRetentionPeriod'),
        waiting: count('ApproximateNumberOfMessages') + count('ApproximateNumberOfMessagesDelayed'),
        inFlight: count('ApproximateNumberOfMessagesNotVisible'),
        redrive:
            typeof redrive === 'object' && redrive !== null && 'deadLetterTargetArn' in redrive && 'maxReceiveCount' in redrive
                ? { deadLetterArn: String(redrive.deadLetterTargetArn), maxReceiveCount: Number(redrive.maxReceiveCount) }
                : undefined,
        policy: Policy ? parsePolicy(Policy) : [],
    };
}
