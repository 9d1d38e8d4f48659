"""The days of a run, each worked on by itself: some at once, one's failure no other's."""
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from day_report import DayReport, DayResult


def work_on(days: list[str], work: Callable[[str], DayResult], *, report: DayReport, at_once: int) -> list[str]:
    """Does the work for each day and prints and reports what came of it. Returns the failures in words."""

    def attempt(day: str) -> str | None:
        failure = None
        try:
            result = work(day)
        except Exception as error:  # One day's failure must not keep the others from being done.
            failure = f'{day}: {error}'
            result = DayResult(day, f'failed: {type(error).__name__}: {error}', failed=True)
        # In one piece: the line's end as a write of its own would come behind another day's line.
        print(f'{say(result)}\n', end='', flush=True)
        report.add(result)
        return failure

    report.begin(len(days))
    try:
        with ThreadPoolExecutor(at_once) as pool:
            return [failure for failure in pool.map(attempt, days) if failure is not None]
    finally:
        report.close()


def raise_failures(failures: list[str]) -> None:
    """Raises RuntimeError, which names each day, where there are any."""
    if failures:
        raise RuntimeError(f'{count(len(failures), "day")} failed, the others are done: {"; ".join(failures)}')


def say(result: DayResult) -> str:
    """The result as a line of the log."""
    pairs = '' if result.pairs is None else f': {count(result.pairs, "pair")}'
    sources = '' if result.pairs is None or result.sources is None else f' of {count(result.sources, "source")}'
    return f'{result.day} {result.what}{pairs}{sources}'


def count(number: int, one: str) -> str:
    """`1 day`, `2 days`."""
    return f'{number} {one}' if number == 1 else f'{number} {one}s'
