/** The functions of a deployment: can they run, and what hands them their work? */
import { GetEventSourceMappingCommand, GetFunctionCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { type Answer, ask } from './finding.ts';

export interface FunctionFacts {
    /** `Active` where it can run. */
    state: string;
    /** Why it cannot; empty where it can. */
    why: string;
    /** What came of its last deployment: `Successful`. */
    lastUpdate: string;
    /** How many may run at once; undefined where the account's own limit holds. */
    reserved: number | undefined;
}

/** What hands messages of a queue, or records of a stream, to a function. */
export interface EventSourceFacts {
    function: string;
    /** ARN of the queue, the stream, or the stream's consumer. */
    source: string;
    /** `Enabled` where it does. */
    state: string;
    /** What came of the last time: `OK`, or why nothing did. */
    lastResult: string;
    /** Batches of a shard at once; 1 for a queue. */
    parallel: number;
    /** True if only what failed comes again. */
    reportsFailures: boolean;
    /** ARN of where goes what was given up; undefined where it goes nowhere. */
    ifGivenUp: string | undefined;
}

export function gatherFunction(client: LambdaClient, name: string): Promise<Answer<FunctionFacts>> {
    return ask(
        async () => {
            const { Configuration = {}, Concurrency } = await client.send(new GetFunctionCommand({ FunctionName: name }));
            return {
                state: Configuration.State ?? '',
                why: Configuration.StateReason ?? Configuration.LastUpdateStatusReason ?? '',
                lastUpdate: Configuration.LastUpdateStatus ?? '',
                reserved: Concurrency?.ReservedConcurrentExecutions,
            };
        },
        { doing: `look at function ${name}`, isMissing },
    );
}

export function gatherEventSource(client: LambdaClient, id: string): Promise<Answer<EventSourceFacts>> {
    return ask(
        async () => {
            const mapping = await client.send(new GetEventSourceMappingCommand({ UUID: id }));
            return {
                function: mapping.FunctionArn?.split(':').at(-1) ?? '',
                source: mapping.EventSourceArn ?? '',
                state: mapping.State ?? '',
                lastResult: mapping.LastProcessingResult ?? '',
                parallel: mapping.ParallelizationFactor ?? 1,
                reportsFailures: mapping.FunctionResponseTypes?.includes('ReportBatchItemFailures') === true,
                ifGivenUp: mapping.DestinationConfig?.OnFailure?.Destination,
            };
        },
        { doing: `look at event source ${id}`, isMissing },
    );
}

function isMissing(error: Error): boolean {
    return error.name === 'ResourceNotFoundException';
}
