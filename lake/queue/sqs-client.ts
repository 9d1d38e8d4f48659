/** The SQS client of the lake. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';

/** A client; credentials come from where the SDK looks for them. */
export function createSqsClient(options: ClientOptions): SQSClient {
    return new SQSClient(clientConfig(options, 'SQS'));
}
