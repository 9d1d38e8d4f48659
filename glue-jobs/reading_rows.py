"""The readings of many sources as Parquet: sources are read by the executors, and repeats become one row by SQL that Spark runs."""
from collections.abc import Iterator
from functools import partial

from job_start import open_bucket
from pyspark.accumulators import AccumulatorParam
from source_readings import ROW_SCHEMA, Registry, SourceReport, TelemetrySource, profile_readers, rows_of
from spark_errors import spark_errors

# Sources are of very different sizes: with more parts than cores none waits long for the last one.
_PARTS_A_CORE = 4

# As the table `readings` merges: a null is behind every value. What the registry says goes with the row that stays: of equal rows it is equal.
_MERGED = """
with merged as (
    select
        day,
        site,
        device,
        metric,
        at_ms,
        message,
        place,
        min(
            struct(
                received_ms, value is null as has_no_value, value, text is null as has_no_text, text, clock, profile,
                device_site, device_profile, device_ip, device_since
            )
        ) as first,
        count(*) as copies
    from rows_of_sources
    where day between :first_day and :last_day
    group by day, site, device, metric, at_ms, message, place
)

select
    site,
    device,
    metric,
    at_ms,
    message,
    cast(timestamp_millis(at_ms) as timestamp_ntz) as measured_at,
    first.received_ms as received_ms,
    first.value as value,
    first.text as text,
    first.clock as clock,
    first.profile as profile,
    copies,
    place,
    first.device_site as device_site,
    first.device_profile as device_profile,
    first.device_ip as device_ip,
    first.device_since as device_since,
    day
from merged
distribute by day
sort by day, site, device, metric, at_ms, message
"""


class _ReportsBySource(AccumulatorParam):
    """Reports by the source's key: a task that is done again tells the same once more."""

    def zero(self, _value) -> dict[str, SourceReport]:
        return {}

    def addInPlace(self, reports, more) -> dict[str, SourceReport]:  # noqa: N802
        return {**reports, **more}


def write_readings(
    spark, sources: list[TelemetrySource], *, bucket: str, profiles: dict, first_day: str, last_day: str, into: str
) -> tuple[dict[str, SourceReport], dict[str, int]]:
    """
    Writes the readings of the range below `into`, one sorted part for each day that has some, `day` in the part's path. Returns what came of each
    source by its key, and how many rows each day has. Raises StorageError.
    """
    with spark_errors('the readings could not be written'):
        reports = spark.sparkContext.accumulator({}, _ReportsBySource())
        read = partial(_read_sources, bucket=bucket, profiles=profiles, reports=reports)
        parts = min(len(sources), _PARTS_A_CORE * spark.sparkContext.defaultParallelism)
        rows = spark.sparkContext.parallelize(sources, parts).mapPartitions(read)
        spark.createDataFrame(rows, ROW_SCHEMA, verifySchema=False).createOrReplaceTempView('rows_of_sources')
        merged = spark.sql(_MERGED, args={'first_day': first_day, 'last_day': last_day})
        merged.write.partitionBy('day').option('compression', 'zstd').parquet(into)
        counts = spark.read.parquet(into).groupBy('day').count().collect() if _has_rows(reports.value) else []
    return reports.value, {row['day']: row['count'] for row in counts}


def _has_rows(reports: dict[str, SourceReport]) -> bool:
    return any(report.readings for report in reports.values())


def _read_sources(sources: Iterator[TelemetrySource], *, bucket: str, profiles: dict, reports) -> Iterator[tuple]:
    lake = open_bucket(bucket, connections=1)
    registry = Registry(lake.read)
    for source in sources:
        report = SourceReport()
        # Of each source its own: births of Sparkplug hold in the source that they stand in.
        readers = profile_readers(profiles)
        yield from rows_of(source, lake.read(source.key), readers=readers, registry=registry, report=report)
        reports.add({source.key: report})
