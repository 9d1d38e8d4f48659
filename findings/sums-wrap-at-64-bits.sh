#!/usr/bin/env bash
# Six readers of Parquet multiply and add up 64-bit whole numbers to negative ones, without an error or a warning.
#
# 3,087,621,804 microseconds are 51 minutes; its square leaves 64 bits. pandas, Polars, pyarrow.compute, DataFusion, ClickHouse (chdb) and Daft give -8913335669173337200
# for it, and -9223372036854775808 for 2^62 + 2^62, in SQL as in Python. Of DuckDB the product is an error and the sum exact, as SQL of PostgreSQL and Trino has it.
# Known: https://github.com/apache/datafusion/issues/17539, https://github.com/Eventual-Inc/Daft/issues/7232. Not expected: that pyarrow's `sum` wraps too, though it has
# `multiply_checked` beside `multiply`; and that nothing but DuckDB says a word. Seen on 2026-11-29.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Daft takes no pyarrow from 26 on.
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    chdb==4.4.0 daft==0.7.26 datafusion==55.0.0 duckdb==2.0.1 numpy==2.4.6 pandas==3.1.1 polars==2.1.0 pyarrow==25.0.1

cat > read.py <<'END'
import chdb
import daft
import datafusion
import duckdb
import pandas
import polars
import pyarrow
from pyarrow import compute, parquet

parquet.write_table(pyarrow.table({'n': [3_087_621_804]}), 'factor.parquet')
parquet.write_table(pyarrow.table({'n': [2**62, 2**62]}), 'parts.parquet')


def by_datafusion(sql, path):
    context = datafusion.SessionContext()
    context.register_parquet('t', path)
    return context.sql(f'select {sql} as answer from t').to_pydict()['answer'][0]


def by_clickhouse(sql, path):
    return chdb.query(f"select {sql} from file('{path}')", 'CSV').data().strip()


def by_duckdb(sql, path):
    return duckdb.sql(f"select {sql} from '{path}'").fetchall()[0][0]


def by_daft(expression, path):
    return next(iter(daft.read_parquet(path).select(expression).to_pydict().values()))[0]


n = daft.col('n')
READERS = {
    'pandas': (lambda path: (pandas.read_parquet(path).n ** 2)[0], lambda path: pandas.read_parquet(path).n.sum()),
    'Polars': (lambda path: (polars.read_parquet(path)['n'] ** 2)[0], lambda path: polars.read_parquet(path)['n'].sum()),
    'pyarrow': (
        lambda path: compute.power(parquet.read_table(path)['n'], 2)[0],
        lambda path: compute.sum(parquet.read_table(path)['n']),
    ),
    'DataFusion': (lambda path: by_datafusion('n * n', path), lambda path: by_datafusion('sum(n)', path)),
    'ClickHouse': (lambda path: by_clickhouse('n * n', path), lambda path: by_clickhouse('sum(n)', path)),
    'Daft': (lambda path: by_daft(n * n, path), lambda path: by_daft(n.sum(), path)),
    'DuckDB': (lambda path: by_duckdb('n * n', path), lambda path: by_duckdb('sum(n)', path)),
}


def answer_of(read, path):
    try:
        return read(path)
    except Exception as error:
        return str(error)


print('the truth:', 3_087_621_804**2, 2**63)
for reader, (multiply, add_up) in READERS.items():
    print(f'{reader}: {answer_of(multiply, "factor.parquet")} {answer_of(add_up, "parts.parquet")}')
END

cat > expected <<'END'
the truth: 9533408404536214416 9223372036854775808
pandas: -8913335669173337200 -9223372036854775808
Polars: -8913335669173337200 -9223372036854775808
pyarrow: -8913335669173337200 -9223372036854775808
DataFusion: -8913335669173337200 -9223372036854775808
ClickHouse: -8913335669173337200 -9223372036854775808
Daft: -8913335669173337200 -9223372036854775808
DuckDB: Out of Range Error: Overflow in multiplication of INT64 (3087621804 * 3087621804)! 9223372036854775808
END

venv/bin/python read.py 2> said | tee seen
# A warning would be told here.
grep -i -E 'warn|overflow' said && exit 1
diff expected seen && echo 'As found.'
