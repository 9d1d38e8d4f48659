"""After the job the tables that are made of readings are right: `metric_hours` by itself, `episodes` by whom it tells; under the rules of docs/design.md."""
import io
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial

import boto3
import pyarrow.parquet
import pytest
from conftest import JOBS, PROGRAM, _node, put_text
from consolidate_days import main
from day_derivation import derive, is_derived
from derived_day import DerivedDay, read_own
from derived_news import tell_days
from hour_parts import derive_hours
from lake_errors import ConflictError, StorageError
from lake_tables import kind_named
from period_contents import MADE_OF

TELEMETRY = kind_named('telemetry')
DAYS = ['2026-01-05', '2026-01-06', '2026-01-08']
HOURS, EPISODES = TELEMETRY.derived

# Digits, gaps and rules of two makers; a metric that one calls a text, and one without figures.
PROFILES = {
    'cold': {
        'name': 'cold',
        'device': {'path': 'd'},
        'time': {'path': 'ts', 'unit': 's'},
        'dueEvery': '1h',
        'gapLimit': '10m',
        'metrics': [
            {'name': 't', 'path': 't', 'digits': 2},
            {'name': 'rssi', 'path': 'rssi', 'digits': 0, 'statistics': False},
            {'name': 'state', 'path': 'state', 'kind': 'text'},
        ],
        'alerts': [{'rule': 'warm', 'severity': 'critical', 'message': 'too warm', 'metric': 't', 'above': {'raise': 8, 'clear': 6}}],
    },
    'other': {
        'name': 'other',
        'device': {'path': 'd'},
        'time': {'path': 'ts', 'unit': 's'},
        'metrics': [{'name': 't', 'path': 't', 'digits': 4}, {'name': 'state', 'path': 'state', 'digits': 1}],
    },
}


def seconds(day: str, hour: int, minute: int = 0) -> int:
    return round(datetime.fromisoformat(f'{day}T{hour:02}:{minute:02}:00+00:00').timestamp())


def lines(*messages: dict) -> str:
    return ''.join(f'{json.dumps(each)}\n' for each in messages)


# Days with a gap between them; an alert that is open over midnight; devices of both makers; repeats.
FILES = {
    'cold/a.jsonl': lines(
        {'d': 'box-1', 'ts': seconds(DAYS[0], 10, 1), 't': 4.25, 'rssi': -70, 'state': 'shut'},
        {'d': 'box-1', 'ts': seconds(DAYS[0], 10, 5), 't': -4.5},
        {'d': 'box-1', 'ts': seconds(DAYS[0], 10, 5), 't': -4.5},
        {'d': 'box-1', 'ts': seconds(DAYS[0], 10, 40), 't': 9.07, 'state': 'open'},
        {'d': 'box-1', 'ts': seconds(DAYS[0], 23, 59), 't': 9},
        {'d': 'box-2', 'ts': seconds(DAYS[1], 0, 1), 't': 3, 'rssi': -60},
    ),
    'cold/b.jsonl': lines(
        {'d': 'box-1', 'ts': seconds(DAYS[0], 23, 59), 't': 9},
        {'d': 'box-1', 'ts': seconds(DAYS[1], 0, 3), 't': 5.5},
        {'d': 'bö x', 'ts': seconds(DAYS[2], 7), 'state': 'open'},
    ),
    'other/c.jsonl': lines(
        {'d': 'box-1', 'ts': seconds(DAYS[0], 10, 5), 't': 4.12345},
        {'d': 'box-9', 'ts': seconds(DAYS[2], 7), 't': 1.5, 'state': 2.5},
    ),
}
LATE = lines({'d': 'box-1', 'ts': seconds(DAYS[0], 10, 41), 't': 9.5})


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A lake in a directory with all tables, and one more source beside it."""
    folder = tmp_path_factory.mktemp('derived')
    for name, document in PROFILES.items():
        (folder / f'{name}.json').write_text(json.dumps(document))
        _node(PROGRAM, '--lake', folder / 'lake', 'profile', 'add', folder / f'{name}.json')
    upload(folder, FILES)
    return folder


def upload(folder, files):
    for path, text in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
        profile = path.partition('/')[0]
        _node(PROGRAM, '--lake', folder / 'lake', 'upload', '--kind', 'telemetry', '--profile', profile, folder / path)


@pytest.fixture
def telemetry(bucket, folder):
    """The bucket with raw files, ledger, profiles and summaries of the lake, without what is made of them."""
    put_lake(bucket, folder / 'lake', 'raw', 'ledger', 'profiles', 'reading_summaries')
    return bucket


def put_lake(bucket, lake, *prefixes):
    client = boto3.client('s3')
    for prefix in prefixes:
        for path in sorted((lake / prefix).rglob('*.*')):
            if path.is_file():
                client.upload_file(str(path), bucket.name, str(path.relative_to(lake)))


def put_bytes(bucket, key, body):
    boto3.client('s3').put_object(Bucket=bucket.name, Key=key, Body=body)


def run_job(bucket, capsys, *more):
    capsys.readouterr()
    main(['--bucket', bucket.name, '--from', DAYS[0], '--to', DAYS[2], *more])
    return capsys.readouterr().out.splitlines()


def lines_of(report, table):
    return [line for line in report if line.startswith(f'{table} ')]


def hours_of(day):
    return DerivedDay(TELEMETRY, HOURS, day)


def episodes_of(day):
    return DerivedDay(TELEMETRY, EPISODES, day)


def rows_of(body):
    return pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist()


def in_lake(folder, of):
    return rows_of((folder / 'lake' / of.key).read_bytes())


def made_of(bucket, of):
    """What the object says, with the periods of its parts in place of their etags."""
    metadata = pyarrow.parquet.read_metadata(io.BytesIO(bucket.read(of.key)))
    return json.loads(metadata.metadata[MADE_OF.encode()])


@pytest.fixture
def derive_parts(spark, bucket):
    return partial(derive_hours, spark, bucket=bucket.name)


@pytest.fixture
def consolidated(telemetry, spark, capsys):
    """The bucket after a run."""
    run_job(telemetry, capsys)
    return telemetry


def first_time(action, call):
    """The call, with something else happening in front of its first run."""
    done = []

    def call_after(*arguments, **options):
        if not done:
            done.append(True)
            action()
        return call(*arguments, **options)

    return call_after


def test_hours_of_metrics_are_those_of_typescript_and_nobody_derives_them_again(telemetry, folder, spark, in_typescript, capsys):
    report = run_job(telemetry, capsys)
    assert sorted(lines_of(report, 'metric_hours')) == [
        f'metric_hours {DAYS[0]} written: 4 rows',
        f'metric_hours {DAYS[1]} written: 3 rows',
        f'metric_hours {DAYS[2]} written: 3 rows',
    ]
    for day in DAYS:
        of = hours_of(day)
        assert rows_of(telemetry.read(of.key)) == in_lake(folder, of)
        expected = json.loads(pyarrow.parquet.read_metadata(folder / 'lake' / of.key).metadata[MADE_OF.encode()])
        etags = dict(telemetry.list_etags(f'readings/day={day}/'))
        for part in expected['parts']:
            part['etag'] = etags[f'readings/day={day}/{part["period"][-2:]}.parquet'].strip('"')
        assert made_of(telemetry, of) == expected
        ours = in_typescript(telemetry, 'derivedRows', f'metric_hours/{day}')
        assert in_typescript(telemetry, 'derive', f'metric_hours/{day}') == 0
        telemetry.delete_all(of.key)
        assert in_typescript(telemetry, 'derive', f'metric_hours/{day}') == 1
        assert in_typescript(telemetry, 'derivedRows', f'metric_hours/{day}') == ours
    assert all(' was right' in line for line in lines_of(run_job(telemetry, capsys), 'metric_hours'))
    assert list(telemetry.list('_flowlake')) == []


def test_what_is_left_to_others_is_said_until_they_have_done_it(telemetry, folder, spark, in_typescript, capsys):
    left = [f'episodes {day} is left to be derived: flowlake --lake s3://{telemetry.name} reconcile does it' for day in DAYS]
    assert lines_of(run_job(telemetry, capsys), 'episodes') == left
    assert in_typescript(telemetry, 'underived', '') == [f'episodes/{day}' for day in DAYS]
    for day in DAYS:
        assert in_typescript(telemetry, 'derive', f'episodes/{day}') == 1
        assert rows_of(telemetry.read(episodes_of(day).key)) == in_lake(folder, episodes_of(day))
    assert in_typescript(telemetry, 'underived', '') == []
    assert lines_of(run_job(telemetry, capsys), 'episodes') == []
    before = telemetry.read('profiles/cold.json')
    put_text(telemetry, 'profiles/cold.json', '{}')
    with pytest.raises(RuntimeError, match='3 periods failed'):
        run_job(telemetry, capsys)
    [said] = [line for line in capsys.readouterr().out.splitlines() if line.startswith(f'episodes {DAYS[0]}')]
    assert said.startswith(f'episodes {DAYS[0]} could not be looked at: profiles/cold.json names no version of cold')
    put_text(telemetry, 'profiles/cold.json', before.decode())
    # A day of which only the opening state is another: the job sees the chain as the lake does.
    telemetry.delete_all(episodes_of(DAYS[0]).key)
    assert [of.period for of in map(episodes_of, DAYS) if not is_derived(telemetry, of)] == DAYS[:2]
    assert in_typescript(telemetry, 'underived', '') == [f'episodes/{day}' for day in DAYS[:2]]


def test_the_workers_of_a_deployment_are_told_of_each_day_written_or_not(telemetry, spark, capsys):
    client = boto3.client('sqs')
    name = f'{telemetry.name[:40]}.fifo'
    url = client.create_queue(QueueName=name, Attributes={'FifoQueue': 'true'})['QueueUrl']
    told = f'{", ".join(f"episodes {day}" for day in DAYS)} told to queue {name}: its workers derive what is not right'
    for _ in range(2):
        assert lines_of(run_job(telemetry, capsys, '--consolidate_queue', name), 'episodes') == [told]
        bodies = []
        while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=['All']).get('Messages'):
            for message in messages:
                bodies.append(json.loads(message['Body']))
                assert message['Attributes']['MessageGroupId'] == f'episodes/{bodies[-1]["period"]}'
                client.delete_message(QueueUrl=url, ReceiptHandle=message['ReceiptHandle'])
        assert sorted((body['table'], body['period']) for body in bodies) == [('episodes', day) for day in DAYS]
        assert all(datetime.fromisoformat(body['uploaded_at']).tzinfo == UTC for body in bodies)
    client.delete_queue(QueueUrl=url)


def test_a_queue_that_does_not_take_a_message_is_an_error():
    class Refusing:
        def get_queue_url(self, **_):
            return {'QueueUrl': 'there'}

        def send_message_batch(self, Entries, **_):  # noqa: N803
            return {'Failed': [{'Id': Entries[-1]['Id'], 'Code': 'InternalError'}]}

    with pytest.raises(StorageError, match='queue q did not take 1 of 3 messages: InternalError'):
        tell_days([episodes_of(day) for day in DAYS], queue='q', client=Refusing())


def test_a_late_source_changes_the_hours_of_its_day_only(consolidated, spark, in_typescript, capsys):
    before = dict(consolidated.list_etags('metric_hours/'))
    put = {'Key': 'raw/kind=telemetry/late.jsonl', 'Body': LATE.encode(), 'Metadata': {'profile': 'cold'}}
    boto3.client('s3').put_object(Bucket=consolidated.name, **put)
    assert in_typescript(consolidated, 'summarize', 'raw/kind=telemetry/late.jsonl') == [f'{DAYS[0]}T10']
    planned = run_job(consolidated, capsys, '--dry_run', 'true')
    assert f'readings {DAYS[0]}T10 needs 1 source merged into 2' in planned
    assert lines_of(planned, 'metric_hours') == [f'metric_hours {DAYS[0]} needs to be derived', *(f'metric_hours {day} is right' for day in DAYS[1:])]
    assert dict(consolidated.list_etags('metric_hours/')) == before
    report = run_job(consolidated, capsys)
    assert sorted(lines_of(report, 'metric_hours'))[0] == f'metric_hours {DAYS[0]} written: 4 rows'
    after = dict(consolidated.list_etags('metric_hours/'))
    assert [key for key in before if after[key] != before[key]] == [hours_of(DAYS[0]).key]
    assert in_typescript(consolidated, 'derive', f'metric_hours/{DAYS[0]}') == 0
    [row] = [row for row in rows_of(consolidated.read(hours_of(DAYS[0]).key)) if (row['device'], row['metric'], row['hour']) == ('box-1', 't', 10)]
    assert (row['n'], row['last_value'], row['digits']) == (5, 95000, 4)


def test_another_version_of_a_profile_changes_what_it_read_alone(consolidated, derive_parts, in_typescript):
    wider = {**PROFILES['other'], 'gapLimit': '2m', 'metrics': [{'name': 't', 'path': 't', 'digits': 5}]}
    put_text(consolidated, 'profiles/other/2.json', json.dumps(wider))
    put_text(consolidated, 'profiles/other.json', '{"version": 2}')
    assert [is_derived(consolidated, hours_of(day)) for day in DAYS] == [False, True, False]
    for day in DAYS:
        assert derive(hours_of(day), bucket=consolidated, derive_parts=derive_parts).writes == (0 if day == DAYS[1] else 1)
        assert in_typescript(consolidated, 'derive', f'metric_hours/{day}') == 0
    [part, _] = made_of(consolidated, hours_of(DAYS[0]))['parts']
    assert part['inputs'] == {'cold': 1, 'other': 2}


def test_an_hour_that_changes_while_it_is_read_is_named_as_it_was_read(consolidated, derive_parts, in_typescript):
    of, key = hours_of(DAYS[2]), f'readings/day={DAYS[2]}/07.parquet'
    full, empty = consolidated.read(key), pyarrow.BufferOutputStream()
    schema = pyarrow.parquet.read_schema(io.BytesIO(full))
    pyarrow.parquet.write_table(schema.empty_table(), empty)
    put_bytes(consolidated, key, empty.getvalue().to_pybytes())
    consolidated.delete_all(of.key)
    # Listed empty, read full, and empty again when it is looked at: the object must not say that it was made of the empty one.
    restore = first_time(partial(put_bytes, consolidated, key, full), derive_parts)

    def empties_again(**arguments):
        made = restore(**arguments)
        put_bytes(consolidated, key, empty.getvalue().to_pybytes())
        return made

    outcome = derive(of, bucket=consolidated, derive_parts=empties_again)
    assert outcome.writes == 2 and rows_of(consolidated.read(of.key)) == []
    assert in_typescript(consolidated, 'derive', f'metric_hours/{of.period}') == 0


def test_of_two_writers_the_slower_one_looks_again(consolidated, derive_parts, in_typescript):
    of = hours_of(DAYS[0])
    consolidated.delete_all(of.key)
    other = partial(in_typescript, consolidated, 'derive', f'metric_hours/{of.period}')
    outcome = derive(of, bucket=consolidated, derive_parts=first_time(other, derive_parts))
    assert (outcome.writes, outcome.lost_races) == (0, 1)


def test_what_comes_after_the_reading_is_seen_by_the_look_after_the_write(consolidated, derive_parts):
    of = hours_of(DAYS[0])
    put_text(consolidated, 'profiles/cold/2.json', json.dumps(PROFILES['cold']))

    def read_then_publish(**arguments):
        made = derive_parts(**arguments)
        put_text(consolidated, 'profiles/cold.json', '{"version": 2}')
        return made

    assert derive(of, bucket=consolidated, anew=True, derive_parts=read_then_publish).writes == 2
    assert made_of(consolidated, of)['parts'][0]['inputs'] == {'cold': 2, 'other': 1}


def test_an_hour_that_is_gone_while_it_is_read_is_no_error_and_none_makes_an_object_without_rows(consolidated, derive_parts):
    of, key = hours_of(DAYS[2]), f'readings/day={DAYS[2]}/07.parquet'
    outcome = derive(of, bucket=consolidated, anew=True, derive_parts=first_time(partial(consolidated.delete_all, key), derive_parts))
    assert (outcome.writes, outcome.rows) == (1, 0) and rows_of(consolidated.read(of.key)) == []
    assert made_of(consolidated, of) == {'parts': [], 'opening': None, 'closing': None, 'endInputs': {}}
    # Where there never was an object none is made.
    assert derive(hours_of('2026-01-07'), bucket=consolidated, derive_parts=derive_parts).writes == 0
    assert consolidated.read(hours_of('2026-01-07').key) is None


@pytest.mark.parametrize('damage', ['', 'no Parquet at all', '\0' * 20 + 'PAR1'])
def test_a_damaged_object_says_nothing_and_is_derived_anew(consolidated, folder, derive_parts, damage):
    of = hours_of(DAYS[1])
    put_text(consolidated, of.key, damage)
    assert derive(of, bucket=consolidated, derive_parts=derive_parts).writes == 1
    assert rows_of(consolidated.read(of.key)) == in_lake(folder, of)


def test_what_cannot_be_read_is_named_and_the_other_days_are_derived(telemetry, spark, capsys):
    put_text(telemetry, f'readings/day={DAYS[0]}/09.parquet', 'PAR1')
    put_text(telemetry, 'profiles/other.json', '{"version": 3}')
    with pytest.raises(RuntimeError) as failed:
        run_job(telemetry, capsys)
    said = str(failed.value)
    assert '3 periods failed' in said and f'metric_hours {DAYS[0]}: readings/day={DAYS[0]}/09.parquet cannot be read' in said
    assert f'readings {DAYS[0]}T09: readings/day={DAYS[0]}/09.parquet is no Parquet file' in said
    assert f'metric_hours {DAYS[2]}: profiles/other/3.json is gone, and profiles/other.json names it' in said
    assert f'metric_hours {DAYS[1]} written: 3 rows' in capsys.readouterr().out


def test_an_object_of_a_newer_format_is_left_alone(consolidated, derive_parts):
    of = hours_of(DAYS[0])
    older = DerivedDay(TELEMETRY, type(HOURS)(HOURS.table, 0, False), of.period)
    before = consolidated.etag_of(of.key)
    with pytest.raises(StorageError, match='was derived by a newer version of flowlake .format 1 of metric_hours, this one has 0.'):
        derive(older, bucket=consolidated, derive_parts=derive_parts)
    assert consolidated.etag_of(of.key) == before and read_own(consolidated, of)[1].format == 1


def test_a_lost_answer_of_a_write_is_found_by_the_next_look(consolidated, derive_parts, monkeypatch):
    of, put = hours_of(DAYS[0]), consolidated.put_file
    lost = []

    def put_and_lose(path, key, *, etag):
        put(path, key, etag=etag)
        if not lost:
            lost.append(key)
            raise ConflictError('the answer was lost, and the write was tried again')

    consolidated.delete_all(of.key)
    monkeypatch.setattr(consolidated, 'put_file', put_and_lose)
    outcome = derive(of, bucket=consolidated, derive_parts=derive_parts)
    assert lost == [of.key] and (outcome.writes, outcome.lost_races) == (0, 1)


def test_anew_writes_each_day_once_and_the_report_counts_periods_and_days(consolidated, spark, capsys):
    report = '_flowlake/reports/derived.json'
    first = run_job(consolidated, capsys, '--anew', 'true', '--report', report)
    assert [line.split(':')[0] for line in sorted(lines_of(first, 'metric_hours'))] == [f'metric_hours {day} written' for day in DAYS]
    told = json.loads(consolidated.read(report))
    assert told['total'] == len(told['periods']) == 7
    assert told['periods'][0] == {'table': 'metric_hours', 'period': DAYS[0], 'what': 'written', 'sources': None, 'rows': 4, 'failed': False}


def test_the_script_derives_with_its_modules_in_a_zip_as_on_glue(telemetry, folder, spark_arguments, tmp_path):
    shutil.copy(JOBS / 'consolidate_days.py', tmp_path)
    modules = shutil.make_archive(str(tmp_path / 'modules'), 'zip', JOBS)
    environment = {**os.environ, 'PYTHONPATH': modules, 'PYSPARK_SUBMIT_ARGS': spark_arguments}
    command = [sys.executable, 'consolidate_days.py', '--JOB_NAME', 'consolidate-days', '--bucket', telemetry.name, '--from', DAYS[2], '--to', DAYS[2]]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f'metric_hours {DAYS[2]} written: 3 rows' in done.stdout.splitlines()
    assert rows_of(telemetry.read(hours_of(DAYS[2]).key)) == in_lake(folder, hours_of(DAYS[2]))
