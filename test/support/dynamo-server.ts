/** The protocol of DynamoDB (JSON 1.0, as the SDK speaks it) over real HTTP, in front of a table in memory. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { MemoryDynamo } from './memory-dynamo.ts';

export interface DynamoServer {
    /** Address of the server, for AWS_ENDPOINT_URL_DYNAMODB. */
    endpoint: string;
    stop(): Promise<void>;
}

export async function startDynamoServer(memory: Pick<MemoryDynamo, 'send'>): Promise<DynamoServer> {
    const server = createServer(async (request, response) => {
        const operation = String(request.headers['x-amz-target']).split('.')[1];
        const send = (status: number, body: object): void => {
            response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
        };
        try {
            const command = { input: await json(request), constructor: { name: `${operation}Command` } };
            send(200, (await memory.send(command as never)) ?? {});
        } catch (error) {
            const { name, message, ...more } = error as Error;
            send(400, { ...more, __type: `com.amazonaws.dynamodb.v20120810#${name}`, message });
        }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
        endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        async stop() {
            server.closeAllConnections();
            await new Promise<void>((resolve) => server.close(() => resolve()));
        },
    };
}
