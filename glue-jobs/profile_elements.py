"""The messages of one payload: texts that hold JSON are unpacked, and `each` is cut into messages."""
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from profile_bytes import bytes_of
from profile_json import Number, Unreadable, members, parse_json, past_blanks, text_of
from profile_sources import Scope, all_hold, look_up
from profile_texts import Path, is_pattern, match_key, path_of


@dataclass(frozen=True)
class Element:
    """A message within a payload."""

    # Where it stands; () is the whole payload.
    path: Path
    # Its own bytes; None of the whole payload.
    text: str | None
    captured: dict[str, str] = field(default_factory=dict)
    # How many values stand before it, level by level: messages are read in the payload's order.
    order: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Place:
    """A value in a text."""

    text: str
    start: int
    end: int
    path: Path
    order: tuple[int, ...] = ()


def unpacked(value, unpack: list[dict], texts: dict[Path, str], scope_of: Callable[[object], Scope]):
    """
    The value with JSON in the place of texts that hold it; their texts are put into `texts`. A condition is looked up in what `scope_of` makes of the
    value as it is by then. Raises Unreadable.
    """
    for each in unpack:
        path = path_of(each['path'])
        held = look_up(value, path)
        if not isinstance(held, str) or isinstance(held, Number) or ('only' in each and not all_hold(each['only'], scope_of(value))):
            continue
        if each['as'] == 'base64':
            data = bytes_of(held, 'base64')
            if data is None:
                raise Unreadable(f'"{".".join(path)}" is no base64')
            held = text_of(data)
        if each['as'] == 'form':
            held = _form_text(held)
        texts[path] = held
        value = _replaced(value, path, parse_json(held))
    return value


def _form_text(text: str) -> str:
    """The fields of a form as a JSON object of texts. Raises Unreadable where an escape means no character."""
    if re.search(r'%(?![0-9A-Fa-f]{2})', text):
        raise Unreadable('an escape of the form has no two digits')
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors='strict', max_num_fields=None)
    except UnicodeDecodeError as error:
        raise Unreadable(f'a form that is no UTF-8: {error}') from error
    return '{' + ','.join(f'{json.dumps(name)}:{json.dumps(value)}' for name, value in pairs) + '}'


def elements_of(text: str, each: list[Path], texts: dict[Path, str], is_for_patterns: Callable[[Path], bool]) -> list[Element]:
    """The messages of a payload, which is well-formed JSON, in its order. `is_for_patterns` is false of a field that no pattern of keys takes."""
    found: list[Element] = []
    for path in each:
        found += _cut(_Place(text, past_blanks(text, 0), len(text), ()), path, {}, texts, is_for_patterns)
    return sorted(found, key=lambda element: element.order)


def each_paths(said: str | list[str]) -> list[Path]:
    """The paths of `each`; `[]` behind a key stands alone as a key of its own."""
    texts = said if isinstance(said, list) else [said]
    return [tuple(part for key in path_of(text) for part in _apart(key)) for text in texts]


def _apart(key: str) -> list[str]:
    depth = 0
    while key.endswith('[]'):
        key, depth = key[:-2], depth + 1
    return [*([key] if key else []), *['[]'] * depth]


def _cut(
    place: _Place, pattern: Path, captured: dict[str, str], texts: dict[Path, str], is_for_patterns: Callable[[Path], bool]
) -> Iterator[Element]:
    if place.path in texts and place.text is not texts[place.path]:
        text = texts[place.path]
        place = _Place(text, past_blanks(text, 0), len(text), place.path, place.order)
    opening = place.text[place.start]
    # What is no list in the place of one is one message.
    if not pattern or (pattern == ('[]',) and opening != '['):
        yield Element(place.path, place.text[place.start : place.end] if place.path else None, captured, place.order)
        return
    first, rest = pattern[0], pattern[1:]
    if opening not in '{[' or (first == '[]' and opening != '['):
        return
    for at, (key, start, end) in enumerate(members(place.text, place.start)):
        below = (*place.path, key)
        found = captured if first == '[]' else match_key(key, first, captured)
        if found is not None and (not is_pattern((first,)) or is_for_patterns(below)):
            yield from _cut(_Place(place.text, start, end, below, (*place.order, at)), rest, found, texts, is_for_patterns)


def _replaced(value, path: Path, by):
    if not path:
        return by
    key, rest = path[0], path[1:]
    if isinstance(value, dict):
        return {**value, key: _replaced(value[key], rest, by)}
    return [_replaced(each, rest, by) if str(at) == key else each for at, each in enumerate(value)]
