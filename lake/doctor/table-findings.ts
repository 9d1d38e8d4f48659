/** Judges whether a table of the catalog is as the lake describes it. */
import type { Table } from '#lake/tables';
import type { CatalogColumn, CatalogTable } from './catalog-facts.ts';
import { type Finding, ok, problem } from './finding.ts';

export interface ExpectedTable {
    table: Table;
    bucket: string;
    redeploy: string;
}

/** Readers of JSON that Athena knows: https://docs.aws.amazon.com/athena/latest/ug/json-serde.html */
const JSON_SERDES = ['org.openx.data.jsonserde.JsonSerDe', 'org.apache.hive.hcatalog.data.JsonSerDe'];

const FORMATS = {
    parquet: {
        inputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
        serdes: ['org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'],
    },
    json: { inputFormat: 'org.apache.hadoop.mapred.TextInputFormat', serdes: JSON_SERDES },
};

/** Finding on a table. @param found what the catalog has under the table's name */
export function judgeTable(found: CatalogTable | undefined, { table, bucket, redeploy }: ExpectedTable): Finding {
    const check = `table ${table.name}`;
    if (found === undefined) {
        return problem(check, 'not in the catalog, or hidden from you by Lake Formation', redeploy);
    }
    const differences = [
        ...columnDifferences(found.columns, table.columns),
        ...placeDifferences(found, { table, bucket }),
        ...(table.per !== undefined ? projectionDifferences(found, { table, bucket }) : []),
    ];
    if (differences.length > 0) {
        return problem(check, differences.join('; '), `it is of another version, or was changed by hand: ${redeploy}`);
    }
    return ok(check, `${found.columns.length} columns, ${found.location}`);
}

/** What differs in the columns' names, types and order; the first differences only. */
function columnDifferences(found: readonly CatalogColumn[], expected: readonly CatalogColumn[]): string[] {
    const missing = expected.filter(({ name }) => !found.some((column) => column.name === name));
    const foreign = found.filter(({ name }) => !expected.some((column) => column.name === name));
    if (missing.length + foreign.length > 0) {
        return [...missing.map(({ name }) => `column ${name} is missing`), ...foreign.map(({ name }) => `column ${name} is too many`)];
    }
    const types = expected.flatMap(({ name, type }) => {
        const is = found.find((column) => column.name === name)?.type;
        return is === type ? [] : [`column ${name} is ${is}, not ${type}`];
    });
    const isInOrder = expected.every(({ name }, at) => found[at]?.name === name);
    return isInOrder ? types : [...types, `columns in another order: ${found.map(({ name }) => name).join(', ')}`];
}

function placeDifferences(found: CatalogTable, { table, bucket }: Omit<ExpectedTable, 'redeploy'>): string[] {
    const { inputFormat, serdes } = FORMATS[table.format === 'parquet' ? 'parquet' : 'json'];
    const keys = found.partitionKeys.map(({ name, type }) => `${name} ${type}`).join(', ');
    const expectedKeys = table.per !== undefined ? 'day string' : '';
    return [
        ...different('type', found.type, 'EXTERNAL_TABLE'),
        ...different('location', withSlash(found.location), `s3://${bucket}/${table.prefix}`),
        ...different('input format', found.inputFormat, inputFormat),
        ...(serdes.includes(found.serde) ? [] : different('serde', found.serde, serdes[0] ?? '')),
        ...different('partition keys', keys, expectedKeys),
    ];
}

/**
 * What differs in the table's projection (https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html); an
 * interval of a day is what is taken where none is given.
 */
function projectionDifferences({ parameters }: CatalogTable, { table, bucket }: Omit<ExpectedTable, 'redeploy'>): string[] {
    const value = (name: string): string => (parameters[name] ?? '').trim();
    return [
        ...different('projection.enabled', value('projection.enabled').toLowerCase(), 'true'),
        ...different('projection.day.type', value('projection.day.type').toLowerCase(), 'date'),
        ...different('projection.day.format', value('projection.day.format'), 'yyyy-MM-dd'),
        ...different('projection.day.interval', value('projection.day.interval') || '1', '1'),
        ...different('projection.day.interval.unit', value('projection.day.interval.unit').toUpperCase() || 'DAYS', 'DAYS'),
        ...different(
            'storage.location.template',
            withSlash(value('storage.location.template')),
            `s3://${bucket}/${table.prefix}day=\${day}/`,
        ),
    ];
}

function different(what: string, found: string, expected: string): string[] {
    return found === expected ? [] : [`${what} is ${found || 'not set'}, not ${expected || 'empty'}`];
}

function withSlash(location: string): string {
    return location === '' || location.endsWith('/') ? location : `${location}/`;
}
