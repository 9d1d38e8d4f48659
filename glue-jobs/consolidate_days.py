"""
Glue job: consolidates or rebuilds every day of a range from its summaries; for days that are too large for a Lambda, back-fills of years
and upgrades of the format. Lambdas may work on the same days meanwhile.
"""
import argparse
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial

from day_consolidation import consolidate
from day_merge import SPARK_SETTINGS, write_sorted_parts
from day_state import look_at_day
from lake_bucket import LakeBucket
from lake_errors import UsageError
from lake_layout import PAIR_DAYS_PREFIX, SUMMARIES_PREFIX, day_of

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
    work = plan_day if options.dry_run else partial(consolidate_day, merge=partial(write_sorted_parts, spark))
    failures = work_on(days_within(bucket, options.first_day, options.last_day), partial(work, bucket=bucket))
    if failures:
        raise RuntimeError(f'{len(failures)} days failed, the others are done: {"; ".join(failures)}')


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Bucket, first and last day (inclusive) and whether to look only. Raises UsageError."""
    # No abbreviations: Glue adds arguments of its own, --job-language and others, and those are passed over.
    parser = argparse.ArgumentParser(prog='consolidate_days', allow_abbrev=False, exit_on_error=False)
    parser.add_argument('--bucket', required=True, help='bucket of the lake')
    parser.add_argument('--from', required=True, dest='first_day', type=_day, help='first day, YYYY-MM-DD')
    parser.add_argument('--to', required=True, dest='last_day', type=_day, help='last day, inclusive')
    # Arguments of a Glue job always have a value.
    parser.add_argument('--dry_run', nargs='?', const='true', default='false', choices=['true', 'false'], help='only say what is to do')
    parser.error = _refuse
    try:
        options, _ = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        _refuse(str(error))
    if options.first_day > options.last_day:
        _refuse(f'--from {options.first_day} is after --to {options.last_day}')
    options.dry_run = options.dry_run == 'true'
    return options


def days_within(bucket: LakeBucket, first_day: str, last_day: str) -> list[str]:
    """The days of the range, both ends inclusive, that have summaries or an object, ascending."""
    folders = [folder for prefix in (SUMMARIES_PREFIX, PAIR_DAYS_PREFIX) for folder in bucket.list_folders(prefix)]
    days = {day for day in map(day_of, folders) if day is not None}
    return sorted(day for day in days if first_day <= day <= last_day)


def work_on(days: list[str], work: Callable[[str], str]) -> list[str]:
    """Does the work for each day, some at once, and prints what it says of it. Returns the failures in words."""

    def attempt(day: str) -> str | None:
        try:
            say(f'{day} {work(day)}')
        except Exception as error:  # One day's failure must not keep the others from being done.
            say(f'{day} failed: {type(error).__name__}: {error}')
            return f'{day}: {error}'
        return None

    def say(line: str) -> None:
        # In one piece: the line's end as a write of its own would come behind another day's line.
        print(f'{line}\n', end='', flush=True)

    with ThreadPoolExecutor(DAYS_AT_ONCE) as pool:
        return [failure for failure in pool.map(attempt, days) if failure is not None]


def plan_day(day: str, *, bucket: LakeBucket) -> str:
    """What `consolidate_day` would do, in words."""
    state = look_at_day(bucket, day)
    if state.is_current:
        return f'is right: {len(state.counting)} sources'
    if state.may_merge:
        return f'needs {len(state.missing)} sources merged into {len(state.contained)}'
    return f'needs to be built anew from {len(state.counting)} sources'


def consolidate_day(day: str, *, bucket: LakeBucket, merge: Callable[..., None]) -> str:
    """Consolidates the day and says in words what was done."""
    outcome = consolidate(day, bucket=bucket, merge=merge)
    if outcome.writes == 0:
        return 'was right'
    races = f', after {outcome.lost_races} lost races' if outcome.lost_races else ''
    return f'written: {outcome.rows} pairs{races}'


def _day(text: str) -> str:
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError(text)
    return text


def _refuse(message: str) -> None:
    raise UsageError(f'{message} (needed: --bucket NAME --from YYYY-MM-DD --to YYYY-MM-DD, perhaps --dry_run true)')


if __name__ == '__main__':
    main(sys.argv[1:])
