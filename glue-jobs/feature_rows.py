"""View `pair_features` over the pair days of a folder: SQL that Spark runs."""
from lake_tables import kind_named
from lake_views import view_sql
from spark_errors import spark_errors

# Views, each after those it reads.
_VIEWS = ('pair_running', 'pair_features')

_COUNTS = 'select day, count(*) as pairs from pair_days where day between :first_day and :last_day group by day'

# A day is one part: who reads it finds its pairs in order.
_FEATURES = """
select *
from pair_features
where day between :first_day and :last_day
distribute by day
sort by day, site, src_ip, dst_ip
"""


def count_pairs(spark, *, folder: str, first_day: str, last_day: str) -> dict[str, int]:
    """How many pairs each day of the range has, both ends inclusive; days without pairs are left out. Raises StorageError."""
    with spark_errors(f'the pairs of {folder} could not be counted'):
        _open_pair_days(spark, folder)
        rows = spark.sql(_COUNTS, args={'first_day': first_day, 'last_day': last_day}).collect()
    return {row['day']: row['pairs'] for row in rows}


def write_features(spark, *, folder: str, first_day: str, last_day: str, into: str) -> None:
    """
    Writes the features of the range below `into`, one sorted part for each day that has pairs, `day` in the part's path. They count from
    the first day that the folder has. Raises OverflowError, and StorageError where a file cannot be read.
    """
    with spark_errors('the features could not be computed'):
        _open_pair_days(spark, folder)
        for name in _VIEWS:
            spark.sql(f'create or replace temporary view {name} as {view_sql(name)}')
        features = spark.sql(_FEATURES, args={'first_day': first_day, 'last_day': last_day})
        features.write.partitionBy('day').parquet(into)


def _open_pair_days(spark, folder: str) -> None:
    schema = f'{kind_named("flows").merged.schema}, day string'
    spark.read.schema(schema).parquet(folder).createOrReplaceTempView('pair_days')
