"""What models are trained on: the same figures as every engine's, no look into the future, and never half a day."""
import io
import json
import os
import shutil
import subprocess
import sys
from datetime import date, timedelta

import pyarrow
import pyarrow.parquet
import pytest
from conftest import JOBS, PAIR_DAYS, PROGRAM, _node, pair_days_key, put_text
from export_features import main
from lake_bucket import LakeBucket
from lake_errors import StorageError
from lake_layout import FEATURES_PREFIX, features_key
from lake_views import view_sql
from period_object import arrow_schema, write_period_object

KEYS = ['site', 'src_ip', 'dst_ip']


@pytest.fixture
def with_days(lake, client, lake_folder):
    """The lake with the pair days that its own program made."""
    for path in sorted((lake_folder / 'pair_days').rglob('*.parquet')):
        client.upload_file(str(path), lake.name, str(path.relative_to(lake_folder)))
    return lake


@pytest.fixture
def put_day(bucket, tmp_path):
    """Puts the pair days of a day: rows as dictionaries, what is not said being 1."""

    def put(day: str, rows: list[dict]) -> None:
        names = [column.name for column in PAIR_DAYS.columns]
        full = sorted(([{'site': 'main', 'src_ip': 'a', 'dst_ip': 'b', **row}.get(name, 1) for name in names] for row in rows))
        part, path = str(tmp_path / 'part.parquet'), str(tmp_path / 'day.parquet')
        columns = [*map(list, zip(*full))] or [[]] * len(names)
        arrays = [pyarrow.array(column, kind) for column, kind in zip(columns, arrow_schema(PAIR_DAYS).types)]
        pyarrow.parquet.write_table(pyarrow.table(arrays, names), part)
        write_period_object(path, [part], table=PAIR_DAYS, contains=[])
        bucket.put_file(path, pair_days_key(day), etag=bucket.etag_of(pair_days_key(day)))

    return put


def run_job(bucket, capsys, first_day='2026-01-01', last_day='2026-12-31', *more):
    main(['--JOB_NAME', 'export-features', '--bucket', bucket.name, '--from', first_day, '--to', last_day, *more])
    return capsys.readouterr().out.splitlines()


def exported(bucket) -> dict[str, bytes]:
    """Every object below exports/ by its key, but for the manifests."""
    return {key: bucket.read(key) for key in bucket.list('exports/') if '/_manifests/' not in key}


def table_of(text: bytes) -> pyarrow.Table:
    return pyarrow.parquet.read_table(io.BytesIO(text))


def days_of(folder) -> list[str]:
    return sorted(path.name.removeprefix('day=') for path in (folder / 'pair_days').iterdir())


def test_every_row_is_what_the_view_gives_in_duckdb_digit_by_digit(with_days, lake_folder, spark, capsys):
    report = run_job(with_days, capsys)
    query = 'select * from pair_features order by day, site, src_ip, dst_ip'
    expected = json.loads(_node(PROGRAM, '--lake', lake_folder, 'query', query, '--output', 'json'))
    rows = [{**row, 'day': day} for day in days_of(lake_folder) for row in table_of(with_days.read(features_key(day))).to_pylist()]
    assert rows == expected and len(rows) > 300
    assert any(row['flow_duration_us_past_z_score'] is not None for row in rows)
    assert sorted(report) == [f'pair_features {day} written: {sum(row["day"] == day for row in rows)} rows' for day in days_of(lake_folder)]


def test_a_lake_in_a_directory_writes_the_same_rows_under_the_same_keys(with_days, lake_folder, spark, capsys, tmp_path):
    run_job(with_days, capsys)
    directory = shutil.copytree(lake_folder, tmp_path / 'lake')
    _node(PROGRAM, '--lake', directory, 'features', '--from', '2026-01-01', '--to', '2026-12-31')
    written = {str(path.relative_to(directory)): path.read_bytes() for path in (directory / 'exports').rglob('*.parquet')}
    by_job = exported(with_days)
    assert written.keys() == by_job.keys()
    for key, text in written.items():
        ours, theirs = table_of(by_job[key]), table_of(text)
        assert [(field.name, field.type) for field in ours.schema] == [(field.name, field.type) for field in theirs.schema]
        assert ours.to_pylist() == theirs.to_pylist()


def test_types_are_plain_and_pairs_in_the_order_of_their_bytes(bucket, put_day, spark, capsys):
    sites = ['main', 'Zürich', "o'hare", 'a"b', '\uff21', '\U0001f600', 'B']
    put_day('2026-02-01', [{'site': site, 'src_ip': src} for site in sites for src in ('10.0.0.10', '10.0.0.2', '::1')])
    # Else Spark puts so few rows into one task, which has them in order already.
    spark.conf.set('spark.sql.adaptive.enabled', 'false')
    try:
        run_job(bucket, capsys)
    finally:
        spark.conf.unset('spark.sql.adaptive.enabled')
    table = table_of(bucket.read(features_key('2026-02-01')))
    keys = list(zip(*(table[key].to_pylist() for key in KEYS)))
    assert keys == sorted(keys, key=lambda key: [part.encode() for part in key]) and len(set(keys)) == 21
    types = {field.name: str(field.type) for field in table.schema}
    assert {types.pop(key) for key in KEYS} == {'string'}
    assert types.pop('is_weekend') == 'bool'
    whole = {'day_of_week', 'days_since_first_seen', 'days_since_last_seen', 'flows', 'flow_duration_us_sum', 'fwd_pkts_sum'}
    counts = {'timed_flows', 'running_days', 'running_timed_days', 'past_7_days_active'}
    assert {name for name, kind in types.items() if kind == 'int64'} == whole | counts
    assert {kind for kind in types.values()} == {'int64', 'double'}
    # Hive's way: who reads the folder has the day from the path.
    assert 'day' not in types


def test_a_day_is_the_same_whatever_comes_after_it(with_days, lake_folder, spark, capsys):
    first, second, *later = days_of(lake_folder)
    run_job(with_days, capsys)
    whole = exported(with_days)
    assert len(whole) == 2 + len(later)
    with_days.delete_all(FEATURES_PREFIX)
    for day in later:
        with_days.delete_all(pair_days_key(day))
    run_job(with_days, capsys)
    assert exported(with_days) == {features_key(day): whole[features_key(day)] for day in (first, second)}


def test_a_run_up_to_a_day_gives_what_a_run_over_all_days_does(with_days, lake_folder, spark, capsys):
    run_job(with_days, capsys)
    whole = exported(with_days)
    last = days_of(lake_folder)[1]
    run_job(with_days, capsys, '2026-01-01', last)
    assert exported(with_days) == whole


def test_days_before_the_range_count_and_are_not_written(bucket, put_day, spark, capsys):
    for day, packets in [('2026-02-01', 1), ('2026-02-02', 3), ('2026-02-03', 4), ('2026-02-04', 9)]:
        put_day(day, [{'fwd_pkts_sum': packets}])
    assert run_job(bucket, capsys, '2026-02-03', '2026-02-03') == ['pair_features 2026-02-03 written: 1 row']
    assert list(exported(bucket)) == [features_key('2026-02-03')]
    [row] = table_of(bucket.read(features_key('2026-02-03'))).to_pylist()
    assert (row['days_since_first_seen'], row['running_days'], row['fwd_pkts_past_mean'], row['fwd_pkts_past_z_score']) == (2, 3, 2.0, 2.0)


def test_a_second_run_writes_the_same_bytes(with_days, spark, capsys):
    run_job(with_days, capsys)
    before = exported(with_days)
    run_job(with_days, capsys)
    assert exported(with_days) == before


def test_totals_near_the_largest_values_keep_their_digits(bucket, put_day, spark, capsys):
    for at, total in enumerate([9000000000000000, 9000000000000077, 9000000000000154]):
        put_day(f'2026-02-0{at + 1}', [{'flow_duration_us_sum': total}])
    run_job(bucket, capsys)
    [row] = table_of(bucket.read(features_key('2026-02-03'))).to_pylist()
    assert (row['flow_duration_us_sum'], row['flow_duration_us_past_stddev_pop'], row['flow_duration_us_past_z_score']) == (
        9000000000000154,
        38.5,
        3.0,
    )


def test_what_leaves_its_range_is_an_error_that_names_pair_and_day_and_nothing_is_written(bucket, put_day, spark, capsys):
    for day in ('2026-02-01', '2026-02-02'):
        put_day(day, [{'flow_duration_us_sum': 2**63 - 1}, {'src_ip': 'other'}])
    with pytest.raises(OverflowError, match='^flow_duration_us of a to b at site main is too large for exact statistics on 2026-02-02$'):
        run_job(bucket, capsys)
    assert list(bucket.list('exports/')) == [] and list(bucket.list('_flowlake')) == []


def test_a_damaged_day_is_named(bucket, put_day, spark, capsys):
    put_day('2026-02-01', [{}])
    put_text(bucket, pair_days_key('2026-02-02'), 'no Parquet at all')
    with pytest.raises(StorageError, match='the features could not be computed: .*2026-02-02/part-00.parquet'):
        run_job(bucket, capsys)


def test_a_day_that_has_no_pairs_any_more_loses_its_object(bucket, put_day, spark, capsys):
    days = ['2026-02-01', '2026-02-02', '2026-02-03', '2026-02-04']
    for day in days:
        put_day(day, [{}])
    run_job(bucket, capsys)
    put_day(days[0], [])
    bucket.delete_all(pair_days_key(days[2]))
    bucket.delete_all(pair_days_key(days[3]))
    gone = 'has no pairs, its object was removed'
    said = sorted(run_job(bucket, capsys, days[0], days[2]))
    assert said == [f'pair_features {when}' for when in (f'{days[0]} {gone}', f'{days[1]} written: 1 row', f'{days[2]} {gone}')]
    # The last one is not in the range.
    assert list(exported(bucket)) == [features_key(days[1]), features_key(days[3])]


def test_a_lake_without_days_has_no_features(bucket, spark, capsys):
    assert run_job(bucket, capsys) == []
    put_text(bucket, features_key('2026-02-01'), 'left from before')
    run_job(bucket, capsys)
    assert list(bucket.list('')) == []


def test_a_dry_run_says_what_is_to_do_and_writes_nothing(bucket, put_day, spark, capsys):
    assert run_job(bucket, capsys, '2026-02-01', '2026-02-28', '--dry_run', 'true') == []
    put_day('2026-02-01', [{}, {'src_ip': 'c'}])
    put_text(bucket, features_key('2026-02-02'), 'left from before')
    before = list(bucket.list(''))
    said = run_job(bucket, capsys, '2026-02-01', '2026-02-28', '--dry_run', 'true')
    assert said == ['pair_features 2026-02-01 is to be written: 2 rows', 'pair_features 2026-02-02 has no pairs, its object is to go']
    assert list(bucket.list('')) == before


def test_a_run_that_is_killed_leaves_whole_days_old_or_new_and_the_next_one_does_the_rest(bucket, put_day, spark, capsys, monkeypatch):
    days = [f'2026-02-0{at}' for at in range(1, 7)]
    for day in days:
        put_day(day, [{}])
    run_job(bucket, capsys)
    old = exported(bucket)
    for day in days:
        put_day(day, [{'fwd_pkts_sum': 5}, {'src_ip': 'c'}])
    copy, copies = LakeBucket.copy, []

    def copy_until_killed(self, source, *, etag, to):
        if to.startswith(FEATURES_PREFIX):
            copies.append(to)
            if len(copies) > 3:
                raise KeyboardInterrupt
        copy(self, source, etag=etag, to=to)

    with monkeypatch.context() as patched:
        patched.setattr(LakeBucket, 'copy', copy_until_killed)
        # Who is killed clears nothing away.
        patched.setattr(LakeBucket, 'delete_all', lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            run_job(bucket, capsys)
    found = exported(bucket)
    assert found.keys() == old.keys()
    pairs = {key: table_of(text).num_rows for key, text in found.items()}
    assert sorted(pairs.values()) == [1, 1, 1, 2, 2, 2]
    assert all(found[key] == old[key] for key, rows in pairs.items() if rows == 1)
    run_job(bucket, capsys)
    assert {table_of(text).num_rows for text in exported(bucket).values()} == {2}


def test_a_day_that_changes_under_the_run_is_old_or_new_as_a_whole(bucket, put_day, spark, capsys, monkeypatch):
    import export_features

    put_day('2026-02-01', [{'src_ip': name} for name in 'xyz'])
    write = export_features.write_features

    def write_after_a_change(*arguments, **options):
        put_day('2026-02-01', [{'src_ip': name, 'fwd_pkts_sum': 7} for name in 'vwxyz'])
        write(*arguments, **options)

    monkeypatch.setattr(export_features, 'write_features', write_after_a_change)
    assert run_job(bucket, capsys) == ['pair_features 2026-02-01 written: 3 rows']
    assert table_of(bucket.read(features_key('2026-02-01')))['fwd_pkts_sum'].to_pylist() == [1, 1, 1]


def test_nothing_of_the_work_stays_behind_and_the_days_are_reported(bucket, put_day, spark, capsys):
    put_day('2026-02-01', [{}])
    run_job(bucket, capsys, '2026-02-01', '2026-02-01', '--report', '_flowlake/reports/one.json')
    assert list(bucket.list('_flowlake')) == ['_flowlake/reports/one.json']
    day = {'table': 'pair_features', 'period': '2026-02-01', 'what': 'written', 'sources': None, 'rows': 1, 'failed': False}
    assert json.loads(bucket.read('_flowlake/reports/one.json')) == {'total': 1, 'periods': [day]}


def test_the_script_runs_with_its_modules_and_the_views_in_a_zip(bucket, put_day, spark_arguments, tmp_path):
    today = date(2026, 2, 1)
    for at in range(3):
        put_day((today + timedelta(at)).isoformat(), [{'fwd_pkts_sum': 1 + at}])
    folder = shutil.copytree(JOBS, tmp_path / 'bundle', ignore=shutil.ignore_patterns('__pycache__'))
    for name in ('pair_running', 'pair_features'):
        (folder / f'{name}.sql').write_text(view_sql(name))
    (tmp_path / 'alone').mkdir()
    shutil.move(folder / 'export_features.py', tmp_path / 'alone')
    modules = shutil.make_archive(str(tmp_path / 'modules'), 'zip', folder)
    environment = {**os.environ, 'PYTHONPATH': modules, 'PYSPARK_SUBMIT_ARGS': spark_arguments}
    command = [sys.executable, 'export_features.py', '--bucket', bucket.name, '--from', '2026-02-02', '--to', '2026-02-03']
    run = subprocess.run(command, cwd=tmp_path / 'alone', env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert sorted(filter(None, run.stdout.splitlines())) == ['pair_features 2026-02-02 written: 1 row', 'pair_features 2026-02-03 written: 1 row']


@pytest.fixture(scope='module')
def telemetry_lake(tmp_path_factory):
    """A lake of a few devices and days, with its own export of what is known of each metric and hour."""
    folder = tmp_path_factory.mktemp('features')
    lake = ['--lake', folder / 'lake']
    _node(PROGRAM, 'sample', folder / 'fleet', '--kind', 'telemetry', '--days', '3', '--devices', '4')
    for path in sorted((folder / 'fleet/profiles').iterdir()):
        _node(PROGRAM, *lake, 'profile', 'add', path)
        _node(PROGRAM, *lake, 'upload', '--kind', 'telemetry', '--profile', path.stem, folder / 'fleet' / path.stem)
    _node(PROGRAM, *lake, 'features', '--of', 'metrics', '--from', '2026-01-01', '--to', '2026-12-31')
    return folder / 'lake'


def test_of_metrics_rows_and_manifests_are_those_that_a_directory_has(bucket, client, telemetry_lake, spark, capsys):
    for path in sorted((telemetry_lake / 'metric_hours').rglob('*.parquet')):
        client.upload_file(str(path), bucket.name, str(path.relative_to(telemetry_lake)))
    report = run_job(bucket, capsys, '2026-01-01', '2026-12-31', '--of', 'metrics')
    written = {str(path.relative_to(telemetry_lake)): path.read_bytes() for path in (telemetry_lake / 'exports').rglob('*.*')}
    days = sorted(key for key in written if key.endswith('.parquet'))
    assert len(days) == len(report) >= 3
    assert written.keys() == set(bucket.list('exports/'))
    for key in days:
        ours, theirs = table_of(bucket.read(key)), table_of(written[key])
        assert ours.to_pylist() == theirs.to_pylist() and ours.num_rows > 50
        assert [(field.name, field.type) for field in ours.schema] == [(field.name, field.type) for field in theirs.schema]
    for key in written.keys() - set(days):
        assert bucket.read(key).decode() == written[key].decode().replace('"exports/', f'"s3://{bucket.name}/exports/')
