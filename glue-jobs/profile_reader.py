"""Messages by a profile, in the order of docs/profiles.md: readings, or why there are none. One reader reads the messages of one source."""
import hashlib
import re
from collections.abc import Callable, Iterator

from lake_errors import NotFollowedError
from profile_cbor import parse_cbor
from profile_elements import Element, each_paths, elements_of, unpacked
from profile_fields import KnownFields, field_name
from profile_json import Number, Twice, Unreadable, parse_json, parse_leniently, text_of
from profile_metrics import Rejected, value_of
from profile_outcome import Outcome, Problem, Reading
from profile_senml import named_labels, records_of
from profile_sources import ABSENT, Message, Scope, all_hold, holds, needs_payload, plain_text
from profile_sparkplug import NoRecord, SparkplugReader
from profile_texts import Path, fill, is_pattern, match_key, path_of, topic_matches
from profile_times import duration_ms, iso_ms, time_of

_FOLLOWED_DECODERS = ('json', 'text', 'cbor', 'senml', 'senml-cbor', 'sparkplug-b')
# What is made JSON of is no longer than this.
_MAX_DECODED_BYTES = 1 << 20
_DEVICE_ID = re.compile(r'[^\x00-\x1f\x7f]{1,256}')
_METRIC_NAME = re.compile(r'[^\x00-\x1f\x7f]{1,128}')
_MAX_IDENTITY_LENGTH = 128

# Words of a profile whose numbers count places; all other numbers keep their text. Words whose entries are the devices' own have none.
_COUNTS = {'digits', 'bit', 'bits', 'part', 'at', 'length'}
_OWN_WORDS = {'words', 'map', 'units'}


class ProfileReader:
    """Reads messages by one profile, a document as `parse_json` has it. Raises NotFollowedError for a profile that this reader does not follow."""

    def __init__(self, document: dict):
        profile = _with_counts(document)
        self._decoder = profile.get('decoder', 'json')
        if self._decoder not in _FOLLOWED_DECODERS:
            followed = ', '.join(_FOLLOWED_DECODERS)
            raise NotFollowedError(f'profile {profile["name"]} has the decoder {self._decoder}, which is not followed: only {followed} are')
        if self._decoder not in ('json', 'text') and ('each' in profile or 'unpack' in profile):
            raise NotFollowedError(f'profile {profile["name"]} cuts or unpacks payloads of the decoder {self._decoder}, which is not followed')
        self._sparkplug = SparkplugReader()
        self._profile = profile
        self._let = profile.get('let', {})
        self._each = each_paths(profile['each']) if 'each' in profile else None
        self._times = _listed(profile['time'])
        clock = profile.get('clock', {})
        self._clock = {'earliest_ms': iso_ms(clock.get('earliest', '2010-01-01')), 'ahead_ms': duration_ms(clock.get('ahead', '5m'))}
        not_readings = profile.get('notReadings', [])
        self._not_readings_around = [each for each in not_readings if not needs_payload(each, self._let)]
        self._not_readings_within = [each for each in not_readings if needs_payload(each, self._let)]
        metrics = [(metric, path_of(metric['path']) if 'path' in metric else ()) for metric in profile['metrics']]
        self._plain = [metric for metric, path in metrics if not is_pattern(path)]
        self._patterns = [(metric, path) for metric, path in metrics if is_pattern(path)]
        self._fields = KnownFields(profile, outer=None if self._each is None else False)
        self._outer_fields = KnownFields(profile, outer=True)
        for path in self._each or []:
            self._outer_fields.add(tuple(key for key in path if key != '[]'))

    @property
    def reads_packs(self) -> bool:
        """True where an array is one message: a pack of SenML."""
        return self._decoder == 'senml'

    def read(self, message: Message) -> Outcome:
        """The readings and problems of a payload."""
        outcome = Outcome()
        captured = self._captured(message.topic)
        if captured is None:
            outcome.problems.append(Problem('no_reading'))
            return outcome
        around = Scope(message, captured=captured, let=self._let)
        if any(holds(each, around) for each in self._not_readings_around):
            outcome.problems.append(Problem('no_reading', device=self._device_said(around)))
        elif message.payload == b'':
            outcome.problems += self._problems_of_nothing(around)
        else:
            try:
                self._read_payload(message, captured, outcome)
            except Unreadable:
                outcome.problems.append(Problem('unreadable', device=self._device_said(around)))
        return outcome

    def _captured(self, topic: str | None) -> dict[str, str] | None:
        if topic is None or 'topics' not in self._profile:
            return {}
        return next((found for found in (topic_matches(topic, each) for each in self._profile['topics']) if found is not None), None)

    def _problems_of_nothing(self, around: Scope) -> list[Problem]:
        device = self._device_said(around)
        told = [
            metric
            for metric in self._profile['metrics']
            if 'only' in metric and not any(needs_payload(each, self._let) for each in _listed(metric['only'])) and all_hold(metric['only'], around)
        ]
        named = [Problem('no_value', metric=fill(metric['name'], around), device=device) for metric in told]
        return named or [Problem('no_value', device=device)]

    def _read_payload(self, message: Message, captured: dict[str, str], outcome: Outcome) -> None:
        if self._decoder not in ('json', 'text'):
            self._read_decoded(message, captured, outcome)
            return
        text = text_of(message.payload)
        unpack = self._profile.get('unpack', [])

        def scope_within(around) -> Callable[[object], Scope]:
            return lambda value: Scope(message, root=value if around is ABSENT else around, element=value, captured=captured, let={})

        if self._decoder == 'text' or self._each is None:
            root = unpacked(text if self._decoder == 'text' else parse_json(text), unpack, {}, scope_within(ABSENT))
            self._read_element(Element((), None), root, root, message, captured, outcome)
            return
        texts: dict[Path, str] = {}
        root = unpacked(parse_leniently(text), unpack, texts, scope_within(ABSENT))
        elements = elements_of(text, self._each, texts, self._outer_fields.is_for_patterns)
        if () not in {element.path for element in elements} or any(key != '[]' for path in self._each for key in path):
            _refuse_twice(root, (), frozenset(element.path for element in elements if element.path))
        if not elements:
            device = self._device_said(Scope(message, captured=captured, let=self._let))
            outcome.problems.append(Problem('no_reading', device=device))
        self._tell_unknown(self._outer_fields, root, outcome, elements)
        for element in elements:
            try:
                value = unpacked(parse_json(text if element.text is None else element.text), unpack, {}, scope_within(root))
            except Unreadable:
                outcome.problems.append(Problem('unreadable'))
                continue
            self._read_element(element, root, value, message, captured, outcome)

    def _read_decoded(self, message: Message, captured: dict[str, str], outcome: Outcome) -> None:
        if len(message.payload) > _MAX_DECODED_BYTES:
            raise Unreadable(f'the payload has more than {_MAX_DECODED_BYTES} bytes')
        if self._decoder == 'cbor':
            value = parse_cbor(message.payload)
            self._read_element(Element((), None), value, value, message, captured, outcome)
            return
        records = self._records_of(message)
        outcome.problems += [
            Problem(each.reason, metric=each.name, device=self._device_said(Scope(message, captured=captured, let=self._let)))
            for each in records
            if isinstance(each, NoRecord)
        ]
        for record in records:
            if not isinstance(record, NoRecord):
                self._read_element(Element((), None), record, record, message, captured, outcome, is_record=True)
        if not outcome.readings and not outcome.problems:
            outcome.problems.append(Problem('no_reading', device=self._device_said(Scope(message, captured=captured, let=self._let))))

    def _records_of(self, message: Message) -> list[dict | NoRecord]:
        if self._decoder == 'sparkplug-b':
            return self._sparkplug.records_of(message.payload, message.topic)
        pack = parse_json(text_of(message.payload)) if self._decoder == 'senml' else named_labels(parse_cbor(message.payload))
        return records_of(pack, message.arrived_ms)

    def _read_element(
        self, element: Element, root, value, message: Message, captured: dict[str, str], outcome: Outcome, *, is_record: bool = False
    ) -> None:
        scope = Scope(message, root=root, element=value, captured={**captured, **element.captured}, let=self._let)
        device = self._device_said(scope)
        if device is None or not _DEVICE_ID.fullmatch(device):
            outcome.problems.append(Problem('no_device'))
            return
        if message.device is not None and device != message.device:
            outcome.problems.append(Problem('device_mismatch'))
            return
        if any(holds(each, scope) for each in self._not_readings_within) or (message.is_retained and self._profile.get('retained') != 'read'):
            outcome.problems.append(Problem('no_reading', device=device, at_ms=self._time_told(scope)))
            return
        # Of a message that is the whole payload the sources of what stands around messages read too.
        around = self._outer_fields if self._each is not None and not element.path else None
        self._tell_unknown(self._fields, value, outcome, [], around)
        before = len(outcome.readings) + len(outcome.problems)
        self._read_metrics(element, value, scope, device, outcome)
        if len(outcome.readings) + len(outcome.problems) > before:
            return
        if not is_record:
            outcome.problems.append(Problem('no_reading', device=device))
        elif value['name'] not in outcome.unknown_fields:
            # A record whose name no metric has.
            outcome.unknown_fields.append(value['name'])

    def _read_metrics(self, element: Element, value, scope: Scope, device: str, outcome: Outcome) -> None:
        reading_of = _MetricsOfMessage(self, element, scope, device, outcome)
        for metric in self._plain:
            within = scope.within({}, metric.get('let', {}))
            if 'only' not in metric or all_hold(metric['only'], within):
                reading_of.add(metric, *within.choose_source(metric.get('from', {'path': metric.get('path')})), within)
        if self._patterns:
            for path, sent in _places(value, ()):
                if self._fields.is_for_patterns(path):
                    self._read_by_pattern(path, sent, scope, reading_of)

    def _read_by_pattern(self, path: Path, sent, scope: Scope, reading_of: '_MetricsOfMessage') -> None:
        for metric, pattern in self._patterns:
            captured = _match_path(path, pattern)
            if captured is None:
                continue
            within = scope.within(captured, metric.get('let', {}))
            if 'only' not in metric or all_hold(metric['only'], within):
                reading_of.add(metric, sent, {}, within)
                return

    def _device_said(self, scope: Scope) -> str | None:
        said = plain_text_of_device(scope.choose(self._profile['device']))
        return scope.message.device if said is None else said

    def _time_told(self, scope: Scope) -> int | None:
        at_ms, clock = time_of(self._times, scope, **self._clock)
        return at_ms if clock == 'device' else None

    def time_of_metric(self, metric: dict, scope: Scope) -> tuple[int | None, str]:
        """When a metric was measured: by its own time where one is there, else by the message's."""
        return time_of([*_listed(metric.get('time', [])), *self._times], scope, **self._clock)

    def identity_of(self, element: Element, scope: Scope) -> str:
        """What a repeat of the message is known by."""
        parts = [plain_text(scope.value(each)) for each in self._profile.get('identity', [])]
        if not parts or None in parts:
            whole = scope.message.payload if scope.message.own is None else scope.message.own
            own = whole if element.text is None else element.text.encode()
            return hashlib.sha256(own).hexdigest()[:16]
        identity = ':'.join(part.replace('%', '%25').replace(':', '%3A') for part in parts)
        if len(identity) <= _MAX_IDENTITY_LENGTH:
            return identity
        return hashlib.sha256(identity.encode()).hexdigest()[:32]

    def _tell_unknown(
        self, fields: KnownFields, value, outcome: Outcome, elements: list[Element], around: KnownFields | None = None
    ) -> None:
        stop = frozenset(element.path for element in elements)
        if not isinstance(value, dict | list) or () in stop or (isinstance(value, list) and fields.reads_all_of_lists):
            return
        above = frozenset(path[:length] for path in stop for length in range(1, len(path)))
        for path in fields.unknown(value, stop=stop, above=above):
            name = field_name(path)
            if name not in outcome.unknown_fields and not (around and around.names(path)):
                outcome.unknown_fields.append(name)


class _MetricsOfMessage:
    """Puts the metrics of one message into its outcome; what is the same for all of them is looked up once."""

    def __init__(self, reader: ProfileReader, element: Element, scope: Scope, device: str, outcome: Outcome):
        self._reader = reader
        self._element = element
        self._scope = scope
        self._device = device
        self._outcome = outcome
        self._identity: str | None = None
        self._message_time: tuple[int | None, str] | None = None
        self._told_times: set[str] = set()

    def add(self, metric: dict, sent, source: dict | None, scope: Scope) -> None:
        """The reading of a metric whose value is `sent`, or why there is none; nothing where nothing is there."""
        if sent is ABSENT and 'absent' in metric:
            sent, source = metric['absent'], {}
        elif sent is ABSENT and 'absentMeans' not in metric:
            return
        at_ms, clock = self._time(metric, scope)
        has_time = at_ms is not None
        if not has_time and clock not in self._told_times:
            self._told_times.add(clock)
            self._outcome.problems.append(Problem(clock, device=self._device))
        name = fill(metric['name'], scope)
        if name is None or not _METRIC_NAME.fullmatch(name):
            self._outcome.problems.append(Problem('bad_name', device=self._device))
            return
        problem = {'metric': name, 'device': self._device, 'at_ms': at_ms if clock == 'device' else None}
        if sent is ABSENT or any(holds(each, scope) for each in _listed(metric.get('unless', []))):
            self._outcome.problems.append(Problem('no_value', **problem))
            return
        try:
            value = value_of(metric, sent, source, scope)
        except Rejected as rejected:
            self._outcome.problems.append(Problem(rejected.reason, **problem))
            return
        if not has_time:
            return
        if value.is_suspect:
            self._outcome.problems.append(Problem('suspect', **problem))
        if self._identity is None:
            self._identity = self._reader.identity_of(self._element, self._scope)
        arrived_ms = self._scope.message.arrived_ms
        self._outcome.readings.append(
            Reading(
                device=self._device,
                metric=name,
                at_ms=at_ms,
                received_ms=at_ms if arrived_ms is None else arrived_ms,
                units=value.units,
                text=value.text,
                message=self._identity,
                clock=clock,
                is_historical='historical' in metric and all_hold(metric['historical'], scope),
            )
        )

    def _time(self, metric: dict, scope: Scope) -> tuple[int | None, str]:
        if 'time' in metric:
            return self._reader.time_of_metric(metric, scope)
        if self._message_time is None:
            self._message_time = self._reader.time_of_metric({}, self._scope)
        return self._message_time


def plain_text_of_device(value) -> str | None:
    """The id that a value says: a text or a number, no yes or no."""
    return None if isinstance(value, bool) else plain_text(value)


def _places(value, path: Path) -> Iterator[tuple[Path, object]]:
    """The fields of a value, those that hold others before these."""
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            below = (*path, str(key))
            yield below, each
            yield from _places(each, below)


def _refuse_twice(value, path: Path, messages: frozenset[Path]) -> None:
    """Raises Unreadable where a key comes twice around the messages."""
    if isinstance(value, Twice):
        raise Unreadable('a key comes twice in one object')
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            below = (*path, str(key))
            if below not in messages:
                _refuse_twice(each, below, messages)


def _match_path(path: Path, pattern: Path) -> dict[str, str] | None:
    captured: dict[str, str] | None = {}
    if len(path) != len(pattern):
        return None
    for key, of_pattern in zip(path, pattern):
        captured = match_key(key, of_pattern, captured)
        if captured is None:
            return None
    return captured


def _with_counts(document, word: str | None = None):
    if isinstance(document, dict):
        return {key: each if key in _OWN_WORDS else _with_counts(each, key) for key, each in document.items()}
    if isinstance(document, list):
        return [_with_counts(each, word) for each in document]
    return int(document) if word in _COUNTS and isinstance(document, Number) else document


def _listed(one_or_more) -> list:
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]
