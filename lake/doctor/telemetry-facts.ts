/** What live telemetry rests on at AWS: streams, tables, and the rule that hands on what devices publish. */
import { DescribeContinuousBackupsCommand, DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetTopicRuleCommand, type IoTClient, ListTopicRulesCommand } from '@aws-sdk/client-iot';
import { DescribeStreamSummaryCommand, type KinesisClient } from '@aws-sdk/client-kinesis';
import { StorageError } from '#lake/errors';
import { type Answer, ask } from './finding.ts';

export interface StreamFacts {
    /** `ACTIVE` where it can be written and read. */
    status: string;
    retentionHours: number;
    isEncrypted: boolean;
    shards: number;
}

export interface TableFacts {
    /** `ACTIVE` where it can be used. */
    status: string;
    /** True if it can be brought back as it was at any second of the last weeks. */
    isRestorable: boolean;
}

export interface RuleFacts {
    isEnabled: boolean;
    /** True if what the rule cannot hand on goes somewhere. */
    hasErrorAction: boolean;
}

export function gatherStream(client: KinesisClient, name: string): Promise<Answer<StreamFacts>> {
    return ask(
        async () => {
            const { StreamDescriptionSummary: stream } = await client.send(new DescribeStreamSummaryCommand({ StreamName: name }));
            return {
                status: stream?.StreamStatus ?? '',
                retentionHours: stream?.RetentionPeriodHours ?? 0,
                isEncrypted: stream?.EncryptionType === 'KMS',
                shards: stream?.OpenShardCount ?? 0,
            };
        },
        { doing: `look at stream ${name}`, isMissing },
    );
}

export function gatherTable(client: DynamoDBClient, name: string): Promise<Answer<TableFacts>> {
    return ask(
        async () => {
            const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
            const { ContinuousBackupsDescription: backups } = await client.send(new DescribeContinuousBackupsCommand({ TableName: name }));
            return {
                status: Table?.TableStatus ?? '',
                isRestorable: backups?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === 'ENABLED',
            };
        },
        { doing: `look at table ${name}`, isMissing },
    );
}

/** All rules are listed first: of one that is not there IoT Core says that one may not look at it. */
export function gatherRule(client: IoTClient, name: string): Promise<Answer<RuleFacts>> {
    return ask(
        async () => {
            if (!(await listRules(client)).includes(name)) {
                throw Object.assign(new StorageError(`there is no rule ${name}`), { name: MISSING_RULE });
            }
            const { rule } = await client.send(new GetTopicRuleCommand({ ruleName: name }));
            return { isEnabled: rule?.ruleDisabled !== true, hasErrorAction: rule?.errorAction !== undefined };
        },
        { doing: `look at rule ${name}`, isMissing: (error) => error.name === MISSING_RULE },
    );
}

const MISSING_RULE = 'MissingRule';

async function listRules(client: IoTClient): Promise<string[]> {
    const names: string[] = [];
    let nextToken: string | undefined;
    do {
        const page = await client.send(new ListTopicRulesCommand({ nextToken }));
        names.push(...(page.rules ?? []).flatMap(({ ruleName }) => ruleName ?? []));
        nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return names;
}

function isMissing(error: Error): boolean {
    return error.name === 'ResourceNotFoundException';
}
