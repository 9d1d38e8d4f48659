"""
All of a table at once, as each reader takes a folder of days: `read_folder.py <folder> <table> <reader>` prints JSON, the rows with their day in
front and every value as text, null as null, in no order.
"""
import json
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path


def by_pyarrow(folder):
    from pyarrow import parquet

    table = parquet.read_table(folder)
    return table.to_pydict()


def by_pandas(folder):
    import pandas

    return pandas.read_parquet(folder).to_dict('list')


def by_polars(folder):
    import polars

    return polars.read_parquet(folder).to_dict(as_series=False)


def by_datafusion(folder):
    import datafusion

    context = datafusion.SessionContext()
    context.sql(f"create external table days stored as parquet partitioned by (day) location '{folder}/'")
    return context.sql('select * from days').to_pydict()


def by_daft(folder):
    import daft

    return daft.read_parquet(f'{folder}/**/*.parquet', hive_partitioning=True).to_pydict()


def by_clickhouse(folder):
    import chdb

    answer = chdb.query(f"select * from file('{folder}/*/*.parquet')", 'JSONColumns')
    return json.loads(answer.data(), parse_float=str)


def text_of(value):
    if value is None:
        return None
    if isinstance(value, Decimal):
        # All digits, and no exponent.
        return f'{value:f}'
    return value.isoformat(sep=' ', timespec='milliseconds') if isinstance(value, datetime) else str(value)


def main():
    folder, table, reader = sys.argv[1:]
    columns = globals()[f'by_{reader}'](str(Path(folder, table)))
    days = [str(day) for day in columns.pop('day')]
    rows = zip(days, *columns.values(), strict=True)
    json.dump({'columns': list(columns), 'rows': [[text_of(value) for value in row] for row in rows]}, sys.stdout)


if __name__ == '__main__':
    main()
