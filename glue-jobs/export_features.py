"""
Glue job: what models are trained on, one row per pair and day of a range, as Parquet under exports/features/. The rows are those of view
pair_features: each knows its own day and earlier ones, no later one.
"""
import sys
from functools import partial

from feature_export import COPIES_AT_ONCE, FeatureDay, compute_parts, days_within, pair_days, plan_day, publish_day
from feature_rows import count_pairs, write_features
from job_start import days_parser, open_bucket, parse_days, start_spark
from lake_layout import FEATURES_PREFIX
from period_report import PeriodReport
from period_work import raise_failures, work_on


def main(arguments: list[str]) -> None:
    """Parses, reads, calls, writes. Raises OverflowError, StorageError, and RuntimeError where days could not be replaced."""
    options = parse_days(days_parser('export_features'), arguments)
    bucket = open_bucket(options.bucket, connections=COPIES_AT_ONCE)
    spark = start_spark()
    report = PeriodReport(bucket, options.report)
    days = {'first_day': options.first_day, 'last_day': options.last_day}
    count = partial(count_pairs, spark)
    # A day that has pairs no more has an object still.
    exported = days_within(bucket, FEATURES_PREFIX, **days)
    if options.dry_run:
        has_days = days_within(bucket, pair_days().prefix, **days)
        pairs = count(folder=f's3://{bucket.name}/{pair_days().prefix}', **days) if has_days else {}
        work_on(_periods({*exported, *pairs}), partial(plan_day, pairs=pairs), report=report, at_once=1)
        return
    with compute_parts(bucket, **days, write=partial(write_features, spark), count=count) as parts:
        publish = partial(publish_day, bucket=bucket, parts=parts)
        failures = work_on(_periods({*exported, *parts.keys}), publish, report=report, at_once=COPIES_AT_ONCE)
    raise_failures(failures)


def _periods(days: set[str]) -> list[FeatureDay]:
    return [FeatureDay(day) for day in sorted(days)]


if __name__ == '__main__':
    main(sys.argv[1:])
