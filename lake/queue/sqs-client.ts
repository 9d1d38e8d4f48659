/** The SQS client of the lake. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';

/** Endpoint and credentials come from the environment, as the SDK reads it. */
export function createSqsClient(options: ClientOptions): SQSClient {
    return new SQSClient(clientConfig(options));
}
