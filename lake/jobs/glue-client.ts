/** The Glue client of the lake. */
import { GlueClient } from '@aws-sdk/client-glue';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';

/** A client; credentials come from where the SDK looks for them. */
export function createGlueClient(options: ClientOptions): GlueClient {
    return new GlueClient(clientConfig(options, 'GLUE'));
}
