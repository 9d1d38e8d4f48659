"""What a run tells while it works; needs neither Spark nor S3."""
import json

import pytest
from day_report import DayReport, DayResult

KEY = '_flowlake/reports/1.json'


class Bucket:
    """Keeps what is written, each time."""

    def __init__(self, text=None):
        self.texts = [] if text is None else [text]

    def read(self, _):
        return self.texts[-1] if self.texts else None

    def write(self, _, body):
        self.texts.append(body)


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


def days_in(text):
    return [entry['day'] for entry in json.loads(text)['days']]


def test_days_are_told_as_they_come_but_not_each_by_itself_where_they_come_fast():
    bucket, clock = Bucket(), Clock()
    report = DayReport(bucket, KEY, clock=clock)
    report.begin(1000)
    for at in range(500):
        report.add(DayResult(f'2026-01-01+{at:03}', 'was right'))
    assert len(bucket.texts) == 1
    clock.seconds = 2
    report.add(DayResult('2026-02-01', 'written', 3, 4))
    assert len(bucket.texts) == 2 and len(days_in(bucket.texts[-1])) == 501
    report.add(DayResult('2025-12-31', 'was right'))
    report.close()
    assert days_in(bucket.texts[-1])[0] == '2025-12-31' and len(days_in(bucket.texts[-1])) == 502
    assert json.loads(bucket.texts[-1])['days_total'] == 1000


def test_without_a_key_nothing_is_written():
    bucket = Bucket()
    report = DayReport(bucket, None)
    report.begin(1)
    report.add(DayResult('2026-01-01', 'written'))
    report.close()
    assert (bucket.texts, report.read_done()) == ([], {})


def test_a_report_that_cannot_be_written_is_said_and_keeps_no_day_from_being_done(capsys):
    class Refusing(Bucket):
        def write(self, key, body):
            raise PermissionError('AccessDenied')

    report = DayReport(Refusing(), KEY)
    report.begin(1)
    report.add(DayResult('2026-01-01', 'written'))
    report.close()
    assert f'{KEY} could not be written: PermissionError: AccessDenied' in capsys.readouterr().out


WRITTEN = {'day': '2026-01-01', 'what': 'written', 'sources': 1, 'pairs': 2, 'failed': False}
FAILED = {'day': '2026-01-02', 'what': 'failed: x', 'sources': None, 'pairs': None, 'failed': True}


@pytest.mark.parametrize(
    'days_total, days, done',
    [
        (2, [WRITTEN, FAILED], ['2026-01-01']),
        (2, [WRITTEN], ['2026-01-01']),
        (1, [WRITTEN], []),
        (0, [], []),
    ],
)
def test_what_an_earlier_attempt_did_is_known_unless_it_did_everything(days_total, days, done):
    bucket = Bucket(json.dumps({'days_total': days_total, 'days': days}).encode())
    assert list(DayReport(bucket, KEY).read_done()) == done
