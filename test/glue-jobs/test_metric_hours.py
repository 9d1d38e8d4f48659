"""Hours of metrics as Python makes them: row by row those of lake/telemetry/metric-hours.ts. Needs neither Spark nor S3."""
import json
import random
import subprocess
from pathlib import Path

import pytest
from conftest import NODE, ROOT
from metric_hours import HourReading, hours_of
from profile_rules import HourRules

HOUR_MS = 1767607200000
HOUR = HOUR_MS // 3_600_000 % 24


def profile(metrics, **more):
    return {'name': 'p', 'device': {'path': 'd'}, 'time': 'arrival', 'metrics': metrics, **more}


def number(name, digits, **more):
    return {'name': name, 'path': name, 'digits': digits, **more}


PROFILES = {
    'plain': profile([number('t', 2), number('h', 0, kind='number'), {'name': 'on', 'path': 'on', 'kind': 'yes/no'}, {'name': 's', 'path': 's', 'kind': 'text'}]),
    'fine': profile([number('t', 4), number('q', 1, statistics=False), number('gone', 9, notReading='none')], gapLimit='90s'),
    'braces': profile([number('{any}', 1), number('t', 3), number('p[{port}].v', 6), number('t{x}', 0, statistics=False)], gapLimit='1500ms'),
    'nothing': profile([], gapLimit='0s'),
}


def rows_of_python(readings, profiles=PROFILES):
    rules = {name: HourRules(document) for name, document in profiles.items()}
    return [row[:3] + row[4:] for row in hours_of(map(HourReading._make, readings), hour_ms=HOUR_MS, rules_of=rules.get)]


def rows_of_typescript(cases):
    text = json.dumps([{'hour': HOUR, 'profiles': PROFILES, 'readings': [[*each[:5], each[5] if each[5] is None else str(each[5])] for each in case]} for case in cases])
    done = subprocess.run([NODE, Path(__file__).parent / 'hours-in-typescript.ts'], cwd=ROOT, input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [[tuple(row) for row in rows] for rows in json.loads(done.stdout)]


def in_words(row):
    """Figures as text, as JSON of TypeScript has them: `sum` to `first_value`, `last_value` and `area`."""
    return tuple(str(value) if at in (6, 7, 8, 9, 10, 12, 16) and value is not None else value for at, value in enumerate(row))


def random_readings(dice):
    readings = []
    for site in dice.sample(['', 'main', 'ö', 'a b'], dice.randint(1, 2)):
        for device in dice.sample(['d-1', 'd-2', '日'], dice.randint(1, 2)):
            for metric in dice.sample(['t', 'h', 'on', 's', 'q', 'gone', 'p[3].v', 'tx', 'any\nlines'], dice.randint(1, 4)):
                at, size = HOUR_MS + dice.randint(0, 1_000), dice.choice([10, 10**9, 10**12, 10**28])
                for _ in range(dice.choice([1, 1, 2, 5, 30])):
                    digits = dice.choice([9, 9, 8, 7, 5, 0])
                    units = dice.choice([None, dice.randint(-size, size) // 10**digits * 10**digits, dice.randint(-size, size)])
                    units = None if units is None else max(-(10**28) + 1, min(10**28 - 1, units))
                    readings.append((site, device, metric, dice.choice([*PROFILES, 'plain', 'plain', 'unknown']), at, units))
                    at += dice.choice([0, 1, 1_499, 1_500, 1_501, 60_000, 90_001])
    return sorted(readings, key=lambda each: (each[0].encode(), each[1].encode(), each[2].encode(), each[4]))


def test_every_row_of_random_hours_is_that_of_typescript():
    dice = random.Random(15)
    cases = [random_readings(dice) for _ in range(400)]
    expected = rows_of_typescript(cases)
    found = [[in_words(row) for row in rows_of_python(case)] for case in cases]
    assert found == expected
    rows = [row for case in found for row in case]
    # What the dice must have thrown: texts, squares that have no room, more digits than declared, profiles in turns, gaps that are left out.
    assert any(row[4] is None for row in rows) and any(row[6] is not None and row[7] is None for row in rows)
    assert {9, 4, 3, 2} <= {row[4] for row in rows} and {0, 1_500, 90_000, 3_600_000} == {row[15] for row in rows}
    assert any(row[17] is not None and 0 < row[17] < row[13] - row[11] for row in rows)


@pytest.mark.parametrize(
    'units, expected',
    [
        # 10^19 in hundredths is 10^21: its square has 43 digits.
        ([10**28 - 10**9, 10**28 - 10**9], (2, 2, 2 * (10**21 - 100), None)),
        ([-15_000_000, -25_000_000], (3, 2, -40, 15**2 + 25**2)),
        ([None, 20_000_000], (2, 2, 2, 4)),
        ([None, None], (None, 2, None, None)),
    ],
)
def test_figures_of_an_hour_by_hand(units, expected):
    [row] = rows_of_python([('main', 'd', 't', 'plain', HOUR_MS + at * 1_000, each) for at, each in enumerate(units)])
    assert row[4:8] == expected


def test_a_metric_is_known_by_its_own_name_before_names_with_braces():
    rules = HourRules(PROFILES['braces'])
    assert [rules.digits_of(name) for name in ('t', 'tx', 'p[3].v', 'q')] == [3, None, 6, 1]
    assert HourRules(PROFILES['fine']).digits_of('gone') is None
