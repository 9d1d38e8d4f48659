/** The index of chain objects in a table of DynamoDB keeps the promises of the port. */
import { CreateTableCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from '@jest/globals';
import { createDynamoClient, openDatasetIndex } from '#lake/cloud/datasets-items';
import { DATASETS_TABLE } from '#lake/cloud/datasets-table';
import { chainKey } from '#lake/layout';
import { describeDatasetIndex } from '#test/support/dataset-index-contract';

const client = createDynamoClient({ environment: process.env });
let tables = 0;

async function makeTable(): Promise<string> {
    tables += 1;
    const table = `datasets-${process.pid}-${tables}`;
    const { partitionKey, sortKey, indexes } = DATASETS_TABLE;
    const keys = [partitionKey, sortKey, ...Object.values(indexes).flatMap((index) => [index.partitionKey, index.sortKey])];
    await client.send(
        new CreateTableCommand({
            TableName: table,
            BillingMode: 'PAY_PER_REQUEST',
            AttributeDefinitions: keys.map(({ name, type }) => ({ AttributeName: name, AttributeType: type })),
            KeySchema: [
                { AttributeName: partitionKey.name, KeyType: 'HASH' },
                { AttributeName: sortKey.name, KeyType: 'RANGE' },
            ],
            GlobalSecondaryIndexes: Object.entries(indexes).map(([IndexName, index]) => ({
                IndexName,
                KeySchema: [
                    { AttributeName: index.partitionKey.name, KeyType: 'HASH' },
                    { AttributeName: index.sortKey.name, KeyType: 'RANGE' },
                ],
                Projection: { ProjectionType: 'ALL' },
            })),
        }),
    );
    return table;
}

const now = () => new Date('2026-01-12T00:00:00Z');

describeDatasetIndex('DynamoDB', async () => openDatasetIndex({ table: await makeTable(), client, now }));

test('a table that is missing, and an item that is none of flowlake’s, are said', async () => {
    await expect(
        openDatasetIndex({ table: 'none', client, now }).get(chainKey({ kind: 'telemetry', stream: 's', shard: '1' }, '0')),
    ).rejects.toThrow(/^cannot read raw\/kind=telemetry\/stream=s\/shard=1\/0+\.jsonl\.gz in table none: /);
    const table = await makeTable();
    await client.send(new PutItemCommand({ TableName: table, Item: { chain: { S: 's/1' }, place: { S: '0' } } }));
    const index = openDatasetIndex({ table, client, now });
    await expect(index.list({})[Symbol.asyncIterator]().next()).rejects.toThrow(
        /an item among the datasets has no key: .*; delete it, and run datasets --rebuild/,
    );
    await expect(index.get('raw/file.csv')).rejects.toThrow('raw/file.csv is no chain object');
});
