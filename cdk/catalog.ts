/** What SQL finds: the Glue database with the tables and views of all kinds, computed from lake/kinds.ts and the views of sql/. */
import { RemovalPolicy } from 'aws-cdk-lib';
import {
    CfnTable,
    type Column,
    Database,
    DataFormat,
    DateIntervalUnit,
    PartitionProjectionConfiguration,
    S3Table,
    S3TableStorage,
    Schema,
    type Type,
} from 'aws-cdk-lib/aws-glue';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { kinds, tables } from '#lake/kinds';
import { readView, VIEW_NAMES } from '#lake/query/sql-files';
import type { ColumnType, Column as LakeColumn, Table } from '#lake/tables';
import { hiveTypeOf, type ViewColumn, viewColumnsOf } from './view-columns.ts';

const GLUE_TYPES: Readonly<Record<ColumnType, Type>> = {
    string: Schema.STRING,
    bigint: Schema.BIG_INT,
    'decimal(28,9)': Schema.decimal(28, 9),
    'decimal(38,0)': Schema.decimal(38, 0),
    timestamp: Schema.TIMESTAMP,
};

interface CatalogProps {
    /** Name of the database in plain text: it is part of the views' base64, where nothing could be filled in later. */
    databaseName: string;
    bucket: IBucket;
    /** The first day that there is for Athena. */
    firstDay: string;
}

export class Catalog extends Construct {
    readonly database: Database;

    constructor(scope: Construct, id: string, { databaseName, bucket, firstDay }: CatalogProps) {
        super(scope, id);
        this.database = new Database(this, 'database', {
            databaseName,
            description: `Exact figures: ${kinds.map(({ merged }) => `${merged.name}, one row per ${merged.grain}`).join('; ')}`,
        });
        // It holds descriptions only; one that stayed would keep the next deployment from using the name.
        this.database.applyRemovalPolicy(RemovalPolicy.DESTROY);
        for (const table of tables) {
            createTable(this, { table, database: this.database, bucket, firstDay });
        }
        for (const name of VIEW_NAMES) {
            createView(this, { name, database: this.database, databaseName });
        }
    }
}

function createTable(
    scope: Construct,
    { table, database, bucket, firstDay }: { table: Table; database: Database; bucket: IBucket; firstDay: string },
): void {
    new S3Table(scope, table.name, {
        tableName: table.name,
        description: `One row per ${table.grain}`,
        database,
        storage: S3TableStorage.fromBucket(bucket),
        s3Prefix: table.prefix,
        columns: table.columns.map(glueColumn),
        // Athena and Trino see by the object's name that it is gzipped.
        dataFormat: table.format === 'parquet' ? DataFormat.PARQUET : DataFormat.JSON,
        ...(table.per !== undefined && {
            partitionKeys: [{ name: 'day', type: Schema.STRING, comment: 'the day, YYYY-MM-DD' }],
            // Partitions are computed, not listed in the catalog: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
            partitionProjection: {
                day: PartitionProjectionConfiguration.date({
                    format: 'yyyy-MM-dd',
                    min: firstDay,
                    // East of Greenwich it is tomorrow already.
                    max: 'NOW+1DAYS',
                    step: { interval: 1, intervalUnit: DateIntervalUnit.DAYS },
                }),
            },
            parameters: { 'storage.location.template': `${bucket.s3UrlForObject(table.prefix)}day=\${day}/` },
        }),
    });
}

function glueColumn({ name, type, unit, meaning }: LakeColumn): Column {
    return { name, type: GLUE_TYPES[type], comment: unit === undefined ? meaning : `${meaning}, ${unit}` };
}

/** A view as Athena itself keeps one, so that every Trino on the catalog sees it too. */
function createView(scope: Construct, { name, database, databaseName }: { name: string; database: Database; databaseName: string }): void {
    const columns = viewColumnsOf(name);
    const view = new CfnTable(scope, name, {
        catalogId: database.catalog.catalogId,
        databaseName,
        tableInput: {
            name,
            tableType: 'VIRTUAL_VIEW',
            // Trino takes the description for the comment by which it knows a view of its own.
            description: 'Presto View',
            parameters: { presto_view: 'true', comment: 'Presto View' },
            partitionKeys: [],
            storageDescriptor: {
                location: '',
                serdeInfo: {},
                columns: columns.map((column) => ({ name: column.name, type: hiveTypeOf(column) })),
            },
            viewOriginalText: `/* Presto View: ${encodeView({ sql: readView(name), columns, databaseName })} */`,
            viewExpandedText: '/* Presto View */',
        },
    });
    view.node.addDependency(database);
}

function encodeView({ sql, columns, databaseName }: { sql: string; columns: readonly ViewColumn[]; databaseName: string }): string {
    const view = { originalSql: sql, catalog: 'awsdatacatalog', schema: databaseName, columns, runAsInvoker: true };
    return Buffer.from(JSON.stringify(view)).toString('base64');
}
