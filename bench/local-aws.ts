/**
 * Entry of a process that is S3 and SQS to a Lambda, with one raw object: prints the Lambda's settings as a line of JSON. When its input ends it writes
 * what the object contributes to a file, and ends too. Arguments: the raw object's file, its key, the file to be written.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { argv, env, exit, stdin, stdout } from 'node:process';
import { openS3Store } from '#lake/store/s3';
import { createS3Client } from '#lake/store/s3-client';
import { startS3Server } from '#test/support/s3-server';
import { startSqsServer } from '#test/support/sqs-server';

const [path = '', key = '', made = ''] = argv.slice(2);
const s3 = await startS3Server();
const sqs = await startSqsServer();
s3.makeBucket('lake', {});
const environment = {
    LAKE_BUCKET: 'lake',
    SUMMARIZE_QUEUE: sqs.makeQueue(),
    CONSOLIDATE_QUEUE: sqs.makeQueue({ isFifo: true }),
    POWERTOOLS_SERVICE_NAME: 'bench',
    POWERTOOLS_METRICS_NAMESPACE: 'bench',
    STAGE: 'bench',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ENDPOINT_URL_SQS: sqs.endpoint,
};
Object.assign(env, environment);
const store = openS3Store({ bucket: 'lake', client: createS3Client({ environment }) });
await store.put(key, readFileSync(path), { metadata: { 'date-order': 'dmy' } });
stdout.write(`${JSON.stringify(environment)}\n`);
stdin.resume().on('end', async () => {
    for await (const contribution of store.list('summaries/')) {
        writeFileSync(made, (await store.get(contribution.key))?.bytes ?? '');
    }
    exit();
});
