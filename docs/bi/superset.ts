/** The dashboards for Apache Superset as the files of its own export format: a part of `npm run docs`. docs/bi.md says how they are imported. */
import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { relationColumns } from './relation-columns.ts';
import { type Chart, DASHBOARDS, DATA_SETS, type Dashboard, type DataSet, timeColumnOf } from './superset-dashboards.ts';

/** The files of the import by their paths in its folder. */
export function supersetFiles(): Record<string, string> {
    const database = {
        database_name: 'flowlake',
        // Filled in by whoever imports it: docs/bi.md.
        sqlalchemy_uri: 'duckdb:////path/to/my-lake.duckdb',
        expose_in_sqllab: true,
        allow_run_async: false,
        allow_ctas: false,
        allow_cvas: false,
        allow_dml: false,
        // Two programs may have the file open at once where both only read. Superset stays open: it must read a file that was replaced anew.
        extra: {
            engine_params: { connect_args: { read_only: true, config: { enable_external_file_cache: 'false' } } },
            allows_virtual_table_explore: true,
        },
        uuid: uuidOf('database'),
        version: '1.0.0',
    };
    return {
        'metadata.yaml': stringify({ version: '1.0.0', type: 'Dashboard' }),
        'databases/flowlake.yaml': stringify(database),
        ...Object.fromEntries(DATA_SETS.map((set) => [`datasets/flowlake/${set.relation}.yaml`, stringify(dataSetFile(set))])),
        ...Object.fromEntries(
            DASHBOARDS.flatMap(({ name, rows }) =>
                rows.flat().map((chart) => [`charts/${name}-${slugOf(chart.title)}.yaml`, stringify(chartFile(name, chart))]),
            ),
        ),
        ...Object.fromEntries(
            DASHBOARDS.map((dashboard) => [`dashboards/${dashboard.name}.yaml`, stringify(dashboardFile(dashboard), { lineWidth: 0 })]),
        ),
    };
}

function dataSetFile({ relation, about, instants = {}, computed = [], metrics }: DataSet): object {
    const columns = relationColumns(relation).map(({ name, type, meaning }) => ({
        column_name: name,
        // Of a text Superset compares instants with DuckDB, whatever the format below says, and the first day of a range is lost. A type
        // that it does not know has its format.
        type: name === 'day' ? 'DAY' : type.toUpperCase(),
        ...(instants[name] !== undefined && { verbose_name: instants[name] }),
        is_dttm: name === 'day' || name in instants,
        // A day is compared as the text that it is: else Athena would read every day.
        python_date_format: name === 'day' ? '%Y-%m-%d' : name in instants ? 'epoch_ms' : null,
        filterable: true,
        groupby: true,
        is_active: true,
        ...(meaning !== undefined && { description: meaning }),
    }));
    const more = computed.map(({ name, title, sql, isTime = false }) => ({
        column_name: name,
        verbose_name: title,
        type: isTime ? 'TIMESTAMP' : 'VARCHAR',
        expression: sql,
        is_dttm: isTime,
        filterable: true,
        groupby: true,
        is_active: true,
    }));
    return {
        table_name: relation,
        main_dttm_col: timeColumnOf(relation) ?? null,
        description: about,
        schema: null,
        sql: null,
        filter_select_enabled: true,
        uuid: uuidOf(`data set ${relation}`),
        metrics: metrics.map(({ name, title, sql, about: meaning }) => ({
            metric_name: name,
            verbose_name: title,
            expression: sql,
            description: meaning,
        })),
        columns: [...columns, ...more],
        version: '1.0.0',
        database_uuid: uuidOf('database'),
    };
}

function chartFile(dashboard: string, { title, relation, type, about, params }: Chart): object {
    return {
        slice_name: title,
        description: about,
        viz_type: type,
        params: { viz_type: type, ...params },
        uuid: uuidOf(`chart ${dashboard} ${title}`),
        version: '1.0.0',
        dataset_uuid: uuidOf(`data set ${relation}`),
    };
}

function dashboardFile({ name, title, about, rows }: Dashboard): object {
    const charts = rows.flat();
    const rowIds = rows.map((_, index) => `ROW-${index}`);
    const idOf = (chart: Chart) => `CHART-${slugOf(chart.title)}`;
    const position = {
        DASHBOARD_VERSION_KEY: 'v2',
        ROOT_ID: { type: 'ROOT', id: 'ROOT_ID', children: ['GRID_ID'] },
        GRID_ID: { type: 'GRID', id: 'GRID_ID', parents: ['ROOT_ID'], children: rowIds },
        HEADER_ID: { type: 'HEADER', id: 'HEADER_ID', meta: { text: title } },
        ...Object.fromEntries(
            rows.map((row, index) => [
                rowIds[index],
                {
                    type: 'ROW',
                    id: rowIds[index],
                    parents: ['ROOT_ID', 'GRID_ID'],
                    children: row.map(idOf),
                    meta: { background: 'BACKGROUND_TRANSPARENT' },
                },
            ]),
        ),
        ...Object.fromEntries(
            rows.flatMap((row, index) =>
                row.map((chart) => [
                    idOf(chart),
                    {
                        type: 'CHART',
                        id: idOf(chart),
                        parents: ['ROOT_ID', 'GRID_ID', rowIds[index]],
                        children: [],
                        // Superset puts its own number of the chart in place of this one.
                        meta: {
                            chartId: charts.indexOf(chart) + 1,
                            uuid: uuidOf(`chart ${name} ${chart.title}`),
                            sliceName: chart.title,
                            width: chart.size[0],
                            height: chart.size[1],
                        },
                    },
                ]),
            ),
        ),
    };
    return {
        dashboard_title: title,
        description: about,
        slug: `flowlake-${name}`,
        published: true,
        uuid: uuidOf(`dashboard ${name}`),
        position,
        metadata: { color_scheme: 'supersetColors', cross_filters_enabled: true, native_filter_configuration: nativeFilters(name, charts) },
        version: '1.0.0',
    };
}

/** The filters at the side: days, and sites. */
function nativeFilters(name: string, charts: readonly Chart[]): object[] {
    const scope = { rootPath: ['ROOT_ID'], excluded: [] };
    const shared = { scope, type: 'NATIVE_FILTER', cascadeParentIds: [], defaultDataMask: { filterState: {}, extraFormData: {} } };
    const relation = charts[0]?.relation;
    return [
        {
            ...shared,
            id: `NATIVE_FILTER-${name}-days`,
            name: 'Days',
            filterType: 'filter_time',
            targets: [{}],
            controlValues: { enableEmptyFilter: false },
        },
        {
            ...shared,
            id: `NATIVE_FILTER-${name}-site`,
            name: 'Site',
            filterType: 'filter_select',
            targets: [{ datasetUuid: uuidOf(`data set ${relation}`), column: { name: 'site' } }],
            controlValues: {
                enableEmptyFilter: false,
                defaultToFirstItem: false,
                multiSelect: true,
                searchAllOptions: false,
                inverseSelection: false,
            },
        },
    ];
}

function slugOf(title: string): string {
    return title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
}

/** An identity that is the same in every import, by which Superset knows what is there already: a UUID of version 5. */
function uuidOf(what: string): string {
    const bytes = createHash('sha1').update(`flowlake ${what}`).digest().subarray(0, 16);
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
