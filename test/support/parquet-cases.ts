/**
 * Makes the inputs of the golden cases of Parquet: `node test/support/parquet-cases.ts`. The fuzzer's plain reader knows what they come to:
 * `npm run fuzz -- --golden-anew` writes it.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';

const FIXTURES = new URL('../fixtures/flows/', import.meta.url).pathname;

/** The bytes of a Parquet file that DuckDB writes of the query's rows. @param options as `copy` takes them: `codec 'zstd', parquet_version v2` */
export async function parquetOf(query: string, options = "codec 'snappy'"): Promise<Buffer> {
    const folder = await mkdtemp(join(tmpdir(), 'parquet-of-'));
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const connection = await instance.connect();
    try {
        const path = join(folder, 'rows.parquet');
        await connection.run(`set timezone = 'UTC'; copy (${query}) to '${path}' (format parquet, ${options})`);
        return await readFile(path);
    } finally {
        connection.closeSync();
        instance.closeSync();
        await rm(folder, { recursive: true });
    }
}

const COLUMNS = `"Src IP", "Dst IP", "Timestamp", "Flow Duration", "Tot Fwd Pkts", "Label"`;

function valuesOf(...rows: string[]): string {
    return `select * from (values ${rows.map((row) => `(${row})`).join(', ')}) as flows(${COLUMNS})`;
}

/** Records of nfdump, each with when it was received; aggregated ones were not. */
function nfdumpOf(...received: string[]): Promise<Buffer> {
    const rows = received.map(
        (at, engine) =>
            `(timestamp '2021-01-31 10:00:00', timestamp '2021-01-31 10:00:01', 1.5, '192.0.2.10', '198.51.100.20', 3, ${at}, '${engine}/${engine}')`,
    );
    return parquetOf(`select * from (values ${rows.join(', ')}) as flows(ts, te, td, sa, da, ipkt, tr, eng)`);
}

/** Query, or bytes, by the case's name. */
const CASES: Record<string, () => Promise<Buffer>> = {
    'parquet-texts': () =>
        parquetOf(
            valuesOf(
                `'192.0.2.10', '198.51.100.20', '31/01/2021 10:00:00 AM', '1500', '3', 'BENIGN'`,
                `'192.0.2.10', ' 198.51.100.20 ', '31/01/2021 10:00:01 AM', '0.5', '4.0', 'BENIGN'`,
                `'2001:db8::1', '198.51.100.20', '01/02/2021 00:00:00', '9007199254740993', '1', 'BENIGN'`,
            ),
        ),
    'parquet-timestamps': () =>
        parquetOf(
            valuesOf(
                `'192.0.2.10', '198.51.100.20', timestamp '2021-01-31 23:59:59.999999', 1500, 3::double, 'BENIGN'`,
                `'192.0.2.10', '198.51.100.20', timestamp '2021-02-01 00:00:00', 119999999, 5::double, 'BENIGN'`,
                `'192.0.2.10', '198.51.100.20', timestamp '2021-02-01 12:00:00', 9007199254740993, 2::double, 'BENIGN'`,
            ),
            `codec 'zstd', parquet_version v2`,
        ),
    'parquet-timestamps-in-utc': () =>
        parquetOf(
            valuesOf(
                `'192.0.2.10', '198.51.100.20', timestamptz '2021-01-31 23:59:59+00', 12.5::decimal(10, 2), 3::utinyint, 'BENIGN'`,
                `'192.0.2.10', '198.51.100.20', timestamptz '2021-02-01 01:30:00+02', 0.49::decimal(10, 2), 255::utinyint, 'BENIGN'`,
            ),
            `codec 'gzip'`,
        ),
    'parquet-rejects': () =>
        parquetOf(
            valuesOf(
                `'192.0.2.10', '198.51.100.20', '31/01/2021 10:00', 1500::float, 3::double, 'BENIGN'`,
                `null, '198.51.100.20', '31/01/2021 10:00', 1500, 3, 'BENIGN'`,
                `'192.0.2.10', '198.51.100.20', null, 1500, 3, 'BENIGN'`,
                `'192.0.2.10', 'host', '31/01/2021 10:00', 1500, 3, 'BENIGN'`,
                `'192.0.2.10', '198.51.100.20', '31/04/2021 10:00', 1500, 3, 'BENIGN'`,
                `'192.0.2.10', '198.51.100.20', '31/01/2021 10:00', 'nan'::float, 3, 'BENIGN'`,
                `'192.0.2.10', '198.51.100.20', '31/01/2021 10:00', 'infinity'::float, 3, 'BENIGN'`,
                `'192.0.2.10', '198.51.100.20', '31/01/2021 10:00', -1, 3, 'BENIGN'`,
                `'192.0.2.10', '198.51.100.20', '31/01/2021 10:00', 1e19, 3, 'BENIGN'`,
                `'192.0.2.10', '198.51.100.20', '31/01/2021 10:00', 1500, 3.5, 'BENIGN'`,
                `'192.0.2.10', '198.51.100.20', '31/01/2021 10:00', 0.1, 3, 'BENIGN'`,
            ),
            `codec 'brotli'`,
        ),
    'parquet-with-rows-that-are-headers': () =>
        parquetOf(
            valuesOf(
                `'192.0.2.10', '198.51.100.20', '31/01/2021 10:00', '1500', '3', 'BENIGN'`,
                `'Src IP', 'Dst IP', 'Timestamp', 'Flow Duration', 'Tot Fwd Pkts', 'Label'`,
                `'192.0.2.10', '198.51.100.20', '31/01/2021 10:00', '1500', '3', 'BENIGN'`,
            ),
            `codec 'lz4_raw'`,
        ),
    'parquet-zeek': () =>
        parquetOf(
            `select 1612224000.25::double as ts, '192.0.2.10' as "id.orig_h", '198.51.100.20' as "id.resp_h", 0.000028::double as duration, 3::bigint as orig_pkts`,
        ),
    'parquet-argus-timestamps': () =>
        parquetOf(
            `select * from (values
                (timestamp '2021-01-31 23:59:59.5', timestamp '2021-02-01 00:00:01.75', 'tcp', '192.0.2.10', '198.51.100.20', 3),
                (timestamp '2021-02-01 10:00:00', null, 'udp', '192.0.2.10', '198.51.100.20', 1),
                (timestamp '2021-02-01 10:00:00', timestamp '2021-02-01 09:00:00', 'udp', '192.0.2.10', '198.51.100.20', 1),
                (timestamp '2021-02-01 10:00:00', timestamp '2021-02-01 10:00:01', 'man', '0', '0', 1)
            ) as flows("StartTime", "LastTime", "Proto", "SrcAddr", "DstAddr", "SrcPkts")`,
        ),
    'parquet-nfdump-timestamps': () => nfdumpOf(`timestamptz '2021-01-31 10:00:02+00'`, `timestamptz '1970-01-01 00:00:00+00'`),
    'parquet-nfdump-aggregated': () => nfdumpOf(`timestamp '1970-01-01 00:00:00'`),
    'parquet-floats': () =>
        parquetOf(
            `select * replace ("Flow Duration"::float as "Flow Duration", "Tot Fwd Pkts"::float as "Tot Fwd Pkts") from (${valuesOf(
                `'192.0.2.10', '198.51.100.20', '31/01/2021 10:00', 115307856, 3, 'BENIGN'`,
                `'192.0.2.11', '198.51.100.20', '31/01/2021 10:00', 16777216, 16777216, 'BENIGN'`,
                `'192.0.2.12', '198.51.100.20', '31/01/2021 10:00', 0.7, 1e9, 'BENIGN'`,
                `'192.0.2.13', '198.51.100.20', '31/01/2021 10:00', 1e18, 1, 'BENIGN'`,
            )})`,
        ),
    'parquet-without-addresses': () =>
        parquetOf(`select 6 as "Protocol", 1500 as "Flow Duration", 3 as "Tot Fwd Pkts", 'BENIGN' as "Label"`),
    'parquet-nested': () =>
        parquetOf(
            `select ['192.0.2.10'] as "Src IP", '198.51.100.20' as "Dst IP", '31/01/2021 10:00' as "Timestamp", 1500 as "Flow Duration", 3 as "Tot Fwd Pkts"`,
        ),
    'parquet-truncated': async () => (await CASES['parquet-texts']!()).subarray(0, -20),
    'parquet-in-gzip': async () => gzipSync(await CASES['parquet-texts']!()),
};

async function main(): Promise<void> {
    for (const [name, make] of Object.entries(CASES)) {
        await mkdir(join(FIXTURES, name), { recursive: true });
        await writeFile(join(FIXTURES, name, name === 'parquet-in-gzip' ? 'input.parquet.gz' : 'input.parquet'), await make());
    }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
    await main();
}
