"""The readings of one telemetry source as rows, with what the registry says of their devices, and what was rejected by reason."""
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote

from lake_errors import NotFollowedError, StorageError
from profile_json import parse_json
from profile_outcome import Outcome, Reading
from profile_reader import ProfileReader
from source_messages import SourceMessage, messages_of

# The years 1 to 9999, which every engine has.
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999

_SITE = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]*')

# Columns of a row, without those that follow from them.
ROW_SCHEMA = """
day string, site string, device string, metric string, at_ms bigint, message string, received_ms bigint, value decimal(28,9), text string,
clock string, profile string, place string, device_site string, device_profile string, device_ip string, device_since string
"""


@dataclass(frozen=True)
class TelemetrySource:
    """A source that counts, as the ledger has it."""

    key: str
    site: str
    # Of a file of history: the profile of all its messages.
    profile: str | None
    # Versions of the profiles that it was read by.
    versions: dict[str, int]
    # Days of its readings.
    days: tuple[str, ...]
    # The version that counts.
    version: str = ''


@dataclass
class SourceReport:
    """What came of a source."""

    messages: int = 0
    # Of all days, each as often as it came.
    readings: int = 0
    # Messages, and metrics of them, by the reasons of docs/reading-telemetry.md.
    rejected: Counter = field(default_factory=Counter)
    # Why nothing of it was read; None where it was.
    not_read: str | None = None


@dataclass(frozen=True)
class Assignment:
    """What the registry says of a device for a span of days."""

    site: str
    profile: str
    ip: str | None
    # First day; None: from the beginning.
    valid_from: str | None
    # Day on which it holds no more; None: it holds still.
    valid_to: str | None
    place: str | None

    def holds_on(self, day: str) -> bool:
        """True if the device was so on the day."""
        return (self.valid_from or '') <= day < (self.valid_to or '9999-99-99')


class Registry:
    """The devices of the lake; each is looked up once. `read` gives the object of a key, or None."""

    def __init__(self, read: Callable[[str], bytes | None]):
        self._read = read
        self._assignments: dict[str, list[Assignment]] = {}

    def find(self, device: str, day: str) -> Assignment | None:
        """The assignment of the device that held on the day; None where nobody said. Raises StorageError where the device's record is damaged."""
        if device not in self._assignments:
            key = device_key(device)
            self._assignments[device] = _parse_assignments(self._read(key) or b'', key=key, device=device)
        return next((each for each in self._assignments[device] if each.holds_on(day)), None)


def _parse_assignments(text: bytes, *, key: str, device: str) -> list[Assignment]:
    try:
        lines = [json.loads(line) for line in text.decode().split('\n') if line != '']
        if any(line['device'] != device for line in lines):
            raise ValueError(device)
        return [Assignment(**{name: line[name] for name in Assignment.__dataclass_fields__}) for line in lines]
    except (ValueError, KeyError, TypeError) as error:
        message = f'{key} is no record of device {device}: restore it from a backup, or delete it and register the device anew'
        raise StorageError(message) from error


def device_key(device: str) -> str:
    """The key of a device in the registry."""
    return f'devices/{quote(device, safe="")}.json'


def rows_of(
    source: TelemetrySource, data: bytes | None, *, readers: Callable[[str, int], ProfileReader], registry: Registry, report: SourceReport
) -> Iterator[tuple]:
    """
    The rows of a source's raw object, and into `report` what was not one. A source that cannot be read as a whole gives no row, and the report says
    why. `readers` gives the reader of a profile's version.
    """
    rows: list[tuple] = []
    try:
        if data is None:
            raise StorageError('its raw object is gone')
        version = source.versions.get(source.profile)
        for each in messages_of(data, packs=bool(version) and readers(source.profile, version).reads_packs):
            report.messages += 1
            rows += _rows_of_message(source, each, readers, registry, report)
    except (NotFollowedError, StorageError, OSError) as error:
        report.messages = report.readings = 0
        report.rejected.clear()
        report.not_read = str(error)
        return iter(())
    return iter(rows)


def _rows_of_message(source: TelemetrySource, found: SourceMessage, readers, registry: Registry, report: SourceReport) -> Iterator[tuple]:
    profile = found.profile or source.profile
    reject = found.reject
    if reject is None and not source.versions.get(profile):
        reject = 'no_profile'
    if reject is None and found.site is not None and not is_site(found.site):
        reject = 'no_site'
    if reject is not None:
        report.rejected[reject] += 1
        return
    outcome = readers(profile, source.versions[profile]).read(found.message)
    readings = [each for each in outcome.readings if is_in_calendar(each.at_ms)]
    report.readings += len(readings)
    _count_rejects(outcome, readings, report)
    for each in readings:
        day = day_of_ms(each.at_ms)
        # Where it stood is asked of the day on which it measured, all else of the day on which its message came.
        stood, was = registry.find(each.device, day), registry.find(each.device, day_of_ms(each.received_ms))
        value = None if each.units is None else Decimal(each.units).scaleb(-9)
        yield (
            *(day, found.site or source.site, each.device, each.metric, each.at_ms, each.message, each.received_ms, value, each.text),
            *(each.clock, profile, stood and stood.place),
            *((was.site, was.profile, was.ip, was.valid_from) if was else (None, None, None, None)),
        )


def is_site(name: str) -> bool:
    """True for a site that a raw key may name."""
    return _SITE.fullmatch(name) is not None


def is_in_calendar(at_ms: int) -> bool:
    """True for a time in the years 1 to 9999."""
    return _FIRST_MS <= at_ms <= _LAST_MS


def day_of_ms(at_ms: int) -> str:
    """The day in UTC. An arrival that no calendar has counts as the first or the last day."""
    return datetime.fromtimestamp(min(max(at_ms, _FIRST_MS), _LAST_MS) // 1_000, UTC).date().isoformat()


def _count_rejects(outcome: Outcome, readings: list[Reading], report: SourceReport) -> None:
    report.rejected.update(problem.reason for problem in outcome.problems)
    if len(readings) < len(outcome.readings):
        report.rejected['time_implausible'] += 1
    elif not readings and all(problem.metric is not None for problem in outcome.problems):
        # The message is one reject beside those of its metrics.
        report.rejected['no_value'] += 1


def profile_readers(documents: dict[tuple[str, int], bytes]) -> Callable[[str, int], ProfileReader]:
    """Gives the reader of a profile's version, each made once. It raises NotFollowedError as the reader does, StorageError for one that is gone."""
    made: dict[tuple[str, int], ProfileReader] = {}

    def reader(name: str, version: int) -> ProfileReader:
        if (name, version) not in made:
            document = documents.get((name, version))
            if document is None:
                raise StorageError(f'version {version} of profile {name} is gone')
            made[name, version] = ProfileReader(parse_json(document.decode()))
        return made[name, version]

    return reader
