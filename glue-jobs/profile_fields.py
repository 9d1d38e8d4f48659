"""Which fields of a payload a profile names, and which ones nobody does."""
import json
from collections.abc import Iterator

from profile_texts import Path, is_pattern, match_key, path_of

# So many different paths are remembered: devices that make up keys must not fill the memory.
_MAX_REMEMBERED = 20_000
# Their fields are no paths of the payload.
_NOT_SOURCES = {'ignore', 'units', 'words', 'map', 'alerts', 'sentinels', 'suspects'}


class KnownFields:
    """The fields that a profile names, of a message or of what stands around messages (`outer`)."""

    def __init__(self, profile: dict, *, outer: bool | None):
        """With `outer` None, sources of both are meant: where the payload is one message."""
        self._named: list[Path] = []
        # With all that stands beneath.
        self._whole: list[Path] = [path_of(each) for each in profile.get('ignore', [])]
        self._collect({word: value for word, value in profile.items() if word not in _NOT_SOURCES and word != 'unpack'}, outer)
        # Texts are unpacked in the payload, and in the messages of it.
        self._collect(profile.get('unpack', []), False if outer is False else None)
        self._plain = {path for path in self._named if not is_pattern(path)}
        self._remembered: dict[Path, str] = {}

    def add(self, path: Path) -> None:
        """Names one more path."""
        self._named.append(path)

    def names(self, path: Path) -> bool:
        """True for a field that the profile names itself."""
        return path in self._plain

    def is_for_patterns(self, path: Path) -> bool:
        """False for a field that the profile names itself, or ignores."""
        return path not in self._plain and not any(_fits_beginning(path, each) for each in self._whole)

    @property
    def reads_all_of_lists(self) -> bool:
        """True if the whole value is read, and nothing within it."""
        return () in self._named and not any([*self._named, *self._whole])

    def unknown(self, value, path: Path = (), *, stop: frozenset[Path] = frozenset(), above: frozenset[Path] = frozenset()) -> Iterator[Path]:
        """The paths that nobody names, each as far up as it goes; nothing at or below a path of `stop` is looked at, what is `above` one is."""
        children = value.items() if isinstance(value, dict) else ((str(at), each) for at, each in enumerate(value))
        for key, child in children:
            at = (*path, key)
            if at in stop:
                continue
            standing = self._standing(at)
            has_children = isinstance(child, dict | list) and len(child) > 0
            # The elements of a list that is named have no names of their own.
            is_entered = standing in ('above', 'named above') or (standing == 'named' and isinstance(child, dict)) or at in above
            if has_children and is_entered:
                yield from self.unknown(child, at, stop=stop, above=above)
            elif at not in above and (standing == 'unknown' or (standing == 'above' and isinstance(child, str | bool))):
                # What is no object stands where only inner fields are named.
                yield at

    def _standing(self, path: Path) -> str:
        found = self._remembered.get(path)
        if found is None:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            found = self._remembered[path] = self._judge(path)
        return found

    def _judge(self, path: Path) -> str:
        if any(_fits_beginning(path, each) for each in self._whole):
            return 'whole'
        longer = (each for each in [*self._named, *self._whole] if len(each) > len(path))
        is_above = any(_fits_beginning(path, each[: len(path)]) for each in longer)
        if any(len(each) == len(path) and _fits_beginning(path, each) for each in self._named):
            return 'named above' if is_above else 'named'
        return 'above' if is_above else 'unknown'

    def _collect(self, document, outer: bool | None) -> None:
        if isinstance(document, list):
            for each in document:
                self._collect(each, outer)
        if not isinstance(document, dict):
            return
        if _is_path(document.get('path')) and (outer is None or outer == bool(document.get('outer'))):
            self._named.append(path_of(document['path']))
        if _is_path(document.get('show')) and not outer:
            self._whole.append(path_of(document['show']))
        for word, value in document.items():
            if word not in _NOT_SOURCES:
                self._collect(value, outer)


def field_name(path: Path) -> str:
    """A path as people write it; keys that hold dots stand in quotes."""
    return '.'.join(json.dumps(key, ensure_ascii=False) if '.' in key or key == '' else key for key in path)


def _is_path(path) -> bool:
    return isinstance(path, str) or (isinstance(path, list) and all(isinstance(key, str) for key in path))


def _fits_beginning(path: Path, pattern: Path) -> bool:
    captured: dict[str, str] | None = {}
    if len(pattern) > len(path):
        return False
    for key, of_pattern in zip(path, pattern):
        captured = match_key(key, of_pattern, captured)
        if captured is None:
            return False
    return True
