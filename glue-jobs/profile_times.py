"""When a message was measured: the forms of docs/profiles.md, in milliseconds since 1970, what is finer cut off."""
import functools
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from profile_json import Number
from profile_numbers import Ratio, plus, ratio_of_value, times_power

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The power of ten that makes milliseconds of a number.
_POWERS = {'s': 3, 'ms': 0, 'us': -3, 'ns': -6}
# Farther from 1970 nothing is a time: 100,000,000 days, as for JavaScript.
_MAX_MS = 8_640_000_000_000_000

# The end of year 9999.
_LAST_MS = 253_402_300_799_999

_ZONE = r'(?P<zone>[Zz]|[+-]\d{2}(?::?\d{2})?)'
_ISO = re.compile(
    r'(?P<year>\d{4})(?:-(?P<month>\d{2})-(?P<day>\d{2})|(?P<month2>\d{2})(?P<day2>\d{2}))'
    r'(?:[Tt ](?P<hour>\d{2})(?::?(?P<minute>\d{2})(?::?(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?)?(?: ?' + _ZONE + r')?)?',
    re.ASCII,
)
_TOKEN = re.compile('YYYY|YY|MMM|MM|DD|HH|hh|mm|SSS|ss|A|Z')
_MONTHS = ('jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec')
_GROUPS = {'YYYY': 'year', 'YY': 'short_year', 'MM': 'month', 'DD': 'day', 'HH': 'hour', 'hh': 'clock', 'mm': 'minute', 'ss': 'second', 'SSS': 'fraction'}
_FORMS = {'Z': _ZONE, 'A': '(?P<half>[AaPp][Mm])', 'MMM': rf'(?P<month_name>(?i:{"|".join(_MONTHS)}))'}
_DURATION = {'ms': 1, 's': 1_000, 'm': 60_000, 'h': 3_600_000, 'd': 86_400_000}


def duration_ms(text: str) -> int:
    """Milliseconds of `5m`, `10s` and the like."""
    number, unit = re.fullmatch(r'(\d+)(ms|s|m|h|d)', text).groups()
    return int(number) * _DURATION[unit]


def instant_of(choice: dict, value, *, arrived_ms: int | None, ahead_ms: int, added) -> int | None:
    """
    The instant that a value says by an entry of `time`; None where its form does not fit. `added` is the value of `plus`, or None. An hour that
    autumn repeats is the later one where that is not more than `ahead_ms` after the arrival.
    """
    if 'format' in choice or choice.get('unit', 'ISO') == 'ISO':
        written = value if isinstance(value, str) and (not isinstance(value, Number) or 'format' in choice) else None
        ms = None if written is None else _written_ms(choice, written, arrived_ms=arrived_ms, ahead_ms=ahead_ms)
        return None if ms is None else _sum_ms((ms, 1), choice, added)
    ms = _ms_of(value, choice['unit'])
    if ms is None:
        return None
    if choice.get('ago'):
        ms = plus((arrived_ms, 1), (-ms[0], ms[1]))
    elif 'epoch' in choice:
        ms = plus(ms, (iso_ms(choice['epoch']), 1))
    return _sum_ms(ms, choice, added)


def iso_ms(text: str) -> int:
    """Milliseconds of a day or an instant in UTC, as profiles have them."""
    return _written_ms({}, text, arrived_ms=None, ahead_ms=0)


def iso_ms_with_zone(text: str) -> int | None:
    """Milliseconds of an instant in ISO 8601 that says its zone; None of anything else."""
    match = _ISO.fullmatch(text.strip())
    return _written_ms({}, text.strip(), arrived_ms=None, ahead_ms=0) if match and match['zone'] else None


def _sum_ms(ms: Ratio, choice: dict, added) -> int | None:
    if added is not None:
        more = _ms_of(added, choice['plus']['unit'])
        if more is None:
            return None
        ms = plus(ms, more)
    found = ms[0] // ms[1]
    return found if abs(found) <= _MAX_MS else None


def _ms_of(value, unit: str) -> Ratio | None:
    number = ratio_of_value(value)
    return None if number is None else times_power(number, _POWERS[unit])


def _written_ms(choice: dict, text: str, *, arrived_ms: int | None, ahead_ms: int) -> int | None:
    expression = _format_expression(choice['format']) if 'format' in choice else _ISO
    match = expression.fullmatch(text)
    if match is None:
        return None
    parts = match.groupdict()
    year = int(parts.get('year') or 2000 + int(parts['short_year']))
    month, day = (int(parts.get(name) or parts.get(f'{name}2') or 1) for name in ('month', 'day'))
    hour, minute, second = (int(parts.get(name) or 0) for name in ('hour', 'minute', 'second'))
    if parts.get('month_name'):
        month = _MONTHS.index(parts['month_name'].lower()) + 1
    if parts.get('half'):
        clock = int(parts['clock'])
        if not 1 <= clock <= 12:
            return None
        hour = clock % 12 + (12 if parts['half'].upper() == 'PM' else 0)
    ms_of_second = int(f'{parts.get("fraction") or ""}000'[:3])
    # The end of a day is the beginning of the next one, and a leap second that of the next minute.
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second or ms_of_second)):
        return None
    try:
        local = datetime(year, month, day) + timedelta(hours=hour, minutes=minute, seconds=second, milliseconds=ms_of_second)
    except (ValueError, OverflowError):
        return None
    zone = parts.get('zone')
    if zone is not None:
        return _since_1970(local.replace(tzinfo=UTC)) - _offset_ms(zone)
    name = choice.get('zone', 'UTC')
    if name == 'UTC':
        return _since_1970(local.replace(tzinfo=UTC))
    at = local.replace(tzinfo=ZoneInfo(name))
    earlier, later = _since_1970(at), _since_1970(at.replace(fold=1))
    # In the gap of spring the second one is the earlier instant: there, and where both are the same, the first one holds.
    is_repeated = later > earlier
    return later if is_repeated and arrived_ms is not None and later <= arrived_ms + ahead_ms else earlier


def _since_1970(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _offset_ms(zone: str) -> int:
    if zone in 'Zz':
        return 0
    digits = zone[1:].replace(':', '')
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return (-minutes if zone[0] == '-' else minutes) * 60_000


@functools.cache
def _format_expression(form: str) -> re.Pattern:
    expression, end, tokens = '', 0, list(_TOKEN.finditer(form))
    for at, match in enumerate(tokens):
        expression += re.escape(form[end : match.start()])
        end = match.end()
        token = match[0]
        # Beside another number only the full length tells where one ends.
        touches = (at > 0 and tokens[at - 1].end() == match.start()) or (at + 1 < len(tokens) and tokens[at + 1].start() == match.end())
        length = {'YYYY': '{4}', 'YY': '{2}', 'SSS': '+'}.get(token, '{2}' if touches else '{1,2}')
        expression += _FORMS.get(token) or rf'(?P<{_GROUPS[token]}>\d{length})'
    return re.compile(expression + re.escape(form[end:]), re.ASCII)


def time_of(choices: list, scope, *, earliest_ms: int, ahead_ms: int) -> tuple[int | None, str]:
    """
    When it was measured by the first of the choices that can be believed, and `device` or `arrival` for whose clock that is; or None, and the
    reason.
    """
    arrived_ms = scope.message.arrived_ms
    is_bad = is_doubted = False
    for choice in choices:
        if choice == 'arrival':
            if arrived_ms is not None:
                return arrived_ms, 'arrival'
            continue
        value = scope.value(choice)
        if not scope.is_there(value):
            continue
        if choice.get('ago') and arrived_ms is None:
            is_bad = True
            continue
        added = scope.value(choice['plus']) if 'plus' in choice else None
        ms = instant_of(choice, value, arrived_ms=arrived_ms, ahead_ms=ahead_ms, added=added if scope.is_there(added) else None)
        if ms is None:
            is_bad = True
        elif ms < earliest_ms or ms > _LAST_MS or (arrived_ms is not None and ms > arrived_ms + ahead_ms):
            is_doubted = True
        else:
            return ms, 'device'
    if is_doubted and arrived_ms is not None:
        return arrived_ms, 'arrival'
    return None, 'bad_time' if is_bad and not is_doubted else 'no_time'
