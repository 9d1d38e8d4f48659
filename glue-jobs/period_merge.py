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
    # Instants to the millisecond, as objects have them; the default type is one that no other engine writes.
    'spark.sql.parquet.outputTimestampType': 'TIMESTAMP_MILLIS',
    # Instants before 1900 are those of one calendar everywhere.
    'spark.sql.parquet.datetimeRebaseModeInRead': 'CORRECTED',
    'spark.sql.parquet.datetimeRebaseModeInWrite': 'CORRECTED',
    # A day that fits one part is one part.
    'spark.sql.adaptive.coalescePartitions.parallelismFirst': 'false',
}

# The largest value of a column of each type, in its smallest units.
_LARGEST = {'bigint': 2**63 - 1, 'decimal(28,9)': 10**28 - 1, 'decimal(38,0)': 10**38 - 1}

# Digits behind the point.
_SCALE = {'bigint': 0, 'decimal(28,9)': 9, 'decimal(38,0)': 0}

# A value is summed up as two numbers where totals are exact whatever happens in between: the digits above and the digits below this many.
# Either sum has room for ten thousand million rows.
_LOW_DIGITS = {'bigint': 10, 'decimal(28,9)': 20, 'decimal(38,0)': 20}

# spark_errors.py knows it too.
_LEFT_COLUMN = 'a total left its column'


def merge_sql(table: Table) -> str:
    """
    One row per key of the rows `{rows}`, every total exact, ascending by the key columns: texts by their bytes, numbers by value. Nulls say
    nothing: of a null and a value the value stays, and a sum of nulls only is null. A total that leaves its column, be it in between, is an
    error that names nothing: `exact_sql` tells more. A null in a column that may have none is an error that names the file.
    """
    return f"""
with complete as (
    select
        {_lines(_complete(column) for column in table.columns)}
    from {{rows}}
)

select
    {_lines((_merged(column, table) for column in table.columns), indent=4)}
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
        {_lines(expression for column in columns for expression in _halves(column, table))}
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


def _merged(column: Column, table: Table) -> str:
    name = f'`{column.name}`'
    if column.merge == 'key':
        return name
    if column.merge == 'first':
        return f'{_smallest(table)}.{name} as {name}'
    if column.merge != 'sum':
        return f'{column.merge}({name}) as {name}'
    # `sum` gives an error of its own; `try_sum` gives null. The smallest bigint has no counterpart, so that no column of the lake has it. A sum
    # of decimals has ten digits more than they have.
    largest = _literal_of(_LARGEST[column.type], column)
    fits = f'try_sum({name}) >= -{largest}' if _SCALE[column.type] == 0 else f'try_sum({name}) between -{largest} and {largest}'
    total = f"when {fits} then try_sum({name}) else raise_error('{_LEFT_COLUMN}')"
    whole = f'case {f"when count({name}) = 0 then null " if column.nullable else ""}{total} end'
    return f'{whole} as {name}' if _SCALE[column.type] == 0 else f'cast({whole} as {column.type}) as {name}'


def _smallest(table: Table) -> str:
    """The `first` columns of the row in which they are smallest; Spark compares structs field by field, and has nulls in front."""
    names = [f'`{column.name}`' for column in table.columns if column.merge == 'first']
    return f"min(struct({', '.join(f'{name} is null, {name} as {name}' for name in names)}))"


def _halves(column: Column, table: Table) -> list[str]:
    name = f'`{column.name}`'
    if column.merge != 'sum':
        return [_merged(column, table)]
    base, units = _base_of(column), _units_of(column)
    # `div` and `%` round towards zero: both halves of a negative value are negative. `div` is a bigint, whose sum would have no room.
    high = f'{units} div {base}' if column.type == 'bigint' else f'cast({units} div {base} as decimal(18,0))'
    return [f'sum({high}) as {_high(column)}', f'sum({units} % {base}) as {_low(column)}']


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
    digits, scale = _LOW_DIGITS[column.type], _SCALE[column.type]
    if column.type == 'bigint':
        total = f'cast({high} as decimal(19,0)) * {base} + {low}'
        fits = f'{total} between -{largest}BD and {largest}BD'
    else:
        total = f'cast({high} as decimal(18,0)) * {base} + {low}'
        fits = f'abs({high}) < {largest // 10**digits + 1}'
    said = f"concat({high}, lpad(abs({low}), {digits}, '0'))"
    if scale > 0:
        # Of these types a product has 38 digits, nine of them behind the point: none is lost.
        total = f'cast({total} as decimal(28,0)) * 0.{"1".zfill(scale)}BD'
        said = f"regexp_replace({said}, '.{{{{{scale}}}}}$', '.$0')"
    beyond = f"if({high} > 0, 'above the largest value of its column, ', 'below the smallest value of its column, -'), '{_said(largest, scale)}'"
    error = f"concat('{column.name} of ', {row}, ' ', :when, ' would be ', {said}, ', ', {beyond})"
    return f'case when {high} is null then null when {fits} then cast({total} as {column.type}) else raise_error({error}) end as {name}'


def _units_of(column: Column) -> str:
    """The value in its smallest units, as SQL."""
    scale = _SCALE[column.type]
    # Spark keeps eight digits of the product behind the point, all of them zeros.
    return f'`{column.name}`' if scale == 0 else f'cast(`{column.name}` * {10**scale} as decimal(38,0))'


def _literal_of(units: int, column: Column) -> str:
    scale = _SCALE[column.type]
    return str(units) if scale == 0 else f'{_said(units, scale)}BD'


def _said(units: int, scale: int) -> str:
    """A number that is not below zero, with its digits behind the point."""
    digits = str(units).zfill(scale + 1)
    return digits if scale == 0 else f'{digits[:-scale]}.{digits[-scale:]}'


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
    return ', '.join(f'cast(`{text}` as string)' if at % 2 else _literal(text) for at, text in enumerate(texts) if text)


def _literal(text: str) -> str:
    # Braces are those of spark.sql's own parameters.
    escaped = text.replace('\\', '\\\\').replace("'", "\\'").replace('{', '{{').replace('}', '}}')
    return f"'{escaped}'"


def _lines(expressions, *, indent: int = 8) -> str:
    return f',\n{" " * indent}'.join(expressions)
