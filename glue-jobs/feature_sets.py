"""What models are trained on, by what a row is of: the view, the table that it is made of, and where the days stand."""
from dataclasses import dataclass

from lake_layout import FEATURES_PREFIX, METRIC_FEATURES_PREFIX
from lake_tables import Table, kind_named


@dataclass(frozen=True)
class FeatureSet:
    """Rows of a view, an object a day."""

    # The view that an object has the rows of.
    view: str
    # Views, each after those it reads.
    views: tuple[str, ...]
    # The table that they are made of.
    table: Table
    # Beginning of the objects' keys, with the final slash.
    prefix: str
    # What rows are sorted by, behind the day.
    order: tuple[str, ...]
    # What a day has none of that has no rows.
    noun: str


def feature_set(of: str) -> FeatureSet:
    """The set of the rows that `--of` names. Raises KeyError for another word."""
    metric_hours = next(each.table for each in kind_named('telemetry').derived if each.table.name == 'metric_hours')
    return {
        'pairs': FeatureSet(
            'pair_features', ('pair_running', 'pair_features'), kind_named('flows').merged, FEATURES_PREFIX, ('site', 'src_ip', 'dst_ip'), 'pairs'
        ),
        'metrics': FeatureSet(
            'metric_features',
            ('metric_hour_values', 'metric_features'),
            metric_hours,
            METRIC_FEATURES_PREFIX,
            ('site', 'device', 'metric', 'hour_ms'),
            'metrics',
        ),
    }[of]
