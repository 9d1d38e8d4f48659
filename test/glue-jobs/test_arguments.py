"""How the job is started; needs neither Spark nor S3."""
from datetime import date

import pytest
from consolidate_days import parse_arguments
from job_start import day_said
from lake_errors import UsageError

RANGE = ['--bucket', 'lake', '--from', '2026-01-01', '--to', '2026-01-31']


def test_what_glue_adds_is_passed_over():
    added = ['--JOB_ID', 'j_1', '--JOB_RUN_ID', 'jr_1', '--job-bookmark-option', 'job-bookmark-disable', '--TempDir', 's3://lake/t/']
    options = parse_arguments(['job.py', *added, '--JOB_NAME', 'consolidate-days', *RANGE, '--enable-metrics', 'true'])
    assert (options.bucket, options.first_day, options.last_day) == ('lake', '2026-01-01', '2026-01-31')
    assert options.dry_run is False


DRY_RUNS = [(['--dry_run', 'true'], True), (['--dry_run'], True), (['--dry_run', 'false'], False), ([], False)]


@pytest.mark.parametrize('said, meant', DRY_RUNS)
def test_a_dry_run_is_asked_for_with_or_without_a_value(said, meant):
    assert parse_arguments(RANGE + said).dry_run is meant


def test_days_are_built_anew_and_reported_only_where_that_is_asked_for():
    plain = parse_arguments(RANGE)
    assert (plain.anew, plain.report) == (False, None)
    asked = parse_arguments([*RANGE, '--anew', 'true', '--report', '_flowlake/reports/1.json'])
    assert (asked.anew, asked.report) == (True, '_flowlake/reports/1.json')


@pytest.mark.parametrize(
    'said, reason',
    [
        (RANGE[:4], '--to'),
        (RANGE[2:], '--bucket'),
        ([*RANGE, '--to', '2026-02-30'], '2026-02-30'),
        ([*RANGE, '--to', '20260131'], '20260131'),
        ([*RANGE, '--to', '2025-12-31'], '--from 2026-01-01 is after --to 2025-12-31'),
        ([*RANGE, '--dry_run', 'maybe'], 'maybe'),
        ([*RANGE, '--report', 'pair_days/day=2026-01-01/part-00.parquet'], 'is not below _flowlake/'),
    ],
)
def test_what_is_wrong_is_said(said, reason):
    with pytest.raises(UsageError, match=reason):
        parse_arguments(said)


def test_schedules_say_days_by_words():
    today = date(2026, 3, 1)
    said = {text: day_said(text, today=today) for text in ('yesterday', '1-days-ago', '30-days-ago', '2026-02-28')}
    assert said == {'yesterday': '2026-02-28', '1-days-ago': '2026-02-28', '30-days-ago': '2026-01-30', '2026-02-28': '2026-02-28'}
    for text in ('today', '0-days-ago', '-1-days-ago', '30 days ago', '2026-2-28', 'days-ago'):
        with pytest.raises(ValueError):
            day_said(text, today=today)
