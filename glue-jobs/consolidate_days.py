"""
Glue job: consolidates or rebuilds every day of a range from its summaries; for days that are too large for a Lambda, back-fills of years
and upgrades of the format. Lambdas may work on the same days meanwhile.
"""
import argparse
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from types import MappingProxyType

from day_consolidation import consolidate
from day_merge import SPARK_SETTINGS, write_sorted_parts
from day_report import DayReport, DayResult
from day_state import look_at_day
from lake_bucket import LakeBucket
from lake_errors import UsageError
from lake_layout import PAIR_DAYS_PREFIX, SUMMARIES_PREFIX, WORK_PREFIX, day_of

# A small day mostly waits: for listings, for Spark to start its tasks, for its file. Large ones share the executors all the same.
DAYS_AT_ONCE = 4

# As many as day_state.py asks for at once, of each day.
CONNECTIONS = 16 * DAYS_AT_ONCE

# As lake/aws/client-config.ts: three are too few for a burst of 503.
MAX_ATTEMPTS = 6


def main(arguments: list[str]) -> None:
    """Parses, reads, calls, writes. Raises RuntimeError at the end where a day failed; the other days are done all the same."""
    options = parse_arguments(arguments)

    import boto3
    from botocore.config import Config
    from pyspark.sql import SparkSession

    config = Config(max_pool_connections=CONNECTIONS, retries={'mode': 'standard', 'total_max_attempts': MAX_ATTEMPTS})
    bucket = LakeBucket(boto3.client('s3', config=config), options.bucket)
    spark = SparkSession.builder.config(map=SPARK_SETTINGS).getOrCreate()
    report = DayReport(bucket, options.report)
    done = report.read_done()
    plan = partial(plan_day, anew=options.anew)
    consolidate_one = partial(consolidate_day, merge=partial(write_sorted_parts, spark), anew=options.anew, done=done)
    work = partial(plan if options.dry_run else consolidate_one, bucket=bucket)
    failures = work_on(days_within(bucket, options.first_day, options.last_day), work, report=report)
    if failures:
        raise RuntimeError(f'{_count(len(failures), "day")} failed, the others are done: {"; ".join(failures)}')


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Bucket, first and last day (inclusive), whether to look only or to write every day, and where to report. Raises UsageError."""
    # No abbreviations: Glue adds arguments of its own, --job-language and others, and those are passed over.
    parser = argparse.ArgumentParser(prog='consolidate_days', allow_abbrev=False, exit_on_error=False)
    parser.add_argument('--bucket', required=True, help='bucket of the lake')
    parser.add_argument('--from', required=True, dest='first_day', type=_day, help='first day, YYYY-MM-DD')
    parser.add_argument('--to', required=True, dest='last_day', type=_day, help='last day, inclusive')
    # Arguments of a Glue job always have a value.
    switch = {'nargs': '?', 'const': 'true', 'default': 'false', 'choices': ['true', 'false']}
    parser.add_argument('--dry_run', **switch, help='only say what is to do')
    parser.add_argument('--anew', **switch, help='write every day once from its summaries, whatever its object contains')
    parser.add_argument('--report', help=f'key below {WORK_PREFIX} of a JSON object that says which days are done')
    parser.error = _refuse
    try:
        options, _ = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        _refuse(str(error))
    if options.first_day > options.last_day:
        _refuse(f'--from {options.first_day} is after --to {options.last_day}')
    if options.report is not None and not options.report.startswith(WORK_PREFIX):
        _refuse(f'--report {options.report} is not below {WORK_PREFIX}')
    options.dry_run, options.anew = options.dry_run == 'true', options.anew == 'true'
    return options


def days_within(bucket: LakeBucket, first_day: str, last_day: str) -> list[str]:
    """The days of the range, both ends inclusive, that have summaries or an object, ascending."""
    folders = [folder for prefix in (SUMMARIES_PREFIX, PAIR_DAYS_PREFIX) for folder in bucket.list_folders(prefix)]
    days = {day for day in map(day_of, folders) if day is not None}
    return sorted(day for day in days if first_day <= day <= last_day)


def work_on(days: list[str], work: Callable[[str], DayResult], *, report: DayReport) -> list[str]:
    """Does the work for each day, some at once, and prints and reports what came of it. Returns the failures in words."""

    def attempt(day: str) -> str | None:
        failure = None
        try:
            result = work(day)
        except Exception as error:  # One day's failure must not keep the others from being done.
            failure = f'{day}: {error}'
            result = DayResult(day, f'failed: {type(error).__name__}: {error}', failed=True)
        # In one piece: the line's end as a write of its own would come behind another day's line.
        print(f'{say(result)}\n', end='', flush=True)
        report.add(result)
        return failure

    report.begin(len(days))
    try:
        with ThreadPoolExecutor(DAYS_AT_ONCE) as pool:
            return [failure for failure in pool.map(attempt, days) if failure is not None]
    finally:
        report.close()


def say(result: DayResult) -> str:
    """The result as a line of the log."""
    if result.pairs is not None:
        return f'{result.day} {result.what}: {_count(result.pairs, "pair")} of {_count(result.sources, "source")}'
    return f'{result.day} {result.what}'


def plan_day(day: str, *, bucket: LakeBucket, anew: bool = False) -> DayResult:
    """What `consolidate_day` would do."""
    state = look_at_day(bucket, day, anew=anew)
    sources = len(state.counting)
    if state.is_current:
        return DayResult(day, 'is right', sources)
    if state.may_merge:
        return DayResult(day, f'needs {_count(len(state.missing), "source")} merged into {len(state.contained)}', sources)
    return DayResult(day, f'needs to be built anew from {_count(sources, "source")}', sources)


def consolidate_day(
    day: str, *, bucket: LakeBucket, merge: Callable[..., None], anew: bool = False, done: Mapping[str, DayResult] = MappingProxyType({})
) -> DayResult:
    """Consolidates the day, anew only if it is not among the days that are `done`, and says what came of it."""
    outcome = consolidate(day, bucket=bucket, merge=merge, anew=anew and day not in done)
    if outcome.writes == 0:
        return done.get(day, DayResult(day, 'was right', outcome.sources))
    races = f' after {_count(outcome.lost_races, "lost race")}' if outcome.lost_races else ''
    return DayResult(day, f'written{races}', outcome.sources, outcome.rows)


def _count(number: int, one: str) -> str:
    return f'{number} {one}' if number == 1 else f'{number} {one}s'


def _day(text: str) -> str:
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError(text)
    return text


def _refuse(message: str) -> None:
    raise UsageError(f'{message} (needed: --bucket NAME --from YYYY-MM-DD --to YYYY-MM-DD, perhaps --dry_run true, --anew true, --report _flowlake/KEY)')


if __name__ == '__main__':
    main(sys.argv[1:])
