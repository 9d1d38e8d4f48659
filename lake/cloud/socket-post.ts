/** Sends messages to open WebSocket connections by API Gateway. */
import {
    ApiGatewayManagementApiClient,
    DeleteConnectionCommand,
    GoneException,
    PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { asStorageError, awsStatusOf } from '#lake/aws/aws-errors';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';

/** What became of a message: `gone` where the client is not there any more, `failed` where it does not take it in time. */
export type Posted = 'sent' | 'gone' | 'failed';

export interface SocketPost {
    /** Sends a text of 128 KB at most. @throws StorageError where nobody can be sent anything */
    post(id: string, text: string): Promise<Posted>;
    /** Ends a connection. Safe to repeat. */
    disconnect(id: string): Promise<void>;
}

/** A client that reads so slowly is not waited for: it comes again with its last id. */
const POST_WITHIN_MS = 5_000;

export function openSocketPost({ endpoint, ...options }: ClientOptions & { endpoint: string }): SocketPost {
    const { requestHandler, ...config } = clientConfig(options, 'APIGATEWAYMANAGEMENTAPI');
    const client = new ApiGatewayManagementApiClient({
        ...config,
        endpoint,
        maxAttempts: 3,
        requestHandler: { ...requestHandler, requestTimeout: POST_WITHIN_MS },
    });
    return {
        async post(id, text) {
            try {
                await client.send(new PostToConnectionCommand({ ConnectionId: id, Data: Buffer.from(text) }));
                return 'sent';
            } catch (error) {
                if (error instanceof GoneException || awsStatusOf(error) === 410) {
                    return 'gone';
                }
                if (awsStatusOf(error) === 403) {
                    throw asStorageError(error, { doing: 'send events to WebSocket connections' });
                }
                return 'failed';
            }
        },
        async disconnect(id) {
            try {
                await client.send(new DeleteConnectionCommand({ ConnectionId: id }));
            } catch (error) {
                if (awsStatusOf(error) === 403) {
                    throw asStorageError(error, { doing: 'end WebSocket connections' });
                }
                // It is gone, or API Gateway ends it by itself.
            }
        },
    };
}
