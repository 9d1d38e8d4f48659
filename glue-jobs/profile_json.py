"""JSON of devices, read strictly and without loss: numbers keep their text, and what docs/profiles.md does not allow is no JSON."""
import json
import re
from collections.abc import Iterator
from json.decoder import scanstring

MAX_BYTES = 8 << 20
_MAX_LEVELS = 64
_MAX_KEYS = 10_000
_MAX_KEY_BYTES = 1_024
_MAX_NUMBER_LENGTH = 100

_BLANKS = re.compile(r'[ \t\n\r]*')
_HALF_CHARACTER = re.compile('[\ud800-\udfff]')


class Number(str):
    """A number as it was written, every digit of it."""

    __slots__ = ()


class Unreadable(ValueError):
    """The payload is not what the profile's decoder reads."""


def parse_json(text: str):
    """
    The value: objects are dicts in their order, numbers are `Number`. Raises Unreadable for anything but one JSON value, a key that comes twice,
    half a character, and what is beyond the limits of docs/profiles.md.
    """
    value = _decoded(_STRICT, text)
    check_limits(value)
    return value


def check_limits(value, level: int = 0) -> None:
    """Raises Unreadable for half a character, and for what is beyond the limits of levels and keys."""
    if isinstance(value, str):
        if _HALF_CHARACTER.search(value):
            raise Unreadable('half a character (a lone surrogate)')
        return
    if not isinstance(value, dict | list):
        return
    if level == _MAX_LEVELS:
        raise Unreadable(f'more than {_MAX_LEVELS} levels')
    if isinstance(value, list):
        for each in value:
            check_limits(each, level + 1)
        return
    if len(value) > _MAX_KEYS:
        raise Unreadable(f'more than {_MAX_KEYS} keys in one object')
    for key, each in value.items():
        if len(key) > _MAX_KEY_BYTES // 4 and len(key.encode('utf-8', 'surrogatepass')) > _MAX_KEY_BYTES:
            raise Unreadable(f'a key of more than {_MAX_KEY_BYTES} bytes')
        if _HALF_CHARACTER.search(key):
            raise Unreadable('half a character (a lone surrogate)')
        check_limits(each, level + 1)


def text_of(payload: bytes) -> str:
    """The payload as text. Raises Unreadable for what is no UTF-8 or too long."""
    if len(payload) > MAX_BYTES:
        raise Unreadable(f'the payload has more than {MAX_BYTES} bytes')
    try:
        return payload.decode('utf-8')
    except UnicodeDecodeError as error:
        raise Unreadable(f'the payload is no UTF-8: {error}') from error


class Twice(dict):
    """An object in which a key comes twice; it has the last one."""


def parse_leniently(text: str):
    """The value, of which keys that come twice (`Twice`) and limits are not judged. Raises Unreadable for anything but one JSON value."""
    return _decoded(_LENIENT, text)


def json_text(cells: dict) -> str:
    """A flat object as JSON, numbers as they were written."""
    pairs = (f'{json.dumps(name)}:{value if isinstance(value, Number) else json.dumps(value)}' for name, value in cells.items())
    return '{' + ','.join(pairs) + '}'


def first_value_end(text: str, start: int) -> int | None:
    """Where the JSON value ends that begins at `start`; None where it does not end or is none."""
    try:
        return _LENIENT.raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return None


def members(text: str, start: int) -> Iterator[tuple[str, int, int]]:
    """Key, beginning and end of each value in the object or list that begins at `start` of well-formed text; lists have the keys 0, 1, ..."""
    is_object = text[start] == '{'
    at = _past_blanks(text, start + 1)
    index = 0
    while text[at] not in '}]':
        key = str(index)
        if is_object:
            key, at = scanstring(text, at + 1, True)
            at = _past_blanks(text, _past_blanks(text, at) + 1)
        end = _LENIENT.raw_decode(text, at)[1]
        yield key, at, end
        index += 1
        at = _past_blanks(text, end)
        if text[at] == ',':
            at = _past_blanks(text, at + 1)


def past_blanks(text: str, at: int) -> int:
    """The first place from `at` on that is no blank of JSON."""
    return _past_blanks(text, at)


def _past_blanks(text: str, at: int) -> int:
    return _BLANKS.match(text, at).end()


def _decoded(decoder: json.JSONDecoder, text: str):
    try:
        return decoder.decode(text)
    except RecursionError as error:
        raise Unreadable(f'more than {_MAX_LEVELS} levels') from error
    except Unreadable:
        raise
    except ValueError as error:
        raise Unreadable(f'no JSON: {error}') from error


def number_of(text: str) -> Number:
    """The number that a text is. Raises Unreadable for more than 100 characters."""
    if len(text) > _MAX_NUMBER_LENGTH:
        raise Unreadable(f'a number of more than {_MAX_NUMBER_LENGTH} characters')
    return Number(text)


def _object(pairs: list[tuple]) -> dict:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable('a key comes twice in one object')
    return found


def _lenient_object(pairs: list[tuple]) -> dict:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Twice(found)


def _refuse_constant(name: str):
    raise Unreadable(f'{name} is no JSON')


_STRICT = json.JSONDecoder(object_pairs_hook=_object, parse_int=number_of, parse_float=number_of, parse_constant=_refuse_constant)
_LENIENT = json.JSONDecoder(object_pairs_hook=_lenient_object, parse_int=Number, parse_float=Number, parse_constant=_refuse_constant)
