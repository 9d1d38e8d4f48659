"""
Glue job: consolidates or rebuilds every period of a range of days, of every kind's merged table, from what its sources contribute; for
periods that are too large for a Lambda, back-fills of years and upgrades of the format. Lambdas may work on the same periods meanwhile.
"""
import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from job_start import SWITCH, days_parser, open_bucket, parse_days, start_spark
from lake_bucket import LakeBucket
from lake_layout import TablePeriod, day_of, day_prefix, period_of
from lake_tables import Kind, Table, read_kinds
from period_consolidation import consolidate
from period_merge import write_sorted_parts
from period_report import PeriodReport, PeriodResult, result_of
from period_state import look_at_period
from period_work import count, raise_failures, work_on

# A small period mostly waits: for listings, for Spark to start its tasks, for its file. Large ones share the executors all the same.
PERIODS_AT_ONCE = 4

# Connections for each period: as many as period_state.py asks for at once.
CONNECTIONS = 16 * PERIODS_AT_ONCE


def main(arguments: list[str]) -> None:
    """Parses, reads, calls, writes. Raises RuntimeError at the end where a period failed; the others are done all the same."""
    options = parse_arguments(arguments)
    bucket = open_bucket(options.bucket, connections=CONNECTIONS)
    spark = start_spark()
    report = PeriodReport(bucket, options.report)
    done = report.read_done()
    plan = partial(plan_period, anew=options.anew)
    consolidate_one = partial(consolidate_period, merge=partial(write_sorted_parts, spark), anew=options.anew, done=done)
    work = partial(plan if options.dry_run else consolidate_one, bucket=bucket)
    periods = [of for kind in read_kinds() for of in periods_within(bucket, kind, options.first_day, options.last_day)]
    raise_failures(work_on(periods, work, report=report, at_once=PERIODS_AT_ONCE))


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """The arguments of every job, and whether to write every period. Raises UsageError."""
    parser = days_parser('consolidate_days')
    parser.add_argument('--anew', **SWITCH, help='write every period once from what its sources contribute, whatever its object contains')
    return parse_days(parser, arguments)


def periods_within(bucket: LakeBucket, kind: Kind, first_day: str, last_day: str) -> list[TablePeriod]:
    """The periods of the days, both ends inclusive, that have contributions or an object, ascending."""
    periods = {
        period
        for table in (kind.contributions, kind.merged)
        for day in filter(None, map(day_of, bucket.list_folders(table.prefix)))
        if first_day <= day <= last_day
        for period in _periods_of_day(bucket, table, day)
    }
    return [TablePeriod(kind, period) for period in sorted(periods)]


def _periods_of_day(bucket: LakeBucket, table: Table, day: str) -> list[str]:
    if table.per == 'day':
        return [day]
    # Folders are cut at the dot behind the hour, so that a day of a hundred thousand objects is listed in one request.
    hours = bucket.list_folders(day_prefix(table.prefix, day), delimiter='.')
    return [period for period in (period_of(table, hour) for hour in hours) if period is not None]


def plan_period(of: TablePeriod, *, bucket: LakeBucket, anew: bool = False) -> PeriodResult:
    """What `consolidate_period` would do."""
    state = look_at_period(bucket, of, anew=anew)
    sources = len(state.counting)
    if state.is_current:
        return result_of(of, 'is right', sources=sources)
    if state.may_merge:
        needed = f'needs {count(len(state.missing), "source")} merged into {len(state.contained)}'
        return result_of(of, needed, sources=sources)
    return result_of(of, f'needs to be built anew from {count(sources, "source")}', sources=sources)


def consolidate_period(
    of: TablePeriod,
    *,
    bucket: LakeBucket,
    merge: Callable[..., None],
    anew: bool = False,
    done: Mapping[tuple[str, str], PeriodResult] = MappingProxyType({}),
) -> PeriodResult:
    """Consolidates the period, anew only if it is not among those that are `done`, and says what came of it."""
    earlier = done.get((of.table, of.period))
    outcome = consolidate(of, bucket=bucket, merge=merge, anew=anew and earlier is None)
    if outcome.writes == 0:
        return earlier or result_of(of, 'was right', sources=outcome.sources)
    races = f' after {count(outcome.lost_races, "lost race")}' if outcome.lost_races else ''
    return result_of(of, f'written{races}', sources=outcome.sources, rows=outcome.rows)


if __name__ == '__main__':
    main(sys.argv[1:])
