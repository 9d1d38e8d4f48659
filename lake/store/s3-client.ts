/** The S3 client of the lake. */
import { S3Client } from '@aws-sdk/client-s3';
import { type ClientOptions, clientConfig, endpointOf } from '#lake/aws/client-config';

/** A client that finds the bucket's region by itself; credentials come from where the SDK looks for them. */
export function createS3Client(options: ClientOptions): S3Client {
    return new S3Client({
        ...clientConfig(options, 'S3'),
        followRegionRedirects: true,
        // An endpoint of one's own seldom has a host name for each bucket.
        forcePathStyle: endpointOf(options.environment, 'S3') !== undefined,
    });
}
