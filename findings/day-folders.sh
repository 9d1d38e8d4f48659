#!/usr/bin/env bash
# Whether `day=2026-01-05` in the name of a folder becomes a column hangs, within one reader, on how the folder is named.
#
# Polars has the column for the folder and not for a pattern of its files; DataFusion has it for `create external table` and not for `register_parquet`, without a word;
# Daft never has it unless it is asked to, and calls a folder that has nothing but folders "not found". DuckDB and ClickHouse have it for a pattern. What is there is a date
# (Polars, DuckDB, Daft, ClickHouse), a text (DataFusion) or a category (pandas, pyarrow). Seen on 2026-11-29.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Daft takes no pyarrow from 26 on.
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    chdb==4.4.0 daft==0.7.26 datafusion==55.0.0 duckdb==2.0.1 numpy==2.4.6 pandas==3.1.1 polars==2.1.0 pyarrow==25.0.1

cat > read.py <<'END'
from pathlib import Path

import chdb
import daft
import datafusion
import duckdb
import pandas
import polars
import pyarrow
from pyarrow import parquet

for day in ('2026-01-05', '2026-01-06'):
    Path(f'days/day={day}').mkdir(parents=True)
    parquet.write_table(pyarrow.table({'n': [1]}), f'days/day={day}/part.parquet')
FOLDER = str(Path('days').absolute())
FILES = f'{FOLDER}/*/*.parquet'


def by_register():
    context = datafusion.SessionContext()
    context.register_parquet('days', FOLDER)
    return context.sql('select * from days').schema()


def by_external_table():
    context = datafusion.SessionContext()
    context.sql(f"create external table days stored as parquet location '{FOLDER}/'")
    return context.sql('select * from days').schema()


def types_of(schema):
    """Of a schema of pyarrow."""
    return {field.name: field.type for field in schema}


def by_duckdb():
    return {name: kind for name, kind, *_ in duckdb.sql(f"describe select * from '{FILES}'").fetchall()}


def by_clickhouse():
    lines = chdb.query(f"describe file('{FILES}')", 'TSV').data().splitlines()
    return {line.split('\t')[0]: line.split('\t')[1] for line in lines}


def by_daft(path, **options):
    return {field.name: field.dtype for field in daft.read_parquet(path, **options).schema()}


READERS = {
    'pandas, folder': lambda: pandas.read_parquet(FOLDER).dtypes,
    'pyarrow, folder': lambda: types_of(parquet.read_table(FOLDER).schema),
    'Polars, folder': lambda: polars.read_parquet(FOLDER).schema,
    'Polars, files': lambda: polars.read_parquet(FILES).schema,
    'DataFusion, external table': lambda: types_of(by_external_table()),
    'DataFusion, register_parquet': lambda: types_of(by_register()),
    'Daft, folder': lambda: by_daft(FOLDER),
    'Daft, files': lambda: by_daft(FILES),
    'Daft, files with hive_partitioning': lambda: by_daft(FILES, hive_partitioning=True),
    'DuckDB, files': by_duckdb,
    'ClickHouse, files': by_clickhouse,
}
for reader, read in READERS.items():
    try:
        kind = read().get('day')
        answer = 'no day' if kind is None else str(kind)
    except Exception as error:
        answer = f'{type(error).__name__}: {str(error).splitlines()[0].replace(FOLDER, "days")}'
    print(f'{reader}: {answer}')
END

cat > expected <<'END'
pandas, folder: category
pyarrow, folder: dictionary<values=string, indices=int32, ordered=0>
Polars, folder: Date
Polars, files: no day
DataFusion, external table: dictionary<values=string, indices=uint16, ordered=0>
DataFusion, register_parquet: no day
Daft, folder: FileNotFoundError: DaftError::FileNotFound days not found
Daft, files: no day
Daft, files with hive_partitioning: Date
DuckDB, files: DATE
ClickHouse, files: Date
END

venv/bin/python read.py | tee seen
diff expected seen && echo 'As found.'
