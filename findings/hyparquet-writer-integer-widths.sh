#!/usr/bin/env bash
# hyparquet-writer 0.17.0 writes the width of a logical INTEGER so that Rust readers take it for twice as wide, and pyarrow and DuckDB refuse the file; hyparquet reads it as meant.
#
# parquet.thrift declares `IntType.bitWidth` as i8, which the compact protocol writes as the byte itself, type 3; the writer gives every small number as an i32, type
# 5, whose varint is zigzag: 8 becomes 0x10. A reader that looks at the types of fields (C++) skips one of the wrong type, then lacks a required one: "Invalid data".
# One that goes by the field's number alone (arrow-rs, Polars) takes the zigzag byte as it is: uint8 becomes uint16, uint16 becomes uint32, and of 64, two bytes, the
# second is taken for the next field. A `converted_type` beside it does not help; one alone does, and all agree. Nobody notices with hyparquet, which goes by what is
# in the file. Those two bytes put right, pyarrow, Polars and DataFusion read what was meant. DuckDB then does not look at the logical type at all: for want of the
# `converted_type`, which the format has deprecated, 4,000,000,000 in INTEGER(32, false) is -294967296. Seen on 2026-11-30.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-fund --no-audit --prefix "$work" hyparquet@1.31.5 hyparquet-writer@0.17.0
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check datafusion==55.0.0 duckdb==2.0.1 polars==2.1.0 pyarrow==26.0.1

cat > write.mjs <<'END_OF_WRITE'
import { writeFileSync } from 'node:fs';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';

function bytesOf(element, data = [1, 200]) {
    const schema = [
        { name: 'root', num_children: 1 },
        { name: 'n', repetition_type: 'REQUIRED', type: 'INT32', ...element },
    ];
    return Buffer.from(parquetWriteBuffer({ schema, columnData: [{ name: 'n', data }] }));
}

const integer = (bitWidth) => ({ logical_type: { type: 'INTEGER', bitWidth, isSigned: false } });

/** Field 10 of the union LogicalType, field 1 of IntType: an i32 made an i8. */
function putRight(bytes, bitWidth) {
    const at = bytes.indexOf(Buffer.from([0xac, 0x15, bitWidth << 1, 0x12]));
    bytes.set([0x13, bitWidth], at + 1);
    return bytes;
}

const LARGE = [1, 4_000_000_000];
const files = {
    '8': bytesOf(integer(8)),
    '16': bytesOf(integer(16)),
    '32': bytesOf(integer(32), LARGE),
    '64': bytesOf({ type: 'INT64', ...integer(64) }, [1n, 2n ** 64n - 1n]),
    '8, with UINT_8': bytesOf({ ...integer(8), converted_type: 'UINT_8' }),
    '8, put right': putRight(bytesOf(integer(8)), 8),
    '32, put right': putRight(bytesOf(integer(32), LARGE), 32),
    'UINT_8 alone': bytesOf({ converted_type: 'UINT_8' }),
    'UINT_32 alone': bytesOf({ converted_type: 'UINT_32' }, LARGE),
};
for (const [name, bytes] of Object.entries(files)) {
    writeFileSync(`${name}.parquet`, bytes);
    const file = new Uint8Array(bytes).buffer;
    const { logical_type: logical } = parquetMetadata(file).schema[1];
    const rows = await parquetReadObjects({ file });
    console.log(`${name}: hyparquet: ${logical ? `${logical.bitWidth} ${logical.isSigned ? 'signed' : 'unsigned'}` : '-'}: ${rows.map(({ n }) => n)}`);
}
END_OF_WRITE

cat > read.py <<'END_OF_READ'
import datafusion
import duckdb
import polars
from pyarrow import parquet


def by_pyarrow(path):
    column = parquet.read_table(path)['n']
    return column.type, column.to_pylist()


def by_polars(path):
    column = polars.read_parquet(path)['n']
    return column.dtype, column.to_list()


def by_duckdb(path):
    rows = duckdb.sql(f"from '{path}'")
    return rows.types[0], [n for (n,) in rows.fetchall()]


def by_datafusion(path):
    context = datafusion.SessionContext()
    context.register_parquet('t', path)
    column = context.sql('select n from t').to_arrow_table()['n']
    return column.type, column.to_pylist()


READERS = {'pyarrow': by_pyarrow, 'DuckDB': by_duckdb, 'Polars': by_polars, 'DataFusion': by_datafusion}
for name in ('8', '16', '32', '64', '8, with UINT_8', '8, put right', '32, put right', 'UINT_8 alone', 'UINT_32 alone'):
    for reader, read in READERS.items():
        try:
            kind, values = read(f'{name}.parquet')
            answer = f'{kind}: {",".join(map(str, values))}'
        except Exception as error:
            # Some end with advice of many lines.
            answer = str(error).strip().splitlines()[0].split('deserialize thrift: ')[-1].split('Parquet error: ')[-1]
        print(f'{name}: {reader}: {answer}')
END_OF_READ

cat > expected <<'END_OF_EXPECTED'
8: hyparquet: 8 unsigned: 1,200
16: hyparquet: 16 unsigned: 1,200
32: hyparquet: 32 unsigned: 1,4000000000
64: hyparquet: 64 unsigned: 1,18446744073709551615
8, with UINT_8: hyparquet: 8 unsigned: 1,200
8, put right: hyparquet: 8 unsigned: 1,200
32, put right: hyparquet: 32 unsigned: 1,4000000000
UINT_8 alone: hyparquet: -: 1,200
UINT_32 alone: hyparquet: -: 1,4000000000
8: pyarrow: TProtocolException: Invalid data
8: DuckDB: TProtocolException: Invalid data
8: Polars: UInt16: 1,200
8: DataFusion: uint16: 1,200
16: pyarrow: TProtocolException: Invalid data
16: DuckDB: TProtocolException: Invalid data
16: Polars: UInt32: 1,200
16: DataFusion: uint32: 1,200
32: pyarrow: TProtocolException: Invalid data
32: DuckDB: TProtocolException: Invalid data
32: Polars: parquet: File out of specification: Cannot annotate Integer(UInt64) from Int32 fields
32: DataFusion: Cannot annotate Integer(IntType { bit_width: 64, is_signed: false }) from INT32 for field 'n'
64: pyarrow: TProtocolException: Invalid data
64: DuckDB: TProtocolException: Invalid data
64: Polars: parquet: File out of specification: IntType.is_signed missing
64: DataFusion: Required field is_signed is missing
8, with UINT_8: pyarrow: TProtocolException: Invalid data
8, with UINT_8: DuckDB: TProtocolException: Invalid data
8, with UINT_8: Polars: UInt16: 1,200
8, with UINT_8: DataFusion: Logical type Integer(IntType { bit_width: 16, is_signed: false }) is incompatible with converted type UINT_8 for field 'n'
8, put right: pyarrow: uint8: 1,200
8, put right: DuckDB: INTEGER: 1,200
8, put right: Polars: UInt8: 1,200
8, put right: DataFusion: uint8: 1,200
32, put right: pyarrow: uint32: 1,4000000000
32, put right: DuckDB: INTEGER: 1,-294967296
32, put right: Polars: UInt32: 1,4000000000
32, put right: DataFusion: uint32: 1,4000000000
UINT_8 alone: pyarrow: uint8: 1,200
UINT_8 alone: DuckDB: UTINYINT: 1,200
UINT_8 alone: Polars: UInt8: 1,200
UINT_8 alone: DataFusion: uint8: 1,200
UINT_32 alone: pyarrow: uint32: 1,4000000000
UINT_32 alone: DuckDB: UINTEGER: 1,4000000000
UINT_32 alone: Polars: UInt32: 1,4000000000
UINT_32 alone: DataFusion: uint32: 1,4000000000
END_OF_EXPECTED

{ node write.mjs && venv/bin/python read.py; } | tee seen
diff expected seen && echo 'As found.'
