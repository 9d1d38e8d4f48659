"""
All of pair_days at once, as each reader takes a folder of days: `read_folder.py <folder> <reader>` prints JSON, the rows with their day in
front and every value as text, in no order.
"""
import json
import sys
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


def main():
    folder, reader = sys.argv[1:]
    columns = globals()[f'by_{reader}'](str(Path(folder, 'pair_days')))
    days = [str(day) for day in columns.pop('day')]
    rows = zip(days, *columns.values(), strict=True)
    json.dump({'columns': list(columns), 'rows': [[str(value) for value in row] for row in rows]}, sys.stdout)


if __name__ == '__main__':
    main()
