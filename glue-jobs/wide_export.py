"""Use case: the wide tables of profiles that ask for one, as one Parquet object per table and day under wide/, made of the raw messages."""
from collections.abc import Iterator
from dataclasses import dataclass

from lake_bucket import LakeBucket
from lake_errors import UsageError
from lake_inputs import LakeInputs
from lake_layout import day_of, day_prefix
from period_report import PeriodResult, result_of
from period_work import count
from readings_export import MADE_OF, is_made_of, made_of
from source_readings import TelemetrySource
from wide_columns import plain_name

PROFILES_PREFIX = 'profiles/'
WIDE_PREFIX = 'wide/'

# The table of fields that no column can hold, beside the tables of the profiles: no profile's table may be called so.
REJECTED = 'rejected'

# Raised when the same messages give other rows: then every day is made anew.
_FORMAT = 1


@dataclass(frozen=True)
class WideDay:
    """A day of a wide table, as a run works on it and tells of it."""

    # Name of the table without `wide_`.
    name: str
    profile: str
    period: str

    @property
    def table(self) -> str:
        """Name of the table as SQL finds it."""
        return f'wide_{self.name}'

    @property
    def key(self) -> str:
        """Key of the day's object."""
        return f'{day_prefix(f"{WIDE_PREFIX}{self.name}/", self.period)}part-00.parquet'

    @property
    def rejected_key(self) -> str:
        """Key of the day's fields that no column could hold."""
        return f'{day_prefix(f"{WIDE_PREFIX}{REJECTED}/", self.period)}{self.name}.parquet'


@dataclass(frozen=True)
class WideParts:
    """Days as they were written, before anybody can see them: parts and numbers of rows by (name of the table, day)."""

    keys: dict[tuple[str, str], str]
    rows: dict[tuple[str, str], int]
    rejected_keys: dict[tuple[str, str], str]
    rejected: dict[tuple[str, str], int]


def wide_profiles(bucket: LakeBucket) -> dict[str, str]:
    """The profiles that ask for a wide table now, each with the table's name. Raises UsageError for two of one name, StorageError for a damaged profile."""
    inputs = LakeInputs(bucket.read, PROFILES_PREFIX)
    asking = [name for name in _pointers(bucket) if (found := inputs.find(name)) is not None and found.document.get('wide') is True]
    tables: dict[str, str] = {}
    for profile in asking:
        table = plain_name(profile)
        other = next((name for name, of in tables.items() if of == table), None)
        if other is not None or table == REJECTED:
            taken = f'profile {other} has it' if other is not None else 'it is the table of rejected fields'
            raise UsageError(f'Profile {profile} asks for table wide_{table}, and {taken}: give it another name')
        tables[profile] = table
    return tables


def _pointers(bucket: LakeBucket) -> Iterator[str]:
    for key in bucket.list(PROFILES_PREFIX):
        name = key.removeprefix(PROFILES_PREFIX)
        if '/' not in name and name.endswith('.json'):
            yield name.removesuffix('.json')


def days_to_make(
    bucket: LakeBucket, tables: dict[str, str], sources: list[TelemetrySource], *, first_day: str, last_day: str, anew: bool
) -> list[WideDay]:
    """The days of the range, both ends inclusive, whose objects are not made of what counts now, and those that have an object and no source any more."""
    days = set()
    for profile, name in tables.items():
        of_sources = {day for source in sources if profile in source.versions for day in source.days}
        there = {day for day in map(day_of, bucket.list_folders(f'{WIDE_PREFIX}{name}/')) if day is not None}
        days |= {WideDay(name, profile, day) for day in of_sources | there if first_day <= day <= last_day}
    ordered = sorted(days, key=lambda each: (each.name, each.period))
    return [of for of in ordered if anew or not is_made_of(bucket, of.key, made_of(sources_of(of, sources), format=_FORMAT))]


def sources_of(of: WideDay, sources: list[TelemetrySource]) -> list[TelemetrySource]:
    """The sources that may have messages of the day."""
    return [source for source in sources if of.profile in source.versions and of.period in source.days]


def plan_day(of: WideDay, *, sources: list[TelemetrySource]) -> PeriodResult:
    """What `publish_day` would do."""
    number = len(sources_of(of, sources))
    return result_of(of, f'is to be written from {count(number, "source")}' if number else 'has no messages, its object is to go')


def publish_day(of: WideDay, *, bucket: LakeBucket, parts: WideParts, sources: list[TelemetrySource], not_read: set[str]) -> PeriodResult:
    """
    Replaces the day's objects, each in one step, that of rejected fields first; a day that has no messages has none. Says what could not be read: the next run
    makes such a day again.
    """
    of_day = sources_of(of, sources)
    missing = sum(source.key in not_read for source in of_day)
    without = f' without {count(missing, "source")} that could not be read' if missing else ''
    at = (of.name, of.period)
    _replace(bucket, of.rejected_key, parts.rejected_keys.get(at), {})
    told = {} if missing else {MADE_OF: made_of(of_day, format=_FORMAT) or ''}
    _replace(bucket, of.key, parts.keys.get(at), told)
    if at not in parts.keys:
        return result_of(of, f'has no messages, its object was removed{without}')
    rejected = parts.rejected.get(at, 0)
    fields = f', {count(rejected, "field")} rejected' if rejected else ''
    return result_of(of, f'written{without}{fields}', rows=parts.rows[at], sources=len(of_day) - missing)


def _replace(bucket: LakeBucket, key: str, part: str | None, metadata: dict[str, str]) -> None:
    if part is None:
        bucket.delete_all(key)
    else:
        bucket.copy(part, etag=bucket.etag_of(part), to=key, metadata=metadata)
