"""Says where each object of the lake lives, like lake/layout.ts, and where the jobs keep what is being made."""
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from lake_tables import Kind, Table

LEDGER_PREFIX = 'ledger/'
FEATURES_PREFIX = 'exports/features/'
METRIC_FEATURES_PREFIX = 'exports/metric_features/'
READINGS_EXPORT_PREFIX = 'exports/readings/'

# Work of the jobs stands outside of every table, and Athena and Spark pass over names that begin with an underscore.
WORK_PREFIX = '_flowlake/'

_CONTRIBUTION = re.compile(r'/(?:\d\d\.)?([0-9a-f]{16}\.\d+-[0-9a-f]{16})\.parquet$')
_DAY = re.compile(r'/day=(\d{4}-\d{2}-\d{2})/')
_HOUR = re.compile(r'/([01]\d|2[0-3])\.[^/]*$')


@dataclass(frozen=True)
class TablePeriod:
    """A span of time of a kind's merged table: one object."""

    kind: Kind
    # A day (`2026-01-05`), or an hour (`2026-01-05T13`).
    period: str

    @property
    def table(self) -> str:
        """Name of the merged table."""
        return self.kind.merged.name

    @property
    def day(self) -> str:
        """The day that the period is, or is an hour of."""
        return self.period.partition('T')[0]

    @property
    def merged_key(self) -> str:
        """Key of the object."""
        return merged_key(self.kind.merged, self.period)

    @property
    def contributions_prefix(self) -> str:
        """What the keys of all contributions to the period begin with."""
        return contributions_prefix(self.kind.contributions, self.period)

    def contribution_key(self, contribution: str) -> str:
        """Key of what `<source>.<version>` contributes to the period."""
        return f'{self.contributions_prefix}{contribution}.parquet'


def day_prefix(prefix: str, day: str) -> str:
    """The partition of one day under a prefix, with the final slash."""
    return f'{prefix}day={day}/'


def merged_key(table: Table, period: str) -> str:
    """The key of a period's merged object: `<prefix>day=D/part-00.parquet`, for an hour `<prefix>day=D/HH.parquet`."""
    day, _, hour = period.partition('T')
    return f'{day_prefix(table.prefix, day)}{hour or "part-00"}.parquet'


def contributions_prefix(table: Table, period: str) -> str:
    """The beginning of the keys of all contributions to a period: `<prefix>day=D/`, for an hour `<prefix>day=D/HH.`."""
    day, _, hour = period.partition('T')
    return f'{day_prefix(table.prefix, day)}{f"{hour}." if hour else ""}'


def period_of(table: Table, key: str) -> str | None:
    """
    The period of an object of the table, by its key or by what the keys of an hour have in common, up to the dot behind it. None where the
    table has no such object.
    """
    day = day_of(key) if key.startswith(table.prefix) else None
    if day is None or table.per != 'hour':
        return day
    hour = _HOUR.search(key)
    return hour and f'{day}T{hour[1]}'


def hour_start_ms(period: str) -> int:
    """The beginning of an hour (`2026-01-05T13`), in milliseconds since 1970."""
    return round(datetime.strptime(period, '%Y-%m-%dT%H').replace(tzinfo=UTC).timestamp()) * 1_000


def say_when(period: str) -> str:
    """`on 2026-01-05`, `in the hour 2026-01-05T13`."""
    return f'in the hour {period}' if 'T' in period else f'on {period}'


def features_key(day: str, prefix: str = FEATURES_PREFIX) -> str:
    """The day's one object of what models are trained on, below the prefix of its set."""
    return f'{day_prefix(prefix, day)}part-00.parquet'


def readings_export_key(day: str) -> str:
    """The day's one object of readings that the job read."""
    return f'{day_prefix(READINGS_EXPORT_PREFIX, day)}part-00.parquet'


def ledger_key(source: str) -> str:
    """The record that says which version of the source counts."""
    return f'{LEDGER_PREFIX}{source}.json'


def contribution_of(key: str) -> str | None:
    """The `<source>.<version>` of a contribution's key; None for any other object."""
    match = _CONTRIBUTION.search(key)
    return match and match[1]


def source_of(contribution: str) -> str:
    """The source of `<source>.<version>`."""
    return contribution.partition('.')[0]


def day_of(prefix: str) -> str | None:
    """The day of a partition or of a key in it; None where it has none."""
    match = _DAY.search(prefix)
    return match and match[1]
