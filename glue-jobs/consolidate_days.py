"""
Glue job: consolidates or rebuilds every day of a range from its summaries; for days that are too large for a Lambda, back-fills of years
and upgrades of the format. Lambdas may work on the same days meanwhile.
"""
import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from day_consolidation import consolidate
from day_merge import write_sorted_parts
from day_report import DayReport, DayResult
from day_state import look_at_day
from day_work import count, raise_failures, work_on
from job_start import SWITCH, days_parser, open_bucket, parse_days, start_spark
from lake_bucket import LakeBucket
from lake_layout import PAIR_DAYS_PREFIX, SUMMARIES_PREFIX, day_of

# A small day mostly waits: for listings, for Spark to start its tasks, for its file. Large ones share the executors all the same.
DAYS_AT_ONCE = 4

# As many as day_state.py asks for at once, of each day.
CONNECTIONS = 16 * DAYS_AT_ONCE


def main(arguments: list[str]) -> None:
    """Parses, reads, calls, writes. Raises RuntimeError at the end where a day failed; the other days are done all the same."""
    options = parse_arguments(arguments)
    bucket = open_bucket(options.bucket, connections=CONNECTIONS)
    spark = start_spark()
    report = DayReport(bucket, options.report)
    done = report.read_done()
    plan = partial(plan_day, anew=options.anew)
    consolidate_one = partial(consolidate_day, merge=partial(write_sorted_parts, spark), anew=options.anew, done=done)
    work = partial(plan if options.dry_run else consolidate_one, bucket=bucket)
    days = days_within(bucket, options.first_day, options.last_day)
    raise_failures(work_on(days, work, report=report, at_once=DAYS_AT_ONCE))


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Those of every job, and whether to write every day. Raises UsageError."""
    parser = days_parser('consolidate_days')
    parser.add_argument('--anew', **SWITCH, help='write every day once from its summaries, whatever its object contains')
    return parse_days(parser, arguments)


def days_within(bucket: LakeBucket, first_day: str, last_day: str) -> list[str]:
    """The days of the range, both ends inclusive, that have summaries or an object, ascending."""
    folders = [folder for prefix in (SUMMARIES_PREFIX, PAIR_DAYS_PREFIX) for folder in bucket.list_folders(prefix)]
    days = {day for day in map(day_of, folders) if day is not None}
    return sorted(day for day in days if first_day <= day <= last_day)


def plan_day(day: str, *, bucket: LakeBucket, anew: bool = False) -> DayResult:
    """What `consolidate_day` would do."""
    state = look_at_day(bucket, day, anew=anew)
    sources = len(state.counting)
    if state.is_current:
        return DayResult(day, 'is right', sources)
    if state.may_merge:
        return DayResult(day, f'needs {count(len(state.missing), "source")} merged into {len(state.contained)}', sources)
    return DayResult(day, f'needs to be built anew from {count(sources, "source")}', sources)


def consolidate_day(
    day: str, *, bucket: LakeBucket, merge: Callable[..., None], anew: bool = False, done: Mapping[str, DayResult] = MappingProxyType({})
) -> DayResult:
    """Consolidates the day, anew only if it is not among the days that are `done`, and says what came of it."""
    outcome = consolidate(day, bucket=bucket, merge=merge, anew=anew and day not in done)
    if outcome.writes == 0:
        return done.get(day, DayResult(day, 'was right', outcome.sources))
    races = f' after {count(outcome.lost_races, "lost race")}' if outcome.lost_races else ''
    return DayResult(day, f'written{races}', outcome.sources, outcome.rows)


if __name__ == '__main__':
    main(sys.argv[1:])
