"""Use case: the readings of a range of days as one Parquet object per day, under exports/readings/, read anew from the raw objects."""
import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from lake_bucket import LakeBucket
from lake_layout import LEDGER_PREFIX, READINGS_EXPORT_PREFIX, WORK_PREFIX, day_of, readings_export_key
from period_report import PeriodResult, result_of
from period_work import count
from source_readings import SourceReport, TelemetrySource

_RAW_PREFIX = 'raw/kind=telemetry/'
REQUESTS_AT_ONCE = 16

# Raised when the same sources give other rows: then every day is made anew.
_FORMAT = 1

# Metadata of an object: what it was made of.
MADE_OF = 'made-of'


@dataclass(frozen=True)
class ReadingsDay:
    """A day of readings, as a run works on it and tells of it."""

    period: str
    table: str = 'readings'


@dataclass(frozen=True)
class ReadingsParts:
    """Readings as they were read, before anybody can see them."""

    # The part of each day that has readings.
    keys: dict[str, str]
    rows: dict[str, int]
    reports: dict[str, SourceReport]


def sources_within(bucket: LakeBucket, *, first_day: str, last_day: str) -> list[TelemetrySource]:
    """The telemetry sources that count and have readings in the range, both ends inclusive, by their keys."""
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        records = [json.loads(text) for text in pool.map(bucket.read, bucket.list(LEDGER_PREFIX)) if text]
    counting = (record for record in records if record['source'].startswith(_RAW_PREFIX) and record['state'] == 'done')
    sources = map(_source_of, counting)
    return sorted((each for each in sources if any(first_day <= day <= last_day for day in each.days)), key=lambda each: each.key)


def made_of(sources: list[TelemetrySource], *, format: int) -> str | None:
    """What an object of these sources is made of, as a short text that differs where that does; None of none."""
    named = sorted(f'{source.key} {source.version}' for source in sources)
    return hashlib.sha256(json.dumps([format, named]).encode()).hexdigest()[:32] if named else None


def is_made_of(bucket: LakeBucket, key: str, wanted: str | None) -> bool:
    """True if the object says that it was made so. One that would be made of nothing is never right: it is to go."""
    return wanted is not None and bucket.metadata_of(key).get(MADE_OF) == wanted


def days_to_make(bucket: LakeBucket, sources: list[TelemetrySource], days: set[str], *, anew: bool) -> list[ReadingsDay]:
    """Those of the days whose object is not made of what counts now, ascending. Of the registry of devices an object names nothing: it is asked by dates."""

    def is_right(day: str) -> bool:
        of_day = [source for source in sources if day in source.days]
        return is_made_of(bucket, readings_export_key(day), made_of(of_day, format=_FORMAT))

    return [ReadingsDay(day) for day in sorted(days) if anew or not is_right(day)]


def read_profiles(bucket: LakeBucket, sources: list[TelemetrySource]) -> dict[tuple[str, int], bytes]:
    """The profiles that the sources were read by, those that are there, by name and version."""
    wanted = {(name, version) for source in sources for name, version in source.versions.items() if version > 0}
    found = {(name, version): bucket.read(f'profiles/{name}/{version}.json') for name, version in sorted(wanted)}
    return {of: document for of, document in found.items() if document is not None}


@contextmanager
def read_parts(bucket: LakeBucket, sources: list[TelemetrySource], *, write: Callable) -> Iterator[ReadingsParts]:
    """The readings of the sources, which `write(sources, into=)` reads and writes; the parts are gone again at the end."""
    # A name of its own: another run may be at the same days.
    work = f'{WORK_PREFIX}transform_readings/{uuid.uuid4()}'
    try:
        reports, rows = write(sources, into=f's3://{bucket.name}/{work}/{READINGS_EXPORT_PREFIX}') if sources else ({}, {})
        parts = [key for key in bucket.list(f'{work}/{READINGS_EXPORT_PREFIX}') if key.endswith('.parquet') and day_of(key)]
        if [day_of(part) for part in parts] != sorted(rows):
            raise AssertionError(f'Spark was to write one part for each of {sorted(rows)}, and wrote {parts}')
        yield ReadingsParts({day_of(part): part for part in parts}, rows, reports)
    finally:
        # Without a final slash: the file system of Glue leaves `<folder>_$folder$` beside a folder.
        bucket.delete_all(work)


def publish_day(of: ReadingsDay, *, bucket: LakeBucket, parts: ReadingsParts, sources: list[TelemetrySource]) -> PeriodResult:
    """Replaces the day's object by its part, in one step; a day that has no readings has no object. What could not be read is said."""
    day = of.period
    of_day = [source for source in sources if day in source.days]
    missing = sum(parts.reports[source.key].not_read is not None for source in of_day)
    without = f' without {count(missing, "source")} that could not be read' if missing else ''
    part = parts.keys.get(day)
    if part is None:
        bucket.delete_all(readings_export_key(day))
        return result_of(of, f'has no readings, its object was removed{without}')
    # A day that lacks something is made again by the next run.
    told = {} if missing else {MADE_OF: made_of(of_day, format=_FORMAT) or ''}
    bucket.copy(part, etag=bucket.etag_of(part), to=readings_export_key(day), metadata=told)
    return result_of(of, f'written{without}', rows=parts.rows[day], sources=len(of_day) - missing)


def plan_day(of: ReadingsDay, *, sources: list[TelemetrySource]) -> PeriodResult:
    """What `publish_day` would do."""
    of_day = sum(of.period in source.days for source in sources)
    return result_of(of, f'is to be written from {count(of_day, "source")}' if of_day else 'has no readings, its object is to go')


def tell_sources(bucket: LakeBucket, reports: dict[str, SourceReport], *, report_key: str | None) -> None:
    """Prints what came of each source, and writes it as JSON beside the run's report: `<key>.sources`."""
    for key, report in sorted(reports.items()):
        print(f'{key} {say_report(report)}\n', end='', flush=True)
    if report_key is not None:
        told = [{'source': key, **vars(report)} for key, report in sorted(reports.items())]
        bucket.write(f'{report_key}.sources', json.dumps({'sources': told}).encode())


def say_report(report: SourceReport) -> str:
    """The report as a line of the log, the most frequent reason first."""
    if report.not_read is not None:
        return f'was not read: {report.not_read}'
    reasons = sorted(report.rejected.items(), key=lambda item: (-item[1], item[0]))
    rejected = f'; rejected: {", ".join(f"{reason} {number}" for reason, number in reasons)}' if reasons else ''
    return f'read: {count(report.readings, "reading")} of {count(report.messages, "message")}{rejected}'


def _source_of(record: dict) -> TelemetrySource:
    return TelemetrySource(
        record['source'],
        record['site'],
        record['options'].get('profile'),
        record.get('inputs') or {},
        tuple(sorted({hour[:10] for hour in record['versions'][record['version']]})),
        record['version'],
    )
