"""The one Parquet file of a day, as lake/parquet.ts writes it, from sorted parts that may be far larger than memory."""
from collections.abc import Iterator

import pyarrow
import pyarrow.parquet

from day_contents import place_list
from lake_tables import pair_columns

# As lake/parquet.ts: small enough that the statistics of sorted keys let a reader of one pair skip nearly all groups.
ROW_GROUP_ROWS = 5_000

# A group costs every reader 1.4 kB of footer: past five million pairs the groups grow instead.
MAX_ROW_GROUPS = 1_000

# Values of the other columns are nearly all different, and a dictionary of them is larger than they are.
_DICTIONARY_COLUMNS = ['site', 'src_ip', 'dst_ip', 'flows', 'fwd_pkts_sum', 'fwd_pkts_min', 'fwd_pkts_max']

_ARROW_TYPES = {'string': pyarrow.string(), 'bigint': pyarrow.int64(), 'decimal(38,0)': pyarrow.decimal128(38, 0)}


def write_day_object(path: str, parts: list[str], *, contains: list[str]) -> int:
    """
    Writes the rows of the part files, one after the other, and the list of what is contained. Returns the number of rows.
    Raises pyarrow.ArrowInvalid where a part has a null: no column of the lake's figures may.
    """
    files = [pyarrow.parquet.ParquetFile(part) for part in parts]
    row_count = sum(file.metadata.num_rows for file in files)
    group_rows = max(ROW_GROUP_ROWS, -(-row_count // MAX_ROW_GROUPS))
    schema = pair_schema()
    settings = {'store_schema': False, 'use_dictionary': _DICTIONARY_COLUMNS}
    with open(path, 'wb') as sink, pyarrow.parquet.ParquetWriter(sink, schema, **settings) as writer:
        for rows in _groups(files, group_rows):
            writer.write_table(rows.cast(schema), row_group_size=group_rows)
        writer.add_key_value_metadata(place_list(contains, sink=sink))
    return row_count


def pair_schema() -> pyarrow.Schema:
    """The columns of `pair_days` and of a summary, none of which may be null."""
    return pyarrow.schema([pyarrow.field(name, _ARROW_TYPES[kind], nullable=False) for name, kind in pair_columns()])


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
