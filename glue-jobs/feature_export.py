"""Use case: the features of a range of days as one Parquet object per day, under exports/."""
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from feature_sets import FeatureSet
from lake_bucket import LakeBucket
from lake_errors import ConflictError
from lake_layout import WORK_PREFIX, day_of, features_key, merged_key
from period_report import PeriodResult, result_of

# Copies inside of S3 are waited for.
COPIES_AT_ONCE = 16


@dataclass(frozen=True)
class FeatureDay:
    """A day of features, as a run works on it and tells of it."""

    period: str
    set: FeatureSet

    @property
    def table(self) -> str:
        """The view that an object has the rows of."""
        return self.set.view

    @property
    def key(self) -> str:
        """Key of the day's object."""
        return features_key(self.period, self.set.prefix)


@dataclass(frozen=True)
class FeatureParts:
    """Features as they were computed, before anybody can read them."""

    # The part of each day that has rows.
    keys: dict[str, str]
    rows: dict[str, int]


def days_within(bucket: LakeBucket, prefix: str, first_day: str, last_day: str) -> list[str]:
    """The days of the range that have a folder under the prefix, both ends inclusive, ascending."""
    days = {day for day in map(day_of, bucket.list_folders(prefix)) if day is not None}
    return sorted(day for day in days if first_day <= day <= last_day)


@contextmanager
def compute_parts(
    bucket: LakeBucket, of: FeatureSet, *, first_day: str, last_day: str, write: Callable, count: Callable
) -> Iterator[FeatureParts]:
    """
    The features of the range, both ends inclusive, counted from the lake's first day on; they are gone again at the end.
    `write(folder=, first_day=, last_day=, into=)` and `count(folder=, first_day=, last_day=)` read days of a folder. What it holds are
    copies, each pinned to one etag: Spark reads an object in many requests, and a day that changes meanwhile must be old or new as a whole.
    """
    # A name of its own: another run may be at the same days.
    work = f'{WORK_PREFIX}export_features/{uuid.uuid4()}'
    address = f's3://{bucket.name}/{work}'
    try:
        days = days_within(bucket, of.table.prefix, '', last_day)
        with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
            copied = any([*pool.map(partial(_pin, bucket, of, work), days)])
        if not copied:
            yield FeatureParts({}, {})
            return
        of_days = {'folder': f'{address}/{of.table.prefix}', 'first_day': first_day, 'last_day': last_day}
        write(**of_days, into=f'{address}/{of.prefix}')
        parts = [key for key in bucket.list(f'{work}/{of.prefix}') if key.endswith('.parquet')]
        rows = count(**of_days)
        if [day_of(part) for part in parts] != sorted(rows):
            raise AssertionError(f'Spark was to write one part for each of {sorted(rows)}, and wrote {parts}')
        yield FeatureParts({day_of(part): part for part in parts}, rows)
    finally:
        # Without a final slash: the file system of Glue leaves `<folder>_$folder$` beside a folder.
        bucket.delete_all(work)


def publish_day(of: FeatureDay, *, bucket: LakeBucket, parts: FeatureParts) -> PeriodResult:
    """Replaces the day's object by its part, in one step; a day that has no rows has no object."""
    part = parts.keys.get(of.period)
    if part is None:
        bucket.delete_all(of.key)
        return result_of(of, f'has no {of.set.noun}, its object was removed')
    bucket.copy(part, etag=bucket.etag_of(part), to=of.key)
    return result_of(of, 'written', rows=parts.rows[of.period])


def plan_day(of: FeatureDay, *, rows: dict[str, int]) -> PeriodResult:
    """What `publish_day` would do."""
    if of.period in rows:
        return result_of(of, 'is to be written', rows=rows[of.period])
    return result_of(of, f'has no {of.set.noun}, its object is to go')


def _pin(bucket: LakeBucket, of: FeatureSet, work: str, day: str) -> bool:
    key = merged_key(of.table, day)
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
