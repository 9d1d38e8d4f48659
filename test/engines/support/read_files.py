"""
What pyarrow, pandas and Polars make of the files of pair_days: `read_files.py <folder> <reader>` prints JSON: columns with the reader's own
types, and the rows of every day in the order of the files, every value as text.
"""
import json
import sys
from pathlib import Path


def by_pyarrow(path):
    from pyarrow import parquet

    table = parquet.read_table(path, partitioning=None)
    columns = [[field.name, str(field.type), 'null' if field.nullable else 'not null'] for field in table.schema]
    return columns, zip(*(column.to_pylist() for column in table.columns), strict=True)


def by_pandas(path):
    import pandas

    # Else a column that has a null is one of doubles.
    frame = pandas.read_parquet(path, dtype_backend='numpy_nullable')
    rows = ([None if value is pandas.NA else value for value in row] for row in frame.itertuples(index=False, name=None))
    return [[name, str(frame[name].dtype)] for name in frame], rows


def by_polars(path):
    import polars

    frame = polars.read_parquet(path, hive_partitioning=False)
    return [[name, str(kind)] for name, kind in frame.schema.items()], frame.iter_rows()


def statistics_of(path):
    """Statistics of each row group as the footer has them: rows, and per column whether it has a null, its smallest and largest value."""
    from pyarrow import parquet

    metadata = parquet.read_metadata(path)
    groups = []
    for at in range(metadata.num_row_groups):
        group = metadata.row_group(at)
        chunks = [group.column(column) for column in range(group.num_columns)]
        found = [(chunk.path_in_schema, chunk.statistics) for chunk in chunks]
        limits = {name: [stats.null_count, *map(text_of, [stats.min, stats.max] if stats.has_min_max else [None, None])] for name, stats in found if stats}
        groups.append({'rows': group.num_rows, 'limits': limits})
    return groups


def text_of(value):
    return None if value is None else str(value)


def main():
    folder, reader = sys.argv[1:]
    read = {'pyarrow': by_pyarrow, 'pandas': by_pandas, 'polars': by_polars}[reader]
    answers = []
    for path in sorted(Path(folder, 'pair_days').glob('day=*/part-00.parquet')):
        columns, rows = read(path)
        day = path.parent.name.removeprefix('day=')
        texts = [[text_of(value) for value in row] for row in rows]
        answers.append({'day': day, 'columns': columns, 'rows': texts, 'groups': statistics_of(path)})
    json.dump(answers, sys.stdout)


if __name__ == '__main__':
    main()
