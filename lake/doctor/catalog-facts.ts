/** What the Glue catalog says of the lake's tables and views. */
import { type Column, type GlueClient, paginateGetTables, type Table } from '@aws-sdk/client-glue';
import { type Answer, ask } from './finding.ts';

export interface CatalogColumn {
    name: string;
    type: string;
}

export interface CatalogTable {
    name: string;
    /** Type of the table: `EXTERNAL_TABLE`, `VIRTUAL_VIEW`. */
    type: string;
    description: string;
    columns: readonly CatalogColumn[];
    partitionKeys: readonly CatalogColumn[];
    location: string;
    inputFormat: string;
    serde: string;
    parameters: Readonly<Record<string, string>>;
    /** Definition of a view as engines keep it. */
    viewText: string;
}

/** Every table and view of the database by its name; missing where there is no such database. */
export function gatherCatalog(client: GlueClient, database: string): Promise<Answer<ReadonlyMap<string, CatalogTable>>> {
    return ask(
        async () => {
            const found = new Map<string, CatalogTable>();
            for await (const { TableList = [] } of paginateGetTables({ client }, { DatabaseName: database })) {
                for (const table of TableList) {
                    found.set(table.Name ?? '', tableOf(table));
                }
            }
            return found;
        },
        { doing: `read the tables of Glue database ${database}`, isMissing: ({ name }) => name === 'EntityNotFoundException' },
    );
}

function tableOf({
    Name = '',
    TableType = '',
    Description = '',
    StorageDescriptor,
    PartitionKeys,
    Parameters,
    ViewOriginalText,
}: Table): CatalogTable {
    return {
        name: Name,
        type: TableType,
        description: Description,
        columns: columnsOf(StorageDescriptor?.Columns),
        partitionKeys: columnsOf(PartitionKeys),
        location: StorageDescriptor?.Location ?? '',
        inputFormat: StorageDescriptor?.InputFormat ?? '',
        serde: StorageDescriptor?.SerdeInfo?.SerializationLibrary ?? '',
        parameters: Parameters ?? {},
        viewText: ViewOriginalText ?? '',
    };
}

function columnsOf(columns: Column[] = []): CatalogColumn[] {
    return columns.map(({ Name = '', Type = '' }) => ({ name: Name, type: Type }));
}
