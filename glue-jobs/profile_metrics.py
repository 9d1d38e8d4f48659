"""One metric of a message: its value by the words of the profile, or the reason why it has none."""
from dataclasses import dataclass

from profile_json import Number
from profile_numbers import Ratio, compare, plus, ratio_of, ratio_of_value, rounded, says_no_value, times, times_power, whole
from profile_sources import ABSENT, Scope, plain_text, same_value
from profile_units import converter

# A decimal(28,9): billionths, and 19 digits before the point.
_BILLIONTHS = 9
_MAX_WHOLE_DIGITS = 19
# Hourly figures are exact for numbers up to this one, in units of the last digit.
_MAX_OF_STATISTICS = 10**15
_MAX_TEXT_LENGTH = 1_024


@dataclass(frozen=True)
class Value:
    """The value of a reading: billionths, or a text."""

    units: int | None = None
    text: str | None = None
    # A doubt that is told beside it.
    is_suspect: bool = False


class Rejected(Exception):
    """The metric has no value; the reason is one of docs/reading-telemetry.md."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


def value_of(metric: dict, sent, source: dict, scope: Scope) -> Value:
    """The value of what was sent, which is there or null. `source` is where it stood. Raises Rejected."""
    if 'notReading' in metric:
        raise Rejected('no_reading')
    if sent is None:
        raise Rejected('no_value')
    return _KINDS[metric.get('kind', 'number')](metric, sent, source, scope)


def _number(metric: dict, sent, source: dict, scope: Scope) -> Value:
    word = metric.get('words', {}).get(plain_text(sent), ABSENT)
    _check_sentinels(metric, sent)
    number = _sent_number(metric, sent if word is ABSENT else word)
    number = _scaled(metric, number, scope)
    number = _converted(metric, number, source, scope)
    digits = metric['digits']
    last_digits = rounded(number, digits)
    kept = last_digits, 10**digits
    if 'min' in metric and compare(kept, ratio_of(metric['min'])) < 0 or 'max' in metric and compare(kept, ratio_of(metric['max'])) > 0:
        raise Rejected('out_of_limits')
    has_statistics = metric.get('statistics', True)
    if abs(last_digits) > _MAX_OF_STATISTICS if has_statistics else abs(last_digits) >= 10 ** (_MAX_WHOLE_DIGITS + digits):
        raise Rejected('out_of_limits')
    suspect = next((each for each in metric.get('suspects', []) if compare(kept, ratio_of(each['is'])) == 0), None)
    if suspect is not None and not suspect.get('keep'):
        raise Rejected('suspect')
    return Value(units=last_digits * 10 ** (_BILLIONTHS - digits), is_suspect=suspect is not None)


def _sent_number(metric: dict, sent) -> Ratio:
    if isinstance(sent, str) and not isinstance(sent, Number):
        text = sent.strip()
        if 'suffix' in metric:
            text = text.removesuffix(metric['suffix'].strip()).strip()
        if metric.get('decimalComma'):
            text = text.replace(',', '.')
        if says_no_value(text):
            raise Rejected('no_value')
        number = ratio_of(text)
    else:
        number = ratio_of_value(sent)
    if number is None:
        raise Rejected('wrong_type')
    return number


def _check_sentinels(metric: dict, sent) -> None:
    for sentinel in metric.get('sentinels', []):
        if same_value(sent, sentinel['is']):
            raise Rejected('sentinel')


def _scaled(metric: dict, number: Ratio, scope: Scope) -> Ratio:
    if 'scale' in metric:
        number = times(number, _factor(metric['scale'], scope))
    if 'scalePower' in metric:
        power = whole(_factor(metric['scalePower'], scope))
        if power is None or abs(power) > 100:
            raise Rejected('no_scale')
        number = times_power(number, power)
    return plus(number, _factor(metric['offset'], scope)) if 'offset' in metric else number


def _factor(said, scope: Scope) -> Ratio:
    number = ratio_of_value(scope.value(said) if isinstance(said, dict) else said)
    if number is None:
        raise Rejected('no_scale')
    return number


def _converted(metric: dict, number: Ratio, source: dict, scope: Scope) -> Ratio:
    kept = metric.get('unit', '1')
    sent = source.get('unit', kept)
    if 'unitFrom' in metric:
        said = metric['unitFrom']
        word = plain_text(scope.value(said))
        if word is not None:
            sent = said['units'].get(word) if 'units' in said else word
    if kept == 'as sent':
        return number
    convert = None if sent is None else converter(sent, kept)
    if convert is None:
        raise Rejected('unknown_unit')
    return convert(number)


def _yes_or_no(metric: dict, sent, _source: dict, _scope: Scope) -> Value:
    word = metric.get('words', {}).get(plain_text(sent), ABSENT)
    _check_sentinels(metric, sent)
    value = sent if word is ABSENT else word
    if isinstance(value, bool):
        return _YES if value else _NO
    number = ratio_of_value(value)
    number = None if number is None else whole(number)
    if number is not None and 'bit' in metric and number >= 0:
        number = (number >> metric['bit']) & 1
    if number not in (0, 1):
        raise Rejected('wrong_type')
    return _YES if number else _NO


def _text(metric: dict, sent, _source: dict, _scope: Scope) -> Value:
    text = plain_text(sent)
    if text is None:
        raise Rejected('wrong_type')
    _check_sentinels(metric, sent)
    if 'words' in metric:
        text = plain_text(metric['words'].get(text, ABSENT))
        if text is None:
            raise Rejected('unknown_word')
    if len(text) > _MAX_TEXT_LENGTH:
        raise Rejected('out_of_limits')
    return Value(text=text)


_YES, _NO = Value(units=10**_BILLIONTHS), Value(units=0)
_KINDS = {'number': _number, 'yes/no': _yes_or_no, 'text': _text}
