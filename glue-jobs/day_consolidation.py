"""Use case: one day's summaries into its pair days, under the commit rules of docs/design.md."""
import os
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from day_object import write_day_object
from day_state import DayState, look_at_day
from lake_bucket import LakeBucket
from lake_errors import ConflictError, StorageError
from lake_layout import WORK_PREFIX, pair_days_key, summary_key


@dataclass
class Outcome:
    """What was done for a day."""

    # How many times the day's object was written: 0 where it was right already.
    writes: int = 0
    # How many times another writer was faster.
    lost_races: int = 0
    # How many the day has now.
    sources: int = 0
    # Of the object as it was written last.
    rows: int = 0


def consolidate(day: str, *, bucket: LakeBucket, merge: Callable[..., None], anew: bool = False) -> Outcome:
    """
    Brings `pair_days` of the day up to what counts. Safe to call again, and by several workers at once, Lambdas among them.
    With `anew` the day is written once from its summaries, whatever its object says it contains: for one that is damaged, or of an older
    layout.
    `merge(day=, paths=, into=)` writes the merged rows of files as sorted parts. Raises OverflowError, and StorageError where something
    cannot be read that is there still.
    """
    outcome = Outcome()
    while True:
        state = look_at_day(bucket, day, anew=anew and outcome.writes == 0)
        outcome.sources = len(state.counting)
        if state.is_current:
            return outcome
        try:
            outcome.rows = _write_day(day, state, bucket=bucket, merge=merge)
            outcome.writes += 1
        except ConflictError:
            outcome.lost_races += 1
        except StorageError:
            # A summary that was deleted while it was read is no error: what counts is something else by now.
            if look_at_day(bucket, day, anew=state.is_anew) == state:
                raise
        # Won or lost, look again: a slower worker's write may rest on a listing that was overtaken.


def _write_day(day: str, state: DayState, *, bucket: LakeBucket, merge: Callable[..., None]) -> int:
    # A name of its own: another run may work on the same day.
    work = f'{WORK_PREFIX}consolidate_days/day={day}/{uuid.uuid4()}'
    try:
        keys = [summary_key(day, name) for name in state.missing]
        if state.may_merge:
            # Spark reads an object in many requests, not pinned to one etag; the copy is, and it stays as it is.
            bucket.copy(pair_days_key(day), etag=state.etag, to=f'{work}/contained.parquet')
            keys.append(f'{work}/contained.parquet')
        if keys:
            merge(day=day, paths=[f's3://{bucket.name}/{key}' for key in keys], into=f's3://{bucket.name}/{work}/parts')
        with tempfile.TemporaryDirectory() as folder:
            parts = _download_parts(bucket, f'{work}/parts/', folder)
            path = os.path.join(folder, 'day.parquet')
            rows = write_day_object(path, parts, contains=state.counting)
            bucket.put_file(path, pair_days_key(day), etag=state.etag)
        return rows
    finally:
        # Without a final slash: the file system of Glue leaves `<folder>_$folder$` beside a folder.
        bucket.delete_all(work)


def _download_parts(bucket: LakeBucket, prefix: str, folder: str) -> list[str]:
    paths = []
    for key in bucket.list(prefix):
        if key.endswith('.parquet'):
            paths.append(os.path.join(folder, key.removeprefix(prefix)))
            bucket.download(key, paths[-1])
    return paths
