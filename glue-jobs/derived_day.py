"""
A day of a derived table as one look at the bucket shows it, as lake/commit/derive-state.ts has it: what its object says that it was made of, and what
it would be made of now.
"""
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from lake_bucket import LakeBucket
from lake_errors import ConflictError, StorageError
from lake_inputs import LakeInputs
from lake_layout import day_of, day_prefix, merged_key, period_of
from lake_tables import Derived, Kind
from period_contents import read_made_of


@dataclass(frozen=True)
class DerivedDay:
    """A day of a derived table: one object."""

    kind: Kind
    derived: Derived
    # The day, `2026-01-05`.
    period: str

    @property
    def table(self) -> str:
        """Name of the table."""
        return self.derived.table.name

    @property
    def key(self) -> str:
        """Key of the object."""
        return merged_key(self.derived.table, self.period)


@dataclass(frozen=True)
class MadePart:
    """A merged object as it was read, and what came of it."""

    period: str
    # As lake/commit names it: without quotes.
    etag: str
    # Versions of the inputs that it asked for, by name; 0 where there was none.
    inputs: dict[str, int]
    # How many rows came of it.
    rows: int


@dataclass(frozen=True)
class MadeOf:
    """All that a derived object was made of, as it was read."""

    format: int
    parts: list[MadePart]
    # Hash of the state that the day opened with, and of the one behind it; None where the table is not chained.
    opening: str | None = None
    closing: str | None = None
    # Versions of the inputs that the rows of the closing state asked for.
    end_inputs: dict[str, int] = field(default_factory=dict)


# What an object says that is damaged, or none of the lake's: no look comes to that, so it is derived anew.
NOTHING_SAID = MadeOf(0, [], opening='', closing='')

# Hash of the state before anything was, which is the null of JSON.
_HASH_OF_NO_STATE = hashlib.sha256(b'null').hexdigest()


@dataclass(frozen=True)
class DayLook:
    """What the day would be made of now."""

    # Etags of the day's merged objects by their periods, ascending.
    etags: dict[str, str]
    # Hash of the state that the day opens with; None where the table is not chained.
    opening: str | None
    # Versions of the inputs that the own object names, as they are now.
    versions: dict[str, int]


def read_own(bucket: LakeBucket, of: DerivedDay) -> tuple[str | None, MadeOf | None]:
    """
    The day's object: its etag, and what it says that it was made of; both None where there is none. Raises StorageError where a newer version of the
    program has derived it.
    """
    etag, text, said_format = _settled(partial(read_made_of, bucket, of.key))
    if etag is None:
        return None, None
    if said_format > of.derived.format:
        raise StorageError(
            f'{of.key} was derived by a newer version of flowlake (format {said_format} of {of.table}, this one has {of.derived.format}): '
            'deploy that one'
        )
    return etag, _parse_made_of(text, said_format)


def look_at_day(bucket: LakeBucket, of: DerivedDay, *, own: MadeOf | None, inputs: LakeInputs) -> DayLook:
    """Looks once at all that the day would be made of; `own` is what its object said before, `inputs` are what is to hold for this look."""
    names = {name for said in _inputs_of(own) for name in said}
    versions = {name: inputs.version_of(name) for name in sorted(names)}
    merged = of.kind.merged
    etags = {}
    for key, etag in bucket.list_etags(day_prefix(merged.prefix, of.period)):
        period = period_of(merged, key)
        if period is not None and key == merged_key(merged, period):
            etags[period] = plain_etag(etag)
    return DayLook(etags, _opening_of(bucket, of) if of.derived.is_chained else None, versions)


def is_made_of(of: DerivedDay, own: MadeOf | None, look: DayLook) -> bool:
    """True if the object names just what is there now. A day without any merged object needs none."""
    if own is None:
        return not look.etags
    return (
        own.format == of.derived.format
        and own.opening == look.opening
        and {part.period: part.etag for part in own.parts} == look.etags
        and all(look.versions[name] == version for said in _inputs_of(own) for name, version in said.items())
    )


def say_made_of(made_of: MadeOf) -> str:
    """What the object says that it was made of, as text."""
    parts = [{'period': part.period, 'etag': part.etag, 'inputs': part.inputs, 'rows': part.rows} for part in made_of.parts]
    said = {'parts': parts, 'opening': made_of.opening, 'closing': made_of.closing, 'endInputs': made_of.end_inputs}
    return json.dumps(said, separators=(',', ':'), ensure_ascii=False)


def plain_etag(etag: str) -> str:
    """The etag without the quotes that S3 writes it in."""
    return etag.replace('"', '')


def _opening_of(bucket: LakeBucket, of: DerivedDay) -> str:
    """The closing state that the nearest earlier day with an object names: never simply yesterday's, which may be empty or come later."""
    table = of.derived.table
    before = None
    for key in bucket.list(table.prefix):
        day = day_of(key)
        if day is not None and day < of.period and key == merged_key(table, day):
            before = day
    if before is None:
        return _HASH_OF_NO_STATE
    own = read_own(bucket, DerivedDay(of.kind, of.derived, before))[1]
    return (own or NOTHING_SAID).closing or ''


def _inputs_of(made_of: MadeOf | None) -> list[dict[str, int]]:
    return [] if made_of is None else [*(part.inputs for part in made_of.parts), made_of.end_inputs]


def _parse_made_of(text: str, said_format: int) -> MadeOf:
    try:
        said = json.loads(text)
        parts = [MadePart(part['period'], part['etag'], part['inputs'], part['rows']) for part in said['parts']]
        return MadeOf(said_format, parts, said['opening'], said['closing'], said['endInputs'])
    except (ValueError, KeyError, TypeError):
        return NOTHING_SAID


def _settled(read: Callable):
    while True:
        try:
            return read()
        except ConflictError:
            # Written between two requests.
            continue
