"""Rows of wide tables: sources are read by the executors, a row a message with all of its fields; columns are made of them by SQL that Spark runs."""
import json
from collections.abc import Iterator
from functools import partial

from job_start import open_bucket
from lake_errors import NotFollowedError, StorageError
from profile_json import Unreadable, parse_json, text_of
from pyspark.accumulators import AccumulatorParam
from source_messages import messages_of
from source_readings import SourceReport, TelemetrySource, day_of_ms, is_in_calendar, is_site, profile_readers
from spark_errors import spark_errors
from wide_columns import OWN_COLUMNS, WideColumn
from wide_fields import SQL_TYPES, FieldPath, fields_of

# Sources are of very different sizes: with more parts than cores none waits long for the last one.
_PARTS_A_CORE = 4

_ROW_SCHEMA = """
profile string, day string, site string, device string, at_ms bigint, received_ms bigint, message string,
fields map<string, struct<kind: string, value: string, fault: string>>
"""

# A message that came several times is one row, with the fields of the one that came first.
_MERGED = """
select
    profile,
    day,
    site,
    device,
    at_ms,
    message,
    first.received_ms as received_ms,
    count as copies,
    map_from_entries(first.fields) as fields
from (
    select
        profile, day, site, device, at_ms, message,
        min(struct(received_ms, array_sort(map_entries(fields)) as fields)) as first,
        count(*) as count
    from wide_rows_of_sources
    group by profile, day, site, device, at_ms, message
)
"""

# A field is for good what it was in the earliest message of the run that found it first.
_FOUND = """
select profile, path, min(struct(at_ms, device, message, site, field.kind)).kind as kind
from (select *, explode(fields) as (path, field) from wide_messages)
where field.fault is null
group by profile, path
"""

_REJECTED = """
select
    site,
    device,
    at_ms,
    cast(timestamp_millis(at_ms) as timestamp_ntz) as measured_at,
    message,
    profile,
    path as field,
    case when field.fault is not null then field.fault when kind is null then 'too_many_fields' else 'type_changed' end as reason,
    kind as column_kind,
    field.kind as kind,
    substring(field.value, 1, 4096) as value,
    day
from (select *, explode(fields) as (path, field) from wide_messages where profile = :profile)
left join wide_kinds using (path)
where field.fault is not null or kind is null or kind <> field.kind
"""


class _ReportsBySource(AccumulatorParam):
    """Reports by the source's key: a task that is done again tells the same once more."""

    def zero(self, _value) -> dict[str, SourceReport]:
        return {}

    def addInPlace(self, reports, more) -> dict[str, SourceReport]:  # noqa: N802
        return {**reports, **more}


def read_wide_messages(
    spark, sources: list[TelemetrySource], *, bucket: str, profiles: dict, wanted: set[tuple[str, str]], into: str
) -> dict[str, SourceReport]:
    """
    Writes the messages of the sources that are of the (profile, day) `wanted` below `into`, each once, with its fields: view `wide_messages` has them from
    then on. Returns what came of each source by its key. Raises StorageError.
    """
    with spark_errors('the messages could not be read'):
        reports = spark.sparkContext.accumulator({}, _ReportsBySource())
        read = partial(_read_sources, bucket=bucket, profiles=profiles, wanted=wanted, reports=reports)
        parts = max(1, min(len(sources), _PARTS_A_CORE * spark.sparkContext.defaultParallelism))
        rows = spark.sparkContext.parallelize(sources, parts).mapPartitions(read)
        spark.createDataFrame(rows, _ROW_SCHEMA, verifySchema=False).createOrReplaceTempView('wide_rows_of_sources')
        spark.sql(_MERGED).write.parquet(into)
        spark.read.parquet(into).createOrReplaceTempView('wide_messages')
        return reports.value


def find_fields(spark) -> dict[str, dict[FieldPath, str]]:
    """The kind of each field of `wide_messages`, by profile and path: that which it has in the earliest message."""
    found: dict[str, dict[FieldPath, str]] = {}
    with spark_errors('the fields of the messages could not be listed'):
        for row in spark.sql(_FOUND).collect():
            found.setdefault(row['profile'], {})[tuple(json.loads(row['path']))] = row['kind']
    return found


def write_wide_days(spark, *, profile: str, columns: list[WideColumn], into: str, rejected_into: str) -> tuple[dict[str, int], dict[str, int]]:
    """
    Writes the rows of a profile below `into`, a sorted part a day, and below `rejected_into` each field that its column cannot hold. Returns how many rows
    and rejected fields each day has. Raises StorageError.
    """
    with spark_errors(f'the wide table of {profile} could not be written'):
        fields = ''.join(f', {_select(column)}' for column in columns)
        rows = spark.sql(
            f"""
            select
                site, device, at_ms, cast(timestamp_millis(at_ms) as timestamp_ntz) as measured_at, received_ms, message, copies{fields}, day
            from wide_messages
            where profile = :profile
            distribute by day
            sort by day, site, device, at_ms, message
            """,
            args={'profile': profile},
        )
        assert rows.columns[: len(OWN_COLUMNS)] == list(OWN_COLUMNS)
        rows.write.partitionBy('day').option('compression', 'zstd').parquet(into)
        kinds = [(_path_text(column.path), column.kind) for column in columns]
        spark.createDataFrame(kinds, 'path string, kind string').createOrReplaceTempView('wide_kinds')
        rejected = spark.sql(f'{_REJECTED} distribute by day sort by day, site, device, at_ms, message, field', args={'profile': profile})
        rejected.write.partitionBy('day').option('compression', 'zstd').parquet(rejected_into)
        return _count_days(spark, 'wide_messages', profile), _count_rows(spark, rejected)


def _count_days(spark, view: str, profile: str) -> dict[str, int]:
    counts = spark.sql(f'select day, count(*) as rows from {view} where profile = :profile group by day', args={'profile': profile})
    return {row['day']: row['rows'] for row in counts.collect()}


def _count_rows(spark, rows) -> dict[str, int]:
    return {row['day']: row['count'] for row in rows.groupBy('day').count().collect()}


def _select(column: WideColumn) -> str:
    field = f"element_at(fields, {_literal(_path_text(column.path))})"
    return f"case when {field}.kind = '{column.kind}' and {field}.fault is null then cast({field}.value as {SQL_TYPES[column.kind]}) end as {column.name}"


def _literal(text: str) -> str:
    # A raw string of Spark takes no escapes; other quotes end it.
    escaped = text.replace('\\', '\\\\').replace("'", "\\'")
    return f"'{escaped}'"


def _path_text(path: FieldPath) -> str:
    return json.dumps(path, ensure_ascii=False)


def _read_sources(sources: Iterator[TelemetrySource], *, bucket: str, profiles: dict, wanted: set[tuple[str, str]], reports) -> Iterator[tuple]:
    lake = open_bucket(bucket, connections=1)
    for source in sources:
        report = SourceReport()
        yield from _rows_of(source, lake.read(source.key), profile_readers(profiles), wanted, report)
        reports.add({source.key: report})


def _rows_of(source: TelemetrySource, data: bytes | None, readers, wanted: set[tuple[str, str]], report: SourceReport) -> Iterator[tuple]:
    """The rows of a source; none of one that cannot be read as a whole, and the report says why."""
    rows: list[tuple] = []
    try:
        if data is None:
            raise StorageError('its raw object is gone')
        version = source.versions.get(source.profile)
        for each in messages_of(data, packs=bool(version) and readers(source.profile, version).reads_packs):
            report.messages += 1
            rows += _rows_of_message(source, each, readers, wanted)
    except (NotFollowedError, StorageError, OSError) as error:
        report.messages = 0
        report.not_read = str(error)
        return iter(())
    report.readings = len(rows)
    return iter(rows)


def _rows_of_message(source: TelemetrySource, found, readers, wanted: set[tuple[str, str]]) -> Iterator[tuple]:
    profile = found.profile or source.profile
    is_wanted = found.reject is None and source.versions.get(profile) and any(name == profile for name, _ in wanted)
    if not is_wanted or (found.site is not None and not is_site(found.site)):
        return
    readings = readers(profile, source.versions[profile]).read(found.message).readings
    # A message without a reading is a reject of the lake, with its reason.
    places = {(each.device, each.at_ms, each.received_ms, each.message) for each in readings if is_in_calendar(each.at_ms)}
    of_days = sorted(place for place in places if (profile, day_of_ms(place[1])) in wanted)
    if not of_days:
        return
    try:
        payload = parse_json(text_of(found.message.payload))
    except Unreadable:
        return
    if not isinstance(payload, dict):
        return
    fields = {_path_text(path): (field.kind, field.value, field.fault) for path, field in fields_of(payload).items()}
    for device, at_ms, received_ms, message in of_days:
        yield profile, day_of_ms(at_ms), found.site or source.site, device, at_ms, received_ms, message, fields
