/** Which of DuckDB's functions a question may call: a select can do more than read by them. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SqlError } from '#lake/errors';
import { REFUSED_FUNCTIONS } from '#lake/query/duckdb-statement';
import { openFixture } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';

/** Table functions that were looked at: they read, or DuckDB refuses them files that are none of the lake's tables. */
const KNOWN_TO_READ = new Set([
    ...['duckdb_approx_database_count', 'duckdb_columns', 'duckdb_connection_count', 'duckdb_constraints', 'duckdb_coordinate_systems'],
    ...['duckdb_databases', 'duckdb_dependencies', 'duckdb_extensions', 'duckdb_external_file_cache', 'duckdb_functions', 'duckdb_indexes'],
    ...['duckdb_keywords', 'duckdb_log_contexts', 'duckdb_logs', 'duckdb_memory', 'duckdb_optimizers', 'duckdb_prepared_statements'],
    ...['duckdb_schemas', 'duckdb_secret_types', 'duckdb_secrets', 'duckdb_sequences', 'duckdb_settings', 'duckdb_table_sample'],
    ...['duckdb_tables', 'duckdb_temporary_files', 'duckdb_types', 'duckdb_variables', 'duckdb_views'],
    ...['generate_series', 'glob', 'icu_calendar_names', 'json_each', 'json_tree', 'range', 'repeat', 'repeat_row', 'sql_auto_complete'],
    ...['parquet_bloom_probe', 'parquet_file_metadata', 'parquet_full_metadata', 'parquet_kv_metadata', 'parquet_metadata', 'parquet_scan'],
    ...['parquet_schema', 'pg_timezone_names', 'pragma_collations', 'pragma_database_size', 'pragma_metadata_info', 'pragma_platform'],
    ...['pragma_show', 'pragma_storage_info', 'pragma_table_info', 'pragma_user_agent', 'pragma_version'],
    ...[
        'read_blob',
        'read_csv',
        'read_csv_auto',
        'read_duckdb',
        'read_json',
        'read_json_auto',
        'read_json_objects',
        'read_json_objects_auto',
    ],
    ...['read_ndjson', 'read_ndjson_auto', 'read_ndjson_objects', 'read_parquet', 'read_text', 'sniff_csv', 'summary', 'test_all_types'],
    ...['test_vector_types', 'unnest', 'which_secret'],
]);

test('every table function of this DuckDB is known', async () => {
    const { ask } = await openFixture([]);
    const rows = await ask("select distinct function_name as name from duckdb_functions() where function_type = 'table'");
    const names = rows.map(({ name }) => String(name));
    expect(names.length).toBeGreaterThan(50);
    expect(names.filter((name) => !KNOWN_TO_READ.has(name) && !REFUSED_FUNCTIONS.includes(name)).sort()).toEqual([]);
    expect(REFUSED_FUNCTIONS.filter((name) => KNOWN_TO_READ.has(name))).toEqual([]);
});

test('every function that acts by itself is known', async () => {
    const { ask } = await openFixture([]);
    const rows = await ask(
        "select distinct function_name as name from duckdb_functions() where has_side_effects or stability = 'VOLATILE'",
    );
    const harmless = ['error', 'random', 'uuid', 'uuidv4', 'uuidv7', 'gen_random_uuid', 'currval', 'nextval', 'stats'];
    const ofConnection = ['current_connection_id', 'current_query', 'current_query_id', 'current_transaction_id'];
    const names = rows.map(({ name }) => String(name));
    expect(names.filter((name) => ![...harmless, ...ofConnection, ...REFUSED_FUNCTIONS].includes(name)).sort()).toEqual([]);
});

describe('is refused before it acts', () => {
    test.each([
        'from enable_logging()',
        "select * from enable_logging(storage_path => 'LAKE/log')",
        'from disable_logging()',
        'select * from main."Enable_Logging"()',
        'summarize from system.main.checkpoint()',
        'describe from force_checkpoint()',
        'explain analyze from truncate_duckdb_logs()',
        'with a as (from enable_profiling()) select 1',
        "select E'\\'', x from enable_logging(), '...'",
        "select $$'$$ from enable_logging() -- $$'$$",
        "select * from query /* /* */ */ ('select 1')",
        "select * from query('from enable' || '_logging()')",
        "from query_table('pair_days')",
        'from json_execute_serialized_sql(json_serialize_sql($$select 1$$))',
        "select day from pair_days order by write_log('x')",
        'select (select 1 where setseed(0.5) is null)',
        'select [x for x in [1] if sleep_ms(1) is null]',
    ])('%s', async (sql) => {
        const { ask, directory } = await openFixture([{ day: '2026-01-05' }]);
        const asked = ask(sql.replaceAll('LAKE', directory));
        await expect(asked).rejects.toThrow(SqlError);
        await expect(asked).rejects.toThrow(/^(Only statements that read are answered, and \w+\(\) may do more|Parser Error)/);
        expect(await ask("select value from duckdb_settings() where name = 'enable_logging'")).toEqual([{ value: '0' }]);
        expect(await readdir(directory)).toEqual(['pair_days']);
    });
});

test('a text that has the name of such a function is one like any other', async () => {
    const { ask } = await openFixture([]);
    expect(await ask("select 'enable_logging()' as a, '\"function_name\":\"query\"' as query -- query('x')")).toEqual([
        { a: 'enable_logging()', query: '"function_name":"query"' },
    ]);
});

test('of the lake’s folder only its tables can be read, not what its programs keep there', async () => {
    const directory = join(await makeFolder(), 'lake [1]');
    const { ask } = await openFixture([{ day: '2026-01-05' }], { directory });
    for (const folder of ['.flowlake', 'raw', 'credentials', 'pair_days-2']) {
        await mkdir(join(directory, folder));
        await writeFile(join(directory, folder, 'x.csv'), 'a,b\n1,2\n');
        await expect(ask(`from read_text('${directory}/${folder}/x.csv')`)).rejects.toThrow(/Permission Error/);
        await expect(ask(`from glob('${directory.replace('[', '[[]')}/${folder}/*')`)).rejects.toThrow(/Permission Error/);
        await expect(ask(`from "${directory}/${folder}/x.csv"`)).rejects.toThrow(/Permission Error/);
        await expect(ask(`from read_text('${directory}/pair_days/../${folder}/x.csv')`)).rejects.toThrow(/Permission Error/);
    }
    await expect(ask(`from read_text('${directory}/lake.json')`)).rejects.toThrow(/Permission Error/);
    expect(await ask('select flows from pair_days')).toEqual([{ flows: 1n }]);
});
