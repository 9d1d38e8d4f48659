"""
Glue job: consolidates or rebuilds every period of a range of days, of every kind's merged table, from what its sources contribute, and derives the
tables that are made of them; for periods that are too large for a Lambda, back-fills of years and upgrades of the format. Lambdas may work on the
same periods meanwhile.
"""
import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from day_derivation import DerivedOutcome, derive, is_derived
from derived_day import DerivedDay
from derived_news import say_left, say_told, tell_days
from hour_parts import derive_hours
from job_start import SWITCH, days_parser, open_bucket, parse_days, start_spark
from lake_bucket import LakeBucket
from lake_layout import TablePeriod, day_of, day_prefix, period_of
from lake_tables import Kind, Table, read_kinds
from period_consolidation import Outcome, consolidate
from period_merge import write_sorted_parts
from period_report import PeriodReport, PeriodResult, result_of
from period_state import look_at_period
from period_work import count, raise_failures, work_in_stages

# A small period mostly waits: for listings, for Spark to start its tasks, for its file. Large ones share the executors all the same.
PERIODS_AT_ONCE = 4

# Connections for each period: as many as period_state.py asks for at once.
CONNECTIONS = 16 * PERIODS_AT_ONCE

# The derived tables whose days this job makes itself: none is chained, so that each day is made by itself.
DERIVED_HERE = {'metric_hours': derive_hours}

# What is said of a period that nothing would be done for.
IS_RIGHT = 'is right'


def main(arguments: list[str]) -> None:
    """Parses, reads, calls, writes. Raises RuntimeError at the end where a period failed; the others are done all the same."""
    options = parse_arguments(arguments)
    bucket = open_bucket(options.bucket, connections=CONNECTIONS)
    spark = start_spark()
    report = PeriodReport(bucket, options.report)
    done = report.read_done()
    kinds = read_kinds()
    periods = [of for kind in kinds for of in periods_within(bucket, kind, options.first_day, options.last_day)]
    built = [of for kind in kinds for of in days_built_on(bucket, kind, periods, options.first_day, options.last_day)]
    # What is chained over days the workers of the deployment derive, one day after the other.
    days = [of for of in built if of.table in DERIVED_HERE]
    others = [of for of in built if of.table not in DERIVED_HERE]
    if options.dry_run:
        plan = Plan(bucket, anew=options.anew)
        raise_failures(work_in_stages([(periods, plan.period), (built, plan.day)], report=report, at_once=PERIODS_AT_ONCE))
        return
    how = {'bucket': bucket, 'anew': options.anew, 'done': done}
    merge = partial(consolidate_period, merge=partial(write_sorted_parts, spark), **how)
    try:
        failures = work_in_stages([(periods, merge), (days, partial(derive_day, spark=spark, **how))], report=report, at_once=PERIODS_AT_ONCE)
    finally:
        # Whatever came of the periods: those that were written are.
        tell(others, bucket=bucket, queue=options.consolidate_queue)
    raise_failures(failures)


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """The arguments of every job, whether to write every period, and whom to tell. Raises UsageError."""
    parser = days_parser('consolidate_days')
    parser.add_argument('--anew', **SWITCH, help='write every period once from what its sources contribute, whatever its object contains')
    parser.add_argument('--consolidate_queue', metavar='NAME', help='FIFO queue of the workers that derive what this job does not')
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


def days_built_on(
    bucket: LakeBucket, kind: Kind, periods: Sequence[TablePeriod], first_day: str, last_day: str
) -> list[DerivedDay]:
    """The days of the kind's derived tables that are built on the periods, and those of the range that have an object; by table and ascending."""
    merged = {of.day for of in periods if of.kind.name == kind.name}
    found = []
    for derived in kind.derived:
        own = {day for day in map(day_of, bucket.list_folders(derived.table.prefix)) if day and first_day <= day <= last_day}
        found += [DerivedDay(kind, derived, day) for day in sorted(merged | own)]
    return found


class Plan:
    """What a run would do, for periods first and then for what is built on them."""

    def __init__(self, bucket: LakeBucket, *, anew: bool):
        self._bucket = bucket
        self._anew = anew
        # Days of merged tables of which a period is to be written.
        self._changing: set[tuple[str, str]] = set()

    def period(self, of: TablePeriod) -> PeriodResult:
        """What would be done for a period of a merged table."""
        result = plan_period(of, bucket=self._bucket, anew=self._anew)
        if result.what != IS_RIGHT:
            self._changing.add((of.kind.name, of.day))
        return result

    def day(self, of: DerivedDay) -> PeriodResult:
        """What would be done for a day of a derived table, or left to others."""
        is_right = not self._anew and (of.kind.name, of.period) not in self._changing and is_derived(self._bucket, of)
        return result_of(of, IS_RIGHT if is_right else 'needs to be derived')


def plan_period(of: TablePeriod, *, bucket: LakeBucket, anew: bool = False) -> PeriodResult:
    """What `consolidate_period` would do."""
    state = look_at_period(bucket, of, anew=anew)
    sources = len(state.counting)
    if state.is_current:
        return result_of(of, IS_RIGHT, sources=sources)
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
    return result_of(of, _say_written(outcome), sources=outcome.sources, rows=outcome.rows)


def derive_day(
    of: DerivedDay,
    *,
    bucket: LakeBucket,
    spark,
    anew: bool = False,
    done: Mapping[tuple[str, str], PeriodResult] = MappingProxyType({}),
) -> PeriodResult:
    """Derives the day, anew only if it is not among those that are `done`, and says what came of it."""
    earlier = done.get((of.table, of.period))
    derive_parts = partial(DERIVED_HERE[of.table], spark, bucket=bucket.name)
    outcome = derive(of, bucket=bucket, derive_parts=derive_parts, anew=anew and earlier is None)
    if outcome.writes == 0:
        return earlier or result_of(of, 'was right')
    return result_of(of, _say_written(outcome), rows=outcome.rows)


def tell(days: Sequence[DerivedDay], *, bucket: LakeBucket, queue: str | None) -> None:
    """Has the workers derive the days, or says which ones are left, and who does it."""
    if queue is None:
        for line in say_left(days, bucket):
            print(f'{line}\n', end='', flush=True)
    elif days:
        import boto3

        tell_days(days, queue=queue, client=boto3.client('sqs'))
        print(f'{say_told(days, queue=queue)}\n', end='', flush=True)


def _say_written(outcome: Outcome | DerivedOutcome) -> str:
    return f'written after {count(outcome.lost_races, "lost race")}' if outcome.lost_races else 'written'


if __name__ == '__main__':
    main(sys.argv[1:])
