/** The Athena client of the lake. */
import { AthenaClient } from '@aws-sdk/client-athena';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';

/** A client; credentials come from where the SDK looks for them. */
export function createAthenaClient(options: ClientOptions): AthenaClient {
    return new AthenaClient(clientConfig(options, 'ATHENA'));
}
