/** Everything that the stack has made and that can stop working by itself or by somebody's hand, looked at one by one. */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import { LambdaClient } from '@aws-sdk/client-lambda';
import pMap from 'p-map';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';
import { createKinesisClient } from '#lake/cloud/kinesis-stream';
import { createCloudWatchClient } from '#lake/queue/oldest-message';
import { type AlarmFacts, gatherAlarms } from './alarm-facts.ts';
import type { Answer } from './finding.ts';
import { type EventSourceFacts, type FunctionFacts, gatherEventSource, gatherFunction } from './function-facts.ts';
import { gatherStack, type StackResource } from './stack-facts.ts';
import { gatherRule, gatherStream, gatherTable, type RuleFacts, type StreamFacts, type TableFacts } from './telemetry-facts.ts';

/** Facts by name. */
type ByName<T> = ReadonlyMap<string, Answer<T>>;

export interface DeployedFacts {
    functions: ByName<FunctionFacts>;
    eventSources: ByName<EventSourceFacts>;
    /** Names of the alarms that the stack has made, and those of them that are there. */
    alarms: { names: readonly string[]; found: Answer<readonly AlarmFacts[]> };
    streams: ByName<StreamFacts>;
    tables: ByName<TableFacts>;
    rules: ByName<RuleFacts>;
}

/** Calls at once: fewer than any of these services takes a second. */
const CALLS_AT_ONCE = 5;

/** Facts of the stack's parts; `missing` where there is no stack of the name. */
export async function gatherDeployed(options: ClientOptions, stack: string): Promise<Answer<DeployedFacts>> {
    const listed = await gatherStack(new CloudFormationClient(clientConfig(options, 'CLOUDFORMATION')), stack);
    return listed.kind === 'found' ? { kind: 'found', value: await gatherParts(options, listed.value) } : listed;
}

async function gatherParts(options: ClientOptions, resources: readonly StackResource[]): Promise<DeployedFacts> {
    const lambda = new LambdaClient(clientConfig(options, 'LAMBDA'));
    const kinesis = createKinesisClient(options);
    const dynamo = new DynamoDBClient(clientConfig(options, 'DYNAMODB'));
    const iot = new IoTClient(clientConfig(options, 'IOT'));
    const namesOf = (type: string): string[] => resources.filter((resource) => resource.type === type).map(({ name }) => name);
    const gatherAll = async <T>(type: string, gather: (name: string) => Promise<Answer<T>>): Promise<ByName<T>> =>
        new Map(await pMap(namesOf(type), async (name) => [name, await gather(name)] as const, { concurrency: CALLS_AT_ONCE }));
    const alarms = namesOf('AWS::CloudWatch::Alarm');
    const [functions, eventSources, found, streams, tables, rules] = await Promise.all([
        gatherAll('AWS::Lambda::Function', (name) => gatherFunction(lambda, name)),
        gatherAll('AWS::Lambda::EventSourceMapping', (id) => gatherEventSource(lambda, id)),
        gatherAlarms(createCloudWatchClient(options), alarms),
        gatherAll('AWS::Kinesis::Stream', (name) => gatherStream(kinesis, name)),
        gatherAll('AWS::DynamoDB::Table', (name) => gatherTable(dynamo, name)),
        gatherAll('AWS::IoT::TopicRule', (name) => gatherRule(iot, name)),
    ]);
    return { functions, eventSources, alarms: { names: alarms, found }, streams, tables, rules };
}
