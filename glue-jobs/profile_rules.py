"""What a profile says about the hours of its metrics: digits and gaps, as lake/telemetry/profile/rules-of.ts has them."""
import re
from functools import lru_cache

from profile_times import duration_ms

# Digits and gap limit where the profile says none.
_DEFAULT_GAP_LIMIT = '1h'

# Names that messages make are remembered, up to this many.
_MAX_NAMES = 10_000


class HourRules:
    """The rules of one version of a profile; `document` is as `profile add` has let it pass."""

    def __init__(self, document: dict):
        # Two readings of a metric that are further apart are a gap.
        self.gap_limit_ms = duration_ms(document.get('gapLimit', _DEFAULT_GAP_LIMIT))
        metrics = [metric for metric in document['metrics'] if 'notReading' not in metric]
        self._patterns = [(metric, _pattern_of(metric['name'])) for metric in metrics]
        self.digits_of = lru_cache(_MAX_NAMES)(self._find_digits)

    def _find_digits(self, name: str) -> int | None:
        """
        Digits behind the point of the metric's figures; None for texts, for a metric without statistics, and for one that the profile does not have. Where
        several metrics of the profile may have the name, the most digits of them.
        """
        fitting = [metric for metric, pattern in self._patterns if pattern.fullmatch(name)]
        exact = [metric for metric in fitting if metric['name'] == name]
        numbers = [metric for metric in exact or fitting if metric.get('kind') != 'text']
        if not numbers or not all(metric.get('statistics', True) for metric in numbers):
            return None
        return max(int(metric.get('digits', 0)) for metric in numbers)


def _pattern_of(name: str) -> re.Pattern:
    """The names that a name with braces can become."""
    return re.compile('.*'.join(map(re.escape, re.split(r'\{[^}]*\}', name))), re.DOTALL)
