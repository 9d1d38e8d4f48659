"""Use case: the features of a range of days as one Parquet object per day, under exports/features/."""
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from lake_bucket import LakeBucket
from lake_errors import ConflictError
from lake_layout import FEATURES_PREFIX, WORK_PREFIX, day_of, features_key, merged_key
from lake_tables import Table, kind_named
from period_report import PeriodResult, result_of

# Copies inside of S3 are waited for.
COPIES_AT_ONCE = 16


def pair_days() -> Table:
    """The table that features are made of."""
    return kind_named('flows').merged


@dataclass(frozen=True)
class FeatureDay:
    """A day of features, as a run works on it and tells of it."""

    period: str
    # The view that an object has the rows of.
    table: str = 'pair_features'


@dataclass(frozen=True)
class FeatureParts:
    """Features as they were computed, before anybody can read them."""

    # The part of each day that has pairs.
    keys: dict[str, str]
    pairs: dict[str, int]


def days_within(bucket: LakeBucket, prefix: str, first_day: str, last_day: str) -> list[str]:
    """The days of the range that have a folder under the prefix, both ends inclusive, ascending."""
    days = {day for day in map(day_of, bucket.list_folders(prefix)) if day is not None}
    return sorted(day for day in days if first_day <= day <= last_day)


@contextmanager
def compute_parts(bucket: LakeBucket, *, first_day: str, last_day: str, write: Callable, count: Callable) -> Iterator[FeatureParts]:
    """
    The features of the range, both ends inclusive, counted from the lake's first day on; they are gone again at the end.
    `write(folder=, first_day=, last_day=, into=)` and `count(folder=, first_day=, last_day=)` read pair days of a folder. What it holds are
    copies, each pinned to one etag: Spark reads an object in many requests, and a day that changes meanwhile must be old or new as a whole.
    """
    # A name of its own: another run may be at the same days.
    work = f'{WORK_PREFIX}export_features/{uuid.uuid4()}'
    address = f's3://{bucket.name}/{work}'
    try:
        days = days_within(bucket, pair_days().prefix, '', last_day)
        with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
            copied = any([*pool.map(partial(_pin, bucket, work), days)])
        if not copied:
            yield FeatureParts({}, {})
            return
        of_days = {'folder': f'{address}/{pair_days().prefix}', 'first_day': first_day, 'last_day': last_day}
        write(**of_days, into=f'{address}/{FEATURES_PREFIX}')
        parts = [key for key in bucket.list(f'{work}/{FEATURES_PREFIX}') if key.endswith('.parquet')]
        pairs = count(**of_days)
        if [day_of(part) for part in parts] != sorted(pairs):
            raise AssertionError(f'Spark was to write one part for each of {sorted(pairs)}, and wrote {parts}')
        yield FeatureParts({day_of(part): part for part in parts}, pairs)
    finally:
        # Without a final slash: the file system of Glue leaves `<folder>_$folder$` beside a folder.
        bucket.delete_all(work)


def publish_day(of: FeatureDay, *, bucket: LakeBucket, parts: FeatureParts) -> PeriodResult:
    """Replaces the day's object by its part, in one step; a day that has no pairs has no object."""
    day = of.period
    part = parts.keys.get(day)
    if part is None:
        bucket.delete_all(features_key(day))
        return result_of(of, 'has no pairs, its object was removed')
    bucket.copy(part, etag=bucket.etag_of(part), to=features_key(day))
    return result_of(of, 'written', rows=parts.pairs[day])


def plan_day(of: FeatureDay, *, pairs: dict[str, int]) -> PeriodResult:
    """What `publish_day` would do."""
    if of.period in pairs:
        return result_of(of, 'is to be written', rows=pairs[of.period])
    return result_of(of, 'has no pairs, its object is to go')


def _pin(bucket: LakeBucket, work: str, day: str) -> bool:
    key = merged_key(pair_days(), day)
    while True:
        etag = bucket.etag_of(key)
        if etag is None:
            return False
        try:
            bucket.copy(key, etag=etag, to=f'{work}/{key}')
            return True
        except ConflictError:
            # Written between two requests.
            continue
