"""What a run tells while it works; needs neither Spark nor S3."""
import json

import pytest
from period_report import PeriodReport, PeriodResult

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


def periods_in(text):
    return [entry['period'] for entry in json.loads(text)['periods']]


def test_periods_are_told_as_they_come_but_not_each_by_itself_where_they_come_fast():
    bucket, clock = Bucket(), Clock()
    report = PeriodReport(bucket, KEY, clock=clock)
    report.begin(1000)
    for at in range(500):
        report.add(PeriodResult('pair_days', f'2026-01-01+{at:03}', 'was right'))
    assert len(bucket.texts) == 1
    clock.seconds = 2
    report.add(PeriodResult('pair_days', '2026-02-01', 'written', 3, 4))
    assert len(bucket.texts) == 2 and len(periods_in(bucket.texts[-1])) == 501
    report.add(PeriodResult('pair_days', '2025-12-31', 'was right'))
    report.close()
    assert periods_in(bucket.texts[-1])[0] == '2025-12-31' and len(periods_in(bucket.texts[-1])) == 502
    assert json.loads(bucket.texts[-1])['total'] == 1000


def test_without_a_key_nothing_is_written():
    bucket = Bucket()
    report = PeriodReport(bucket, None)
    report.begin(1)
    report.add(PeriodResult('pair_days', '2026-01-01', 'written'))
    report.close()
    assert (bucket.texts, report.read_done()) == ([], {})


def test_a_report_that_cannot_be_written_is_said_and_keeps_no_period_from_being_done(capsys):
    class Refusing(Bucket):
        def write(self, key, body):
            raise PermissionError('AccessDenied')

    report = PeriodReport(Refusing(), KEY)
    report.begin(1)
    report.add(PeriodResult('pair_days', '2026-01-01', 'written'))
    report.close()
    assert f'{KEY} could not be written: PermissionError: AccessDenied' in capsys.readouterr().out


WRITTEN = {'table': 'pair_days', 'period': '2026-01-01', 'what': 'written', 'sources': 1, 'rows': 2, 'failed': False}
OF_AN_HOUR = {**WRITTEN, 'table': 'readings', 'period': '2026-01-01T13'}
FAILED = {'table': 'pair_days', 'period': '2026-01-02', 'what': 'failed: x', 'sources': None, 'rows': None, 'failed': True}


@pytest.mark.parametrize(
    'total, periods, done',
    [
        (2, [WRITTEN, FAILED], [('pair_days', '2026-01-01')]),
        (2, [WRITTEN], [('pair_days', '2026-01-01')]),
        (3, [WRITTEN, OF_AN_HOUR], [('pair_days', '2026-01-01'), ('readings', '2026-01-01T13')]),
        (1, [WRITTEN], []),
        (0, [], []),
    ],
)
def test_what_an_earlier_attempt_did_is_known_unless_it_did_everything(total, periods, done):
    bucket = Bucket(json.dumps({'total': total, 'periods': periods}).encode())
    assert list(PeriodReport(bucket, KEY).read_done()) == done


OLD_WRITTEN = {'day': '2026-01-01', 'what': 'written', 'sources': 1, 'pairs': 2, 'failed': False}
OLD_FAILED = {'day': '2026-01-02', 'what': 'failed: x', 'sources': None, 'pairs': None, 'failed': True}


@pytest.mark.parametrize(
    'days_total, days, done',
    [
        (2, [OLD_WRITTEN, OLD_FAILED], ['2026-01-01']),
        (2, [OLD_WRITTEN], ['2026-01-01']),
        (1, [OLD_WRITTEN], []),
        (0, [], []),
    ],
)
def test_what_an_attempt_of_the_version_before_did_is_known_as_well(days_total, days, done):
    bucket = Bucket(json.dumps({'days_total': days_total, 'days': days}).encode())
    found = PeriodReport(bucket, KEY).read_done()
    assert found == {('pair_days', day): PeriodResult('pair_days', day, 'written', sources=1, rows=2) for day in done}


def test_periods_are_told_by_table_and_ascending():
    bucket = Bucket()
    report = PeriodReport(bucket, KEY)
    hours = [('readings', '2026-01-01T13'), ('readings', '2026-01-01T09')]
    for table, period in [*hours, ('pair_days', '2026-01-02'), ('pair_days', '2026-01-01')]:
        report.add(PeriodResult(table, period, 'was right', sources=1))
    report.close()
    assert json.loads(bucket.texts[-1])['periods'][1] == {
        'table': 'pair_days', 'period': '2026-01-02', 'what': 'was right', 'sources': 1, 'rows': None, 'failed': False
    }
    assert periods_in(bucket.texts[-1]) == ['2026-01-01', '2026-01-02', '2026-01-01T09', '2026-01-01T13']
