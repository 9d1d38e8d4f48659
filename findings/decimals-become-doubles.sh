#!/usr/bin/env bash
# Three readers of Parquet make rounded doubles of whole numbers in DECIMAL(38,0), without an error or a warning.
#
# 2^53 + 1 is the first whole number that a double has not. fastparquet, hyparquet and the data frames of DuckDB (`.df()`, not `.fetchall()`) give 9007199254740992 for
# it; pandas (through pyarrow), Polars, DataFusion and DuckDB's own rows are exact. One would expect bigints of hyparquet where a decimal
# has no fraction: it gives them for INT64. Seen on 2026-11-29.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-fund --no-audit --prefix "$work" hyparquet@1.31.5
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    datafusion==55.0.0 duckdb==2.0.1 fastparquet==2026.9.0 numpy==2.4.6 pandas==3.1.1 polars==2.1.0 pyarrow==26.0.1

cat > read.py <<'END'
import datafusion
import duckdb
import fastparquet
import pandas
import polars
import pyarrow
from pyarrow import parquet

PATH = 'whole.parquet'
parquet.write_table(pyarrow.table({'n': pyarrow.array([2**53 + 1], pyarrow.decimal128(38, 0))}), PATH)


def by_datafusion():
    context = datafusion.SessionContext()
    context.register_parquet('t', PATH)
    return context.sql('select n from t').to_pydict()['n'][0]


READERS = {
    'pandas': lambda: pandas.read_parquet(PATH).n[0],
    'fastparquet': lambda: fastparquet.ParquetFile(PATH).to_pandas().n[0],
    'Polars': lambda: polars.read_parquet(PATH)['n'][0],
    'DataFusion': by_datafusion,
    'DuckDB, fetchall': lambda: duckdb.sql(f"select n from '{PATH}'").fetchall()[0][0],
    'DuckDB, df': lambda: duckdb.sql(f"select n from '{PATH}'").df().n[0],
}
for reader, read in READERS.items():
    value = read()
    print(f'{reader}: {int(value)} {type(value).__name__}')
END

cat > read.mjs <<'END'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';

const [{ n }] = await parquetReadObjects({ file: await asyncBufferFromFile('whole.parquet') });
console.log(`hyparquet: ${n} ${typeof n}`);
END

cat > expected <<'END'
pandas: 9007199254740993 Decimal
fastparquet: 9007199254740992 float64
Polars: 9007199254740993 Decimal
DataFusion: 9007199254740993 Decimal
DuckDB, fetchall: 9007199254740993 Decimal
DuckDB, df: 9007199254740992 float64
hyparquet: 9007199254740992 number
END

{ venv/bin/python -W error -W ignore::ResourceWarning read.py && node read.mjs; } | tee seen
diff expected seen && echo 'As found.'
