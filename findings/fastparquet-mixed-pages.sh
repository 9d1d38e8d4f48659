#!/usr/bin/env bash
# fastparquet, since 2026.5.0 and with pandas 3, reads texts as None that are in the file: in every column that has both pages with a dictionary and plain ones.
#
# Such a column is nothing rare: pyarrow, and pandas with it, begin each column of texts with a dictionary and go on plain once that is larger than 1 MiB,
# hyparquet-writer decides for each row group. Texts of plain pages are kept aside as Arrow arrays, texts of pages with a dictionary go to the column itself, and if
# those kept aside are fewer than the rows they are dropped (https://github.com/dask/fastparquet/pull/976). There is neither an error nor a warning, `count()` and
# `groupby` leave the rows out. Of 200,000 names that pandas wrote 39,456 are left; the file of two row groups loses the second. 2026.3.0 reads all of them, so do
# pyarrow, Polars, DuckDB and DataFusion; so does 2026.9.0 if told `dtypes={'name': 'object'}`, and then gives no other column of the file. Its page says that it is
# being retired. Seen on 2026-11-30.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-fund --no-audit --prefix "$work" hyparquet-writer@0.17.0
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    cramjam==2.14.0 datafusion==55.0.0 duckdb==2.0.1 fastparquet==2026.9.0 numpy==2.4.6 pandas==3.1.1 polars==2.1.0 pyarrow==26.0.1
for version in 2026.3.0 2026.5.0; do
    venv/bin/pip install --quiet --disable-pip-version-check --no-deps --target "$version" "fastparquet==$version"
done

cat > write.mjs <<'END_OF_WRITE'
import { writeFileSync } from 'node:fs';
import { parquetWriteBuffer } from 'hyparquet-writer';

const names = Array.from({ length: 2000 }, (_, nth) => `device-${nth < 1000 ? nth % 3 : nth}`);
const column = { name: 'name', data: names, type: 'STRING', nullable: false };
writeFileSync('hyparquet-writer.parquet', Buffer.from(parquetWriteBuffer({ columnData: [column], rowGroupSize: 1000 })));
END_OF_WRITE

cat > write.py <<'END_OF_WRITE'
import pandas

pandas.DataFrame({'name': [f'device-{nth:08d}.example' for nth in range(200_000)]}).to_parquet('pandas.parquet', engine='pyarrow')
END_OF_WRITE

cat > read.py <<'END_OF_READ'
import sys

import fastparquet

TOLD = {'name': 'object'} if sys.argv[1:] else None
for writer in ('pandas', 'hyparquet-writer'):
    names = fastparquet.ParquetFile(f'{writer}.parquet', dtypes=TOLD).to_pandas().name
    print(f'{writer}: fastparquet {fastparquet.__version__}{", told object" if TOLD else ""}: {names.count()} of {len(names)}')
END_OF_READ

cat > read-others.py <<'END_OF_READ'
import datafusion
import duckdb
import polars
from pyarrow import parquet


def by_datafusion(path):
    context = datafusion.SessionContext()
    context.register_parquet('t', path)
    return context.sql('select name from t').to_pydict()['name']


READERS = {
    'pyarrow': lambda path: parquet.read_table(path)['name'].to_pylist(),
    'Polars': lambda path: polars.read_parquet(path)['name'].to_list(),
    'DuckDB': lambda path: [name for (name,) in duckdb.sql(f"select name from '{path}'").fetchall()],
    'DataFusion': by_datafusion,
}
for writer in ('pandas', 'hyparquet-writer'):
    footer = parquet.read_metadata(f'{writer}.parquet')
    groups = [footer.row_group(nth).column(0).encodings for nth in range(footer.num_row_groups)]
    print(f'{writer}: encodings: {" | ".join(" ".join(sorted(set(group) - {"RLE"})) for group in groups)}')
    for reader, read in READERS.items():
        names = read(f'{writer}.parquet')
        print(f'{writer}: {reader}: {sum(name is not None for name in names)} of {len(names)}')
END_OF_READ

cat > expected <<'END_OF_EXPECTED'
pandas: encodings: PLAIN RLE_DICTIONARY
pandas: pyarrow: 200000 of 200000
pandas: Polars: 200000 of 200000
pandas: DuckDB: 200000 of 200000
pandas: DataFusion: 200000 of 200000
hyparquet-writer: encodings: PLAIN RLE_DICTIONARY | PLAIN
hyparquet-writer: pyarrow: 2000 of 2000
hyparquet-writer: Polars: 2000 of 2000
hyparquet-writer: DuckDB: 2000 of 2000
hyparquet-writer: DataFusion: 2000 of 2000
pandas: fastparquet 2026.3.0: 200000 of 200000
hyparquet-writer: fastparquet 2026.3.0: 2000 of 2000
pandas: fastparquet 2026.5.0: 39456 of 200000
hyparquet-writer: fastparquet 2026.5.0: 1000 of 2000
pandas: fastparquet 2026.9.0: 39456 of 200000
hyparquet-writer: fastparquet 2026.9.0: 1000 of 2000
pandas: fastparquet 2026.9.0, told object: 200000 of 200000
hyparquet-writer: fastparquet 2026.9.0, told object: 2000 of 2000
END_OF_EXPECTED

node write.mjs
venv/bin/python write.py
{
    venv/bin/python read-others.py
    for version in 2026.3.0 2026.5.0; do
        PYTHONPATH=$version venv/bin/python read.py
    done
    venv/bin/python read.py
    venv/bin/python read.py object
} | tee seen
diff expected seen && echo 'As found.'
