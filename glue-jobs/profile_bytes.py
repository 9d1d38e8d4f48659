"""Numbers in binary data, and binary data in texts."""
import base64
import re
import struct

from profile_json import Number
from profile_numbers import ratio_of, whole


class NoData(dict):
    """In the place of a value that is no such data as the profile says: neither text nor number."""


def number_in_bytes(value, of: dict) -> Number | str | NoData | None:
    """The number that the word `bytes` says; None where the data ends before it."""
    data = _data_of(value, of)
    if data is None:
        return NoData()
    at = of.get('at', 0)
    start = at + len(data) if at < 0 else at
    part = data[start : start + of['length']] if start >= 0 else b''
    if len(part) < of['length']:
        return None
    if of.get('swap'):
        part = b''.join(part[word : word + 2] for word in range(len(part) - 2, -1, -2))
    if of.get('little'):
        part = part[::-1]
    if of['as'] == 'float':
        return float_text(part)
    number = int.from_bytes(part, 'big', signed=of['as'] == 'signed' and 'bits' not in of)
    if 'bits' in of:
        first, count = of['bits']
        number = (number >> first) & ((1 << count) - 1)
        if of['as'] == 'signed' and number >> (count - 1):
            number -= 1 << count
    return Number(number)


def _data_of(value, of: dict) -> bytes | None:
    if of['encoding'] == 'registers':
        registers = value if isinstance(value, list) else _split(value.strip()) if isinstance(value, str) else [None]
        parts = [_bytes_of_number(each, 2) for each in registers]
        return None if None in parts else b''.join(parts)
    if not isinstance(value, str):
        return None
    if of['encoding'] == 'number':
        return _bytes_of_number(value, of['length'])
    return bytes_of(value.strip(), of['encoding'])


def _split(text: str) -> list[str]:
    return re.split(r'[\s,]+', text) if text else []


def _bytes_of_number(value, length: int) -> bytes | None:
    """The bytes of a whole number, below zero as its two's complement; None where these are too few, or it is none."""
    ratio = ratio_of(value.strip()) if isinstance(value, str) else None
    number = None if ratio is None else whole(ratio)
    bits = 8 * length
    if number is None or not -(1 << (bits - 1)) <= number < 1 << bits:
        return None
    return (number % (1 << bits)).to_bytes(length, 'big')


_HEX = re.compile(r'(?:0[xX])?((?:[0-9A-Fa-f]{2} *)*)')
# Groups of four characters, of either alphabet; what fills the last one may be left out.
_BASE64 = re.compile(r'(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2}(?:==)?|[A-Za-z0-9+/_-]{3}=?)?')


def bytes_of(text: str, encoding: str) -> bytes | None:
    """The bytes that stand as `hex` or `base64`; None where they do not."""
    if encoding == 'hex':
        digits = _HEX.fullmatch(text)
        return None if digits is None else bytes.fromhex(digits[1])
    if not _BASE64.fullmatch(text):
        return None
    plain = text.replace('-', '+').replace('_', '/').rstrip('=')
    return base64.b64decode(plain + '=' * (-len(plain) % 4))


def float_text(part: bytes) -> Number | str | None:
    """The shortest number that means a float of 2, 4 or 8 bytes; the text of infinity and what is no number; None for other lengths."""
    form = {2: '>e', 4: '>f', 8: '>d'}.get(len(part))
    if form is None:
        return None
    [number] = struct.unpack(form, part)
    if number != number or number in (float('inf'), float('-inf')):
        return str(number)
    return Number(next(text for text in (f'{number:.{digits}g}' for digits in range(1, 18)) if _means(text, form, part)))


def _means(text: str, form: str, part: bytes) -> bool:
    try:
        return struct.pack(form, float(text)) == part
    except OverflowError:
        # Rounded up past the largest float.
        return False
