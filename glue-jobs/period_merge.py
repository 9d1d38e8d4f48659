"""Contributions to a period into sorted Parquet parts: SQL that Spark runs, made from the merge word of each column."""
import re

from lake_layout import TablePeriod, say_when
from lake_tables import Column, Table
from spark_errors import spark_errors

# Settings with which every job of the lake runs Spark.
SPARK_SETTINGS = {
    # Without this an overflow is a null.
    'spark.sql.ansi.enabled': 'true',
    'spark.sql.session.timeZone': 'UTC',
    # Days are text.
    'spark.sql.sources.partitionColumnTypeInference.enabled': 'false',
    # A day that fits one part is one part.
    'spark.sql.adaptive.coalescePartitions.parallelismFirst': 'false',
}

_LARGEST = {'bigint': 2**63 - 1, 'decimal(38,0)': 10**38 - 1}

# A value is summed up as two numbers where totals are exact whatever happens in between: the digits above and the digits below this many.
# Either sum has room for ten thousand million rows.
_LOW_DIGITS = {'bigint': 10, 'decimal(38,0)': 20}

# spark_errors.py knows it too.
_LEFT_COLUMN = 'a total left its column'


def merge_sql(table: Table) -> str:
    """
    One row per key of the rows `{rows}`, every total exact, ascending by the bytes of the key columns. Nulls say nothing: of a null and a
    value the value stays, and a sum of nulls only is null. A total that leaves its column, be it in between, is an error that names
    nothing: `exact_sql` tells more. A null in a column that may have none is an error that names the file.
    """
    return f"""
with complete as (
    select
        {_lines(_complete(column) for column in table.columns)}
    from {{rows}}
)

select
    {_lines((_merged(column) for column in table.columns), indent=4)}
from complete
group by {_keys(table)}
order by {_keys(table)}
"""


def exact_sql(table: Table) -> str:
    """
    The rows of `merge_sql`, for more CPU time: a total may leave its column, and the 38 digits that Spark has, as long as it is back at
    the end. One that is not is an error that names the row and, as parameter `:when` says it, the period, with the total's every digit.
    """
    columns = table.columns
    row = _row_name(table)
    return f"""
with complete as (
    select
        {_lines(_complete(column) for column in columns)}
    from {{rows}}
),

halves as (
    select
        {_lines(expression for column in columns for expression in _halves(column))}
    from complete
    group by {_keys(table)}
),

carried as (
    select
        {_lines(expression for column in columns for expression in _carried(column))}
    from halves
),

settled as (
    select
        {_lines(expression for column in columns for expression in _settled(column))}
    from carried
)

select
    {_lines((_checked(column, row) for column in columns), indent=4)}
from settled
order by {_keys(table)}
"""


def write_sorted_parts(spark, *, of: TablePeriod, paths: list[str], into: str) -> None:
    """
    Writes the merged rows of the files below `into`; the parts' names ascend as their rows do.
    Raises OverflowError, and StorageError where a file cannot be read.
    """
    table, when = of.kind.merged, say_when(of.period)

    def write(sql: str, **arguments: str) -> None:
        with spark_errors(f'what sources contribute to {of.table} {when} could not be merged'):
            rows = spark.read.schema(table.schema).parquet(*paths)
            # What a failed write has left is no reason to fail.
            spark.sql(sql, args=arguments, rows=rows).write.mode('overwrite').parquet(into)

    try:
        write(merge_sql(table))
    except OverflowError:
        write(exact_sql(table), when=when)


def _complete(column: Column) -> str:
    if column.nullable:
        return f'`{column.name}`'
    if column.absent_as is not None:
        return f'coalesce(`{column.name}`, `{column.absent_as}`) as `{column.name}`'
    # An object of an older format has not all columns, and Spark takes what is missing for null, which no total would show.
    error = f"concat('{column.name} is missing in ', input_file_name(), ': run flowlake reconcile')"
    return f'coalesce(`{column.name}`, raise_error({error})) as `{column.name}`'


def _merged(column: Column) -> str:
    name = f'`{column.name}`'
    if column.merge == 'key':
        return name
    if column.merge != 'sum':
        return f'{column.merge}({name}) as {name}'
    # `sum` gives an error of its own; `try_sum` gives null. The smallest bigint has no counterpart, so that no column of the lake has it.
    total = f"when try_sum({name}) >= -{_LARGEST[column.type]} then try_sum({name}) else raise_error('{_LEFT_COLUMN}')"
    return f'case {f"when count({name}) = 0 then null " if column.nullable else ""}{total} end as {name}'


def _halves(column: Column) -> list[str]:
    name = f'`{column.name}`'
    if column.merge != 'sum':
        return [_merged(column)]
    base = _base_of(column)
    # `div` and `%` round towards zero: both halves of a negative value are negative. `div` is a bigint, whose sum would have no room.
    high = f'{name} div {base}' if column.type == 'bigint' else f'cast({name} div {base} as decimal(18,0))'
    return [f'sum({high}) as {_high(column)}', f'sum({name} % {base}) as {_low(column)}']


def _carried(column: Column) -> list[str]:
    if column.merge != 'sum':
        return [f'`{column.name}`']
    high, low, base = _high(column), _low(column), _base_of(column)
    return [f'{high} + {low} div {base} as {high}', f'{low} % {base} as {low}']


def _settled(column: Column) -> list[str]:
    if column.merge != 'sum':
        return [f'`{column.name}`']
    # Halves of opposite signs would not be the digits of one number.
    high, low, base = _high(column), _low(column), _base_of(column)
    one = f'case when {high} > 0 and {low} < 0 then 1 when {high} < 0 and {low} > 0 then -1 else 0 end'
    return [f'{high} - {one} as {high}', f'{low} + {one} * {base} as {low}']


def _checked(column: Column, row: str) -> str:
    name = f'`{column.name}`'
    if column.merge != 'sum':
        return name
    high, low, base, largest = _high(column), _low(column), _base_of(column), _LARGEST[column.type]
    digits = _LOW_DIGITS[column.type]
    if column.type == 'bigint':
        total = f'cast({high} as decimal(19,0)) * {base} + {low}'
        fits = f'{total} between -{largest}BD and {largest}BD'
    else:
        total = f'cast({high} as decimal(18,0)) * {base} + {low}'
        fits = f'abs({high}) < {10 ** (38 - digits)}'
    beyond = f"if({high} > 0, 'above the largest value of its column, ', 'below the smallest value of its column, -'), '{largest}'"
    error = f"concat('{column.name} of ', {row}, ' ', :when, ' would be ', {high}, lpad(abs({low}), {digits}, '0'), ', ', {beyond})"
    return f'case when {high} is null then null when {fits} then cast({total} as {column.type}) else raise_error({error}) end as {name}'


def _base_of(column: Column) -> str:
    base = 10 ** _LOW_DIGITS[column.type]
    return str(base) if column.type == 'bigint' else f'{base}BD'


# No column of a table has such a name.
def _high(column: Column) -> str:
    return f'`{column.name} high`'


def _low(column: Column) -> str:
    return f'`{column.name} low`'


def _keys(table: Table) -> str:
    return ', '.join(f'`{name}`' for name in table.keys)


def _row_name(table: Table) -> str:
    """The name of a row, as SQL."""
    texts = re.split(r'\{(\w+)\}', table.row_name)
    return ', '.join(f'`{text}`' if at % 2 else _literal(text) for at, text in enumerate(texts) if text)


def _literal(text: str) -> str:
    # Braces are those of spark.sql's own parameters.
    escaped = text.replace('\\', '\\\\').replace("'", "\\'").replace('{', '{{').replace('}', '}}')
    return f"'{escaped}'"


def _lines(expressions, *, indent: int = 8) -> str:
    return f',\n{" " * indent}'.join(expressions)
