"""Use case: merge what the sources contribute to a period into the period's object, under the commit rules of docs/design.md."""
import os
import tempfile
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from lake_bucket import LakeBucket
from lake_errors import ConflictError, StorageError
from lake_layout import WORK_PREFIX, TablePeriod
from period_contents import Footer, read_footer
from period_object import download_parts, write_period_object
from period_state import PeriodState, look_at_period

# A footer takes some 20 ms.
_FOOTERS_AT_ONCE = 16


@dataclass
class Outcome:
    """What was done for a period."""

    # How many times the period's object was written: 0 where it was right already.
    writes: int = 0
    # How many times another writer was faster.
    lost_races: int = 0
    # How many sources the period has now.
    sources: int = 0
    # Rows of the object as it was written last.
    rows: int = 0


def consolidate(of: TablePeriod, *, bucket: LakeBucket, merge: Callable[..., None], anew: bool = False) -> Outcome:
    """
    Brings the merged object of the period up to what counts. Safe to call again, and by several workers at once, Lambdas among them.
    With `anew` the object is written once from the contributions, whatever it says that it contains: for one that is damaged, or of an
    older layout.
    `merge(of=, paths=, into=)` writes the merged rows of files as sorted parts. Raises OverflowError, and StorageError where something
    cannot be read that is there still.
    """
    outcome = Outcome()
    while True:
        state = look_at_period(bucket, of, anew=anew and outcome.writes == 0)
        outcome.sources = len(state.counting)
        if state.is_current:
            return outcome
        try:
            outcome.rows = _write_period(of, state, bucket=bucket, merge=merge)
            outcome.writes += 1
        except ConflictError:
            outcome.lost_races += 1
        except StorageError:
            # A contribution that was deleted while it was read is no error: what counts is something else by now.
            if look_at_period(bucket, of, anew=state.is_anew) == state:
                raise
        # Won or lost, look again: a slower worker's write may rest on a listing that was overtaken.


def _write_period(of: TablePeriod, state: PeriodState, *, bucket: LakeBucket, merge: Callable[..., None]) -> int:
    # A name of its own: another run may work on the same period.
    work = f'{WORK_PREFIX}consolidate_days/{of.table}/{of.period}/{uuid.uuid4()}'
    try:
        keys = [of.contribution_key(name) for name in state.missing]
        if state.may_merge:
            # Spark reads an object in many requests, not pinned to one etag; the copy is, and it stays as it is.
            bucket.copy(of.merged_key, etag=state.etag, to=f'{work}/contained.parquet')
            keys.append(f'{work}/contained.parquet')
        footers = _read_footers(bucket, keys)
        if keys:
            _check_columns(bucket, of, footers)
            merge(of=of, paths=[f's3://{bucket.name}/{key}' for key in keys], into=f's3://{bucket.name}/{work}/parts')
        with tempfile.TemporaryDirectory() as folder:
            parts = download_parts(bucket, f'{work}/parts/', folder)
            path = os.path.join(folder, 'merged.parquet')
            read_in = min([of.kind.format, *(footer.format_of(of.kind) for footer in footers.values())])
            rows = write_period_object(path, parts, table=of.kind.merged, contains=state.counting, read_in=read_in)
            bucket.put_file(path, of.merged_key, etag=state.etag)
        return rows
    finally:
        # Without a final slash: the file system of Glue leaves `<folder>_$folder$` beside a folder.
        bucket.delete_all(work)


def _read_footers(bucket: LakeBucket, keys: list[str]) -> dict[str, Footer]:
    with ThreadPoolExecutor(_FOOTERS_AT_ONCE) as pool:
        return dict(zip(keys, pool.map(partial(read_footer, bucket), keys)))


def _check_columns(bucket: LakeBucket, of: TablePeriod, footers: dict[str, Footer]) -> None:
    """Raises StorageError for an object of an older format, which Spark would take for one whose column has nulls only."""
    # The merge itself finds nulls in all other columns.
    nullable = {column.name for column in of.kind.merged.columns if column.nullable}
    for key, footer in footers.items():
        missing = sorted(nullable - footer.columns)
        if missing:
            raise StorageError(f'{missing[0]} is missing in s3://{bucket.name}/{key}: run flowlake reconcile')
