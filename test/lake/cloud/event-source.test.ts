/** What Lambda tells of how streams are handed to a function: more than one batch of a shard at a time is refused, and no answer is not one. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { assertOneBatchAtATime, createLambdaClient } from '#lake/cloud/event-source';
import { StorageError, UsageError } from '#lake/errors';

const STREAM = 'arn:aws:kinesis:eu-central-1:000000000000:stream/telemetry';

let stop = (): void => undefined;

afterEach(() => stop());

/** A client of a Lambda that gives this answer to everything. */
async function clientOf(status: number, body: object) {
    const server = createServer((_, response) => {
        const type = status === 200 ? {} : { 'x-amzn-errortype': 'AccessDeniedException' };
        response.writeHead(status, { 'content-type': 'application/json', ...type }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = createLambdaClient({ environment: { AWS_ENDPOINT_URL: endpoint }, region: 'eu-central-1' });
    stop = () => {
        client.destroy();
        server.closeAllConnections();
        server.close();
    };
    return client;
}

test.each([
    ['no stream', []],
    ['one stream', [{ EventSourceArn: STREAM, ParallelizationFactor: 1 }]],
    ['two streams, of which one says nothing', [{ EventSourceArn: STREAM, ParallelizationFactor: 1 }, { EventSourceArn: `${STREAM}-2` }]],
    ['a queue', [{ EventSourceArn: 'arn:aws:sqs:eu-central-1:000000000000:given-up', ParallelizationFactor: 4 }]],
])('a function that is handed %s, one batch at a time, passes', async (_, EventSourceMappings) => {
    await assertOneBatchAtATime(await clientOf(200, { EventSourceMappings }), 'chain');
});

test('one that is handed several batches of a shard at once does not', async () => {
    const client = await clientOf(200, {
        EventSourceMappings: [
            { EventSourceArn: STREAM, ParallelizationFactor: 1 },
            { EventSourceArn: `${STREAM}-2`, ParallelizationFactor: 10 },
        ],
    });
    const asked = assertOneBatchAtATime(client, 'chain');
    await expect(asked).rejects.toThrow(UsageError);
    await expect(asked).rejects.toThrow(
        'function chain gets 10 batches of a shard of stream telemetry-2 at once, and the chain would lose messages',
    );
});

test('what cannot be asked is neither', async () => {
    await expect(assertOneBatchAtATime(await clientOf(403, { Message: 'no' }), 'chain')).rejects.toThrow(StorageError);
});
