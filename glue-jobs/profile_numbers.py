"""Exact arithmetic on decimal text: a number is a pair of whole numbers, its numerator and its denominator. Nothing here is a float."""
import re

from profile_json import Number

_NUMBER = re.compile(r'([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?', re.ASCII)
_NO_VALUE = re.compile(r'[+-]?(?:nan|inf|infinity)', re.IGNORECASE)

# Farther from one than this a number is beyond every limit, or nothing, whatever it is scaled by: no more of it need be computed.
_MAX_POWER = 1_000

Ratio = tuple[int, int]


def ratio_of(text: str) -> Ratio | None:
    """The number that the text says, exactly; None where it says none. Past 10 to the power of 1,000 it only is that large."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    sign, whole, fraction, exponent = match.groups()
    # A text may be as long as a payload; what stands so far behind the point decides nothing.
    fraction = (fraction or '')[: 2 * _MAX_POWER]
    whole = whole.lstrip('0')
    significant = (whole + fraction).lstrip('0')
    if not significant:
        return 0, 1
    power = int(f'{exponent or 0}'[:20]) - len(fraction)
    size = power + len(significant)
    if size < -_MAX_POWER:
        return 0, 1
    number = times_power((1, 1), _MAX_POWER) if size > _MAX_POWER else times_power((int(significant), 1), power)
    return (-number[0], number[1]) if sign == '-' else number


def ratio_of_value(value) -> Ratio | None:
    """The number of a value of a message: a number, or a number in quotes with spaces around it; None where it is neither."""
    if isinstance(value, Number):
        return ratio_of(value)
    return ratio_of(value.strip()) if isinstance(value, str) else None


def says_no_value(text: str) -> bool:
    """True for `NaN`, `Infinity` and the like."""
    return _NO_VALUE.fullmatch(text.strip()) is not None


def times(left: Ratio, right: Ratio) -> Ratio:
    """The product."""
    return left[0] * right[0], left[1] * right[1]


def divided(left: Ratio, right: Ratio) -> Ratio:
    """The quotient; `right` is above zero."""
    return left[0] * right[1], left[1] * right[0]


def plus(left: Ratio, right: Ratio) -> Ratio:
    """The sum."""
    return left[0] * right[1] + right[0] * left[1], left[1] * right[1]


def times_power(value: Ratio, power: int) -> Ratio:
    """The value times ten to the power."""
    return (value[0] * 10**power, value[1]) if power >= 0 else (value[0], value[1] * 10**-power)


def compare(left: Ratio, right: Ratio) -> int:
    """Below zero, zero or above it, as `left` is less, equal or more."""
    return left[0] * right[1] - right[0] * left[1]


def rounded(value: Ratio, digits: int) -> int:
    """The value in units of its last digit, halves away from zero."""
    numerator, denominator = value
    size = (2 * abs(numerator) * 10**digits + denominator) // (2 * denominator)
    return -size if numerator < 0 else size


def whole(value: Ratio) -> int | None:
    """The whole number that the value is; None where it is none."""
    numerator, denominator = value
    return numerator // denominator if numerator % denominator == 0 else None
