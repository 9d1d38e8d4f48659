/** The object store on S3 keeps the promises of the port, and those of its own. */
import { createS3Client } from '#lake/store/s3-client';
import { openS3Store } from '#lake/store/s3';
import { describeObjectStore } from '#test/support/object-store-contract';
import { makeBucket } from './support/buckets.ts';

const client = createS3Client({ environment: process.env });

describeObjectStore('S3 store', { openStore: async () => openS3Store({ bucket: await makeBucket(client), client }), mayNest: true });
