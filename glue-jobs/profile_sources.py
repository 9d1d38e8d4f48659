"""Sources and conditions of a profile: where a value stands in a message, and what must be true of it."""
import re
from dataclasses import dataclass, field

from profile_bytes import NoData, number_in_bytes
from profile_json import Number
from profile_numbers import compare, ratio_of, ratio_of_value
from profile_texts import Path, fill, fill_path, path_of, topic_matches

# Nothing stands there; None is the null of JSON.
ABSENT = object()


@dataclass(frozen=True)
class Message:
    """A message, with what is known around it."""

    payload: bytes
    # Milliseconds since 1970; None in a file of history that does not tell it.
    arrived_ms: int | None = None
    topic: str | None = None
    # The device that was authenticated by certificate or token.
    device: str | None = None
    key: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    is_retained: bool = False
    # What it is known by where that is not the payload: a row of a file.
    own: bytes | None = None


class Scope:
    """What sources of a profile are looked up in: a message, its payload, and the names between braces. Names are looked up when asked for."""

    def __init__(self, message: Message, *, root=ABSENT, element=ABSENT, captured: dict[str, str], let: dict):
        self.message = message
        self.root = root
        self.element = element
        self._captured = captured
        self._let = let
        self._looking: set[str] = set()

    def within(self, captured: dict[str, str], let: dict) -> 'Scope':
        """The scope of a metric."""
        if not captured and not let:
            return self
        return Scope(
            self.message, root=self.root, element=self.element, captured={**self._captured, **captured}, let={**self._let, **let}
        )

    def get(self, name: str) -> str | None:
        """The text of a name; None where it is absent."""
        if name in self._captured:
            return self._captured[name]
        # A name that asks for itself is absent.
        if name not in self._let or name in self._looking:
            return None
        self._looking.add(name)
        try:
            return plain_text(self.choose(self._let[name]))
        finally:
            self._looking.discard(name)

    def choose(self, sources):
        """The value of the first source that is there and not null; else null where one was, else ABSENT."""
        return self.choose_source(sources)[0]

    def choose_source(self, sources) -> tuple:
        """The same, with the source that it stands in."""
        found = ABSENT, None
        for source in sources if isinstance(sources, list) else [sources]:
            value = self.value(source)
            if self.is_there(value):
                return value, source
            if value is None:
                found = None, source
        return found

    @staticmethod
    def is_there(value) -> bool:
        """True for a value that is there and not null."""
        return value is not ABSENT and value is not None

    def value(self, source: dict):
        """The value of a source, or ABSENT."""
        if 'only' in source and not all_hold(source['only'], self):
            return ABSENT
        value = _worked_on(source, self._standing(source))
        return source['absent'] if value is ABSENT and 'absent' in source else value

    def _standing(self, source: dict):
        if 'path' in source:
            path = fill_path(path_of(source['path']), self)
            return ABSENT if path is None else look_up(self.root if source.get('outer') else self.element, path)
        if 'header' in source:
            name = source['header'].lower()
            return next((value for header, value in self.message.headers.items() if header.lower() == name), ABSENT)
        if 'text' in source:
            found = fill(source['text'], self)
        elif source['from'] == 'payload':
            found = self.message.payload.decode('utf-8', 'replace')
        else:
            found = {'topic': self.message.topic, 'certificate': self.message.device, 'key': self.message.key}[source['from']]
        return ABSENT if found is None else found


def needs_payload(source: dict, let: dict) -> bool:
    """True for a source or condition that looks into the payload."""
    if 'when' in source:
        return any(needs_payload(each, let) for each in source['when'])
    if 'path' in source or source.get('from') == 'payload':
        return True
    if 'only' in source and any(needs_payload(each, let) for each in _listed(source['only'])):
        return True
    texts = [source.get('text', ''), source.get('like', '')]
    asked = [each for name, of_name in let.items() if any(f'{{{name}' in text for text in texts) for each in _listed(of_name)]
    without = {name: each for name, each in let.items() if not any(f'{{{name}' in text for text in texts)}
    return any(needs_payload(each, without) for each in asked)


def all_hold(conditions, scope: Scope) -> bool:
    """True where each of the conditions holds."""
    return all(holds(each, scope) for each in _listed(conditions))


def holds(condition: dict, scope: Scope) -> bool:
    """True where everything holds that the condition says."""
    if 'when' in condition:
        return all_hold(condition['when'], scope)
    if 'topic' in condition:
        return scope.message.topic is not None and topic_matches(scope.message.topic, condition['topic']) is not None
    if 'retained' in condition:
        return scope.message.is_retained == condition['retained']
    value = scope.value(condition)
    return all(test(value, condition[word], scope) for word, test in _TESTS.items() if word in condition)


def look_up(value, path: Path):
    """The value at these keys, or ABSENT; a list has the keys 0, 1, ..."""
    for key in path:
        if isinstance(value, dict):
            value = value.get(key, ABSENT)
        elif isinstance(value, list):
            is_index = key.isascii() and key.isdigit() and str(int(key)) == key and int(key) < len(value)
            value = value[int(key)] if is_index else ABSENT
        else:
            return ABSENT
    return value


def plain_text(value) -> str | None:
    """The text that a value is: of a text or number itself, `true` or `false`; None for all else."""
    if isinstance(value, bool):
        return 'true' if value else 'false'
    return str(value) if isinstance(value, str) else None


def same_value(value, said) -> bool:
    """
    True where the value is the one that the profile says: numbers by their value, also in quotes; a text that the profile says is no number.
    """
    if isinstance(said, Number):
        number = ratio_of_value(value)
        return number is not None and compare(number, ratio_of(said)) == 0
    if isinstance(said, str):
        return isinstance(value, str) and not isinstance(value, Number) and value == said
    return value is said


def kind_of(value) -> str | None:
    """The kind of JSON value, in the words of `type`; None where nothing is there."""
    if value is ABSENT:
        return None
    if isinstance(value, bool):
        return 'yes/no'
    if isinstance(value, dict):
        return 'object'
    if isinstance(value, Number):
        return 'number'
    return {str: 'text', type(None): 'null', list: 'list'}[type(value)]


def _listed(one_or_more) -> list:
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]


def _is_one_of(value, said, _scope) -> bool:
    return any(same_value(value, each) for each in _listed(said))


def _compared(value, said) -> int | None:
    number = ratio_of_value(value)
    return None if number is None else compare(number, ratio_of(said))


def _is_like(value, pattern: str, scope: Scope) -> bool:
    text = plain_text(value)
    return text is not None and topic_matches(text, pattern, scope) is not None


_TESTS = {
    'is': _is_one_of,
    'isNot': lambda value, said, scope: not _is_one_of(value, said, scope),
    'present': lambda value, said, _: Scope.is_there(value) == said,
    'type': lambda value, said, _: kind_of(value) == said,
    'above': lambda value, said, _: (_compared(value, said) or 0) > 0,
    'below': lambda value, said, _: (_compared(value, said) or 0) < 0,
    'like': _is_like,
}


def _worked_on(source: dict, value):
    for word, work in _WORK.items():
        if isinstance(value, NoData):
            return value
        if word in source and Scope.is_there(value):
            text = value if word == 'bytes' else plain_text(value)
            value = ABSENT if text is None else work(text, source)
    if 'map' in source and Scope.is_there(value) and not isinstance(value, NoData):
        return source['map'].get(plain_text(value), value)
    return value


def _part(text: str, source: dict):
    parts = text.split(source['split'])
    at = source.get('part', 1) - 1
    return parts[at].strip() if at < len(parts) else ABSENT


def _extract(text: str, source: dict):
    """What stands at `{}`; `*` is anything, and the first of both takes as much as fits: so literals are looked for from the end."""
    literals, wilds = re.split(r'\*|\{\}', source['extract']), re.findall(r'\*|\{\}', source['extract'])
    if not text.endswith(literals[-1]):
        return ABSENT
    end, found = len(text) - len(literals[-1]), ABSENT
    for at in range(len(wilds) - 1, -1, -1):
        limit = end - 1 if wilds[at] == '{}' else end
        literal = literals[at]
        start = text.rfind(literal, 0, max(limit, 0)) if at else 0
        if limit < 0 or start < 0 or start + len(literal) > limit or not text.startswith(literal, start):
            return ABSENT
        if wilds[at] == '{}':
            found = text[start + len(literal) : end]
        end = start
    return found


def _before_last(text: str, source: dict):
    at = text.rfind(source['beforeLast'])
    return text[:at] if at >= 0 else ABSENT


def _up_to_last(text: str, source: dict):
    at = text.rfind(source['upToLast'])
    return text[: at + len(source['upToLast'])] if at >= 0 else ABSENT


def _after_last(text: str, source: dict):
    at = text.rfind(source['afterLast'])
    return text[at + len(source['afterLast']) :] if at >= 0 else ABSENT


def _number_in_bytes(value, source: dict):
    number = number_in_bytes(value, source['bytes'])
    return ABSENT if number is None else number


_WORK = {
    'split': _part,
    'extract': _extract,
    'beforeLast': _before_last,
    'upToLast': _up_to_last,
    'afterLast': _after_last,
    'bytes': _number_in_bytes,
    'case': lambda text, source: text.lower() if source['case'] == 'lower' else text.upper(),
}
