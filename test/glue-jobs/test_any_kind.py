"""The job knows no kind by name: a made-up one, by the hour and with columns that may be null, is merged by what tables.json says of it."""
import json
import os
import random
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from conftest import JOBS, _node, flows_of, put_text
from lake_errors import StorageError
from lake_layout import TablePeriod, contribution_of, ledger_key, period_of
from lake_tables import parse_kinds, read_kinds
from period_consolidation import consolidate
from period_contents import read_contents
from period_merge import write_sorted_parts
from period_object import arrow_schema

HOUR = '2026-02-01T13'
MAX_BIGINT = 2**63 - 1
MAX_DECIMAL = 10**38 - 1


def column(name, kind, merge, *, nullable=True):
    return {'name': name, 'type': kind, 'nullable': nullable, 'merge': merge, 'meaning': 'made up'}


TABLE = {
    'name': 'meter_hours',
    'prefix': 'meter_hours/',
    'format': 'parquet',
    'per': 'hour',
    'grain': 'meter and hour',
    # Quotes and braces are nothing to those who make SQL of it; `order` is a word of SQL.
    'rowName': "{order}'s meter {meter} \\ at {site}",
    'columns': [
        column('site', 'string', 'key', nullable=False),
        column('order', 'string', 'key', nullable=False),
        column('meter', 'string', 'key', nullable=False),
        column('highest', 'bigint', 'max'),
        column('readings', 'bigint', 'sum', nullable=False),
        column('watts', 'bigint', 'sum'),
        column('watts_sq', 'decimal(38,0)', 'sum'),
        column('lowest', 'bigint', 'min'),
        column('lowest_sq', 'decimal(38,0)', 'min'),
    ],
}
TABLES = json.loads((JOBS / 'tables.json').read_text())
TABLES['kinds'].append(
    {
        'name': 'meters',
        'format': 1,
        'merged': TABLE,
        'contributions': {**TABLE, 'name': 'meter_parts', 'prefix': 'meter_parts/'},
        'rejects': {},
    }
)
METERS = parse_kinds(json.dumps(TABLES))[-1]
NAMES = [each.name for each in METERS.merged.columns]
KEYS = METERS.merged.keys
ROW = {'site': 'main', 'order': 'a', 'meter': '1', 'readings': 1}


def hour_of(period: str) -> TablePeriod:
    return TablePeriod(METERS, period)


@pytest.fixture
def put_hour(bucket, tmp_path):
    """Puts what a source contributes to an hour; what is not said is null. Returns the path of its file."""

    def put(number: int, rows: list[dict], *, period: str = HOUR, without: tuple[str, ...] = ()) -> str:
        name = f'{number:016x}.1-{"c" * 16}'
        rows = sorted(({**ROW, **row} for row in rows), key=lambda row: [row[key].encode() for key in KEYS])
        columns = [[row.get(each) for row in rows] for each in NAMES]
        path = str(tmp_path / f'{period}.{name}.parquet')
        table = pyarrow.table(columns, schema=arrow_schema(METERS.contributions)).drop_columns(list(without))
        pyarrow.parquet.write_table(table, path, store_schema=False)
        bucket.put_file(path, hour_of(period).contribution_key(name), etag=None)
        record = {'source': f'raw/kind=meters/{number}.csv', 'state': 'done', 'version': f'1-{"c" * 16}', 'commits': 1, 'versions': {}}
        put_text(bucket, ledger_key(f'{number:016x}'), json.dumps(record))
        return path

    return put


@pytest.fixture
def merge_hour(spark, bucket, tmp_path):
    """Consolidates the hour. Returns the path of its object."""

    def merge(period: str = HOUR) -> str:
        consolidate(hour_of(period), bucket=bucket, merge=partial(write_sorted_parts, spark))
        path = str(tmp_path / 'hour.parquet')
        bucket.download(hour_of(period).merged_key, path)
        return path

    return merge


def in_typescript(paths: list[str], *, merged: str = '') -> dict:
    return json.loads(_node(Path(__file__).parent / 'merge-in-typescript.ts', json.dumps(TABLE), HOUR, merged, *paths))


def rows_of(path: str) -> list[dict]:
    return pyarrow.parquet.read_table(path, partitioning=None).to_pylist()


def counted(sources: list[list[dict]]) -> list[dict]:
    """The rows of all sources by key, added up a value at a time."""
    found: dict[tuple, dict] = {}
    for row in ({**ROW, **each} for rows in sources for each in rows):
        key = tuple(row[name] for name in KEYS)
        total = found.setdefault(key, dict.fromkeys(NAMES) | dict(zip(KEYS, key)))
        for each in TABLE['columns'][len(KEYS) :]:
            name, value = each['name'], row.get(each['name'])
            if value is not None:
                words = {'sum': lambda one, other: one + other, 'min': min, 'max': max}
                total[name] = value if total[name] is None else words[each['merge']](total[name], value)
    return [found[key] for key in sorted(found, key=lambda key: [text.encode() for text in key])]


def texts_of(rows: list[dict]) -> dict[str, list]:
    """The rows as columns, as JSON of TypeScript has them: whole numbers as text."""
    return {name: [str(row[name]) if isinstance(row[name], int) else _plain(row[name]) for row in rows] for name in NAMES}


def _plain(value):
    return value if value is None or isinstance(value, str) else str(value)


def test_rows_are_those_of_a_plain_count_and_of_typescript_in_one_order(put_hour, merge_hour):
    random.seed(12)
    sites, orders = ['main', 'Zürich', "o'hare", '\uff21', '\U0001f600', 'B'], ['10', '9', 'a"b', '\ue000', '']
    keys = [{'site': site, 'order': order, 'meter': str(meter)} for site in sites for order in orders for meter in range(12)]

    def some(limit):
        return random.choice([None, 0, random.randrange(-limit, limit)])

    sources = [
        [
            {
                **key,
                'readings': random.randrange(1, 9),
                'watts': some(10**15),
                'watts_sq': some(10**36),
                'lowest': some(10**18),
                'lowest_sq': some(10**37),
                'highest': some(10**18),
            }
            for key in random.sample(keys, 250)
        ]
        for _ in range(5)
    ]
    paths = [put_hour(number, rows) for number, rows in enumerate(sources)]
    path = merge_hour()
    expected = counted(sources)
    assert rows_of(path) == expected and len(expected) > 300
    assert any(row['watts'] is None for row in expected) and any((row['watts'] or 0) < 0 for row in expected)
    answer = in_typescript(paths, merged=path)
    assert answer['merged'] == answer['rows'] == texts_of(expected)


def test_columns_are_null_only_where_they_may_be_and_say_so(put_hour, merge_hour):
    put_hour(1, [{'watts': -5}, {'meter': '2'}])
    schema = pyarrow.parquet.read_schema(merge_hour())
    assert [field.nullable for field in schema] == [each['nullable'] for each in TABLE['columns']]


def test_of_a_null_and_a_value_the_value_stays_and_of_nulls_only_null_is_left(put_hour, merge_hour):
    put_hour(1, [{'watts': None, 'lowest': -3, 'meter': '1'}, {'meter': '2'}])
    merge_hour()
    # Once merged into what is there, once among what comes.
    put_hour(2, [{'watts': -7, 'watts_sq': -49, 'meter': '1'}, {'meter': '2'}])
    first, second = rows_of(merge_hour())
    assert {name: first[name] for name in NAMES[3:]} == {
        'highest': None, 'readings': 2, 'watts': -7, 'watts_sq': -49, 'lowest': -3, 'lowest_sq': None
    }
    assert {name: second[name] for name in NAMES[3:]} == {**dict.fromkeys(NAMES[3:]), 'readings': 2}


@pytest.mark.parametrize('name, largest', [('watts', MAX_BIGINT), ('readings', MAX_BIGINT), ('watts_sq', MAX_DECIMAL)])
@pytest.mark.parametrize('sign', [1, -1])
@pytest.mark.parametrize('part', [lambda largest: largest, lambda largest: largest // 2 + 1], ids=['largest', 'half'])
def test_a_total_that_leaves_its_column_is_the_error_of_typescript(put_hour, merge_hour, bucket, name, largest, sign, part):
    value = sign * part(largest)
    paths = [put_hour(number, [{name: value}, {'meter': '2'}]) for number in range(2)]
    said = in_typescript(paths)['error']
    limit = f'above the largest value of its column, {largest}' if sign > 0 else f'below the smallest value of its column, -{largest}'
    assert said == f"{name} of a's meter 1 \\ at main in the hour {HOUR} would be {2 * value}, {limit}"
    with pytest.raises(OverflowError) as error:
        merge_hour()
    assert str(error.value) == said
    assert bucket.read(hour_of(HOUR).merged_key) is None


@pytest.mark.parametrize('sign', [1, -1])
def test_a_total_that_is_back_in_its_column_at_the_end_is_right(put_hour, merge_hour, sign):
    values = [sign, 1 - sign * 5, -sign * 7]
    for number in range(9):
        # The large ones first, of one sign and then of the other.
        large = [1, 1, 1, 1, -1, -1, -1, -1, 0][number] * sign
        small = values[number % 3]
        put_hour(number, [{'watts': large * (MAX_BIGINT - 9) + small, 'watts_sq': large * (MAX_DECIMAL - 9) + small}])
    [row] = rows_of(merge_hour())
    assert (row['watts'], row['watts_sq']) == (3 * sum(values), 3 * sum(values))


@pytest.mark.parametrize('value', [MAX_BIGINT, -MAX_BIGINT])
def test_the_last_value_of_a_column_is_reached_from_either_side(put_hour, merge_hour, value):
    sign = 1 if value > 0 else -1
    put_hour(1, [{'watts': value - sign, 'watts_sq': sign * (MAX_DECIMAL - 1)}])
    put_hour(2, [{'watts': sign, 'watts_sq': sign}])
    [row] = rows_of(merge_hour())
    assert (row['watts'], row['watts_sq']) == (value, sign * MAX_DECIMAL)


def test_a_contribution_without_a_column_that_may_be_null_is_named(put_hour, merge_hour, bucket):
    put_hour(1, [{'watts': 5}])
    put_hour(2, [{'lowest': 5}], without=('watts',))
    with pytest.raises(StorageError, match=f'watts is missing in s3://.*/13.{2:016x}.*: run flowlake reconcile'):
        merge_hour()
    assert bucket.read(hour_of(HOUR).merged_key) is None


def test_a_null_where_none_may_be_is_named(put_hour, merge_hour):
    put_hour(1, [{}], without=('readings',))
    with pytest.raises(StorageError, match=f'readings is missing in s3://.*/13.{1:016x}.*: run flowlake reconcile'):
        merge_hour()


def test_objects_of_hours_and_days_have_the_keys_of_the_layout():
    name = f'{1:016x}.1-{"c" * 16}'
    of = hour_of(HOUR)
    assert of.contribution_key(name) == f'meter_parts/day=2026-02-01/13.{name}.parquet'
    assert of.merged_key == 'meter_hours/day=2026-02-01/13.parquet'
    day = flows_of('2026-02-01')
    assert day.contribution_key(name) == f'summaries/day=2026-02-01/{name}.parquet'
    assert day.merged_key == 'pair_days/day=2026-02-01/part-00.parquet'
    for each in (of, day):
        assert contribution_of(each.contribution_key(name)) == name and contribution_of(each.merged_key) is None
        assert period_of(each.kind.contributions, each.contribution_key(name)) == each.period
        assert period_of(each.kind.merged, each.merged_key) == each.period
    assert period_of(METERS.merged, 'meter_hours/day=2026-02-01/24.parquet') is None
    assert period_of(METERS.merged, 'meter_hours/day=2026-02-01/part-00.parquet') is None
    assert period_of(METERS.merged, 'pair_days/day=2026-02-01/13.parquet') is None


def test_an_hour_left_with_nothing_gets_an_object_that_every_reader_opens(put_hour, merge_hour, bucket):
    put_hour(1, [{}])
    merge_hour()
    bucket.delete_all(hour_of(HOUR).contributions_prefix)
    path = merge_hour()
    assert rows_of(path) == []
    assert read_contents(bucket, hour_of(HOUR).merged_key)[1] == []
    data = Path(path).read_bytes()
    footer = data[-8 - int.from_bytes(data[-8:-4], 'little') : -8]
    # No rows, then an empty list of structs: Rust's readers refuse one whose elements are of no type (0x00).
    assert b'\x16\x00\x19\x0c' in footer


@pytest.fixture
def run_with_meters(bucket, spark_arguments, tmp_path):
    """Runs the job as Glue does, its modules in a zip with a tables.json that has one kind more. Returns its lines."""
    folder = shutil.copytree(JOBS, tmp_path / 'modules', ignore=shutil.ignore_patterns('__pycache__'))
    (folder / 'tables.json').write_text(json.dumps(TABLES))
    (tmp_path / 'alone').mkdir()
    shutil.move(folder / 'consolidate_days.py', tmp_path / 'alone')
    modules = shutil.make_archive(str(tmp_path / 'modules'), 'zip', folder)
    environment = {**os.environ, 'PYTHONPATH': modules, 'PYSPARK_SUBMIT_ARGS': spark_arguments}

    def run(first_day: str, last_day: str, *more: str) -> list[str]:
        command = [sys.executable, 'consolidate_days.py', '--bucket', bucket.name, '--from', first_day, '--to', last_day, *more]
        done = subprocess.run(command, cwd=tmp_path / 'alone', env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return sorted(filter(None, done.stdout.splitlines()))

    return run


def test_one_entry_in_tables_json_and_the_job_does_its_hours_beside_the_days_of_flows(bucket, put_source, put_hour, run_with_meters):
    assert len(read_kinds()) + 1 == len(TABLES['kinds'])
    put_source(1, [{'src_ip': 'a', 'dst_ip': 'b'}], day='2026-02-01')
    for period in ('2026-01-31T23', '2026-02-01T00', HOUR, '2026-02-02T23', '2026-02-03T00'):
        put_hour(2, [{'watts': 5}, {'meter': '2'}], period=period)
    put_hour(3, [{'watts': -7}], period=HOUR)
    report = '_flowlake/reports/one.json'
    planned = run_with_meters('2026-02-01', '2026-02-02', '--dry_run', 'true')
    assert planned == [
        '2026-02-01 needs to be built anew from 1 source',
        'meter_hours 2026-02-01T00 needs to be built anew from 1 source',
        'meter_hours 2026-02-01T13 needs to be built anew from 2 sources',
        'meter_hours 2026-02-02T23 needs to be built anew from 1 source',
    ]
    assert run_with_meters('2026-02-01', '2026-02-02', '--report', report) == [
        '2026-02-01 written: 1 row of 1 source',
        'meter_hours 2026-02-01T00 written: 2 rows of 1 source',
        'meter_hours 2026-02-01T13 written: 2 rows of 2 sources',
        'meter_hours 2026-02-02T23 written: 2 rows of 1 source',
    ]
    told = json.loads(bucket.read(report))
    assert told['total'] == 4
    assert [(each['table'], each['period'], each['rows']) for each in told['periods']] == [
        ('meter_hours', '2026-02-01T00', 2),
        ('meter_hours', HOUR, 2),
        ('meter_hours', '2026-02-02T23', 2),
        ('pair_days', '2026-02-01', 1),
    ]
    objects = [hour_of(period).merged_key for period in ('2026-02-01T00', HOUR, '2026-02-02T23')]
    assert list(bucket.list('meter_hours/')) == objects
    assert len(read_contents(bucket, hour_of(HOUR).merged_key)[1]) == 2
    assert [line.rpartition(' was ')[2] for line in run_with_meters('2026-02-01', '2026-02-02')] == ['right'] * 4
