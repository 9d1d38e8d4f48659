"""Where each object of the lake lives, as lake/layout.ts has it, and where the jobs keep what is being made."""
import re

SUMMARIES_PREFIX = 'summaries/'
PAIR_DAYS_PREFIX = 'pair_days/'
LEDGER_PREFIX = 'ledger/'
FEATURES_PREFIX = 'exports/features/'

# Outside of every table, and Athena and Spark pass over names that begin with an underscore.
WORK_PREFIX = '_flowlake/'

_SUMMARY = re.compile(r'/([0-9a-f]{16}\.\d+-[0-9a-f]{16})\.parquet$')
_DAY = re.compile(r'/day=(\d{4}-\d{2}-\d{2})/')


def day_prefix(prefix: str, day: str) -> str:
    """The partition of one day under a prefix, with the final slash."""
    return f'{prefix}day={day}/'


def pair_days_key(day: str) -> str:
    """The day's one object."""
    return f'{day_prefix(PAIR_DAYS_PREFIX, day)}part-00.parquet'


def features_key(day: str) -> str:
    """What models are trained on, of the day's pairs; one object."""
    return f'{day_prefix(FEATURES_PREFIX, day)}part-00.parquet'


def summary_key(day: str, contribution: str) -> str:
    """The summary that `<source>.<version>` has for the day."""
    return f'{day_prefix(SUMMARIES_PREFIX, day)}{contribution}.parquet'


def ledger_key(source: str) -> str:
    """The record that says which version of the source counts."""
    return f'{LEDGER_PREFIX}{source}.json'


def contribution_of(key: str) -> str | None:
    """The `<source>.<version>` of a summary's key; None for any other object."""
    match = _SUMMARY.search(key)
    return match and match[1]


def source_of(contribution: str) -> str:
    """The source of `<source>.<version>`."""
    return contribution.partition('.')[0]


def day_of(prefix: str) -> str | None:
    """The day of a partition or of a key in it; None where it has none."""
    match = _DAY.search(prefix)
    return match and match[1]
