/** The index of chain objects, as a function finds it. */
import type { Environment } from '#lake/aws/client-config';
import { createDynamoClient, openDatasetIndex } from '#lake/cloud/datasets-items';
import { UsageError } from '#lake/errors';
import type { DatasetIndex } from '#lake/live/datasets';

/** The index in the table that DATASETS_TABLE names; undefined where it names none, as in deployments without live telemetry. */
export function openDatasets(environment: Environment): DatasetIndex | undefined {
    const table = environment.DATASETS_TABLE ?? '';
    return table === '' ? undefined : openDatasetIndex({ table, client: createDynamoClient({ environment }), now: () => new Date() });
}

/** The index of datasets, for who cannot work without it. @throws UsageError where DATASETS_TABLE names none */
export function requireDatasets(environment: Environment): DatasetIndex {
    const index = openDatasets(environment);
    if (!index) {
        throw new UsageError('the function has no environment variable DATASETS_TABLE: deploy it with npx cdk deploy, which sets it');
    }
    return index;
}
