#!/usr/bin/env bash
# hyparquet-writer 0.17.0 writes a Parquet file without rows that readers in Rust refuse.
#
# The footer's list of row groups is empty, and the header of an empty list must name the type of its elements all the same: `size << 4 | type`, 12 for a struct
# (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md#list-and-set). The writer takes the type from the first element, so it writes
# 0x00 in place of 0x0c. pyarrow, Polars and DuckDB do not look at the type of an empty list. The crate parquet does since
# https://github.com/apache/arrow-rs/pull/9924: DataFusion and parquet-wasm say "Expected list element type of Struct but got Byte", and a folder of many files is
# refused for one. With that one byte put right all of them read it. Seen on 2026-11-29.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-fund --no-audit --prefix "$work" hyparquet-writer@0.17.0 parquet-wasm@0.8.0
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check datafusion==55.0.0 duckdb==2.0.1 polars==2.1.0 pyarrow==26.0.1

cat > write.mjs <<'END'
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parquetWriteBuffer } from 'hyparquet-writer';

const { readParquet } = createRequire(import.meta.url)('parquet-wasm');
const bytes = Buffer.from(parquetWriteBuffer({ columnData: [{ name: 'n', data: [], type: 'INT64' }] }));
// Of FileMetaData: field 3, num_rows, is 0; field 4, row_groups, is a list.
const header = bytes.indexOf(Buffer.from([0x16, 0x00, 0x19])) + 3;
console.log(`header of row_groups: 0x${bytes.toString('hex', header, header + 1)}`);
for (const name of ['as-written', 'put-right']) {
    writeFileSync(`${name}.parquet`, bytes);
    let answer;
    try {
        answer = `${readParquet(new Uint8Array(bytes)).numBatches} batches`;
    } catch (error) {
        answer = error.message ?? String(error);
    }
    console.log(`${name}: parquet-wasm: ${answer}`);
    bytes[header] = 0x0c;
}
END

cat > read.py <<'END'
import datafusion
import duckdb
import polars
from pyarrow import parquet


def by_datafusion(path):
    context = datafusion.SessionContext()
    context.register_parquet('t', path)
    return context.sql('select count(*) as rows from t').to_pydict()['rows'][0]


READERS = {
    'pyarrow': lambda path: parquet.read_table(path).num_rows,
    'Polars': lambda path: polars.read_parquet(path).height,
    'DuckDB': lambda path: duckdb.sql(f"select count(*) from '{path}'").fetchall()[0][0],
    'DataFusion': by_datafusion,
}
for name in ('as-written', 'put-right'):
    for reader, read in READERS.items():
        try:
            answer = f'{read(f"{name}.parquet")} rows'
        except Exception as error:
            answer = str(error)
        print(f'{name}: {reader}: {answer}')
END

cat > expected <<'END'
header of row_groups: 0x00
as-written: parquet-wasm: Parquet error: Expected list element type of Struct but got Byte
put-right: parquet-wasm: 0 batches
as-written: pyarrow: 0 rows
as-written: Polars: 0 rows
as-written: DuckDB: 0 rows
as-written: DataFusion: DataFusion error: Parquet error: Parquet error: Expected list element type of Struct but got Byte
put-right: pyarrow: 0 rows
put-right: Polars: 0 rows
put-right: DuckDB: 0 rows
put-right: DataFusion: 0 rows
END

{ node write.mjs && venv/bin/python read.py; } | tee seen
diff expected seen && echo 'As found.'
