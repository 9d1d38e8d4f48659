"""The fields of a message that is one JSON object, each with what it is, as the columns of a wide table take them: docs/wide-tables.md has the rules."""
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from profile_json import Number

# Keys from the payload's root on.
FieldPath = tuple[str, ...]

# What a column is in Parquet, by the kind of its field. A list is the text of its JSON.
SQL_TYPES = {'number': 'decimal(28,9)', 'text': 'string', 'yes/no': 'boolean', 'list': 'string'}

_MAX_DIGITS_BEFORE_POINT = 19
_MAX_DIGITS_BEHIND_POINT = 9


@dataclass(frozen=True)
class Field:
    """A value of a message: its kind, and the text that a column of that kind is cast from."""

    kind: str
    value: str
    # Why no column can hold it; None where one can.
    fault: str | None = None


def fields_of(payload: dict) -> dict[FieldPath, Field]:
    """The fields of a payload, as `parse_json` has it, in their order: objects are gone into, what is null is no field, an empty object neither."""
    return dict(_fields(payload, ()))


def _fields(value: dict, path: FieldPath) -> Iterator[tuple[FieldPath, Field]]:
    for key, each in value.items():
        below = (*path, key)
        if isinstance(each, dict):
            yield from _fields(each, below)
        elif each is not None:
            yield below, _field(each)


def _field(value) -> Field:
    if isinstance(value, bool):
        return Field('yes/no', 'true' if value else 'false')
    if isinstance(value, Number):
        return _number(value)
    if isinstance(value, list):
        return Field('list', plain_json(value))
    return Field('text', value)


def _number(text: Number) -> Field:
    # Of an exponent of many digits nothing is computed.
    exponent = re.search(r'[eE]([+-]?\d+)$', text)
    if exponent is None or abs(int(exponent[1])) <= 100:
        _, digits, power = Decimal(text).normalize().as_tuple()
        if digits == (0,):
            return Field('number', '0')
        if power >= -_MAX_DIGITS_BEHIND_POINT and len(digits) + power <= _MAX_DIGITS_BEFORE_POINT:
            return Field('number', format(Decimal(text).normalize(), 'f'))
    return Field('number', str(text), 'not_exact')


def plain_json(value) -> str:
    """A value as JSON without blanks, numbers as they were written."""
    if isinstance(value, dict):
        return '{' + ','.join(f'{_text(key)}:{plain_json(each)}' for key, each in value.items()) + '}'
    if isinstance(value, list):
        return '[' + ','.join(map(plain_json, value)) + ']'
    if isinstance(value, Number):
        return str(value)
    return _text(value)


def _text(value) -> str:
    return json.dumps(value, ensure_ascii=False)
