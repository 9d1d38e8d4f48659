"""
Table `metric_hours`: what the readings of one metric of one device come to in one hour, row by row as lake/telemetry/metric-hours.ts makes it. A row
depends on the readings of its hour and on the profile only.
"""
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from profile_rules import HourRules

# Digits of the column `value`.
_VALUE_DIGITS = 9

# The largest decimal(38,0).
_MAX_DECIMAL = 10**38 - 1

_HOUR_MS = 3_600_000
_HOURS_A_DAY = 24


class HourReading(NamedTuple):
    """What of a reading the hour is made of."""

    site: str
    device: str
    metric: str
    # Name of the profile that read it.
    profile: str
    at_ms: int
    # The value in units of 10^-9; None for a text.
    units: int | None


# Rules of the profile of a name; None where the lake has none.
RulesOf = Callable[[str], HourRules | None]


def hours_of(readings: Iterable[HourReading], *, hour_ms: int, rules_of: RulesOf) -> Iterator[tuple]:
    """A row of the table, in the order of its columns, for each metric of each device. Readings are in the order of site, device, metric and time."""
    for _, series in groupby(readings, key=itemgetter(0, 1, 2)):
        yield _row_of(list(series), hour_ms, rules_of)


def _row_of(series: list[HourReading], hour_ms: int, rules_of: RulesOf) -> tuple:
    first, last = series[0], series[-1]
    longest_gap = max((after.at_ms - before.at_ms for before, after in zip(series, series[1:])), default=0)
    digits, gap_limit_ms = _settings_of(series, rules_of)
    values = [] if digits is None else [(each.at_ms, each.units // 10 ** (_VALUE_DIGITS - digits)) for each in series if each.units is not None]
    return (
        *(first.site, first.device, first.metric, hour_ms, hour_ms // _HOUR_MS % _HOURS_A_DAY),
        *_figures(values, first=first.at_ms, last=last.at_ms, n=len(series), digits=digits, gaps=(longest_gap, gap_limit_ms)),
    )


def _figures(values: list[tuple[int, int]], *, first: int, last: int, n: int, digits: int | None, gaps: tuple[int, int]) -> tuple:
    if not values:
        return (None, n, None, None, None, None, None, first, None, last, *gaps, None, None)
    numbers = [value for _, value in values]
    sum_sq = sum(value * value for value in numbers)
    area = area_ms = 0
    for (before_ms, value), (at_ms, _) in zip(values, values[1:]):
        if at_ms - before_ms <= gaps[1]:
            area += value * (at_ms - before_ms)
            area_ms += at_ms - before_ms
    return (
        *(digits, n, sum(numbers), sum_sq if sum_sq <= _MAX_DECIMAL else None, min(numbers), max(numbers)),
        *(numbers[0], first, numbers[-1], last, *gaps, area, area_ms),
    )


def _settings_of(series: list[HourReading], rules_of: RulesOf) -> tuple[int | None, int]:
    """
    Digits and limit for gaps of a series. Where profiles took turns in the hour the larger number of digits counts and the shorter limit: neither
    loses a digit, nor bridges a gap that one of them would not. More digits than they declare, from rules of before, are kept.
    """
    rules = [rules_of(profile) for profile in {each.profile for each in series}]
    gap_limit_ms = min(0 if each is None else each.gap_limit_ms for each in rules)
    declared = [each.digits_of(series[0].metric) for each in rules if each is not None]
    digits = max((each for each in declared if each is not None), default=None)
    if digits is not None:
        divisor = 10 ** (_VALUE_DIGITS - digits)
        for each in series:
            while (each.units or 0) % divisor:
                digits += 1
                divisor //= 10
    return digits, gap_limit_ms
