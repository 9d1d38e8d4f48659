"""The periods of a run, each worked on by itself: some at once, one's failure no other's."""
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from lake_tables import read_kinds
from period_report import Period, PeriodReport, PeriodResult, result_of


# Periods, and what is done for each.
Stage = tuple[Sequence[Period], Callable[[Period], PeriodResult]]


def work_on(
    periods: Sequence[Period], work: Callable[[Period], PeriodResult], *, report: PeriodReport, at_once: int
) -> list[str]:
    """Does the work for each period and prints and reports what came of it. Returns the failures in words."""
    return work_in_stages([(periods, work)], report=report, at_once=at_once)


def work_in_stages(stages: Sequence[Stage], *, report: PeriodReport, at_once: int) -> list[str]:
    """As `work_on`, one stage after the other: the periods of a stage are begun when all before them are done, or have failed."""

    def attempt(work: Callable[[Period], PeriodResult], of: Period) -> str | None:
        failure = None
        try:
            result = work(of)
        except Exception as error:  # One period's failure must not keep the others from being done.
            failure = f'{say_period(of.table, of.period)}: {error}'
            result = result_of(of, f'failed: {type(error).__name__}: {error}', failed=True)
        # Written in one piece: the line's end as a write of its own would come behind another period's line.
        print(f'{say(result)}\n', end='', flush=True)
        report.add(result)
        return failure

    report.begin(sum(len(periods) for periods, _ in stages))
    failures = []
    try:
        for periods, work in stages:
            with ThreadPoolExecutor(at_once) as pool:
                failures += [failure for failure in pool.map(partial(attempt, work), periods) if failure is not None]
    finally:
        report.close()
    return failures


def raise_failures(failures: list[str]) -> None:
    """Raises RuntimeError, which names each period, where there are any."""
    if failures:
        raise RuntimeError(f'{count(len(failures), "period")} failed, the others are done: {"; ".join(failures)}')


def say(result: PeriodResult) -> str:
    """The result as a line of the log."""
    rows = '' if result.rows is None else f': {count(result.rows, "row")}'
    sources = '' if result.rows is None or result.sources is None else f' of {count(result.sources, "source")}'
    return f'{say_period(result.table, result.period)} {result.what}{rows}{sources}'


def say_period(table: str, period: str) -> str:
    """A period as people see it: with its table, but for the first kind's, whose days were the only ones once."""
    return period if table == read_kinds()[0].merged.name else f'{table} {period}'


def count(number: int, one: str) -> str:
    """`1 day`, `2 days`."""
    return f'{number} {one}' if number == 1 else f'{number} {one}s'
