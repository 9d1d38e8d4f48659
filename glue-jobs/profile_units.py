"""Units by UCUM (https://ucum.org): what a value in one unit is in another one of the same dimension, exactly."""
import functools
import re

from profile_numbers import Ratio, divided, plus, ratio_of, times

_PREFIXES = {
    'Y': 24, 'Z': 21, 'E': 18, 'P': 15, 'T': 12, 'G': 9, 'M': 6, 'k': 3, 'h': 2, 'da': 1,
    'd': -1, 'c': -2, 'm': -3, 'u': -6, 'n': -9, 'p': -12, 'f': -15, 'a': -18, 'z': -21, 'y': -24,
}  # fmt: skip

# Units that take prefixes: how many of which base units, as a term of units above them.
_METRIC = {
    'm': None, 's': None, 'g': None, 'K': None, 'A': None, 'mol': None, 'cd': None, 'rad': None, 'bit': None,
    'Hz': ('1', 's-1'), 'N': ('1000', 'g.m.s-2'), 'Pa': ('1', 'N.m-2'), 'J': ('1', 'N.m'), 'W': ('1', 'J.s-1'), 'C': ('1', 'A.s'),
    'V': ('1', 'J.C-1'), 'F': ('1', 'C.V-1'), 'Ohm': ('1', 'V.A-1'), 'S': ('1', 'A.V-1'), 'Wb': ('1', 'V.s'), 'T': ('1', 'Wb.m-2'),
    'H': ('1', 'Wb.A-1'), 'lm': ('1', 'cd'), 'lx': ('1', 'lm.m-2'), 'Bq': ('1', 's-1'), 'Gy': ('1', 'J.kg-1'), 'Sv': ('1', 'J.kg-1'),
    'L': ('1', 'dm3'), 'l': ('1', 'dm3'), 'bar': ('100000', 'Pa'), 't': ('1000000', 'g'), 'eV': ('1.602176634e-19', 'J'),
    'cal': ('4.184', 'J'), 'By': ('8', 'bit'), 'm[H2O]': ('9.80665', 'kPa'), 'm[Hg]': ('133.322387415', 'kPa'), 'Wh': ('1', 'W.h'),
}  # fmt: skip

_OTHER = {
    '%': ('0.01', '1'), '[ppth]': ('0.001', '1'), '[ppm]': ('0.000001', '1'), '[ppb]': ('0.000000001', '1'),
    'min': ('60', 's'), 'h': ('3600', 's'), 'd': ('86400', 's'), 'wk': ('604800', 's'), 'a': ('31557600', 's'),
    'atm': ('101325', 'Pa'), '[g]': ('9.80665', 'm.s-2'), '[in_i]': ('2.54', 'cm'), '[ft_i]': ('12', '[in_i]'), '[yd_i]': ('3', '[ft_i]'),
    '[mi_i]': ('5280', '[ft_i]'), '[nmi_i]': ('1852', 'm'), '[kn_i]': ('1', '[nmi_i].h-1'), '[lb_av]': ('453.59237', 'g'),
    '[oz_av]': ('28.349523125', 'g'), '[lbf_av]': ('4.4482216152605', 'N'), '[psi]': ('1', '[lbf_av].[in_i]-2'),
    "[in_i'Hg]": ('25.4', 'mm[Hg]'), "[in_i'H2O]": ('25.4', 'mm[H2O]'), '[gal_us]': ('231', '[in_i]3'), '[qt_us]': ('57.75', '[in_i]3'),
    '[Btu]': ('1.05505585262', 'kJ'), '[HP]': ('550', '[ft_i].[lbf_av].s-1'), 'deg': ('0.017453292519943295769', 'rad'),
}  # fmt: skip

# Temperatures: kelvins are (value + added) times the factor.
_TEMPERATURES = {'Cel': (ratio_of('273.15'), (1, 1)), '[degF]': (ratio_of('459.67'), (5, 9)), 'K': ((0, 1), (1, 1))}

_FACTOR = re.compile(r"(?P<unit>(?:[A-Za-z%]|\[[^\]]*\])+|\d+)(?P<power>[+-]?\d+)?(?:\{[^}]*\})?|\{[^}]*\}")

Unit = tuple[Ratio, tuple[tuple[str, int], ...]]


def converter(sent: str, kept: str):
    """A function from values in the unit `sent` to values in the unit `kept`, both ratios; None where there is none."""
    if sent == kept:
        return lambda value: value
    if sent in _TEMPERATURES and kept in _TEMPERATURES:
        (add_sent, factor_sent), (add_kept, factor_kept) = _TEMPERATURES[sent], _TEMPERATURES[kept]
        minus_kept = (-add_kept[0], add_kept[1])
        return lambda value: plus(divided(times(plus(value, add_sent), factor_sent), factor_kept), minus_kept)
    left, right = unit_of(sent), unit_of(kept)
    if left is None or right is None or left[1] != right[1]:
        return None
    factor = divided(left[0], right[0])
    return lambda value: times(value, factor)


@functools.cache
def unit_of(text: str) -> Unit | None:
    """How many of which base units a unit is; None where it is no unit, or one of a temperature's other zero."""
    factor, dimensions = (1, 1), {}
    if text.startswith('/'):
        text = f'1{text}'
    pieces = re.split(r'([./])(?![^\[]*\])(?![^{]*\})', text)
    for at in range(0, len(pieces), 2):
        match = _FACTOR.fullmatch(pieces[at])
        if match is None:
            return None
        if match['unit'] is None:
            continue
        power = int(match['power'] or 1) * (-1 if at > 0 and pieces[at - 1] == '/' else 1)
        atom = ((int(match['unit']), 1), ()) if match['unit'].isdigit() else _atom(match['unit'])
        if atom is None or atom[0][0] == 0:
            return None
        for _ in range(abs(power)):
            factor = times(factor, atom[0]) if power > 0 else divided(factor, atom[0])
        for base, of_base in atom[1]:
            dimensions[base] = dimensions.get(base, 0) + of_base * power
    return factor, tuple(sorted((base, power) for base, power in dimensions.items() if power))


def _atom(name: str) -> Unit | None:
    if name in _OTHER:
        return _defined(_OTHER[name])
    if name in _METRIC:
        return _metric(name)
    for prefix, power in _PREFIXES.items():
        rest = name.removeprefix(prefix)
        if rest != name and rest in _METRIC:
            factor, dimensions = _metric(rest)
            return times(factor, ratio_of(f'1e{power}')), dimensions
    return None


def _metric(name: str) -> Unit:
    defined = _METRIC[name]
    return ((1, 1), ((name, 1),)) if defined is None else _defined(defined)


def _defined(definition: tuple[str, str]) -> Unit:
    number, term = definition
    factor, dimensions = unit_of(term)
    return times(ratio_of(number), factor), dimensions
