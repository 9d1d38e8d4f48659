/** The CloudWatch client of the lake. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';

/** A client; credentials come from where the SDK looks for them. */
export function createCloudWatchClient(options: ClientOptions): CloudWatchClient {
    return new CloudWatchClient(clientConfig(options, 'CLOUDWATCH'));
}
