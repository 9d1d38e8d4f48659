"""Readings read a third way, by Spark: row by row those of the lake's own tables, with what the registry says of their devices."""
import contextlib
import gzip
import io
import json
import uuid
from datetime import datetime
from decimal import Decimal

import boto3
import pyarrow.parquet
import pytest
from conftest import PROGRAM, _node
from lake_bucket import LakeBucket
from lake_tables import kind_named
from transform_readings import main

REPORT = '_flowlake/reports/one.json'
DAYS = ['2026-01-05', '2026-01-06']
OF_DEVICE = ['device_site', 'device_profile', 'device_ip', 'device_since']
READINGS = [column.name for column in kind_named('telemetry').merged.columns]

# Forms of history beside the sample's: each is read as the lake reads it.
THERMOSTAT = '"ts":1767657905,"boot":0'
FORMS = {
    'nulls.jsonl': '\n'.join(
        [
            f'{{"device":"n-1",{THERMOSTAT},"seq":1,"temperature":null,"humidity":null,"battery":255}}',
            f'{{"device":"n-1",{THERMOSTAT},"seq":2,"temperature":null,"humidity":3,"battery":255}}',
            f'{{"device":"n-1",{THERMOSTAT},"seq":3}}',
            'nonsense',
            f'{{{THERMOSTAT},"seq":4,"temperature":9}}',
            '',
            f'{{"device":"n-1",{THERMOSTAT},"seq":4,"temperature":1}}{{"device":"n-1",{THERMOSTAT},"seq":4,"temperature":1}}',
        ]
    ),
    'array.json': f'[{{"device":"n-2",{THERMOSTAT},"seq":1,"temperature":1,"unit":"C"}},\n{{"device":"n-2",{THERMOSTAT},"seq":2,"temperature":1.55}},5]',
    'objects.json': f'{{"device":"n-3",\n{THERMOSTAT},"seq":1,"temperature":1}}\n{{"device":"n-3",{THERMOSTAT},\n"seq":2,"temperature":72.4,"unit":"F"}}',
    'log.jsonl': '\n'.join(
        [
            '{"tst":"2026-01-05T10:00:02.5Z","topic":"a","qos":0,"retain":0,"payload":"{\\"device\\":\\"n-4\\",\\"ts\\":1767607200,\\"temperature\\":21.30}"}',
            '{"tst":"2026-01-05T11:00:03.000+0100","topic":"a","retain":1,"payload":{"device":"n-4","ts":1767607200,"seq":2,"temperature":21.30}}',
            '{"tst":1767607204,"topic":"a","payload":{"device":"n-4","ts":14, "temperature":21.30}}',
            '{"topic":"a","payload":{"device":"n-4","ts":1767607201,"temperature":21.30}}',
            '{"x":1}',
        ]
    ),
    # Of a device that moved: measured before and told at once, measured before and told after, the same of both, and measured and told after.
    'moved.jsonl': '\n'.join(
        f'{{"tst":"{arrived}T23:59:59Z","topic":"a","payload":{{"device":"n-7","ts":{1767607200 + measured},"seq":{measured},"temperature":21.30}}}}'
        for arrived, measured in [('2026-01-05', 0), ('2026-01-06', 1), ('2026-01-06', 2), ('2026-01-05', 2), ('2026-01-06', 86_400)]
    ),
    'rows.csv': '\r\n'.join(
        [
            'device;ts; boot ;seq;temperature;unit;note',
            'n-6;1767607200;0;1; 21.30 ;C',
            '"n-6";1767607200;0;2;"72.4";F;"a ""b"";',
            'c"',
            'n-6;1767607200;0;3;;C;d',
            'n-6;1767607200;0;4;21.30;C;d;e',
            '',
            # Without an identity it is known by its row.
            'n-6;1767607200;;;21.40;C',
        ]
    ),
}


# A chain object, as the live inbox writes it: what stands in a line wins.
CHAIN_KEY = 'raw/kind=telemetry/stream=aa/shard=0/0.jsonl.gz'
CHAIN = [
    {'sequence': '1', 'arrived_ms': 1767607200000, 'way': 'mqtt', 'device': 'n-9', 'topic': 't/n-9', 'profile': 'thermostat', 'site': 'roof'},
    {'sequence': '2', 'arrived_ms': 1767607201000, 'way': 'mqtt', 'device': 'n-8', 'profile': 'thermostat'},
    {'sequence': '3', 'arrived_ms': 1767607202000, 'way': 'mqtt', 'device': 'n-9', 'profile': 'nobody'},
    {'sequence': '4', 'arrived_ms': 1767607203000, 'way': 'http'},
    {'sequence': '5', 'arrived_ms': 1767607203000, 'way': 'http', 'profile': 'thermostat', 'site': 'a b/c'},
]
CHAIN_PAYLOAD = '{"device":"n-9","ts":1767607199,"boot":0,"seq":1,"temperature":21.30}'


@pytest.fixture(scope='module')
def telemetry_folder(tmp_path_factory):
    """A lake of four makers and two days, with devices that moved, and with history in other forms than lines of JSON."""
    folder = tmp_path_factory.mktemp('telemetry')
    lake = ['--lake', folder / 'lake']
    _node(PROGRAM, 'sample', folder / 'fleet', '--kind', 'telemetry', '--days', '2', '--devices', '12')
    for path in sorted((folder / 'fleet/profiles').iterdir()):
        _node(PROGRAM, *lake, 'profile', 'add', path)
        _node(PROGRAM, *lake, 'upload', '--kind', 'telemetry', '--profile', path.stem, folder / 'fleet' / path.stem)
    _node(PROGRAM, *lake, 'device', 'add', 'thermostat-001', '--profile', 'thermostat', '--place', 'office')
    _node(PROGRAM, *lake, 'device', 'add', 'thermostat-001', '--place', 'attic', '--from', DAYS[1])
    _node(PROGRAM, *lake, 'device', 'add', 'n-7', '--profile', 'thermostat', '--site', 'berlin', '--ip', '10.0.0.7', '--place', 'line\u2028two')
    _node(PROGRAM, *lake, 'device', 'add', 'n-7', '--profile', 'plain-json', '--site', 'hamburg', '--ip', '2001:DB8::7', '--from', DAYS[1])
    (folder / 'forms').mkdir()
    for name, text in FORMS.items():
        (folder / 'forms' / name).write_text(text)
    (folder / 'forms/packed.jsonl.gz').write_bytes(gzip.compress(f'{{"device":"n-5",{THERMOSTAT},"seq":1,"temperature":1}}'.encode()))
    _node(PROGRAM, *lake, 'upload', '--kind', 'telemetry', '--profile', 'thermostat', folder / 'forms')
    chain = [json.dumps(each) for each in [*({**line, 'payload': CHAIN_PAYLOAD} for line in CHAIN), {'end': '5'}]]
    (folder / 'lake' / CHAIN_KEY).parent.mkdir(parents=True)
    (folder / 'lake' / CHAIN_KEY).write_bytes(gzip.compress('\n'.join(chain).encode()))
    _node(PROGRAM, *lake, 'reconcile')
    return folder / 'lake'


def put_lake(bucket, folder) -> None:
    """Puts raw files, ledger, profiles and devices of the lake into the bucket, and none of its tables."""
    for prefix in ('raw', 'ledger', 'profiles', 'devices'):
        for path in sorted((folder / prefix).rglob('*.*')):
            if path.is_file():
                put_bytes(bucket, str(path.relative_to(folder)), path.read_bytes())


def put_bytes(bucket, key: str, body: bytes) -> None:
    boto3.client('s3').put_object(Bucket=bucket.name, Key=key, Body=body)


def run_job(bucket, *more, first_day=DAYS[0], last_day=DAYS[1]) -> list[str]:
    """Runs the job and returns what it printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        main(['--bucket', bucket.name, '--from', first_day, '--to', last_day, *more])
    return printed.getvalue().splitlines()


@pytest.fixture(scope='module')
def telemetry(telemetry_folder, spark):
    """The bucket of the lake after one run of the job over all days."""
    client = boto3.client('s3')
    name = f'lake-{uuid.uuid4()}'
    client.create_bucket(Bucket=name)
    bucket = LakeBucket(client, name)
    put_lake(bucket, telemetry_folder)
    run_job(bucket, '--report', REPORT)
    return bucket


def exported(bucket) -> list[dict]:
    """The rows of every exported day, in the order of days and rows."""
    rows = []
    for key in bucket.list('exports/'):
        day = key.split('day=')[1][:10]
        rows += [{**row, 'day': day} for row in pyarrow.parquet.read_table(io.BytesIO(bucket.read(key))).to_pylist()]
    return rows


def lake_rows(folder) -> list[dict]:
    """The lake's own readings, with its columns as text where JSON has no such type."""
    query = 'select *, cast(value as varchar) as exact from readings order by day, site, device, metric, at_ms, message'
    return json.loads(_node(PROGRAM, '--lake', folder, 'query', query, '--output', 'json'))


def ledger_records(folder) -> list[dict]:
    return [json.loads(path.read_text()) for path in (folder / 'ledger').iterdir()]


def test_every_reading_is_that_of_the_lake_digit_by_digit(telemetry, telemetry_folder):
    rows, expected = exported(telemetry), lake_rows(telemetry_folder)
    assert len(rows) == len(expected) > 5_000
    assert list(rows[0]) == [*READINGS, 'place', *OF_DEVICE, 'day']
    plain = [name for name in READINGS if name not in ('value', 'measured_at')]
    for row, of_lake in zip(rows, expected):
        assert {name: row[name] for name in [*plain, 'day']} == {name: of_lake[name] for name in [*plain, 'day']}
        assert row['value'] == (None if of_lake['exact'] is None else Decimal(of_lake['exact']))
        assert row['measured_at'] == datetime.fromisoformat(of_lake['measured_at'])
    assert any(row['copies'] > 1 for row in rows) and any(row['text'] is not None for row in rows)
    assert any(row['clock'] == 'arrival' for row in rows)


def test_a_reading_has_the_place_that_its_device_had_on_that_day(telemetry):
    others = [row for row in exported(telemetry) if row['device'] != 'n-7']
    places = {(row['day'], row['device'] == 'thermostat-001', row['place']) for row in others}
    assert places == {(DAYS[0], True, 'office'), (DAYS[1], True, 'attic'), (DAYS[0], False, None), (DAYS[1], False, None)}


def test_a_reading_has_the_attributes_that_its_device_had_when_the_message_came(telemetry):
    rows = exported(telemetry)
    before, after = ['berlin', 'thermostat', '10.0.0.7', None], ['hamburg', 'plain-json', '2001:db8::7', DAYS[1]]
    found = [(row['at_ms'] // 1_000 - 1767607200, row['place'], row['copies'], [row[name] for name in OF_DEVICE]) for row in rows if row['device'] == 'n-7']
    # Where it stood is asked of the day on which it measured; of a message that came twice the first arrival counts.
    assert found == [(0, 'line\u2028two', 1, before), (1, 'line\u2028two', 1, after), (2, 'line\u2028two', 2, before), (86_400, 'line\u2028two', 1, after)]
    registered = {row['device'] for row in rows if row['device_profile'] is not None}
    assert registered == {'n-7', 'thermostat-001'}


def test_a_damaged_record_of_a_device_is_said_and_not_taken_for_none(bucket, tmp_path, spark):
    lake = ['--lake', tmp_path / 'lake']
    for number in (1, 2):
        (tmp_path / f'{number}.jsonl').write_text(f'{{"deviceId":"d-{number}","timestamp":"2026-01-05T10:00:00Z","temperature":21.30}}\n')
    _node(PROGRAM, *lake, 'device', 'add', 'd-1', '--profile', 'plain-json')
    _node(PROGRAM, *lake, 'upload', '--kind', 'telemetry', '--profile', 'plain-json', tmp_path / '1.jsonl', tmp_path / '2.jsonl')
    put_lake(bucket, tmp_path / 'lake')
    for damaged in (b'{"device": "d-1"', b'{"device": "d-2"}', b'[1]', b'{"device": "d-1"}'):
        put_bytes(bucket, 'devices/d-1.json', damaged)
        assert run_job(bucket)[0] == (
            'raw/kind=telemetry/1.jsonl was not read: devices/d-1.json is no record of device d-1: '
            'restore it from a backup, or delete it and register the device anew'
        )
        assert [row['device'] for row in exported(bucket)] == ['d-2']


def test_rejects_are_counted_by_the_reasons_of_the_ledger(telemetry, telemetry_folder):
    told = {each['source']: each for each in json.loads(telemetry.read(f'{REPORT}.sources'))['sources']}
    records = {record['source']: record for record in ledger_records(telemetry_folder)}
    assert told.keys() == records.keys()
    for key, record in records.items():
        reasons = dict(pair.split(' ') for pair in (record['rejected'] or '').split(', ') if pair)
        assert {reason: str(number) for reason, number in told[key]['rejected'].items()} == reasons, key
        assert (told[key]['messages'], told[key]['readings'], told[key]['not_read']) == (record['rows_read'], record['readings'], None)
    assert sum(len(each['rejected']) for each in told.values()) > 5
    # What is left of the work is the reports alone.
    assert list(telemetry.list('_flowlake')) == [REPORT, f'{REPORT}.sources']
    periods = json.loads(telemetry.read(REPORT))['periods']
    assert [(each['table'], each['period'], each['what']) for each in periods] == [('readings', day, 'written') for day in DAYS]


def test_what_is_not_followed_is_said_and_the_rest_is_written(bucket, tmp_path, spark):
    lake = ['--lake', tmp_path / 'lake']
    (tmp_path / 'cut.json').write_text('[{"device":"n-1","timestamp":"2026-01-05T10:00:00Z","temperature":21.30},\n{"device":}]')
    (tmp_path / 'lines.jsonl').write_text('{"device":"n-2","timestamp":"2026-01-05T10:00:00Z","temperature":21.30}\n')
    (tmp_path / 'gone.jsonl').write_text('{"device":"n-3","timestamp":"2026-01-05T10:00:00Z","temperature":21.30}\n')
    (tmp_path / 'packs.json').write_text('[{"bn":"n-4:","bt":1767607200,"n":"t","u":"Cel","v":21.3}]')
    logged = {'topic': 'a', 'properties': {}, 'payload': {'device': 'n-5', 'timestamp': '2026-01-05T10:00:00Z', 'temperature': 1}}
    (tmp_path / 'log.jsonl').write_text(json.dumps(logged))
    document = {'name': 'p', 'device': {'path': 'device'}, 'time': {'path': 'timestamp'}, 'metrics': [{'name': 't', 'path': 'temperature', 'digits': 2}]}
    sparkplug = [('DBIRTH', 'd', 'CPvS5ey4MxIKCgFtEAMgAVD7ARgH'), ('DDATA', 'd', 'CPvS5ey4MxIFEANQ+wEYBw=='), ('DDATA', 'x', 'CPvS5ey4MxIFEANQ+wEYBw==')]
    births = [{'topic': f'spBv1.0/g/{kind}/e/{device}', 'payload_base64': payload} for kind, device, payload in sparkplug]
    (tmp_path / 'births.jsonl').write_text('\n'.join(map(json.dumps, births)))
    metric = {'name': 'm', 'path': 'value', 'digits': 0, 'only': {'path': 'name', 'is': 'm'}}
    edge = {'name': 'edge', 'decoder': 'sparkplug-b', 'device': {'path': 'name'}, 'time': {'path': 'timestamp', 'unit': 'ms'}, 'metrics': [metric]}
    (tmp_path / 'edge.json').write_text(json.dumps(edge))
    _node(PROGRAM, *lake, 'profile', 'add', tmp_path / 'edge.json')
    (tmp_path / 'p.json').write_text(json.dumps(document))
    _node(PROGRAM, *lake, 'profile', 'add', tmp_path / 'p.json')
    for profile, names in [('p', ['cut.json', 'lines.jsonl', 'gone.jsonl', 'log.jsonl']), ('senml', ['packs.json']), ('edge', ['births.jsonl'])]:
        _node(PROGRAM, *lake, 'upload', '--kind', 'telemetry', '--profile', profile, *(tmp_path / name for name in names))
    put_lake(bucket, tmp_path / 'lake')
    bucket.delete_all('raw/kind=telemetry/gone.jsonl')
    assert run_job(bucket, '--dry_run', 'true') == ['readings 2026-01-05 is to be written from 6 sources']
    assert list(bucket.list('exports/')) == []
    assert run_job(bucket) == [
        'raw/kind=telemetry/births.jsonl read: 2 readings of 3 messages; rejected: no_birth 1',
        'raw/kind=telemetry/cut.json was not read: an array with a damaged element is not followed',
        'raw/kind=telemetry/gone.jsonl was not read: its raw object is gone',
        'raw/kind=telemetry/lines.jsonl read: 1 reading of 1 message',
        'raw/kind=telemetry/log.jsonl was not read: a log of a broker with MQTT 5 properties is not followed',
        'raw/kind=telemetry/packs.json read: 1 reading of 1 message',
        'readings 2026-01-05 written without 3 sources that could not be read: 4 rows of 3 sources',
    ]
    assert [(row['device'], row['value']) for row in exported(bucket)] == [('m', Decimal(-5)), ('m', Decimal(-5)), ('n-2', Decimal('21.30')), ('n-4:', Decimal('21.3'))]
    # A day to which nothing contributes any more loses its object.
    bucket.delete_all('ledger/')
    assert run_job(bucket) == ['readings 2026-01-05 has no readings, its object was removed']
    assert list(bucket.list('exports/')) == [] and list(bucket.list('_flowlake')) == []
