"""What a lake remembers of the columns of a wide table: the field of each, its name and what it is. A column is never taken away, and never becomes something else."""
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

from lake_bucket import LakeBucket
from lake_errors import ConflictError, StorageError
from wide_fields import SQL_TYPES, FieldPath

# More columns than a table is read with in comfort; devices that send keys of their own making would give it any number.
MOST_COLUMNS = 1_000

# What stands in front of the fields, with how Spark makes it.
OWN_COLUMNS = ('site', 'device', 'at_ms', 'measured_at', 'received_ms', 'message', 'copies')
_TAKEN = {*OWN_COLUMNS, 'day'}

# Words that DuckDB, Trino or Spark do not take for the name of a column, as lake/telemetry/wide-view.ts has them.
_RESERVED = set(
    (
        'all alter analyse analyze and any array as asc at between both by case cast check collate column constraint create cross cube current_date '
        'current_time current_timestamp current_user deallocate default delete desc describe distinct do drop else end escape except execute exists extract '
        'false fetch for foreign from full grant group grouping having in initially inner insert intersect into is join lateral leading left like limit '
        'localtime localtimestamp natural normalize not null offset on only or order outer placing prepare primary qualify references recursive returning '
        'right rollup row select show skip some symmetric table then to trailing true trim uescape union unique unnest using values variadic when where '
        'window with'
    ).split()
)


@dataclass(frozen=True)
class WideColumn:
    """A column of a wide table and the field that it is of."""

    path: FieldPath
    name: str
    kind: str


def plain_name(text: str) -> str:
    """A name that SQL takes without quotes."""
    plain = re.sub('[^a-z0-9_]+', '_', text.lower())
    return plain if re.match('[a-z]', plain) else f'm_{plain}'


def columns_key(table: str) -> str:
    """Key of what is remembered of the table's columns."""
    return f'wide_columns/{table}.json'


def remember(bucket: LakeBucket, table: str, found: Mapping[FieldPath, str]) -> list[WideColumn]:
    """
    The table's columns, those of fields that were `found` for the first time behind the others, each for good of the kind that it was found with.
    Written on condition: of two runs one looks again. Raises StorageError where what is remembered is damaged.
    """
    while True:
        columns, etag = _read(bucket, table)
        more = _new_columns(columns, found)
        if not more:
            return columns
        try:
            _write(bucket, table, [*columns, *more], etag)
            return [*columns, *more]
        except ConflictError:
            continue


def _new_columns(columns: list[WideColumn], found: Mapping[FieldPath, str]) -> list[WideColumn]:
    known = {column.path for column in columns}
    taken = {*_TAKEN, *(column.name for column in columns)}
    more = []
    for path in sorted(found.keys() - known):
        if len(columns) + len(more) == MOST_COLUMNS:
            break
        name = _free_name('_'.join(path), taken)
        taken.add(name)
        more.append(WideColumn(path, name, found[path]))
    return more


def _free_name(text: str, taken: set[str]) -> str:
    name = plain_name(text)
    free = f'{name}_' if name in _RESERVED else name
    number = 2
    while free in taken:
        free, number = f'{name}_{number}', number + 1
    return free


def _read(bucket: LakeBucket, table: str) -> tuple[list[WideColumn], str | None]:
    key = columns_key(table)
    with _file() as path:
        etag = bucket.fetch(key, path)
        if etag is None:
            return [], None
        with open(path, encoding='utf-8') as file:
            text = file.read()
    try:
        columns = [WideColumn(tuple(each['path']), each['name'], each['kind']) for each in json.loads(text)['columns']]
        if any(column.kind not in SQL_TYPES for column in columns):
            raise ValueError(key)
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f'{key} does not say the columns of table wide_{table}: restore it from a backup') from error
    return columns, etag


def _write(bucket: LakeBucket, table: str, columns: list[WideColumn], etag: str | None) -> None:
    lines = [json.dumps({'path': column.path, 'name': column.name, 'kind': column.kind}, ensure_ascii=False) for column in columns]
    with _file() as path:
        with open(path, 'w', encoding='utf-8') as file:
            file.write('{"columns": [\n    ' + ',\n    '.join(lines) + '\n]}\n')
        bucket.put_file(path, columns_key(table), etag=etag)


class _file:
    """A name for a file of its own, which is gone at the end."""

    def __enter__(self) -> str:
        handle, self._path = tempfile.mkstemp()
        os.close(handle)
        return self._path

    def __exit__(self, *_) -> None:
        os.unlink(self._path)
