/** Everything that AWS says of a deployment, asked side by side; nothing is judged here. */
import { STSClient } from '@aws-sdk/client-sts';
import { clientConfig, type Environment } from '#lake/aws/client-config';
import { type Deployment, deploymentOf, TELEMETRY_TAGS, type TelemetryDeployment, telemetryOf } from '#lake/deployment';
import { createGlueClient } from '#lake/jobs/glue';
import { createAthenaClient } from '#lake/query/athena';
import { createSqsClient } from '#lake/queue/sqs';
import type { OlderFigures } from '#lake/reports/older-figures';
import { openS3Store } from '#lake/store/s3';
import { createS3Client } from '#lake/store/s3-client';
import { type BucketFacts, gatherBucket, gatherPlace } from './bucket-facts.ts';
import { type CatalogTable, gatherCatalog } from './catalog-facts.ts';
import { type DaysByTable, gatherAllDays, gatherOlderFigures } from './day-facts.ts';
import { type DeployedFacts, gatherDeployed } from './deployed-facts.ts';
import { type DeviceFacts, gatherDevices } from './device-facts.ts';
import { type Answer, ask } from './finding.ts';
import { gatherIdentity, type Identity } from './identity-facts.ts';
import { gatherJob, type JobFacts } from './job-facts.ts';
import { gatherQueue, type QueueFacts } from './queue-facts.ts';
import { gatherSources, type SourceFacts } from './source-facts.ts';
import { gatherWorkgroup, type WorkgroupFacts } from './workgroup-facts.ts';

export interface AwsFacts {
    bucket: string;
    /** Region that is set on this machine. */
    region: Answer<string>;
    identity: Answer<Identity>;
    /** Region that the bucket is in. */
    place: Answer<string | undefined>;
    /** What the lake is made of; undefined where the bucket is not there, or cannot be reached. */
    lake: LakeFacts | undefined;
}

export interface LakeFacts {
    setUp: BucketFacts;
    days: DaysByTable;
    olderFigures: Answer<OlderFigures>;
    sources: Answer<SourceFacts | undefined>;
    /** Parts that the bucket's tags name. */
    deployment: Partial<Deployment>;
    /** Parts of live telemetry that they name, and tags that are missing; undefined where the deployment has none of it. */
    telemetry: ReturnType<typeof telemetryOf> | undefined;
    /** What the stack has made; undefined where the tags name no stage. */
    deployed: Answer<DeployedFacts> | undefined;
    /** Facts of each queue that the tags name; undefined for the others. */
    queues: Partial<Record<QueuePart, Answer<QueueFacts>>>;
    jobs: Partial<Record<JobPart, Answer<JobFacts>>>;
    workgroup: Answer<WorkgroupFacts> | undefined;
    catalog: Answer<ReadonlyMap<string, CatalogTable>> | undefined;
    /** Devices and what IoT Core has of them; undefined where the bucket's tags name no live telemetry. */
    devices: DeviceFacts | undefined;
}

const QUEUE_PARTS = ['summarizeQueue', 'summarizeDeadLetters', 'consolidateQueue', 'consolidateDeadLetters'] as const;
const TELEMETRY_QUEUE_PARTS = ['hoursQueue', 'hoursDeadLetters', 'givenUpQueue', 'givenUpDeadLetters'] as const;
export type QueuePart = (typeof QUEUE_PARTS)[number] | (typeof TELEMETRY_QUEUE_PARTS)[number];

/** Name of the stack of a stage. */
export function stackOf({ stage }: { stage: string }): string {
    return `flowlake-${stage}`;
}

const JOB_PARTS = ['consolidateDaysJob', 'exportFeaturesJob'] as const;
export type JobPart = (typeof JOB_PARTS)[number];

/**
 * Everything that AWS says of the deployment around the bucket. Changes nothing. Endpoint, region and credentials come from the
 * environment, as the SDK finds them.
 */
export async function gatherAwsFacts({ bucket, environment }: { bucket: string; environment: Environment }): Promise<AwsFacts> {
    const s3 = createS3Client({ environment });
    const [region, identity, place] = await Promise.all([
        ask(() => s3.config.region(), { doing: 'find the region' }),
        gatherIdentity(new STSClient(clientConfig({ environment }, 'STS'))),
        gatherPlace(s3, bucket),
    ]);
    const lake = place.kind === 'found' ? await gatherLake({ bucket, environment, region: place.value }) : undefined;
    return { bucket, region, identity, place, lake };
}

/** Facts of one lake, all of which is in the bucket's region. */
async function gatherLake({
    bucket,
    ...options
}: {
    bucket: string;
    environment: Environment;
    region: string | undefined;
}): Promise<LakeFacts> {
    const s3 = createS3Client(options);
    const store = openS3Store({ bucket, client: s3 });
    const [setUp, days, olderFigures, sources] = await Promise.all([
        gatherBucket(s3, bucket),
        gatherAllDays(store),
        gatherOlderFigures(store),
        gatherSources(store),
    ]);
    const tags = setUp.tags.kind === 'found' ? setUp.tags.value : new Map<string, string>();
    const { deployment } = deploymentOf(tags);
    const { names } = telemetryOf(tags);
    const telemetry = tags.has(TELEMETRY_TAGS.stream) ? telemetryOf(tags) : undefined;
    const queueNames: Partial<Deployment & TelemetryDeployment> = { ...deployment, ...telemetry?.names };
    const sqs = createSqsClient(options);
    const glue = createGlueClient(options);
    const { workgroup, database, stage } = deployment;
    const [deployed, queues, jobs, workgroupFacts, catalog, devices] = await Promise.all([
        stage === undefined ? undefined : gatherDeployed(options, stackOf({ stage })),
        Promise.all(
            [...QUEUE_PARTS, ...TELEMETRY_QUEUE_PARTS].map(async (part) => {
                const name = queueNames[part];
                return name === undefined || name === '' ? [] : [[part, await gatherQueue(sqs, name)] as const];
            }),
        ),
        Promise.all(
            JOB_PARTS.map(async (part) => {
                const name = deployment[part];
                return name === undefined ? [] : [[part, await gatherJob(glue, name)] as const];
            }),
        ),
        workgroup === undefined ? undefined : gatherWorkgroup(createAthenaClient(options), workgroup),
        database === undefined ? undefined : gatherCatalog(glue, database),
        names.devicePolicy === '' ? undefined : gatherDevices(store, { ...options, bucket, policyName: names.devicePolicy }),
    ]);
    return {
        setUp,
        days,
        olderFigures,
        sources,
        deployment,
        telemetry,
        deployed,
        queues: Object.fromEntries(queues.flat()),
        jobs: Object.fromEntries(jobs.flat()),
        workgroup: workgroupFacts,
        catalog,
        devices,
    };
}
