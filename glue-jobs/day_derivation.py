"""Use case: compute a day of a derived table from the day's merged objects, under the rules of docs/design.md ("Derived tables")."""
import os
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from derived_day import DerivedDay, MadeOf, MadePart, NOTHING_SAID, is_made_of, look_at_day, read_own, say_made_of
from lake_bucket import LakeBucket
from lake_errors import ConflictError
from lake_inputs import LakeInputs
from lake_layout import WORK_PREFIX
from period_object import download_parts, write_period_object


@dataclass
class DerivedOutcome:
    """What was done for a day of a derived table."""

    # How many times the object was written: 0 where it was right already.
    writes: int = 0
    # How many times another writer was faster.
    lost_races: int = 0
    # Rows of the object as it was written last.
    rows: int = 0


# Reads the merged objects of these periods and writes what comes of them as sorted parts below a key: one entry for each object, as it was read, None
# for one that is gone.
DeriveParts = Callable[..., list[MadePart | None]]


def derive(of: DerivedDay, *, bucket: LakeBucket, derive_parts: DeriveParts, anew: bool = False) -> DerivedOutcome:
    """
    Brings one day of a derived table that is not chained up to the merged objects. Safe to call again, and by several workers at once, Lambdas among
    them. With `anew` the object is written once, whatever it says that it was made of. Raises StorageError where a merged object or an input is damaged.
    """
    outcome = DerivedOutcome()
    while True:
        # 1. The own object and its etag, before all that it is made of.
        etag, own = read_own(bucket, of)
        if anew and outcome.writes == 0 and own is not None:
            own = NOTHING_SAID
        # 2. All that it would be made of.
        look = look_at_day(bucket, of, own=own, inputs=LakeInputs(bucket.read, of.kind.inputs_prefix or ''))
        # 3. What it names is what is there.
        if is_made_of(of, own, look):
            return outcome
        try:
            rows = _write_day(of, sorted(look.etags), etag=etag, bucket=bucket, derive_parts=derive_parts)
        except ConflictError:
            outcome.lost_races += 1
            continue
        if rows is not None:
            outcome.writes += 1
            outcome.rows = rows
        # Won or lost, look at all of it again: what was read may have been overtaken, and who told of that may have found nothing to do yet.


def is_derived(bucket: LakeBucket, of: DerivedDay) -> bool:
    """True if the day's object names just what is there, of a chained table too."""
    own = read_own(bucket, of)[1]
    return is_made_of(of, own, look_at_day(bucket, of, own=own, inputs=LakeInputs(bucket.read, of.kind.inputs_prefix or '')))


def _write_day(of: DerivedDay, periods: list[str], *, etag: str | None, bucket: LakeBucket, derive_parts: DeriveParts) -> int | None:
    """Writes the object of what is there; how many rows it has, None where a merged object is gone since it was looked at."""
    # A name of its own: another run may work on the same day.
    work = f'{WORK_PREFIX}consolidate_days/{of.table}/{of.period}/{uuid.uuid4()}'
    try:
        # 4. Read what is needed, and name it as it was read.
        made = derive_parts(of=of, periods=periods, into=work) if periods else []
        if any(part is None for part in made):
            return None
        with tempfile.TemporaryDirectory() as folder:
            parts = download_parts(bucket, f'{work}/parts/', folder)
            path = os.path.join(folder, 'derived.parquet')
            said = MadeOf(of.derived.format, made)
            rows = write_period_object(path, parts, table=of.derived.table, made_of=say_made_of(said), read_in=said.format)
            if rows != sum(part.rows for part in made):
                raise AssertionError(f'{of.key} was to have the rows of its parts, {[part.rows for part in made]}, and has {rows}')
            # 5. Write.
            bucket.put_file(path, of.key, etag=etag)
        return rows
    finally:
        # Without a final slash: the file system of Glue leaves `<folder>_$folder$` beside a folder.
        bucket.delete_all(work)
