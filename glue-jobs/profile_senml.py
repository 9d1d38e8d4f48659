"""SenML (RFC 8428): a pack into its records, base values resolved, each a message of its own."""
from dataclasses import dataclass

from profile_json import Number, Unreadable
from profile_numbers import Ratio, compare, plus, ratio_of

# The highest version that there is.
_VERSION = 10
# Times below this count from the arrival: https://www.rfc-editor.org/rfc/rfc8428#section-4.5.3
_RELATIVE_BELOW = (1 << 28, 1)

# Fields by name, the kinds of their values, and their labels in CBOR.
_NUMBERS = {'bver': -1, 'bt': -3, 'bv': -5, 'bs': -6, 'v': 2, 's': 5, 't': 6, 'ut': 7}
_TEXTS = {'bn': -2, 'bu': -4, 'n': 0, 'u': 1, 'vs': 3, 'vd': 8}
_YES_OR_NO = {'vb': 4}
_LABELS = {str(label): name for fields in (_NUMBERS, _TEXTS, _YES_OR_NO) for name, label in fields.items()}
_VALUES = {'v': 'value', 'vb': 'boolean', 'vs': 'text', 'vd': 'data', 's': 'sum'}
_SUMMED = {'v': 'bv', 's': 'bs'}


@dataclass(frozen=True)
class NoRecord:
    """What stands in the place of a record and is none, and why."""

    reason: str
    name: str | None = None


def named_labels(pack):
    """A pack of CBOR with the names of its fields in the place of their numbers."""
    if not isinstance(pack, list):
        return pack
    return [{_LABELS.get(key, key): value for key, value in each.items()} if isinstance(each, dict) else each for each in pack]


def records_of(pack, arrived_ms: int | None) -> list[dict | NoRecord]:
    """
    The records of a pack, with `name`, `unit`, `time` and one value; in the place of one that is none the reason. Raises Unreadable for what is
    no pack.
    """
    if not isinstance(pack, list):
        raise Unreadable('a pack of SenML is a list')
    base: dict = {}
    found: list[dict | NoRecord] = []
    for each in pack:
        if not isinstance(each, dict):
            found.append(NoRecord('no_reading'))
            continue
        _check(each)
        base.update({name: value for name, value in each.items() if name.startswith('b')})
        if 'n' in each or any(name in each for name in _VALUES):
            # A record of base values alone is for those behind it.
            found.append(_resolved(each, base, arrived_ms))
    return found


def _check(record: dict) -> None:
    for name, value in record.items():
        kind = Number if name in _NUMBERS else bool if name in _YES_OR_NO else str if name in _TEXTS else None
        if kind is None:
            # Who does not know such a field must not read the pack.
            if name.endswith('_'):
                raise Unreadable(f'a pack of SenML that asks to know "{name}"')
            continue
        if not isinstance(value, kind) or (kind is str and isinstance(value, Number)):
            raise Unreadable(f'"{name}" of SenML has a value of another kind')
    if 'bver' in record and compare(ratio_of(record['bver']), (_VERSION, 1)) > 0:
        raise Unreadable(f'SenML of a version after {_VERSION}')


def _resolved(record: dict, base: dict, arrived_ms: int | None) -> dict | NoRecord:
    values = [name for name in _VALUES if name in record]
    if not values:
        return NoRecord('no_value')
    resolved = {'name': base.get('bn', '') + record.get('n', '')}
    unit = record.get('u', base.get('bu'))
    if unit is not None:
        resolved['unit'] = unit
    time = _time(_sum(base.get('bt'), record.get('t')), arrived_ms)
    if time is not None:
        resolved['time'] = time
    for name in values:
        of_base = base.get(_SUMMED[name]) if name in _SUMMED else None
        resolved[_VALUES[name]] = record[name] if of_base is None else _decimal(_sum(of_base, record[name]))
    return resolved


def _sum(left: Number | None, right: Number | None) -> Ratio:
    return plus(ratio_of(left or '0'), ratio_of(right or '0'))


def _time(seconds: Ratio, arrived_ms: int | None) -> Number | None:
    if compare(seconds, _RELATIVE_BELOW) >= 0:
        return _decimal(seconds)
    return None if arrived_ms is None else _decimal(plus((arrived_ms, 1_000), seconds))


def _decimal(value: Ratio) -> Number:
    numerator, denominator = value
    # Of decimal numbers the denominator is a power of ten.
    return Number(f'{numerator}e-{len(str(denominator)) - 1}')
