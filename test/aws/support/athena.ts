/** Athena for a lake that is deployed into a local AWS: its API, with Trino inside, over the catalog as it was deployed. */
import { GetWorkGroupCommand } from '@aws-sdk/client-athena';
import { deploymentOf } from '#lake/deployment';
import { createAthenaClient } from '#lake/query/athena';
import { describeBucket } from '#lake/store/s3-bucket';
import { createS3Client } from '#lake/store/s3-client';
import { startAthenaServer } from '#test/support/athena-server';
import { freePort } from './ministack.ts';
import { startTrino } from './trino.ts';
import { openTrinoBackend } from './trino-backend.ts';

export interface LocalAthena {
    /** Address of the server, for AWS_ENDPOINT_URL_ATHENA. */
    url: string;
    stop(): Promise<void>;
}

/** Started for the deployment in `bucket`. @throws where Trino is missing or does not come up */
export async function startAthena({
    bucket,
    environment,
}: {
    bucket: string;
    environment: Readonly<Record<string, string | undefined>>;
}): Promise<LocalAthena> {
    const s3 = createS3Client({ environment, region: environment.AWS_REGION });
    const { deployment } = deploymentOf((await describeBucket({ bucket, client: s3 })).tags);
    const { WorkGroup: { Name, State, Configuration } = {} } = await createAthenaClient({
        environment,
        region: environment.AWS_REGION,
    }).send(new GetWorkGroupCommand({ WorkGroup: deployment.workgroup }));
    const trino = await startTrino({ port: await freePort(), endpoint: environment.AWS_ENDPOINT_URL ?? '', environment });
    const server = await startAthenaServer({
        backend: openTrinoBackend(trino.url),
        s3,
        output: `s3://${bucket}/athena-results/`,
        workgroups: {
            [deployment.workgroup ?? '']: {
                scanLimitBytes: Configuration?.BytesScannedCutoffPerQuery,
                described: { Name, State, Configuration },
            },
        },
    });
    return {
        url: server.url,
        async stop() {
            await server.stop();
            await trino.stop();
        },
    };
}
