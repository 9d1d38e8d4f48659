/** Tables, views and workgroup: what the deployment made is well, and whatever differs is named. */
import type { CatalogTable } from '#lake/doctor/catalog-facts';
import { judgeTable } from '#lake/doctor/table-findings';
import { decodeView, judgeView } from '#lake/doctor/view-findings';
import type { WorkgroupFacts } from '#lake/doctor/workgroup-facts';
import { judgeWorkgroup } from '#lake/doctor/workgroup-findings';
import { pairDays } from '#lake/flows/tables';
import { sources } from '#lake/kinds';
import type { Table } from '#lake/tables';

function catalogTable(table: Table): CatalogTable {
    const location = `s3://lake/${table.prefix}`;
    const isParquet = table.format === 'parquet';
    return {
        name: table.name,
        type: 'EXTERNAL_TABLE',
        description: '',
        columns: table.columns.map(({ name, type }) => ({ name, type })),
        partitionKeys: table.per !== undefined ? [{ name: 'day', type: 'string' }] : [],
        location,
        inputFormat: isParquet
            ? 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat'
            : 'org.apache.hadoop.mapred.TextInputFormat',
        serde: isParquet ? 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' : 'org.openx.data.jsonserde.JsonSerDe',
        parameters:
            table.per !== undefined
                ? {
                      'projection.enabled': 'true',
                      'projection.day.type': 'date',
                      'projection.day.format': 'yyyy-MM-dd',
                      'projection.day.range': '2020-01-01,NOW+1DAYS',
                      'storage.location.template': `${location}day=\${day}/`,
                  }
                : {},
        viewText: '',
    };
}

const PAIR_DAYS = catalogTable(pairDays);
const [site, ...otherColumns] = PAIR_DAYS.columns;

describe('a table', () => {
    test('is well as the table describes it', () => {
        for (const table of [pairDays, sources]) {
            expect(judgeTable(catalogTable(table), { table, bucket: 'lake', redeploy: 'deploy' })).toMatchObject({
                check: `table ${table.name}`,
                result: 'ok',
            });
        }
        const withDefaults = { ...PAIR_DAYS.parameters, 'projection.day.interval': '1', 'projection.day.interval.unit': 'days' };
        const withoutSlash = { ...PAIR_DAYS, location: 's3://lake/pair_days', parameters: withDefaults };
        expect(judgeTable(withoutSlash, { table: pairDays, bucket: 'lake', redeploy: 'deploy' }).result).toBe('ok');
    });

    test.each<[string, Partial<CatalogTable>, string]>([
        ['a column that is missing', { columns: otherColumns }, 'column site is missing'],
        ['a column too many', { columns: [...PAIR_DAYS.columns, { name: 'more', type: 'string' }] }, 'column more is too many'],
        ['another type', { columns: [{ name: 'site', type: 'int' }, ...otherColumns] }, 'column site is int, not string'],
        ['another order', { columns: [...otherColumns, site!] }, 'columns in another order: src_ip'],
        ['another place', { location: 's3://other/pair_days/' }, 'location is s3://other/pair_days/, not s3://lake/pair_days/'],
        ['another serde', { serde: 'org.openx.data.jsonserde.JsonSerDe' }, 'serde is org.openx'],
        ['another input format', { inputFormat: 'org.apache.hadoop.mapred.TextInputFormat' }, 'input format is'],
        ['no partitions', { partitionKeys: [] }, 'partition keys is not set, not day string'],
        ['partitions of another type', { partitionKeys: [{ name: 'day', type: 'date' }] }, 'partition keys is day date'],
        [
            'projection turned off',
            { parameters: { ...PAIR_DAYS.parameters, 'projection.enabled': 'false' } },
            'projection.enabled is false',
        ],
        ['weeks', { parameters: { ...PAIR_DAYS.parameters, 'projection.day.interval': '7' } }, 'projection.day.interval is 7'],
        [
            'another template',
            { parameters: { ...PAIR_DAYS.parameters, 'storage.location.template': `s3://lake/pair_days/\${day}` } },
            `storage.location.template is s3://lake/pair_days/\${day}/`,
        ],
        ['a view of its name', { type: 'VIRTUAL_VIEW' }, 'type is VIRTUAL_VIEW'],
    ])('with %s is a problem that is named', (_, change, text) => {
        expect(judgeTable({ ...PAIR_DAYS, ...change }, { table: pairDays, bucket: 'lake', redeploy: 'deploy' })).toMatchObject({
            result: 'problem',
            found: expect.stringContaining(text),
        });
    });

    test('that is not there is said to be missing', () => {
        expect(judgeTable(undefined, { table: pairDays, bucket: 'lake', redeploy: 'deploy' })).toMatchObject({
            result: 'problem',
            found: expect.stringContaining('not in the catalog'),
        });
    });
});

const SQL = '-- One row.\nselect site from pair_days\n';

function catalogView(change: Record<string, unknown> = {}): CatalogTable {
    const columns = [{ name: 'site', type: 'varchar' }];
    const definition = { originalSql: SQL, catalog: 'awsdatacatalog', schema: 'lake_dev', columns, runAsInvoker: true, ...change };
    return {
        ...PAIR_DAYS,
        name: 'view',
        type: 'VIRTUAL_VIEW',
        description: 'Presto View',
        columns: [{ name: 'site', type: 'string' }],
        parameters: { presto_view: 'true', comment: 'Presto View' },
        viewText: `/* Presto View: ${Buffer.from(JSON.stringify(definition)).toString('base64')} */`,
    };
}

describe('a view', () => {
    const judged = (view: CatalogTable | undefined) =>
        judgeView(view, { name: 'view', path: 'sql/flows/views/view.sql', sql: SQL, database: 'lake_dev', redeploy: 'deploy' });

    test('is well with the very text of sql/flows/views', () => {
        expect(judged(catalogView())).toMatchObject({ check: 'view view', result: 'ok', found: 'the text of sql/flows/views/view.sql' });
        expect(judged(catalogView({ originalSql: SQL.trim() })).result).toBe('ok');
    });

    test.each<[string, CatalogTable | undefined, string]>([
        ['another text', catalogView({ originalSql: SQL.replace('site', 'src_ip') }), 'its SQL is another one'],
        ['another database', catalogView({ schema: 'lake_prod' }), 'it reads database lake_prod'],
        ['another catalog', catalogView({ catalog: 'hive' }), 'it reads catalog hive'],
        ['other columns', catalogView({ columns: [{ name: 'day' }] }), 'its columns are not those'],
        ['the rights of its maker', catalogView({ runAsInvoker: false }), 'rights of who asks'],
        ['a text that is none', { ...catalogView(), viewText: '/* Presto View: e30= x */' }, 'cannot be decoded'],
        ['no mark for engines', { ...catalogView(), parameters: {} }, 'presto_view'],
        ['no mark for Trino', { ...catalogView(), description: 'totals' }, 'Trino does not take it'],
        ['a table in its place', { ...catalogView(), type: 'EXTERNAL_TABLE' }, 'it is no view'],
        ['nothing in its place', undefined, 'not in the catalog'],
    ])('with %s is a problem that is named', (_, view, text) => {
        expect(judged(view)).toMatchObject({ result: 'problem', found: expect.stringContaining(text) });
    });

    test('whose definition is no JSON, or no object, is not decoded', () => {
        for (const text of ['', 'null', '{"a"', '[]']) {
            const decoded = decodeView(`/* Presto View: ${Buffer.from(text).toString('base64')} */`);
            expect(decoded?.sql ?? '').toBe('');
        }
    });
});

describe('a workgroup', () => {
    const WELL: WorkgroupFacts = {
        isEnabled: true,
        isEnforced: true,
        resultLocation: 's3://lake/athena-results/',
        scanLimitBytes: 100_000_000_000,
        engineVersion: 'Athena engine version 3',
    };
    const judged = (change: Partial<WorkgroupFacts>) =>
        judgeWorkgroup({ kind: 'found', value: { ...WELL, ...change } }, { name: 'lake', bucket: 'lake', redeploy: 'deploy' });

    test('is well as deployed', () => {
        expect(judged({})).toMatchObject([{ result: 'ok', found: 'lake: results in s3://lake/athena-results/, up to 100 GB a query' }]);
    });

    test.each<[string, Partial<WorkgroupFacts>, string]>([
        ['disabled', { isEnabled: false }, 'problem'],
        ['not enforced', { isEnforced: false }, 'warning'],
        ['without a place for results', { resultLocation: undefined }, 'problem'],
        ['with results elsewhere', { resultLocation: 's3://lakeside/x/' }, 'warning'],
        ['without a scan limit', { scanLimitBytes: undefined }, 'warning'],
        ['of an old engine', { engineVersion: 'Athena engine version 2' }, 'problem'],
    ])('that is %s is told', (_, change, result) => {
        expect(judged(change)).toMatchObject([{ check: 'workgroup', result, todo: expect.any(String) }]);
    });

    test('that is missing is not one that may not be looked at', () => {
        const expected = { name: 'lake', bucket: 'lake', redeploy: 'deploy' };
        expect(judgeWorkgroup({ kind: 'missing' }, expected)).toMatchObject([{ result: 'problem' }]);
        expect(judgeWorkgroup({ kind: 'unreadable', code: 'AccessDeniedException', why: 'x' }, expected)).toMatchObject([
            { result: 'could not check' },
        ]);
    });
});
