/** Latest state, as a function finds it. */
import type { Environment } from '#lake/aws/client-config';
import { type CloudStateOptions, createDynamoClient } from '#lake/cloud/state-store';
import { readSetting } from './environment.ts';

/** The table that STATE_TABLE names, without a call to AWS. @throws UsageError where it is not set */
export function openStateTable(environment: Environment): Pick<CloudStateOptions, 'client' | 'table'> {
    return { client: createDynamoClient({ environment }), table: readSetting(environment, 'STATE_TABLE') };
}
