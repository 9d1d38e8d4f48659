/** The index of chain objects, as a function finds it. */
import type { Environment } from '#lake/aws/client-config';
import { createDynamoClient, openDatasetIndex } from '#lake/cloud/datasets-items';
import type { DatasetIndex } from '#lake/live/datasets';

/** The index in the table that DATASETS_TABLE names; undefined where it names none, as in deployments without live telemetry. */
export function openDatasets(environment: Environment): DatasetIndex | undefined {
    const table = environment.DATASETS_TABLE ?? '';
    return table === '' ? undefined : openDatasetIndex({ table, client: createDynamoClient({ environment }), now: () => new Date() });
}
