"""What a run tells of its periods while it is at them: one small JSON object, so that who started it need not read logs."""
import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Protocol

from lake_bucket import LakeBucket
from lake_tables import read_kinds

# Periods that are right already come by the hundred in a second; whoever follows the run looks every few seconds.
_WRITE_AFTER_SECONDS = 2


class Period(Protocol):
    """What a run works on one by one: a period of a merged table, or a day of features."""

    @property
    def table(self) -> str:
        """Name of the table or view whose rows the period's object has."""

    @property
    def period(self) -> str:
        """A day or an hour."""


@dataclass(frozen=True)
class PeriodResult:
    """How one period came out, or would."""

    # As of the Period.
    table: str
    period: str
    # `written`, `was right` and the like.
    what: str
    # How many sources the period has; None where it is not known.
    sources: int | None = None
    # Rows of the period's object as it was written; None where it was not.
    rows: int | None = None
    failed: bool = False


def result_of(of: Period, what: str, **more) -> PeriodResult:
    """The result of a period, in words and with what else is known of it."""
    return PeriodResult(of.table, of.period, what, **more)


class PeriodReport:
    """The object at `key`, written anew as periods come in; without a key nothing is written. Safe to use from several threads."""

    def __init__(self, bucket: LakeBucket, key: str | None, *, clock: Callable[[], float] = time.monotonic):
        self._bucket = bucket
        self._key = key
        self._clock = clock
        self._lock = threading.Lock()
        self._total = 0
        self._results: list[PeriodResult] = []
        self._written_at: float | None = None

    def read_done(self) -> dict[tuple[str, str], PeriodResult]:
        """
        The periods that an earlier attempt of this run did, by table and period: Glue starts a run that failed once more with the same
        arguments. Empty where this is the first attempt, also where a run that did all of its periods had the same key.
        """
        text = self._key and self._bucket.read(self._key)
        if not text:
            return {}
        earlier = json.loads(text)
        # A job of an earlier version, which knew days of one table, may have been replaced between two attempts.
        total, results = (earlier['total'], earlier['periods']) if 'periods' in earlier else (earlier['days_total'], earlier['days'])
        done = {(each.table, each.period): each for each in map(_result_in, results) if not each.failed}
        return done if len(done) < total else {}

    def begin(self, total: int) -> None:
        """Tells how many periods there are to do."""
        with self._lock:
            self._total = total
            self._write()

    def add(self, result: PeriodResult) -> None:
        """Tells of one more period, if not at once then with those that follow it, or at the end."""
        with self._lock:
            self._results.append(result)
            if self._written_at is None or self._clock() - self._written_at >= _WRITE_AFTER_SECONDS:
                self._write()

    def close(self) -> None:
        """Tells of all periods, whatever came of the run."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        if self._key is None:
            return
        periods = [asdict(result) for result in sorted(self._results, key=lambda result: (result.table, result.period))]
        try:
            self._bucket.write(self._key, json.dumps({'total': self._total, 'periods': periods}).encode())
        except Exception as error:  # The periods are what counts: they are done although nobody can be told.
            print(f'{self._key} could not be written: {type(error).__name__}: {error}\n', end='', flush=True)
        self._written_at = self._clock()


def _result_in(entry: dict) -> PeriodResult:
    if 'day' not in entry:
        return PeriodResult(**entry)
    table = read_kinds()[0].merged.name
    return PeriodResult(table, entry['day'], entry['what'], sources=entry['sources'], rows=entry['pairs'], failed=entry['failed'])
