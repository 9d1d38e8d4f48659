/** The object store on S3 keeps its promises against a server of S3's protocol; test/aws has the same on a local AWS. */
import { afterAll, beforeAll } from '@jest/globals';
import { type S3Server, startS3Server } from '#test/support/s3-server';
import { describeS3Store } from '#test/support/s3-store-contract';

let server: S3Server;

beforeAll(async () => {
    server = await startS3Server();
    Object.assign(process.env, {
        AWS_ENDPOINT_URL: server.endpoint,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
    });
});

afterAll(() => server.stop());

describeS3Store();
