/** The queues between uploads and figures, each with the queue where its dead letters wait for a person. */
import { Duration, type RemovalPolicy } from 'aws-cdk-lib';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { DeduplicationScope, FifoThroughputLimit, Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { MESSAGE_DAYS, VISIBILITY_PER_TIMEOUT } from '#lake/deployment';
import type { FunctionConfig } from './config.ts';

interface WorkQueueProps {
    name: string;
    deadLetterName: string;
    /** The function that takes the messages. */
    worker: FunctionConfig;
    key?: Key | undefined;
    /** How long each message is held back at first. Default: not at all. */
    delaySeconds?: number;
    /** What becomes of messages when the queue leaves the stack. Default: they go with it, for what they tell can be found out again. */
    removalPolicy?: RemovalPolicy;
    /** What people see while messages wait too long. It becomes the alarm's text. */
    ifStuck: string;
    /** What people miss while a message fails again and again. It becomes the alarm's text. Default: the function's other queue says it. */
    ifRetried?: string;
    /** What people miss while messages lie dead. It becomes the alarm's text. */
    ifDead: string;
}

/** A queue, FIFO by its name: then one worker at a time is at a period, and many periods are worked on side by side. */
export class WorkQueue extends Construct {
    readonly queue: Queue;
    readonly deadLetters: Queue;
    readonly ifStuck: string;
    readonly ifRetried: string | undefined;
    readonly ifDead: string;

    constructor(scope: Construct, id: string, props: WorkQueueProps) {
        super(scope, id);
        const { name, deadLetterName, worker, key, delaySeconds, removalPolicy, ifStuck, ifRetried, ifDead } = props;
        const guarded = {
            ...(key ? { encryption: QueueEncryption.KMS, encryptionMasterKey: key } : { encryption: QueueEncryption.SQS_MANAGED }),
            enforceSSL: true,
            retentionPeriod: Duration.days(MESSAGE_DAYS),
            ...(removalPolicy && { removalPolicy }),
            ...(name.endsWith('.fifo') && FIFO),
        };
        this.deadLetters = new Queue(this, 'dead-letters', { ...guarded, queueName: deadLetterName });
        this.queue = new Queue(this, 'queue', {
            ...guarded,
            queueName: name,
            visibilityTimeout: Duration.seconds(worker.timeoutSeconds * VISIBILITY_PER_TIMEOUT),
            ...(delaySeconds !== undefined && { deliveryDelay: Duration.seconds(delaySeconds) }),
            deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: worker.maxReceiveCount },
        });
        this.ifStuck = ifStuck;
        this.ifRetried = ifRetried;
        this.ifDead = ifDead;
    }
}

/**
 * Properties of a FIFO queue. Messages are never told apart by content: a second message for a period would vanish while the first is being
 * worked on, and its file would never be merged.
 */
const FIFO: QueueProps = {
    fifo: true,
    contentBasedDeduplication: false,
    deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
    fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
};
