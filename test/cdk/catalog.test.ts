import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { describeViews } from '#cdk/generate-view-columns';
import { tables } from '#lake/kinds';
import { readView, VIEW_NAMES } from '#lake/query/sql-files';
import { ofType, synthesize, textOf } from './synthesized.ts';

const resources = synthesize();
const inputs: any[] = ofType(resources, 'AWS::Glue::Table').map(([, { Properties }]) => Properties.TableInput);
const lakeUrl = textOf(inputs.find(({ Name }) => Name === 'sources').StorageDescriptor.Location).replace(/ledger\/$/, '');

test('the catalog has every table and every view, and nothing else', () => {
    expect(inputs.map(({ Name }) => Name).sort()).toEqual([...tables.map(({ name }) => name), ...VIEW_NAMES].sort());
});

test.each(tables.map((table) => [table.name, table] as const))('%s has the columns of its table, in their order', (name, table) => {
    const { StorageDescriptor, PartitionKeys } = inputs.find(({ Name }) => Name === name);
    expect(StorageDescriptor.Columns.map(({ Name, Type }: any) => [Name, Type])).toEqual(
        table.columns.map((column) => [column.name, column.type]),
    );
    expect(textOf(StorageDescriptor.Location)).toBe(`${lakeUrl}${table.prefix}`);
    expect(StorageDescriptor.SerdeInfo.SerializationLibrary).toBe(
        table.format === 'parquet' ? 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' : 'org.openx.data.jsonserde.JsonSerDe',
    );
    expect((PartitionKeys ?? []).map(({ Name, Type }: any) => [Name, Type])).toEqual(table.per !== undefined ? [['day', 'string']] : []);
    // https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-tables.html#aws-glue-api-catalog-tables-Column
    expect(Math.max(...StorageDescriptor.Columns.map(({ Comment }: any) => Comment.length))).toBeLessThanOrEqual(255);
});

test.each(tables.filter(({ per }) => per !== undefined).map((table) => [table.name, table] as const))(
    'the days of %s are found without a crawler',
    (name, { prefix }) => {
        const { Parameters } = inputs.find(({ Name }) => Name === name);
        expect(Parameters).toMatchObject({
            'projection.enabled': 'true',
            'projection.day.type': 'date',
            'projection.day.format': 'yyyy-MM-dd',
            'projection.day.range': '2025-01-01,NOW+1DAYS',
            'projection.day.interval': '1',
            'projection.day.interval.unit': 'DAYS',
        });
        expect(textOf(Parameters['storage.location.template'])).toBe(`${lakeUrl}${prefix}day=\${day}/`);
    },
);

describe.each(VIEW_NAMES)('view %s', (name) => {
    const input = inputs.find(({ Name }) => Name === name);

    test('is one that Athena and Trino know as their own', () => {
        expect(input).toMatchObject({
            TableType: 'VIRTUAL_VIEW',
            Description: 'Presto View',
            Parameters: { presto_view: 'true', comment: 'Presto View' },
            ViewExpandedText: '/* Presto View */',
        });
    });

    test('is the text of sql/flows/views, whole and with nothing left to fill in', () => {
        // An object here would be a value that is known at deployment only, and base64 would have hidden it.
        expect(typeof input.ViewOriginalText).toBe('string');
        const { columns, ...view } = decode(input.ViewOriginalText);
        expect(view).toEqual({ originalSql: readView(name), catalog: 'awsdatacatalog', schema: 'flowlake_dev', runAsInvoker: true });
        expect(JSON.stringify({ columns, ...view })).not.toContain('Token[');
        expect(input.StorageDescriptor.Columns.map(({ Name }: any) => Name)).toEqual(columns.map((column: any) => column.name));
        expect(new Set(input.StorageDescriptor.Columns.map(({ Type }: any) => Type))).not.toContain('varchar');
    });
});

test('the columns of the views are what the queries give (else: node cdk/generate-view-columns.ts)', async () => {
    const written = JSON.parse(readFileSync(new URL('../../cdk/view-columns.json', import.meta.url), 'utf8'));
    expect(written).toEqual(await describeViews());
    for (const name of VIEW_NAMES) {
        expect(decode(inputs.find(({ Name }) => Name === name).ViewOriginalText).columns).toEqual(written[name]);
    }
});

function decode(text: string): any {
    const [, base64 = ''] = /^\/\* Presto View: ([A-Za-z0-9+/=]+) \*\/$/.exec(text) ?? [];
    return JSON.parse(Buffer.from(base64, 'base64').toString());
}
