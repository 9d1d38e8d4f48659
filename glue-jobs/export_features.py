"""
Glue job: what models are trained on, as Parquet under exports/: one row per pair and day (view pair_features) or, `--of metrics`, per device, metric and hour
(view metric_features). A row knows its own day or hour and earlier ones, no later one. Beside the days stand manifests for a training job.
"""
import sys
from functools import partial

from feature_export import COPIES_AT_ONCE, FeatureDay, compute_parts, days_within, plan_day, publish_day
from feature_manifests import manifest_files
from feature_rows import columns_of, count_rows, write_features
from feature_sets import FeatureSet, feature_set
from job_start import days_parser, open_bucket, parse_days, start_spark
from period_report import PeriodReport
from period_work import raise_failures, work_on


def main(arguments: list[str]) -> None:
    """Parses, reads, calls, writes. Raises OverflowError, StorageError, and RuntimeError where days could not be replaced."""
    parser = days_parser('export_features')
    parser.add_argument('--of', choices=('pairs', 'metrics'), default='pairs', help='what a row is of')
    options = parse_days(parser, arguments)
    of = feature_set(options.of)
    bucket = open_bucket(options.bucket, connections=COPIES_AT_ONCE)
    spark = start_spark()
    report = PeriodReport(bucket, options.report)
    days = {'first_day': options.first_day, 'last_day': options.last_day}
    count = partial(count_rows, spark, of)
    # A day that has no rows more has an object still.
    exported = days_within(bucket, of.prefix, **days)
    if options.dry_run:
        has_days = days_within(bucket, of.table.prefix, **days)
        rows = count(folder=f's3://{bucket.name}/{of.table.prefix}', **days) if has_days else {}
        work_on(_periods(of, {*exported, *rows}), partial(plan_day, rows=rows), report=report, at_once=1)
        return
    with compute_parts(bucket, of, **days, write=partial(write_features, spark, of), count=count) as parts:
        publish = partial(publish_day, bucket=bucket, parts=parts)
        failures = work_on(_periods(of, {*exported, *parts.keys}), publish, report=report, at_once=COPIES_AT_ONCE)
        if not failures and parts.rows:
            told = {'view': of.view, 'prefix': of.prefix, 'address': f's3://{bucket.name}/', 'columns': columns_of(spark, of), 'rows': parts.rows}
            for key, text in manifest_files(**told, **days).items():
                bucket.write(key, f'{text}\n'.encode())
    raise_failures(failures)


def _periods(of: FeatureSet, days: set[str]) -> list[FeatureDay]:
    return [FeatureDay(day, of) for day in sorted(days)]


if __name__ == '__main__':
    main(sys.argv[1:])
