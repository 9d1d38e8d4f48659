"""A view of features over days of a folder: SQL that Spark runs."""
from feature_sets import FeatureSet
from lake_views import view_sql
from spark_errors import spark_errors


def count_rows(spark, of: FeatureSet, *, folder: str, first_day: str, last_day: str) -> dict[str, int]:
    """How many rows each day of the range has, both ends inclusive; days without rows are left out. Raises StorageError."""
    # Every pair of a day is a row; of metrics only what has values is, so the view is asked.
    relation = of.table.name if of.view == 'pair_features' else of.view
    counts = f'select day, count(*) as rows from {relation} where day between :first_day and :last_day group by day'
    with spark_errors(f'the {of.noun} of {folder} could not be counted'):
        _open(spark, of, folder)
        rows = spark.sql(counts, args={'first_day': first_day, 'last_day': last_day}).collect()
    return {row['day']: row['rows'] for row in rows}


def write_features(spark, of: FeatureSet, *, folder: str, first_day: str, last_day: str, into: str) -> None:
    """
    Writes the features of the range below `into`, one sorted part for each day that has rows, `day` in the part's path. They count from
    the first day that the folder has. Raises OverflowError, and StorageError where a file cannot be read.
    """
    # A day is one part: who reads it finds its rows in order.
    select = f"select * from {of.view} where day between :first_day and :last_day distribute by day sort by day, {', '.join(of.order)}"
    with spark_errors('the features could not be computed'):
        _open(spark, of, folder)
        features = spark.sql(select, args={'first_day': first_day, 'last_day': last_day})
        features.write.partitionBy('day').parquet(into)


def columns_of(spark, of: FeatureSet) -> list[dict[str, str]]:
    """Name and type of each column of the files, which lack the day, once the view is open."""
    return [{'name': field.name, 'type': field.dataType.simpleString()} for field in spark.table(of.view).schema.fields if field.name != 'day']


def _open(spark, of: FeatureSet, folder: str) -> None:
    spark.read.schema(f'{of.table.schema}, day string').parquet(folder).createOrReplaceTempView(of.table.name)
    for name in of.views:
        spark.sql(f'create or replace temporary view {name} as {view_sql(name)}')
