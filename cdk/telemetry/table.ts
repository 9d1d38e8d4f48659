/** A table of DynamoDB, as plain data of lake/cloud describes it. */
import type { RemovalPolicy } from 'aws-cdk-lib';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, BillingMode, ProjectionType, StreamViewType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { type AlarmRule, PERIOD } from '../alarms.ts';

/** The type of a key's attribute: text or number. */
type AttributeKind = 'S' | 'N';

interface Attribute {
    name: string;
    type: AttributeKind;
}

/** Everything of a table but its name. */
interface TableShape {
    partitionKey: Attribute;
    sortKey?: Attribute;
    /** Indexes by their names. */
    indexes: Readonly<
        Record<
            string,
            {
                partitionKey: Attribute;
                sortKey?: Attribute;
                /** Attributes that it has beside the keys: one that is not among them can change without a write to the index. Default: all. */
                projected?: readonly string[];
            }
        >
    >;
    /** Attribute with the epoch seconds after which an item goes. Default: items stay. */
    timeToLive?: string;
    /** What a change tells those who follow the table. Default: nobody follows it. */
    stream?: 'NEW_IMAGE' | 'NEW_AND_OLD_IMAGES' | 'OLD_IMAGE' | 'KEYS_ONLY';
}

interface TableProps {
    name: string;
    shape: TableShape;
    key: Key | undefined;
    removalPolicy: RemovalPolicy;
}

/**
 * The table: paid by request, encrypted, restorable to any second of 35 days. A table of a stage that keeps its data cannot be deleted by
 * hand either.
 */
export function createTable(scope: Construct, id: string, { name, shape, key, removalPolicy }: TableProps): Table {
    const table = new Table(scope, id, {
        tableName: name,
        billingMode: BillingMode.PAY_PER_REQUEST,
        partitionKey: attributeOf(shape.partitionKey),
        ...(shape.sortKey && { sortKey: attributeOf(shape.sortKey) }),
        ...(shape.timeToLive !== undefined && { timeToLiveAttribute: shape.timeToLive }),
        ...(shape.stream && { stream: StreamViewType[shape.stream] }),
        pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
        ...(key ? { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: key } : { encryption: TableEncryption.AWS_MANAGED }),
        removalPolicy,
    });
    for (const [indexName, { partitionKey, sortKey, projected }] of Object.entries(shape.indexes)) {
        table.addGlobalSecondaryIndex({
            indexName,
            partitionKey: attributeOf(partitionKey),
            ...(sortKey && { sortKey: attributeOf(sortKey) }),
            ...projectionOf(projected),
        });
    }
    return table;
}

/** What can go wrong with a table by itself. `what` it holds, `ifThrottled` what people see then. */
export function ruleOfTable(name: string, { table, what, ifThrottled }: { table: Table; what: string; ifThrottled: string }): AlarmRule {
    const throttles = (metricName: string): Metric =>
        new Metric({
            namespace: 'AWS/DynamoDB',
            metricName,
            dimensionsMap: { TableName: table.tableName },
            statistic: Stats.SUM,
            period: PERIOD,
        });
    return {
        name: `${name}-table-throttles`,
        metric: new MathExpression({
            expression: 'FILL(reads, 0) + FILL(writes, 0)',
            usingMetrics: { reads: throttles('ReadThrottleEvents'), writes: throttles('WriteThrottleEvents') },
            label: `${name}: throttled`,
            period: PERIOD,
        }),
        above: 0,
        // A table that is paid by request grows within minutes.
        times: 3,
        breaks: `The table ${table.tableName}, which holds ${what}, refuses reads or writes for a quarter of an hour: ${ifThrottled} The account’s quota is reached, or one item is written too often.`,
        type: 'status, and raise the quota as docs/operations.md says',
    };
}

function projectionOf(projected: readonly string[] | undefined) {
    if (projected === undefined) {
        return { projectionType: ProjectionType.ALL };
    }
    return projected.length === 0
        ? { projectionType: ProjectionType.KEYS_ONLY }
        : { projectionType: ProjectionType.INCLUDE, nonKeyAttributes: [...projected] };
}

function attributeOf({ name, type }: Attribute) {
    return { name, type: type === 'S' ? AttributeType.STRING : AttributeType.NUMBER };
}
