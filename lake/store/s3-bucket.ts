/** What a bucket says of itself. */
import { GetBucketTaggingCommand, HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { awsCodeOf, awsStatusOf, translated } from '#lake/aws/aws-errors';
import { StorageError } from '#lake/errors';

export interface BucketDescription {
    /** Region of the bucket; undefined where S3 does not say. */
    region: string | undefined;
    tags: ReadonlyMap<string, string>;
}

/** What the bucket says of itself. @throws StorageError where there is no such bucket, or it may not be looked at. */
export function describeBucket({ bucket, client }: { bucket: string; client: S3Client }): Promise<BucketDescription> {
    return translated(
        async () => {
            try {
                const { BucketRegion: region } = await client.send(new HeadBucketCommand({ Bucket: bucket }));
                return { region, tags: await readTags({ bucket, client }) };
            } catch (error) {
                if (awsStatusOf(error) === 404) {
                    throw new StorageError(`There is no bucket ${bucket}: check its name, or deploy the lake first (docs/deploy.md)`, {
                        cause: error,
                    });
                }
                throw error;
            }
        },
        { doing: `look at bucket ${bucket}` },
    );
}

async function readTags({ bucket, client }: { bucket: string; client: S3Client }): Promise<Map<string, string>> {
    try {
        const { TagSet = [] } = await client.send(new GetBucketTaggingCommand({ Bucket: bucket }));
        return new Map(TagSet.map(({ Key = '', Value = '' }) => [Key, Value]));
    } catch (error) {
        if (awsCodeOf(error) === 'NoSuchTagSet') {
            return new Map();
        }
        throw error;
    }
}
