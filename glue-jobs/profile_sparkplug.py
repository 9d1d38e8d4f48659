"""
Sparkplug B: a payload into its metrics, each a message of its own. Names and types of aliases are those of the last birth in the same source.
The format: https://sparkplug.eclipse.org/specification/version/3.0/documents/sparkplug-specification-3.0.0.pdf, section 6.4.
"""
from lake_errors import NotFollowedError
from profile_bytes import float_text
from profile_json import Number, Unreadable
from profile_senml import NoRecord

_BIRTHS, _DATA = {'NBIRTH', 'DBIRTH'}, {'NDATA', 'DDATA'}
# Bits of the types of whole numbers, and those that have a sign.
_BITS = {1: 8, 2: 16, 3: 32, 4: 64, 5: 8, 6: 16, 7: 32, 8: 64, 13: 64}
_SIGNED = {1, 2, 3, 4}
_NOT_FOLLOWED_VALUES = {16: 'bytes', 17: 'a data set', 18: 'a template', 19: 'an extension'}


# Wire types of the known fields by their numbers.
_PAYLOAD = {1: 0, 2: 2, 3: 0}
_METRIC = {1: 2, 2: 0, 3: 0, 4: 0, 5: 0, 7: 0, 9: 2, 10: 0, 11: 0, 12: 5, 13: 1, 14: 0, 15: 2, 16: 2, 17: 2, 18: 2, 19: 2}
_PROPERTIES = {1: 2, 2: 2}
_PROPERTY = {1: 0, 2: 0, 3: 0, 4: 0, 5: 5, 6: 1, 7: 0, 8: 2}


class SparkplugReader:
    """The metrics of the payloads of one source, in their order."""

    def __init__(self):
        # By group, edge node and device (None of the node itself): name and type of each alias, and the type of each name.
        self._births: dict[tuple, tuple[dict, dict]] = {}

    def records_of(self, payload: bytes, topic: str | None) -> list[dict | NoRecord]:
        """The records of a payload; none of a message that is neither birth nor data. Raises Unreadable."""
        levels = (topic or '').split('/')
        kind = levels[2] if len(levels) in (4, 5) else None
        if kind not in _BIRTHS | _DATA:
            return []
        node = levels[1], levels[3]
        of = (*node, levels[4] if len(levels) == 5 else None)
        fields = _fields(payload, _PAYLOAD)
        metrics = [_fields(_bytes(each), _METRIC) for number, each in fields if number == 2]
        told = {'type': kind, **{name: Number(_whole(each)) for number, each in fields for name in [{1: 'timestamp', 3: 'seq'}.get(number)] if name}}
        if kind in _BIRTHS:
            self._remember(of, node, metrics, is_node=kind == 'NBIRTH')
        return [self._record(dict(each), told, of) for each in metrics]

    def _remember(self, of: tuple, node: tuple, metrics: list, *, is_node: bool) -> None:
        if is_node:
            # A node that is born anew has no devices yet.
            self._births = {known: birth for known, birth in self._births.items() if known[:2] != node}
        aliases, types = {}, {}
        for metric in map(dict, metrics):
            if 1 in metric:
                name, kind = _text(metric[1]), _type(metric, 4)
                types[name] = kind
                if 2 in metric:
                    aliases[_whole(metric[2])] = name
        self._births[of] = aliases, types

    def _record(self, metric: dict, told: dict, of: tuple) -> dict | NoRecord:
        aliases, types = self._births.get(of, ({}, {}))
        name = _text(metric[1]) if 1 in metric else aliases.get(_whole(metric[2]) if 2 in metric else None)
        if name is None:
            return NoRecord('no_birth')
        kind = _type(metric, 4) if 4 in metric else types.get(name)
        record = {**told, 'name': name}
        if 3 in metric:
            record['timestamp'] = Number(_whole(metric[3]))
        if 5 in metric and _whole(metric[5]):
            record['historical'] = True
        if 9 in metric:
            record['properties'] = _properties(_fields(_bytes(metric[9]), _PROPERTIES))
        if 7 in metric and _whole(metric[7]):
            return {**record, 'value': None}
        if (10 in metric or 11 in metric) and kind not in _BITS:
            return NoRecord('no_birth', name)
        value = _value(metric, kind, first=10)
        return NoRecord('no_value', name) if value is None else {**record, 'value': value}


def _value(metric: dict, kind: int | None, *, first: int):
    if first == 10 and (unfollowed := next((what for number, what in _NOT_FOLLOWED_VALUES.items() if number in metric), None)):
        raise NotFollowedError(f'a metric of Sparkplug B that is {unfollowed} is not followed')
    for number in (first, first + 1):
        if number in metric:
            return Number(_with_sign(_whole(metric[number]), kind))
    for number, length in ((first + 2, 4), (first + 3, 8)):
        if number in metric:
            return float_text(_bytes(metric[number], length))
    if first + 4 in metric:
        return _whole(metric[first + 4]) != 0
    return _text(metric[first + 5]) if first + 5 in metric else None


def _with_sign(number: int, kind: int | None) -> int:
    bits = _BITS.get(kind)
    if bits is None:
        return number
    number &= (1 << bits) - 1
    return number - (1 << bits) if kind in _SIGNED and number >> (bits - 1) else number


def _properties(fields: list) -> dict:
    keys = [_text(each) for number, each in fields if number == 1]
    values = [dict(_fields(_bytes(each), _PROPERTY)) for number, each in fields if number == 2]
    if len(keys) != len(values) or len(set(keys)) != len(keys):
        raise Unreadable('properties whose keys and values do not fit')
    return {key: _property(value) for key, value in zip(keys, values)}


def _property(value: dict):
    if 2 in value and _whole(value[2]):
        return None
    return _value(value, _type(value, 1), first=3)


def _fields(data: bytes, wires: dict[int, int]) -> list[tuple[int, int | bytes]]:
    """Number and value of each field that is known; one of another wire type than its own is another field to Protocol Buffers."""
    found, at = [], 0
    while at < len(data):
        start = at
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        # A tag has 32 bits, in five bytes at most; groups stand in no version of the format.
        if number == 0 or wire not in (0, 1, 2, 5) or tag >> 32 or at - start > 5:
            raise Unreadable('no payload of Sparkplug B')
        if wire == 0:
            value, at = _varint(data, at)
        else:
            length, at = _varint(data, at) if wire == 2 else ({1: 8, 5: 4}[wire], at)
            value, at = data[at : at + length], at + length
            if at > len(data):
                raise Unreadable('the payload of Sparkplug B does not end')
        if wires.get(number) == wire:
            found.append((number, value[::-1] if wire in (1, 5) else value))
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for place in range(10):
        if at + place >= len(data):
            raise Unreadable('the payload of Sparkplug B does not end')
        byte = data[at + place]
        number |= (byte & 127) << (7 * place)
        if byte < 128:
            return number & (1 << 64) - 1, at + place + 1
    raise Unreadable('a number of Sparkplug B that does not end')


def _type(fields: dict, number: int) -> int | None:
    """A type is a number of 32 bits; what is wider is cut, as Protocol Buffers have it."""
    return _whole(fields[number]) & (1 << 32) - 1 if number in fields else None


def _whole(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise Unreadable('a field of Sparkplug B that is no whole number')
    return value


def _bytes(value: int | bytes, length: int | None = None) -> bytes:
    if not isinstance(value, bytes) or (length is not None and len(value) != length):
        raise Unreadable('a field of Sparkplug B of another kind')
    return value


def _text(value: int | bytes) -> str:
    try:
        return _bytes(value).decode('utf-8')
    except UnicodeDecodeError as error:
        raise Unreadable('a text that is no UTF-8') from error
