"""Inputs of a kind, such as profiles: documents in versions that never change, and pointers that say which one holds, as lake/inputs.ts has them."""
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from lake_errors import StorageError

_NAME = re.compile(r'[a-z0-9][a-z0-9._-]{0,63}')


@dataclass(frozen=True)
class Input:
    """An input as it was when it was asked for."""

    # Number of the version, from 1.
    version: int
    document: dict


class LakeInputs:
    """The inputs below a prefix as they are from now on: each is read once. `read` gives the object of a key, or None."""

    def __init__(self, read: Callable[[str], bytes | None], prefix: str):
        self._read = read
        self._prefix = prefix
        self._known: dict[str, Input | None] = {}

    def find(self, name: str) -> Input | None:
        """The input of this name; None where there is none. Raises StorageError where pointer or document are damaged."""
        if name not in self._known:
            self._known[name] = self._look(name) if _NAME.fullmatch(name) else None
        return self._known[name]

    def version_of(self, name: str) -> int:
        """The version that holds as objects name it: 0 where there is none."""
        found = self.find(name)
        return 0 if found is None else found.version

    def _look(self, name: str) -> Input | None:
        pointer_key = f'{self._prefix}{name}.json'
        pointer = self._document(pointer_key)
        if pointer is None:
            return None
        version = pointer.get('version') if isinstance(pointer, dict) else None
        if type(version) is not int or version < 1:
            raise StorageError(f'{pointer_key} names no version of {name}: restore it from a backup, {{"version": 1}} names the first one')
        key = f'{self._prefix}{name}/{version}.json'
        document = self._document(key)
        if document is None:
            raise StorageError(f'{key} is gone, and {pointer_key} names it: restore it from a backup')
        return Input(version, document)

    def _document(self, key: str):
        text = self._read(key)
        try:
            return None if text is None else json.loads(text)
        except ValueError as error:
            raise StorageError(f'{key} is no JSON: restore it from a backup') from error
