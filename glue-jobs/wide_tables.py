"""
Glue job: a wide table for each profile that asks for one, a row a message and a column a field, for devices that send what they like. A new field is a
column after the run; a field that becomes something else is a counted reject. Days that are right are left as they are.
"""
import sys
import uuid
from functools import partial

from job_news import put_count, start_crawler
from job_start import SWITCH, days_parser, open_bucket, parse_days, start_spark
from lake_bucket import LakeBucket
from lake_layout import WORK_PREFIX, day_of
from period_report import PeriodReport
from period_work import raise_failures, work_on
from readings_export import REQUESTS_AT_ONCE, read_profiles, say_report, sources_within
from wide_columns import remember
from wide_export import WideDay, WideParts, days_to_make, plan_day, publish_day, sources_of, wide_profiles
from wide_rows import find_fields, read_wide_messages, write_wide_days


def main(arguments: list[str]) -> None:
    """Parses, reads, calls, writes. Raises StorageError, UsageError, and RuntimeError where days could not be replaced."""
    parser = days_parser('wide_tables')
    parser.add_argument('--anew', **SWITCH, help='make every day, also where it is right')
    parser.add_argument('--crawler', metavar='NAME', help='crawler that follows the tables')
    parser.add_argument('--stage', metavar='NAME', help='stage that the figures are of; without it none are put')
    options = parse_days(parser, arguments)
    bucket = open_bucket(options.bucket, connections=REQUESTS_AT_ONCE)
    report = PeriodReport(bucket, options.report)
    days = {'first_day': options.first_day, 'last_day': options.last_day}
    tables = wide_profiles(bucket)
    counting = sources_within(bucket, **days) if tables else []
    periods = days_to_make(bucket, tables, counting, **days, anew=options.anew)
    sources = [source for source in counting if any(source in sources_of(of, counting) for of in periods)]
    if not tables:
        print('No profile asks for a wide table ("wide": true)\n', end='', flush=True)
    if options.dry_run:
        work_on(periods, partial(plan_day, sources=counting), report=report, at_once=1)
        return
    rejected = 0
    # A name of its own: another run may be at the same days.
    work = f'{WORK_PREFIX}wide_tables/{uuid.uuid4()}'
    try:
        parts, not_read = _make_parts(bucket, work, periods, sources) if sources else (WideParts({}, {}, {}, {}), set())
        publish = partial(publish_day, bucket=bucket, parts=parts, sources=counting, not_read=not_read)
        failures = work_on(periods, publish, report=report, at_once=REQUESTS_AT_ONCE)
        rejected = sum(parts.rejected.values())
    finally:
        # Without a final slash: the file system of Glue leaves `<folder>_$folder$` beside a folder.
        bucket.delete_all(work)
    if options.stage is not None or options.crawler is not None:
        _tell(options, rejected=rejected, is_changed=bool(periods))
    raise_failures(failures)


def _make_parts(bucket: LakeBucket, work: str, periods: list[WideDay], sources) -> tuple[WideParts, set[str]]:
    """The days as parts below `work`, and the keys of the sources that could not be read."""
    spark = start_spark()
    address = f's3://{bucket.name}/{work}'
    wanted = {(of.profile, of.period) for of in periods}
    profiles = read_profiles(bucket, sources)
    reports = read_wide_messages(spark, sources, bucket=bucket.name, profiles=profiles, wanted=wanted, into=f'{address}/messages')
    for key, source_report in sorted(reports.items()):
        if source_report.not_read is not None:
            print(f'{key} {say_report(source_report)}\n', end='', flush=True)
    found = find_fields(spark)
    parts = WideParts({}, {}, {}, {})
    for profile, name in sorted({(of.profile, of.name) for of in periods}):
        columns = remember(bucket, name, found.get(profile, {}))
        folders = {'into': f'{address}/wide/{name}', 'rejected_into': f'{address}/rejected/{name}'}
        rows, rejected = write_wide_days(spark, profile=profile, columns=columns, **folders)
        parts.rows.update({(name, day): number for day, number in rows.items()})
        parts.rejected.update({(name, day): number for day, number in rejected.items()})
        parts.keys.update(_parts_of(bucket, f'{work}/wide/{name}/', name))
        parts.rejected_keys.update(_parts_of(bucket, f'{work}/rejected/{name}/', name))
    if parts.keys.keys() != parts.rows.keys() or parts.rejected_keys.keys() != parts.rejected.keys():
        raise AssertionError(f'Spark was to write one part for each of {sorted(parts.rows)}, and wrote {sorted(parts.keys.values())}')
    return parts, {key for key, source_report in reports.items() if source_report.not_read is not None}


def _parts_of(bucket: LakeBucket, folder: str, name: str) -> dict[tuple[str, str], str]:
    return {(name, day): key for key in bucket.list(folder) if key.endswith('.parquet') and (day := day_of(key)) is not None}


def _tell(options, *, rejected: int, is_changed: bool) -> None:
    import boto3

    if options.stage is not None:
        put_count(boto3.client('cloudwatch'), 'WideFieldsRejected', rejected, service='wide-tables', stage=options.stage)
    if options.crawler is not None and is_changed:
        start_crawler(boto3.client('glue'), options.crawler)


if __name__ == '__main__':
    main(sys.argv[1:])
