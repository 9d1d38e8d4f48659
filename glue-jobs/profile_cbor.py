"""CBOR (RFC 8949) into the values of JSON, without loss: every number keeps its digits, bytes become base64url."""
import base64

from profile_bytes import float_text
from profile_json import Number, Unreadable, check_limits, number_of

# Beyond it a power of two has more digits than a number may have.
_MAX_BINARY_POWER = 1_000
_BREAK = object()


def parse_cbor(data: bytes):
    """The value. Raises Unreadable for anything but one value, and for what JSON of the same meaning would be refused for."""
    reader = _Reader(data)
    value = reader.value(0)
    if value is _BREAK or reader.at != len(data):
        raise Unreadable('something stands behind the CBOR value, or it is none')
    check_limits(value)
    return value


class _Reader:
    def __init__(self, data: bytes):
        self._data = data
        self.at = 0

    def value(self, level: int):
        if level > 64:
            raise Unreadable('more than 64 levels')
        initial = self._take(1)[0]
        major, info = initial >> 5, initial & 31
        if major == 7:
            return self._simple(info)
        length = self._argument(info, major)
        if major in (0, 1):
            return number_of(str(length if major == 0 else -1 - length))
        if major in (2, 3):
            data = self._string(major, length)
            return base64.urlsafe_b64encode(data).decode().rstrip('=') if major == 2 else _text(data)
        if major == 4:
            return [each for each in self._items(length, level)]
        return self._map(length, level) if major == 5 else self._tagged(length, level)

    def _take(self, length: int) -> bytes:
        part = self._data[self.at : self.at + length]
        if len(part) < length:
            raise Unreadable('the CBOR value does not end')
        self.at += length
        return part

    def _argument(self, info: int, major: int) -> int | None:
        if info < 24:
            return info
        if info < 28:
            return int.from_bytes(self._take(1 << (info - 24)), 'big')
        # An open end; a number or a tag has none.
        if info == 31 and major in (2, 3, 4, 5):
            return None
        raise Unreadable('no CBOR')

    def _string(self, major: int, length: int | None) -> bytes:
        if length is not None:
            return self._take(length)
        parts = []
        while (initial := self._take(1)[0]) != 0xFF:
            length_of_part = None if initial >> 5 != major else self._argument(initial & 31, major)
            if length_of_part is None:
                raise Unreadable('no CBOR')
            part = self._take(length_of_part)
            if major == 3:
                # Each part of a text is one: https://www.rfc-editor.org/rfc/rfc8949#section-3.2.3
                _text(part)
            parts.append(part)
        return b''.join(parts)

    def _items(self, length: int | None, level: int):
        count = 0
        while length is None or count < length:
            value = self.value(level + 1)
            if value is _BREAK:
                if length is None:
                    return
                raise Unreadable('no CBOR')
            yield value
            count += 1

    def _map(self, length: int | None, level: int) -> dict:
        found = {}
        for key in self._keys(length, level):
            value = self.value(level + 1)
            if value is _BREAK or str(key) in found:
                raise Unreadable('a key without a value, or that comes twice')
            found[str(key)] = value
        return found

    def _keys(self, length: int | None, level: int):
        count = 0
        while length is None or count < length:
            # Numbers below and above zero, and texts.
            is_key = self._data[self.at : self.at + 1] and self._data[self.at] >> 5 in (0, 1, 3)
            key = self.value(level + 1)
            if key is _BREAK and length is None:
                return
            if not is_key:
                raise Unreadable('a key that is no text and no whole number')
            yield key
            count += 1

    def _tagged(self, tag: int, level: int):
        value = self.value(level + 1)
        if value is _BREAK:
            raise Unreadable('no CBOR')
        if tag in (2, 3):
            if not isinstance(value, str) or isinstance(value, Number):
                raise Unreadable('a large number that is none')
            size = int.from_bytes(base64.urlsafe_b64decode(value + '=' * (-len(value) % 4)), 'big')
            return number_of(str(size if tag == 2 else -1 - size)) if size.bit_length() < _MAX_BINARY_POWER else number_of('9' * 101)
        return _fraction(tag, value) if tag in (4, 5) else value

    def _simple(self, info: int):
        if info in (20, 21):
            return info == 21
        if info in (22, 23):
            return None
        if info in (25, 26, 27):
            return float_text(self._take(1 << (info - 24)))
        if info == 31:
            return _BREAK
        raise Unreadable('no CBOR')


def _fraction(tag: int, value) -> Number:
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(each, Number) and each.lstrip('-').isdecimal() for each in value):
        raise Unreadable('a fraction that is none')
    power, digits = int(value[0]), int(value[1])
    if tag == 4:
        return number_of(f'{digits}e{power}')
    if abs(power) > _MAX_BINARY_POWER:
        raise Unreadable('a fraction of more digits than a number may have')
    return number_of(str(digits << power) if power >= 0 else f'{digits * 5**-power}e{power}')


def _text(data: bytes) -> str:
    try:
        return data.decode('utf-8')
    except UnicodeDecodeError as error:
        raise Unreadable('a text that is no UTF-8') from error
