"""A period as one look at the bucket shows it: what its object contains and what should be in it, as lake/commit/period-state.ts has it."""
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lake_bucket import LakeBucket
from lake_errors import ConflictError, StorageError
from lake_layout import TablePeriod, contribution_of, ledger_key, source_of
from period_contents import read_contents

# A period of a back-fill asks for thousands of ledger records; a request takes some 20 ms.
_LEDGER_READS_AT_ONCE = 16


@dataclass(frozen=True)
class PeriodState:
    """Contributions are `<source>.<version>`, ascending."""

    # Etag of the period's object; None where there is none.
    etag: str | None
    contained: list[str]
    counting: list[str]
    # The period shall be written whatever its object contains, which was not looked at then.
    is_anew: bool = False

    @property
    def is_current(self) -> bool:
        """True if nothing needs to be written."""
        if self.is_anew:
            return self.etag is None and not self.counting
        return self.contained == self.counting

    @property
    def may_merge(self) -> bool:
        """True if all that is contained counts still. An object without a list is none of the lake's: what it adds up to is not known."""
        return bool(self.contained) and set(self.contained) <= set(self.counting)

    @property
    def missing(self) -> list[str]:
        """The contributions to be read: the new ones where they can be merged into what is there, else all."""
        return sorted(set(self.counting) - set(self.contained)) if self.may_merge else self.counting


def look_at_period(bucket: LakeBucket, of: TablePeriod, *, anew: bool = False) -> PeriodState:
    """
    Looks once, object first; with `anew` at no more of it than its etag. Raises StorageError where the period's object (not with `anew`) or
    a ledger record is damaged.
    """
    key = of.merged_key
    etag, contained = (bucket.etag_of(key), []) if anew else _read_settled(bucket, key)
    listed = sorted(filter(None, map(contribution_of, bucket.list(of.contributions_prefix))))
    is_contained = set(contained)
    versions = Counter(map(source_of, listed))
    # A worker that died before its commit, or lost the race, leaves contributions that nobody may count; and one that has yet to delete
    # what it superseded leaves two versions, of which a reader must never see both.
    known = {name for name in listed if name in is_contained and versions[source_of(name)] == 1}
    asked = sorted({source_of(name) for name in listed if name not in known})
    with ThreadPoolExecutor(_LEDGER_READS_AT_ONCE) as pool:
        live = dict(zip(asked, pool.map(lambda source: read_live_version(bucket, source), asked)))
    counting = [name for name in listed if name in known or name == f'{source_of(name)}.{live[source_of(name)]}']
    return PeriodState(etag, contained, counting, is_anew=anew)


def read_live_version(bucket: LakeBucket, source: str) -> str | None:
    """The version of the source that counts; None where none does, or where it was never committed."""
    key = ledger_key(source)
    text = bucket.read(key)
    if text is None:
        return None
    try:
        return json.loads(text)['version']
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f'{key} is no ledger record: restore it from a backup, or delete it and run flowlake reconcile') from error


def _read_settled(bucket: LakeBucket, key: str) -> tuple[str | None, list[str]]:
    while True:
        try:
            return read_contents(bucket, key)
        except ConflictError:
            # Written between two requests.
            continue
