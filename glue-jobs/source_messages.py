"""The messages of a telemetry source, as docs/reading-telemetry.md says where they stand: a file of history, or a chain object."""
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from lake_errors import NotFollowedError, StorageError
from profile_bytes import bytes_of
from profile_json import Number, Unreadable, first_value_end, json_text, members, parse_json, parse_leniently, past_blanks
from profile_sources import Message
from profile_times import iso_ms_with_zone
from source_rows import rows_of_text

_ENVELOPE_NAMES = {'topic', 'payload', 'payload_base64', 'payloadlen', 'qos', 'retain', 'mid', 'properties', 'headers'}
_ARRIVAL_NAMES = ('arrived_ms', 'arrival', 'arrived_at', 'received_at', 'tst', 'timestamp', 'time')
_CHAIN_TEXTS = ('payload', 'payload_base64', 'device', 'topic', 'key', 'profile', 'site', 'refused')
_GZIP, _ZSTD = b'\x1f\x8b', b'\x28\xb5\x2f\xfd'


@dataclass(frozen=True)
class SourceMessage:
    """A message with what its source says of it, or the reason why it is none."""

    message: Message | None = None
    reject: str | None = None
    # Of a chain object; None where the source says none for all.
    profile: str | None = None
    site: str | None = None


def messages_of(data: bytes, *, packs: bool = False) -> Iterator[SourceMessage]:
    """
    The messages in their order; with `packs` an array is one, unless its elements are arrays. Raises NotFollowedError for forms that this reader does
    not follow, StorageError for a damaged chain object.
    """
    data = _plain(data).removeprefix(b'\xef\xbb\xbf')
    start = data.lstrip(b' \t\r\n')[:1]
    if start not in (b'{', b'['):
        yield from _rows(data)
        return
    lines = [line for line in (line.strip(b' \t\r') for line in data.split(b'\n')) if line]
    first = _text(lines[0])
    opening = None if first is None else _value(first)
    if isinstance(opening, dict) and 'sequence' in opening:
        yield from _chain(lines)
        return
    payloads = _json_lines(lines) if _is_lines(lines, first) else _json_values(data, packs)
    yield from _of_log(payloads) if isinstance(opening, dict) and _is_envelope(opening) else (SourceMessage(Message(each)) for each in payloads)


def _rows(data: bytes) -> Iterator[SourceMessage]:
    text = _text(data)
    if text is None:
        raise NotFollowedError('a file that is neither JSON nor rows of UTF-8 is not followed')
    for row, cells in rows_of_text(text):
        if cells is None:
            yield SourceMessage(reject='extra_cells')
        else:
            yield SourceMessage(Message(json_text(cells).encode(), own=row.encode()))


def _plain(data: bytes) -> bytes:
    try:
        if data.startswith(_GZIP):
            return gzip.decompress(data)
        if data.startswith(_ZSTD):
            import pyarrow

            with pyarrow.CompressedInputStream(io.BytesIO(data), 'zstd') as stream:
                return stream.read()
    except (OSError, EOFError, zlib.error) as error:
        raise StorageError(f'it is packed, and damaged: {error}') from error
    return data


def _text(data: bytes) -> str | None:
    try:
        return data.decode('utf-8')
    except UnicodeDecodeError:
        return None


def _value(text: str):
    end = first_value_end(text, 0)
    return None if end is None else parse_leniently(text[:end])


def _is_lines(lines: list[bytes], first: str | None) -> bool:
    # A line that is no text says nothing of what follows: it is one message that cannot be read.
    if first is None:
        return True
    if first_value_end(first, 0) is None:
        return False
    # Of an array that ends on its line another one follows on the next, else it is the list of all messages.
    return first.startswith('{') or (len(lines) > 1 and lines[1].startswith(b'['))


def _json_lines(lines: list[bytes]) -> Iterator[bytes]:
    for line in lines:
        if re.search(rb'}[ \t]*{', line):
            yield from _objects_of_line(line)
        else:
            yield line


def _objects_of_line(line: bytes) -> list[bytes]:
    text, found, at = _text(line), [], 0
    while text is not None and at < len(text):
        end = first_value_end(text, at) if text[at] in '{[' else None
        behind = None if end is None else text[past_blanks(text, end) :][:1]
        if behind is None or behind not in ('', '{'):
            # What is left of the line is one message that cannot be read.
            end = len(text)
        found.append(text[at:end].encode())
        at = past_blanks(text, end)
    return found or [line]


def _json_values(data: bytes, packs: bool) -> Iterator[bytes]:
    text = _text(data)
    if text is None:
        raise NotFollowedError('an array or objects over several lines that are no UTF-8 are not followed')
    at = past_blanks(text, 0)
    if text[at] == '[':
        end = first_value_end(text, at)
        if end is None or past_blanks(text, end) < len(text):
            raise NotFollowedError('an array with a damaged element is not followed')
        elements = [text[start:until] for _, start, until in members(text, at)]
        is_pack = packs and not any(each.startswith('[') for each in elements)
        yield from [text[at:end].encode()] if is_pack else (each.encode() for each in elements)
        return
    while at < len(text):
        end = first_value_end(text, at)
        if end is None:
            raise NotFollowedError('objects over several lines of which one is damaged are not followed')
        yield text[at:end].encode()
        at = past_blanks(text, end)


def _is_envelope(value) -> bool:
    if not isinstance(value, dict) or 'topic' not in value or not ('payload' in value or 'payload_base64' in value):
        return False
    return all(name in _ENVELOPE_NAMES or name in _ARRIVAL_NAMES for name in value)


def _of_log(payloads: Iterator[bytes]) -> Iterator[SourceMessage]:
    for each in payloads:
        try:
            text = each.decode('utf-8')
            envelope = parse_json(text)
        except (UnicodeDecodeError, Unreadable):
            yield SourceMessage(reject='no_envelope')
            continue
        yield _enveloped(envelope, text)


def _enveloped(envelope, text: str) -> SourceMessage:
    if not _is_envelope(envelope) or not isinstance(envelope['topic'], str):
        return SourceMessage(reject='no_envelope')
    if 'properties' in envelope:
        raise NotFollowedError('a log of a broker with MQTT 5 properties is not followed')
    arrival = next((envelope[name] for name in _ARRIVAL_NAMES if name in envelope), None)
    arrived_ms = None if arrival is None else _arrival_ms(arrival)
    payload = _payload_of(envelope, text)
    if payload is None or (arrival is not None and arrived_ms is None):
        return SourceMessage(reject='no_envelope')
    return SourceMessage(
        Message(
            payload,
            arrived_ms=arrived_ms,
            topic=envelope['topic'],
            headers=_texts_of(envelope.get('headers')),
            is_retained=envelope.get('retain') is True or envelope.get('retain') == '1',
        )
    )


def _payload_of(envelope: dict, text: str) -> bytes | None:
    if 'payload' not in envelope:
        held = envelope['payload_base64']
        return bytes_of(held, 'base64') if isinstance(held, str) else None
    payload = envelope['payload']
    if isinstance(payload, str) and not isinstance(payload, Number):
        return payload.encode()
    # Its own bytes, as they stand in the line.
    start, end = next((start, end) for key, start, end in members(text, 0) if key == 'payload')
    return text[start:end].encode()


def _texts_of(headers) -> dict[str, str]:
    return {name: str(text) for name, text in headers.items() if isinstance(text, str)} if isinstance(headers, dict) else {}


def _arrival_ms(arrival) -> int | None:
    if isinstance(arrival, Number):
        if not re.fullmatch(r'\d+(\.\d+)?', arrival):
            return None
        whole, _, fraction = arrival.partition('.')
        return int(whole) * 1_000 + int(f'{fraction}000'[:3]) if len(whole) <= 10 else int(whole)
    return iso_ms_with_zone(arrival) if isinstance(arrival, str) else None


def _chain(lines: list[bytes]) -> Iterator[SourceMessage]:
    last_line = _text(lines[-1])
    end = _value(last_line) if last_line else None
    if not isinstance(end, dict) or 'end' not in end:
        raise StorageError('a chain object without its end')
    sequence = None
    for line in lines[:-1]:
        try:
            told = parse_json(line.decode('utf-8'))
        except (UnicodeDecodeError, Unreadable):
            yield SourceMessage(reject='no_chain_line')
            continue
        if not _is_chain_line(told):
            yield SourceMessage(reject='no_chain_line')
            continue
        sequence = told['sequence']
        yield _chained(told)
    if sequence is not None and sequence != end['end']:
        raise StorageError(f'a chain object that ends with {end["end"]}, and its last message is {sequence}')


def _is_chain_line(told) -> bool:
    if not isinstance(told, dict) or 'sequence' not in told or not ('payload' in told or 'payload_base64' in told):
        return False
    texts = (told[name] for name in _CHAIN_TEXTS if name in told)
    return all(isinstance(text, str) and not isinstance(text, Number) for text in texts) and _is_whole(told.get('arrived_ms', Number(0)))


def _is_whole(value) -> bool:
    return isinstance(value, Number) and re.fullmatch(r'\d{1,16}', value) is not None


def _chained(told: dict) -> SourceMessage:
    payload = told['payload'].encode() if 'payload' in told else bytes_of(told['payload_base64'], 'base64')
    arrived_ms = told.get('arrived_ms')
    if payload is None:
        return SourceMessage(reject='no_chain_line')
    if 'refused' in told:
        return SourceMessage(reject='refused')
    message = Message(
        payload,
        arrived_ms=None if arrived_ms is None else int(arrived_ms),
        topic=told.get('topic'),
        device=told.get('device'),
        key=told.get('key'),
        headers=_texts_of(told.get('headers')),
        is_retained=told.get('retained') is True,
    )
    return SourceMessage(message, profile=told.get('profile'), site=told.get('site'))
