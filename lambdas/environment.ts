/** What a Lambda finds around it: its settings, read once when it starts, and what they open. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Environment } from '#lake/aws/client-config';
import { UsageError } from '#lake/errors';
import type { MessageQueue } from '#lake/queue/message-queue';
import { createSqsClient, openSqsQueue } from '#lake/queue/sqs';
import type { ObjectStore } from '#lake/store/object-store';
import { openS3Store } from '#lake/store/s3';
import { createS3Client } from '#lake/store/s3-client';

/** Variables that hold names of queues. */
type QueueVariable = 'SUMMARIZE_QUEUE' | 'CONSOLIDATE_QUEUE' | 'HOURS_QUEUE' | 'GIVEN_UP_QUEUE';

/** What every Lambda works with. */
export interface Surroundings {
    /** The lake's bucket. */
    bucket: string;
    store: ObjectStore;
    /** The queue whose name stands in this variable. @throws UsageError where it is not set. */
    openQueue(variable: QueueVariable): MessageQueue;
    /** The queue whose name stands in this variable; undefined where it is not set, as in deployments that have no such queue. */
    findQueue(variable: QueueVariable): MessageQueue | undefined;
    /** What stands in this variable. @throws UsageError where it is not set. */
    readSetting(variable: string): string;
    /** How often the deployment tries a message; undefined where it does not say. */
    maxTries: number | undefined;
    logger: Logger;
    /** Metrics; each has the dimensions `service` and `stage`. */
    metrics: Metrics;
}

/** What stands in this variable. @throws UsageError where it is not set */
export function readSetting(environment: Environment, variable: string): string {
    const value = environment[variable];
    if (value === undefined || value === '') {
        throw new UsageError(`the function has no environment variable ${variable}: deploy it with npx cdk deploy, which sets it`);
    }
    return value;
}

/** Opens what the settings name, without a call to AWS. @throws UsageError where one is missing. */
export function openSurroundings(environment: Environment): Surroundings {
    const read = (variable: string): string => readSetting(environment, variable);
    const bucket = read('LAKE_BUCKET');
    const serviceName = read('POWERTOOLS_SERVICE_NAME');
    const sqs = createSqsClient({ environment });
    const openQueue = (variable: QueueVariable): MessageQueue => openSqsQueue({ name: read(variable), client: sqs });
    return {
        bucket,
        store: openS3Store({ bucket, client: createS3Client({ environment }) }),
        readSetting: read,
        maxTries: Number(environment.MAX_TRIES) || undefined,
        openQueue,
        findQueue: (variable) => (environment[variable] === undefined ? undefined : openQueue(variable)),
        logger: new Logger({ serviceName }),
        metrics: new Metrics({
            serviceName,
            namespace: read('POWERTOOLS_METRICS_NAMESPACE'),
            defaultDimensions: { stage: read('STAGE') },
        }),
    };
}
