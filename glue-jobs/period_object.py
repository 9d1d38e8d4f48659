"""The one Parquet file of a period, as lake/parquet.ts writes it, from sorted parts that may be far larger than memory."""
import os
from collections.abc import Iterator

import pyarrow
import pyarrow.compute
import pyarrow.parquet

from lake_bucket import LakeBucket
from lake_tables import Table
from period_contents import FORMAT, place_list, place_made_of

# A group costs every reader 1.4 kB of footer: past so many of them the groups grow instead.
MAX_ROW_GROUPS = 1_000

_ARROW_TYPES = {
    'string': pyarrow.string(),
    'bigint': pyarrow.int64(),
    'decimal(28,9)': pyarrow.decimal128(28, 9),
    'decimal(38,0)': pyarrow.decimal128(38, 0),
    # Without a zone, so that no engine shows it in one of its own.
    'timestamp': pyarrow.timestamp('ms'),
}


def write_period_object(
    path: str, parts: list[str], *, table: Table, contains: list[str] | None = None, made_of: str | None = None, read_in: int | None = None
) -> int:
    """
    Writes the rows of the part files, one after the other, the list of what is contained or what a derived object was made of, and the lowest
    format in which any of it was read, where that is given. Returns the number of rows.
    Raises pyarrow.ArrowInvalid where a part has a null in a column that may have none.
    """
    files = [pyarrow.parquet.ParquetFile(part) for part in parts]
    row_count = sum(file.metadata.num_rows for file in files)
    group_rows = max(table.group_rows, -(-row_count // MAX_ROW_GROUPS))
    schema = arrow_schema(table)
    groups = (rows.cast(schema) for rows in _groups(files, group_rows))
    first = next(groups, schema.empty_table())
    settings = {'store_schema': False, 'use_dictionary': _columns_that_repeat(first), 'compression': table.codec}
    with open(path, 'wb') as sink, pyarrow.parquet.ParquetWriter(sink, schema, **settings) as writer:
        if row_count > 0:
            writer.write_table(first, row_group_size=group_rows)
        for rows in groups:
            writer.write_table(rows, row_group_size=group_rows)
        said = {} if read_in is None else {FORMAT: str(read_in)}
        if contains is not None:
            said.update(place_list(contains, sink=sink))
        if made_of is not None:
            said.update(place_made_of(made_of, sink=sink))
        writer.add_key_value_metadata(said)
    return row_count


def download_parts(bucket: LakeBucket, prefix: str, folder: str) -> list[str]:
    """Brings the parts that Spark has written below the prefix into a folder: their paths, in the order of their rows."""
    paths = []
    for key in bucket.list(prefix):
        if key.endswith('.parquet'):
            paths.append(os.path.join(folder, key.removeprefix(prefix)))
            bucket.download(key, paths[-1])
    return paths


def arrow_schema(table: Table) -> pyarrow.Schema:
    """The columns of the table's objects."""
    return pyarrow.schema([pyarrow.field(column.name, _ARROW_TYPES[column.type], nullable=column.nullable) for column in table.columns])


def _columns_that_repeat(rows: pyarrow.Table) -> list[str]:
    """Text, and numbers of which at least every second one stands there again: else a dictionary is larger than they are."""
    return [
        name
        for name, values in zip(rows.column_names, rows.columns)
        if pyarrow.types.is_string(values.type) or pyarrow.compute.count_distinct(values).as_py() * 2 <= len(values)
    ]


def _groups(files: list[pyarrow.parquet.ParquetFile], group_rows: int) -> Iterator[pyarrow.Table]:
    """The rows in tables of one size, the last one smaller, wherever one file ends and the next begins."""
    waiting: list[pyarrow.RecordBatch] = []
    for file in files:
        for batch in file.iter_batches(batch_size=group_rows):
            waiting.append(batch)
            rows = sum(len(each) for each in waiting)
            if rows >= group_rows:
                table = pyarrow.Table.from_batches(waiting)
                yield table.slice(0, group_rows)
                waiting = table.slice(group_rows).to_batches()
    if waiting:
        yield pyarrow.Table.from_batches(waiting)
