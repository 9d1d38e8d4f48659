"""Names in braces, patterns of topics and patterns of keys, as docs/profiles.md has them."""
import functools
import re

_BRACES = re.compile(r'\{([A-Za-z][A-Za-z0-9_]*)(?::(lower|upper|snake|dots))?\}')
_CAPTURE = re.compile(r'\{([A-Za-z][A-Za-z0-9_]*)(#?)\}')

Path = tuple[str, ...]


def fill(text: str, names) -> str | None:
    """The text with its names filled in; None where one of them is absent. `names` has a method `get`."""
    if '{' not in text:
        return text
    filled, end = [], 0
    for match in _BRACES.finditer(text):
        value = names.get(match[1])
        if value is None:
            return None
        filled += [text[end : match.start()], _changed(value, match[2])]
        end = match.end()
    return ''.join(filled) + text[end:]


def topic_matches(topic: str, pattern: str, names=None) -> dict[str, str] | None:
    """
    What the pattern of topics captures; None where it does not fit. Names that `names` has are filled in first, as `like` asks for; None too where
    one of them is absent.
    """
    expression = _topic_expression(pattern) if names is None else _filled_expression(pattern, names)
    match = expression and expression.fullmatch(topic)
    return {name: value for name, value in match.groupdict().items() if value is not None} if match else None


def path_of(path: str | list) -> Path:
    """The keys of a path."""
    if isinstance(path, str):
        return tuple(path.split('.')) if path else ()
    return tuple(path)


def is_pattern(path: Path) -> bool:
    """True for a path with a key that captures, or that is any."""
    return any('*' in key or _CAPTURE.search(key) for key in path)


def match_key(key: str, pattern: str, captured: dict[str, str]) -> dict[str, str] | None:
    """What was captured before and by this key; None where it does not fit."""
    if pattern == key:
        return captured
    if '{' not in pattern and '*' not in pattern:
        return None
    match = _key_expression(pattern).fullmatch(key)
    if match is None:
        return None
    found = match.groupdict()
    if any(captured.get(name, value) != value for name, value in found.items()):
        return None
    return {**captured, **found}


def fill_path(path: Path, names) -> Path | None:
    """The path with what was captured; None where a name is absent."""
    keys = tuple(fill(key, names) for key in path)
    return None if None in keys else keys


def _changed(value: str, change: str | None) -> str:
    if change == 'lower':
        return value.lower()
    if change == 'upper':
        return value.upper()
    if change == 'snake':
        apart = re.sub(r'([a-z0-9])([A-Z])|([A-Z]+)(?=[A-Z][a-z])', lambda match: f'{match[1]}_{match[2]}' if match[1] else f'{match[3]}_', value)
        return re.sub(r'[^\w]+', '_', apart).strip('_').lower()
    if change == 'dots':
        return value.replace('/', '.').lower()
    return value


@functools.cache
def _key_expression(pattern: str) -> re.Pattern:
    any_key = re.escape('*')
    return re.compile(_with_captures(pattern, lambda name, _: f'(?P<{name}>.*)', set()).replace(any_key, '.*'), re.DOTALL)


@functools.cache
def _topic_expression(pattern: str) -> re.Pattern:
    return _joined(pattern, lambda name, many: f'(?P<{name}>{".*" if many else "[^/]*"})')


def _filled_expression(pattern: str, names) -> re.Pattern | None:
    values = {name: names.get(name) for name, _ in _CAPTURE.findall(pattern)}
    if None in values.values():
        return None
    return _joined(pattern, lambda name, _: re.escape(values[name]))


def _joined(pattern: str, capture) -> re.Pattern:
    named: set[str] = set()
    expression = ''
    for at, level in enumerate(pattern.split('/')):
        slash = '/' if at else ''
        if level == '#':
            # As in MQTT it also stands for no level at all.
            expression += f'(?:{slash}.*)?'
        elif level == '+':
            expression += f'{slash}[^/]*'
        else:
            expression += slash + _with_captures(level, capture, named)
    return re.compile(expression, re.DOTALL)


def _with_captures(text: str, capture, named: set[str]) -> str:
    expression, end = '', 0
    for match in _CAPTURE.finditer(text):
        name = match[1]
        captured = capture(name, match[2] == '#')
        # A name that is captured twice has one value.
        if captured.startswith('(?P<') and name in named:
            captured = f'(?P={name})'
        expression += re.escape(text[end : match.start()]) + captured
        end = match.end()
        named.add(name)
    return expression + re.escape(text[end:])
