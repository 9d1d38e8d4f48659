"""Numbers in binary data, and binary data in texts."""
import base64
import binascii
import struct

from profile_json import Number


def number_in_bytes(text: str, of: dict) -> Number | str | None:
    """The number that the word `bytes` says, in data that stands as a text; None where the data is no such text or too short."""
    data = bytes_of(text.strip(), of['encoding'])
    if data is None:
        return None
    start = of['at'] + len(data) if of['at'] < 0 else of['at']
    part = data[start : start + of['length']] if start >= 0 else b''
    if len(part) < of['length']:
        return None
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


def bytes_of(text: str, encoding: str) -> bytes | None:
    """The bytes that stand as `hex` or `base64` (also that of URLs, and without its end); None where they do not."""
    try:
        if encoding == 'hex':
            return bytes.fromhex(text)
        plain = text.replace('-', '+').replace('_', '/').rstrip('=')
        return base64.b64decode(plain + '=' * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        return None


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
