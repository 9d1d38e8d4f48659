/**
 * What people would use instead: the totals of the same files as the same Parquet, by DuckDB with two threads and by Polars, each in a process of its own. They
 * come from PyPI with `npm run tools -- readers`; without that the DuckDB that the program itself has stands in.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance, version } from '@duckdb/node-api';
import { type FlowMeasure, flowMeasures, pairDays } from '#lake/flows/tables';
import { type Ran, runNode, runPython } from './run-program.ts';
import { firstLineOf, type SiteFile } from './site-files.ts';

export interface Peer {
    /** Name and version. */
    name: string;
    /** Writes the totals of the files to this Parquet file. */
    run(files: readonly SiteFile[], parquet: string): Ran;
}

const PYTHON = fileURLToPath(new URL('../.tools/readers/bin/python', import.meta.url));

/** How one gets the peers, where they are not there. */
export const HOW_TO_GET_PEERS = existsSync(PYTHON)
    ? undefined
    : 'DuckDB 2.0.1 and Polars 2.1.0 are not here (`npm run tools -- readers` installs them): DuckDB of the program instead, no Polars';

/** Column of CICFlowMeter that each measure is read from. */
const COLUMN_OF: Readonly<Record<FlowMeasure, string>> = { flow_duration_us: 'Flow Duration', fwd_pkts: 'Tot Fwd Pkts' };

export function openDuckDb(): Peer {
    if (HOW_TO_GET_PEERS === undefined) {
        const code = "import duckdb\nduckdb.connect(config={'threads': 2}).execute(sys.argv[1])\n";
        return {
            name: `DuckDB ${versionOf('duckdb')}`,
            run: (files, parquet) => runPython(PYTHON, code, [writeTotalsSql(files, parquet)]),
        };
    }
    const script = `import { DuckDBInstance } from ${JSON.stringify(import.meta.resolve('@duckdb/node-api'))};
        await (await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect()).run(process.argv[1]);
        process.exit();`;
    return {
        name: `DuckDB ${version()}`,
        run: (files, parquet) => runNode(['--input-type=module', '-e', script, writeTotalsSql(files, parquet)]),
    };
}

/** Polars; undefined where it is not there. */
export function openPolars(): Peer | undefined {
    if (HOW_TO_GET_PEERS !== undefined) {
        return undefined;
    }
    const code = readFileSync(new URL('totals_in_polars.py', import.meta.url), 'utf8');
    return {
        name: `Polars ${versionOf('polars')}`,
        run: (files, parquet) => runPython(PYTHON, code, [parquet, ...files.flatMap(({ site, path }) => [site, path])]),
    };
}

function versionOf(module: string): string {
    return runPython(PYTHON, `import importlib.metadata\nprint(importlib.metadata.version('${module}'))\n`, []).stdout.trim();
}

/** True if both Parquet files, or all that a pattern names, have the same rows; their order does not count. */
export async function haveEqualTotals(one: string, other: string): Promise<boolean> {
    const columns = pairDays.columns.map(({ name }) => name).join(', ');
    const rowsOf = (path: string): string => `select ${columns} from read_parquet('${path}')`;
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    try {
        const reader = await connection.runAndReadAll(
            `select (select count(*) from (${rowsOf(one)})), (select count(*) from (
                (${rowsOf(one)} except all ${rowsOf(other)}) union all (${rowsOf(other)} except all ${rowsOf(one)})))`,
        );
        const [rows, different] = reader.getRows()[0] ?? [];
        return Number(rows) > 0 && Number(different) === 0;
    } finally {
        connection.closeSync();
        instance.closeSync();
    }
}

const TEXTS = new Set(['Flow ID', 'Src IP', 'Dst IP', 'Label']);
const WHOLES = new Set(['Src Port', 'Dst Port', 'Protocol', 'Flow Duration', 'Tot Fwd Pkts', 'Tot Bwd Pkts']);

/** Totals of one site's files of CICFlowMeter. All 84 columns have their types, so that DuckDB need not guess; sums are in hugeint, so that they are exact too. */
export function totalsSql(site: string, paths: readonly string[]): string {
    const names = firstLineOf(paths[0] ?? '').split(',');
    const typeOf = (name: string): string =>
        name === 'Timestamp' ? 'TIMESTAMP' : TEXTS.has(name) ? 'VARCHAR' : WHOLES.has(name) ? 'BIGINT' : 'DOUBLE';
    const columns = names.map((name) => `'${name}': '${typeOf(name)}'`).join(', ');
    const figures = flowMeasures.map((measure) => {
        const column = `"${COLUMN_OF[measure]}"`;
        return `sum(${column})::bigint as ${measure}_sum, sum(${column}::hugeint * ${column}::hugeint)::decimal(38, 0) as ${measure}_sum_sq,
            min(${column}) as ${measure}_min, max(${column}) as ${measure}_max`;
    });
    return `select '${site}' as site, "Src IP" as src_ip, "Dst IP" as dst_ip, count(*) as flows, count("Flow Duration") as timed_flows, ${figures.join(', ')}
        from read_csv([${paths.map((path) => `'${path}'`).join(', ')}], auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
            timestampformat = '%d/%m/%Y %I:%M:%S %p', columns = {${columns}})
        group by "Src IP", "Dst IP", "Timestamp"::date`;
}

/** Each site by itself is what DuckDB is fastest at. */
function writeTotalsSql(files: readonly SiteFile[], parquet: string): string {
    const sites = [...new Set(files.map(({ site }) => site))];
    const totals = sites.map((site) =>
        totalsSql(
            site,
            files.filter((file) => file.site === site).map(({ path }) => path),
        ),
    );
    return `copy (select * from (${totals.join(' union all ')}) order by site, src_ip, dst_ip) to '${parquet}' (format parquet)`;
}
