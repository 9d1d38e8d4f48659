/** How Lambda hands a stream to a function. */
import { LambdaClient, ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda';
import { translated } from '#lake/aws/aws-errors';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';
import { UsageError } from '#lake/errors';
import { streamNameOf } from './kinesis-stream.ts';

/** A client of Lambda itself. */
export function createLambdaClient(options: ClientOptions): LambdaClient {
    return new LambdaClient(clientConfig(options, 'LAMBDA'));
}

/**
 * Lets a function pass that gets one batch of a shard at a time. With more, batches of one shard are appended in any order, and what is "at or before the end"
 * is thrown away though it never was in the chain. @throws UsageError for one that gets more. @throws StorageError where it cannot be told
 */
export async function assertOneBatchAtATime(client: LambdaClient, functionName: string): Promise<void> {
    const { EventSourceMappings = [] } = await translated(
        () => client.send(new ListEventSourceMappingsCommand({ FunctionName: functionName })),
        { doing: `ask how streams are handed to ${functionName}` },
    );
    for (const { EventSourceArn = '', ParallelizationFactor = 1 } of EventSourceMappings) {
        const stream = streamNameOf(EventSourceArn);
        if (stream !== undefined && ParallelizationFactor !== 1) {
            throw new UsageError(
                `function ${functionName} gets ${ParallelizationFactor} batches of a shard of stream ${stream} at once, and the chain would lose messages: set ParallelizationFactor of its event source to 1 (npx cdk deploy does)`,
            );
        }
    }
}
