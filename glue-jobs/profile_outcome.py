"""What comes of a message: readings, and why there is none of something."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reading:
    """What was measured; one of `units` (billionths) and `text` is None."""

    device: str
    metric: str
    at_ms: int
    received_ms: int
    units: int | None
    text: str | None
    message: str
    clock: str
    is_historical: bool


@dataclass(frozen=True)
class Problem:
    """Why there is no reading: of a metric, or of the whole message where `metric` is None."""

    reason: str
    metric: str | None = None
    device: str | None = None
    # Of the device's clock only.
    at_ms: int | None = None


@dataclass
class Outcome:
    """What comes of one payload."""

    readings: list[Reading] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unknown_fields: list[str] = field(default_factory=list)
