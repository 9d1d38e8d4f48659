"""
Glue job: the readings of a range of days, read anew from the raw messages by the profiles and joined with the registry of devices, as Parquet under
exports/readings/. It is a third reader of the profile language, and leaves the lake's own tables alone.
"""
import sys
from functools import partial

from feature_export import days_within
from job_start import SWITCH, days_parser, open_bucket, parse_days, start_spark
from lake_layout import READINGS_EXPORT_PREFIX
from period_report import PeriodReport
from period_work import raise_failures, work_on
from reading_rows import write_readings
from readings_export import (
    REQUESTS_AT_ONCE,
    days_to_make,
    plan_day,
    publish_day,
    read_parts,
    read_profiles,
    sources_within,
    tell_sources,
)


def main(arguments: list[str]) -> None:
    """Parses, reads, calls, writes. Raises StorageError, and RuntimeError where days could not be replaced."""
    parser = days_parser('transform_readings')
    parser.add_argument('--anew', **SWITCH, help='write every day, also where it is right; for days whose devices were registered otherwise since')
    options = parse_days(parser, arguments)
    bucket = open_bucket(options.bucket, connections=REQUESTS_AT_ONCE)
    report = PeriodReport(bucket, options.report)
    days = {'first_day': options.first_day, 'last_day': options.last_day}
    sources = sources_within(bucket, **days)
    # A day that has readings no more has an object still.
    exported = days_within(bucket, READINGS_EXPORT_PREFIX, **days)
    in_range = {day for source in sources for day in source.days if options.first_day <= day <= options.last_day}
    periods = days_to_make(bucket, sources, {*exported, *in_range}, anew=options.anew)
    if options.dry_run:
        work_on(periods, partial(plan_day, sources=sources), report=report, at_once=1)
        return
    # What shares a day with none of these is not read.
    needed = [source for source in sources if any(of.period in source.days for of in periods)]
    write = partial(write_readings, start_spark() if needed else None, bucket=bucket.name, profiles=read_profiles(bucket, needed), **days)
    with read_parts(bucket, needed, write=write) as parts:
        tell_sources(bucket, parts.reports, report_key=options.report)
        publish = partial(publish_day, bucket=bucket, parts=parts, sources=needed)
        failures = work_on(periods, publish, report=report, at_once=REQUESTS_AT_ONCE)
    raise_failures(failures)


if __name__ == '__main__':
    main(sys.argv[1:])
