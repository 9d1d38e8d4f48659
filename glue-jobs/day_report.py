"""What a run tells of its days while it is at them: one small JSON object, so that who started it need not read logs."""
import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from lake_bucket import LakeBucket

# Days that are right already come by the hundred in a second; whoever follows the run looks every few seconds.
_WRITE_AFTER_SECONDS = 2


@dataclass(frozen=True)
class DayResult:
    """How one day came out, or would."""

    day: str
    # `written`, `was right` and the like.
    what: str
    # How many the day has; None where it is not known.
    sources: int | None = None
    # Of the day's object as it was written; None where it was not.
    pairs: int | None = None
    failed: bool = False


class DayReport:
    """The object at `key`, written anew as days come in; without a key nothing is written. Safe to use from several threads."""

    def __init__(self, bucket: LakeBucket, key: str | None, *, clock: Callable[[], float] = time.monotonic):
        self._bucket = bucket
        self._key = key
        self._clock = clock
        self._lock = threading.Lock()
        self._total = 0
        self._results: list[DayResult] = []
        self._written_at: float | None = None

    def read_done(self) -> dict[str, DayResult]:
        """
        The days that an earlier attempt of this run did: Glue starts a run that failed once more with the same arguments. Empty where this
        is the first one, also where a run that did all of its days had the same key.
        """
        text = self._key and self._bucket.read(self._key)
        if not text:
            return {}
        earlier = json.loads(text)
        done = {entry['day']: DayResult(**entry) for entry in earlier['days'] if not entry['failed']}
        return done if len(done) < earlier['days_total'] else {}

    def begin(self, days_total: int) -> None:
        """Tells how many days there are to do."""
        with self._lock:
            self._total = days_total
            self._write()

    def add(self, result: DayResult) -> None:
        """Tells of one more day, if not at once then with those that follow it, or at the end."""
        with self._lock:
            self._results.append(result)
            if self._written_at is None or self._clock() - self._written_at >= _WRITE_AFTER_SECONDS:
                self._write()

    def close(self) -> None:
        """Tells of all days, whatever came of the run."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        if self._key is None:
            return
        days = [asdict(result) for result in sorted(self._results, key=lambda result: result.day)]
        try:
            self._bucket.write(self._key, json.dumps({'days_total': self._total, 'days': days}).encode())
        except Exception as error:  # The days are what counts: they are done although nobody can be told.
            print(f'{self._key} could not be written: {type(error).__name__}: {error}\n', end='', flush=True)
        self._written_at = self._clock()
