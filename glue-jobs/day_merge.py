"""Summaries of a day into sorted Parquet parts: SQL that Spark runs."""
from lake_tables import pair_columns
from spark_errors import spark_errors

_LARGEST = {'bigint': 2**63 - 1, 'decimal(38,0)': 10**38 - 1}

# How every job of the lake runs Spark.
SPARK_SETTINGS = {
    # Else an overflow is a null.
    'spark.sql.ansi.enabled': 'true',
    'spark.sql.session.timeZone': 'UTC',
    # Days are text.
    'spark.sql.sources.partitionColumnTypeInference.enabled': 'false',
    # A day that fits one part is one part.
    'spark.sql.adaptive.coalescePartitions.parallelismFirst': 'false',
}


def merge_sql(columns: list[tuple[str, str]]) -> str:
    """
    One row per pair of the rows `{rows}`, every total exact, ascending by the bytes of site, source and destination. A total that leaves
    its column is an error that names the pair and the day, which is the parameter `:day`; a null is one that names the file.
    """
    complete = ',\n        '.join(f'{_complete(name)} as {name}' for name, _ in columns)
    key = ', '.join(name for name, kind in columns if kind == 'string')
    selected = ',\n    '.join(name if kind == 'string' else f'{_merged(name, kind)} as {name}' for name, kind in columns)
    return f"""
with complete as (
    select
        {complete}
    from {{rows}}
)
select
    {selected}
from complete
group by {key}
order by {key}
"""


def write_sorted_parts(spark, *, day: str, paths: list[str], into: str) -> None:
    """
    Writes the merged rows of the files below `into`; the parts' names ascend as their rows do.
    Raises OverflowError, and StorageError where a file cannot be read.
    """
    columns = pair_columns()
    schema = ', '.join(f'{name} {kind}' for name, kind in columns)
    with spark_errors(f'the summaries of {day} could not be merged'):
        rows = spark.read.schema(schema).parquet(*paths)
        spark.sql(merge_sql(columns), args={'day': day}, rows=rows).write.parquet(into)


def _complete(name: str) -> str:
    # A summary of an older format has not all columns, and Spark takes what is missing for null, which no total would show.
    return f"coalesce({name}, raise_error(concat('{name} is missing in ', input_file_name(), ': run flowlake reconcile')))"


def _merged(name: str, kind: str) -> str:
    if name.endswith(('_min', '_max')):
        return f'{name[-3:]}({name})'
    # `sum` gives an error of its own, which does not say of which pair; `try_sum` gives null, and nothing else does: the rows are complete.
    pair = "src_ip, ' to ', dst_ip, ' at site ', site, ' on ', :day"
    error = f"concat('{name} of ', {pair}, ' would be above the largest value of its column, {_LARGEST[kind]}')"
    return f'coalesce(try_sum({name}), raise_error({error}))'
