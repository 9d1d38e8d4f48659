/** The S3 client of the lake. */
import { S3Client } from '@aws-sdk/client-s3';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';

/** A client that finds the bucket's region by itself; endpoint and credentials come from the environment, as the SDK reads it. */
export function createS3Client(options: ClientOptions): S3Client {
    const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 } = options.environment;
    return new S3Client({
        ...clientConfig(options),
        followRegionRedirects: true,
        // An endpoint of one's own seldom has a host name for each bucket.
        forcePathStyle: (AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL) !== undefined,
    });
}
