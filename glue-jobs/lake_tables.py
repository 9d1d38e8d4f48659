"""The kinds of data and the columns of their tables, from tables.json, which is generated from lake/kinds.ts."""
import functools
import json
import pkgutil
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of a table whose rows merge."""

    name: str
    # `string`, `bigint`, `decimal(28,9)`, `decimal(38,0)` or `timestamp`.
    type: str
    nullable: bool
    # How values of rows with the same key become one: `key`, `sum`, `min`, `max` or `first`. The `first` columns of a table come together
    # from the row in which they are smallest, compared in the table's order, a null behind every value.
    merge: str
    # Column whose values hold for this one in objects that were written before there was this one.
    absent_as: str | None = None


@dataclass(frozen=True)
class Table:
    """A table of periods: one object per period, every key once in it."""

    name: str
    # Beginning of its objects' keys, with the final slash.
    prefix: str
    # `day` or `hour`.
    per: str
    # How a person names a row, its key columns in braces.
    row_name: str
    # Of a derived table, whose rows never merge, `key` columns are those that rows are sorted by, and all others `first`.
    columns: tuple[Column, ...]
    # How pages of its objects are compressed: `snappy` or `zstd`.
    codec: str = 'snappy'
    # Rows of a row group, like lake/parquet: few enough that the statistics of sorted keys let a reader of one key skip nearly all groups.
    group_rows: int = 5_000

    @property
    def keys(self) -> list[str]:
        """Names of the key columns, in the order in which rows are sorted."""
        return [column.name for column in self.columns if column.merge == 'key']

    @property
    def schema(self) -> str:
        """The columns as SQL declares them."""
        return ', '.join(f'`{column.name}` {column.type}' for column in self.columns)


@dataclass(frozen=True)
class Derived:
    """A table that is computed from a kind's merged objects and its inputs: one object per day."""

    table: Table
    # Number of what the program makes of the same merged rows.
    format: int
    # A day begins with what the day before it ended with.
    is_chained: bool


@dataclass(frozen=True)
class Kind:
    """A kind of data: what each source contributes to each period, and the table that these come to together."""

    name: str
    merged: Table
    contributions: Table
    # Number of what the program makes of the same bytes.
    format: int
    # Format of objects that do not say theirs and have all columns.
    unsaid_format: int
    # Beginning of the keys of its inputs, with the final slash; None where it has none.
    inputs_prefix: str | None = None
    derived: tuple[Derived, ...] = ()


@functools.cache
def read_kinds() -> tuple[Kind, ...]:
    """Every kind; the first one is that of reports of earlier versions, which name none."""
    # Read by way of the loader: on Glue the modules are in a zip.
    return parse_kinds(pkgutil.get_data(__name__, 'tables.json'))


def parse_kinds(text: bytes | str) -> tuple[Kind, ...]:
    """The kinds of a file like tables.json."""
    return tuple(
        Kind(
            entry['name'],
            _table_of(entry['merged']),
            _table_of(entry['contributions']),
            format=entry['format'],
            unsaid_format=entry.get('unsaidFormat', entry['format']),
            inputs_prefix=entry.get('inputs'),
            derived=tuple(_derived_of(each) for each in entry.get('derived', [])),
        )
        for entry in json.loads(text)['kinds']
    )


def kind_named(name: str) -> Kind:
    """The kind of this name. Raises KeyError where there is none."""
    return {kind.name: kind for kind in read_kinds()}[name]


def _derived_of(entry: dict) -> Derived:
    table = entry['table']
    columns = [{**each, 'merge': 'key' if each['name'] in table['sortedBy'] else 'first'} for each in table['columns']]
    return Derived(_table_of({**table, 'columns': columns, 'rowName': table['grain']}), entry['format'], entry['isChained'])


def _table_of(entry: dict) -> Table:
    columns = tuple(
        Column(each['name'], each['type'], each['nullable'], each['merge'], each.get('absentAs')) for each in entry['columns']
    )
    said = {name: entry[key] for name, key in (('codec', 'codec'), ('group_rows', 'groupRows')) if key in entry}
    return Table(entry['name'], entry['prefix'], entry['per'], entry['rowName'], columns, **said)
