/** A deployed lake from no more than its bucket's name: where it is and what its parts are called, the bucket says. */

import type { Environment } from '#lake/aws/client-config';
import type { Deployment, TelemetryDeployment } from '#lake/deployment';
import { NotFoundError } from '#lake/errors';
import { once } from '#lake/once';
import type { MessageQueue } from '#lake/queue/message-queue';
import type { BucketLake, OpenOptions, QueuePart, TelemetryQueuePart } from './lake.ts';
import { meterEngine } from './meter-engine.ts';
import { openAnswers } from './open-answers.ts';

/** The region that is asked first where none is set: the answer says where the bucket is. */
const ANY_REGION = 'us-east-1';

/** The lake of the bucket. Nothing is asked of AWS before a part of it is used. */
export function openBucketLake(bucket: string, { environment, signal, onQueryState, meter = {} }: OpenOptions): BucketLake {
    const connection = once(() => connect({ bucket, environment }));
    const sqs = once(async () => {
        const { createSqsClient } = await import('#lake/queue/sqs');
        return createSqsClient({ environment, region: (await connection()).region });
    });
    const queues = new Map<string, MessageQueue>();
    const openEngine = async () => {
        const { createAthenaClient, openAthena } = await import('#lake/query/athena');
        const { s3, region, part } = await connection();
        const client = createAthenaClient({ environment, region });
        const athena = openAthena({
            client,
            s3,
            database: part('database'),
            workgroup: part('workgroup'),
            onState: (told) => onQueryState?.(told),
        });
        return meterEngine(athena, meter);
    };
    const openStore = async () => {
        const { openS3Store } = await import('#lake/store/s3');
        return openS3Store({ bucket, client: (await connection()).s3 });
    };
    return {
        kind: 's3',
        bucket,
        store: openStore,
        async queue(which) {
            const { openSqsQueue } = await import('#lake/queue/sqs');
            const { part, telemetry } = await connection();
            const name = isTelemetryQueue(which) ? telemetry()[which] : part(which);
            const queue = queues.get(name) ?? openSqsQueue({ name, client: await sqs() });
            queues.set(name, queue);
            return queue;
        },
        async oldestMessages(names, { now }) {
            const { createCloudWatchClient, readOldestMessages } = await import('#lake/queue/oldest-message');
            const client = createCloudWatchClient({ environment, region: (await connection()).region });
            return readOldestMessages({ queues: names, client, now });
        },
        async oldestRecords(functions, { now }) {
            const { createCloudWatchClient, readOldestRecords } = await import('#lake/queue/oldest-message');
            const client = createCloudWatchClient({ environment, region: (await connection()).region });
            return readOldestRecords({ functions, client, now });
        },
        async scannedBytes({ days, now }) {
            const { createUsageClient, readScannedBytes } = await import('#lake/query/athena-usage');
            const { region, part } = await connection();
            return readScannedBytes({ client: createUsageClient({ environment, region }), workgroup: part('workgroup'), days, now });
        },
        async jobRuns(which) {
            const { createGlueClient, openGlueJobRuns } = await import('#lake/jobs/glue');
            const { region, part } = await connection();
            return openGlueJobRuns({ name: part(which), client: createGlueClient({ environment, region }) });
        },
        async hasTelemetry() {
            return (await connection()).hasTelemetry;
        },
        async telemetry() {
            const { region, part, telemetry } = await connection();
            return { region, stage: part('stage'), names: telemetry() };
        },
        async datasets({ now }) {
            const { region, hasTelemetry, telemetry } = await connection();
            if (!hasTelemetry) {
                return undefined;
            }
            const { createDynamoClient, openDatasetIndex } = await import('#lake/cloud/datasets-items');
            return openDatasetIndex({ table: telemetry().datasetsTable, client: createDynamoClient({ environment, region }), now });
        },
        async *streamTail(asked, { now }) {
            const [{ createKinesisClient }, { openDeviceLookup }, { readTail }] = await Promise.all([
                import('#lake/cloud/kinesis-stream'),
                import('#lake/cloud/device-lookup'),
                import('#lake/cloud/stream-tail'),
            ]);
            const { region, telemetry } = await connection();
            const { stream, programStream } = telemetry();
            const nowMs = (): number => now().getTime();
            yield* readTail(asked, {
                client: createKinesisClient({ environment, region }),
                streams: [
                    { name: stream, from: 'telemetry' },
                    ...(programStream === undefined ? [] : [{ name: programStream, from: 'programs' } as const]),
                ],
                lookup: openDeviceLookup({ store: await openStore(), now: nowMs }),
                now: nowMs,
            });
        },
        async state({ now }) {
            const { createDynamoClient, openCloudState } = await import('#lake/cloud/state-store');
            const { region, telemetry } = await connection();
            const { stateTable: table } = telemetry();
            return openCloudState({ table, client: createDynamoClient({ environment, region }), now: () => now().getTime() });
        },
        iot: once(async () => {
            const { createIotClients, openIotRegistry } = await import('#lake/cloud/iot-registry');
            const { region, telemetry } = await connection();
            const { devicePolicy } = telemetry();
            return openIotRegistry({ clients: createIotClients({ environment, region }), policy: devicePolicy, lake: bucket });
        }),
        ...openAnswers(openEngine, { signal }),
    };
}

function isTelemetryQueue(part: QueuePart): part is TelemetryQueuePart {
    return part.startsWith('hours') || part.startsWith('givenUp');
}

async function connect({ bucket, environment }: { bucket: string; environment: Environment }) {
    const { createS3Client } = await import('#lake/store/s3-client');
    const { describeBucket } = await import('#lake/store/s3-bucket');
    const { deploymentOf, telemetryOf, DEPLOYMENT_TAGS, TELEMETRY_TAGS } = await import('#lake/deployment');
    const describeFrom = (region: string | undefined) => describeBucket({ bucket, client: createS3Client({ environment, region }) });
    const { region, tags } = await describeFrom(undefined).catch((error: unknown) => {
        if (error instanceof Error && error.cause instanceof Error && error.cause.message === 'Region is missing') {
            return describeFrom(ANY_REGION);
        }
        throw error;
    });
    const { deployment } = deploymentOf(tags);
    return {
        region,
        s3: createS3Client({ environment, region }),
        /** True if any part of live telemetry is named. */
        hasTelemetry: Object.values(TELEMETRY_TAGS).some((tag) => tags.has(tag)),
        part(which: keyof Deployment): string {
            const name = deployment[which];
            if (name === undefined && deployment.stage !== undefined) {
                throw new NotFoundError(
                    `Bucket ${bucket} has no tag ${DEPLOYMENT_TAGS[which]}: its lake was deployed by an earlier version; ` +
                        `deploy it again (npx cdk deploy -c stage=${deployment.stage})`,
                );
            }
            if (name === undefined) {
                throw new NotFoundError(
                    `Bucket ${bucket} has no tag ${DEPLOYMENT_TAGS[which]}: is it a lake's? flowlake --lake s3://${bucket} doctor tells more`,
                );
            }
            return name;
        },
        telemetry(): TelemetryDeployment {
            const { names, missing } = telemetryOf(tags);
            const [tag] = missing;
            if (tag !== undefined) {
                throw new NotFoundError(
                    `The lake in bucket ${bucket} takes no live telemetry: the bucket has no tag ${tag}. Say telemetry in the row of its stage ` +
                        `(cdk/config.ts), then deploy it again (npx cdk deploy -c stage=${deployment.stage ?? 'STAGE'})`,
                );
            }
            return names;
        },
    };
}
