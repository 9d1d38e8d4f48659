/** The lake's tables and views in a Glue catalog, made by hand: for tests of SQL that need no deployment. */
import { CreateDatabaseCommand, CreateTableCommand, type GlueClient, type TableInput } from '@aws-sdk/client-glue';
import { tables } from '#lake/kinds';
import { readView, VIEW_NAMES } from '#lake/query/sql-files';
import type { Table } from '#lake/tables';
import { askTrino } from './trino-client.ts';

export interface CatalogOptions {
    glue: GlueClient;
    bucket: string;
    database: string;
    /** Address of Trino, which is asked for the columns of the views. */
    url: string;
    /** First and last day that exist for partition projection. */
    days: { first: string; last: string };
}

/** Creates the database, every table of all kinds over the bucket and every view of sql/. */
export async function createCatalog({ glue, bucket, database, url, days }: CatalogOptions): Promise<void> {
    await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: database } }));
    for (const table of tables) {
        await glue.send(new CreateTableCommand({ DatabaseName: database, TableInput: tableInput(table, { bucket, days }) }));
    }
    for (const name of VIEW_NAMES) {
        const sql = readView(name);
        const { columns } = await askTrino(url, { sql: `select * from (${sql}\n) as answer limit 0`, database });
        await glue.send(new CreateTableCommand({ DatabaseName: database, TableInput: viewInput({ name, sql, database, columns }) }));
    }
}

const FORMATS = {
    parquet: {
        InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
        OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
        SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
    },
    json: {
        InputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
        OutputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
        SerdeInfo: { SerializationLibrary: 'org.openx.data.jsonserde.JsonSerDe' },
    },
};

function tableInput(table: Table, { bucket, days }: Pick<CatalogOptions, 'bucket' | 'days'>): TableInput {
    const location = `s3://${bucket}/${table.prefix}`;
    return {
        Name: table.name,
        TableType: 'EXTERNAL_TABLE',
        Parameters: {
            EXTERNAL: 'TRUE',
            ...(table.per !== undefined && {
                'projection.enabled': 'true',
                'projection.day.type': 'date',
                'projection.day.format': 'yyyy-MM-dd',
                'projection.day.range': `${days.first},${days.last}`,
                'projection.day.interval': '1',
                'projection.day.interval.unit': 'DAYS',
                'storage.location.template': `${location}day=\${day}/`,
            }),
        },
        PartitionKeys: table.per !== undefined ? [{ Name: 'day', Type: 'string' }] : [],
        StorageDescriptor: {
            Location: location,
            Columns: table.columns.map(({ name, type }) => ({ Name: name, Type: type })),
            ...FORMATS[table.format === 'parquet' ? 'parquet' : 'json'],
        },
    };
}

interface View {
    name: string;
    sql: string;
    database: string;
    columns: { name: string; type: string }[];
}

/** A view in the form in which Athena and Trino write one into the catalog. */
function viewInput({ name, sql, database, columns }: View): TableInput {
    const definition = { originalSql: sql, catalog: 'awsdatacatalog', schema: database, columns, runAsInvoker: true };
    return {
        Name: name,
        TableType: 'VIRTUAL_VIEW',
        Description: 'Presto View',
        Parameters: { presto_view: 'true', comment: 'Presto View' },
        ViewOriginalText: `/* Presto View: ${Buffer.from(JSON.stringify(definition)).toString('base64')} */`,
        ViewExpandedText: '/* Presto View */',
        StorageDescriptor: {
            Columns: columns.map((column) => ({ Name: column.name, Type: hiveType(column.type) })),
            ...FORMATS.parquet,
        },
    };
}

/** Hive's parser takes no blank within `decimal(38,0)`. */
function hiveType(type: string): string {
    return type.startsWith('varchar') ? 'string' : type === 'integer' ? 'int' : type.replaceAll(' ', '');
}
