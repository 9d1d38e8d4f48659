"""Columns of every type, keys of numbers and the word `first`: the job merges them to what TypeScript does, in an object of the same form."""
import json
import random
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from conftest import JOBS, _node, put_text
from lake_layout import TablePeriod, ledger_key
from lake_tables import parse_kinds
from period_consolidation import consolidate
from period_merge import write_sorted_parts
from period_object import arrow_schema

HOUR = '2026-02-01T13'
MAX_BIGINT = 2**63 - 1
# In billionths.
MAX_VALUE = 10**28 - 1


def column(name, kind, merge, *, nullable=False):
    return {'name': name, 'type': kind, 'nullable': nullable, 'merge': merge, 'meaning': 'made up'}


TABLE = {
    'name': 'probe_hours',
    'prefix': 'probe_hours/',
    'format': 'parquet',
    'codec': 'zstd',
    'groupRows': 100,
    'per': 'hour',
    'grain': 'probe, instant and hour',
    'rowName': 'probe {probe} at {at_ms} of {site}',
    'columns': [
        column('site', 'string', 'key'),
        column('probe', 'bigint', 'key'),
        column('at_ms', 'bigint', 'key'),
        column('measured_at', 'timestamp', 'min'),
        column('seen_until', 'timestamp', 'max', nullable=True),
        column('lowest', 'decimal(28,9)', 'min', nullable=True),
        column('total', 'decimal(28,9)', 'sum'),
        column('total_or_null', 'decimal(28,9)', 'sum', nullable=True),
        column('received_ms', 'bigint', 'first'),
        column('value', 'decimal(28,9)', 'first', nullable=True),
        column('note', 'string', 'first', nullable=True),
        column('until', 'timestamp', 'first', nullable=True),
        column('clock', 'string', 'first'),
        column('copies', 'bigint', 'sum'),
    ],
}
TABLES = json.loads((JOBS / 'tables.json').read_text())
TABLES['kinds'].append(
    {'name': 'probes', 'format': 1, 'merged': TABLE, 'contributions': {**TABLE, 'prefix': 'probe_parts/'}, 'rejects': {}}
)
PROBES = parse_kinds(json.dumps(TABLES))[-1]
NAMES = [each.name for each in PROBES.merged.columns]
KEYS = PROBES.merged.keys
TYPES = {each.name: each.type for each in PROBES.merged.columns}
ROW = {
    'site': 'main', 'probe': 7, 'at_ms': 1_769_950_800_000, 'measured_at': 1_769_950_800_000, 'total': 0, 'received_ms': 5, 'clock': 'device',
    'copies': 1,
}  # fmt: skip
OF = TablePeriod(PROBES, HOUR)


def in_engine(name, value):
    """The value as pyarrow takes it, out of smallest units."""
    if value is None or TYPES[name] in ('string', 'bigint'):
        return value
    if TYPES[name] == 'timestamp':
        return datetime(1970, 1, 1) + timedelta(milliseconds=value)
    return Decimal(value).scaleb(-9)


def in_units(name, value):
    """The value in its smallest units, as JSON of TypeScript has it."""
    if value is None or TYPES[name] == 'string':
        return value
    if TYPES[name] == 'timestamp':
        return str((value - datetime(1970, 1, 1)) // timedelta(milliseconds=1))
    return str(value if TYPES[name] == 'bigint' else int(value.scaleb(9)))


@pytest.fixture(autouse=True)
def exact_decimals():
    import decimal

    with decimal.localcontext(decimal.Context(prec=60)):
        yield


@pytest.fixture
def put_hour(bucket, tmp_path):
    """Puts what a source contributes to the hour; what is not said is as in ROW, or null. Returns the path of its file."""

    def put(number: int, rows: list[dict]) -> str:
        name = f'{number:016x}.1-{"c" * 16}'
        rows = sorted(({**ROW, **row} for row in rows), key=lambda row: [row['site'].encode(), row['probe'], row['at_ms']])
        columns = [[in_engine(each, row.get(each)) for row in rows] for each in NAMES]
        path = str(tmp_path / f'{name}.parquet')
        pyarrow.parquet.write_table(pyarrow.table(columns, schema=arrow_schema(PROBES.contributions)), path, store_schema=False)
        bucket.put_file(path, OF.contribution_key(name), etag=None)
        record = {'source': f'raw/kind=probes/{number}.csv', 'state': 'done', 'version': f'1-{"c" * 16}', 'commits': 1, 'versions': {}}
        put_text(bucket, ledger_key(f'{number:016x}'), json.dumps(record))
        return path

    return put


@pytest.fixture
def merge_hour(spark, bucket, tmp_path):
    """Consolidates the hour. Returns the path of its object."""

    def merge() -> str:
        consolidate(OF, bucket=bucket, merge=partial(write_sorted_parts, spark))
        path = str(tmp_path / 'hour.parquet')
        bucket.download(OF.merged_key, path)
        return path

    return merge


def in_typescript(paths: list[str], *, merged: str = '') -> dict:
    return json.loads(_node(Path(__file__).parent / 'merge-in-typescript.ts', json.dumps(TABLE), HOUR, merged, *paths))


def units_of(path: str) -> dict[str, list]:
    table = pyarrow.parquet.read_table(path, partitioning=None)
    return {name: [in_units(name, value) for value in table[name].to_pylist()] for name in NAMES}


def some_rows(random):
    instants = [None, 0, -1, -62_135_596_800_000, 253_402_300_799_999, 1_769_950_800_123]
    return [
        {
            'site': random.choice(['main', 'Zürich', '\uff21', '\U0001f600', '']),
            'probe': random.choice([0, -1, 2**40, MAX_BIGINT, -(2**63)]),
            'at_ms': at_ms,
            'measured_at': at_ms,
            'seen_until': random.choice(instants),
            'lowest': random.choice([None, -MAX_VALUE, 0, random.randrange(-MAX_VALUE, MAX_VALUE)]),
            'total': random.randrange(-(10**26), 10**26),
            'total_or_null': random.choice([None, random.randrange(-(10**26), 10**26)]),
            'received_ms': random.choice([-5, 0, 7]),
            'value': random.choice([None, -1, 0, MAX_VALUE]),
            'note': random.choice([None, '', 'a', '\uff21', '\U0001f600']),
            'until': random.choice(instants),
            'clock': random.choice(['a', 'b']),
            'copies': random.randrange(1, 5),
        }
        for at_ms in range(20)
    ]


def test_rows_are_those_of_typescript_in_its_order(put_hour, merge_hour):
    chance = random.Random(28)
    # A key stands once in a contribution: its instants tell its rows apart.
    paths = [put_hour(number, some_rows(chance)) for number in range(40)]
    path = merge_hour()
    answer = in_typescript(paths, merged=path)
    assert answer['merged'] == answer['rows'] == units_of(path)
    rows = answer['rows']
    metadata = pyarrow.parquet.read_metadata(path)
    groups = [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]
    assert set(groups[:-1]) == {100} and sum(groups) == len(rows['site'])
    assert len(rows['site']) > 300 and any(int(copies) > 4 for copies in rows['copies'])
    for name in ('seen_until', 'lowest', 'total_or_null', 'value', 'note', 'until'):
        assert 0 < rows[name].count(None) < len(rows[name])


def test_first_columns_come_from_one_row_and_nulls_are_behind(put_hour, merge_hour):
    put_hour(1, [{'value': None, 'note': 'a', 'clock': 'a'}])
    put_hour(2, [{'value': MAX_VALUE, 'note': None, 'clock': 'b'}])
    put_hour(3, [{'value': MAX_VALUE, 'note': 'z', 'clock': 'c'}])
    put_hour(4, [{'received_ms': 6, 'value': 0, 'note': '', 'clock': 'd'}])
    found = units_of(merge_hour())
    assert {name: found[name] for name in ('received_ms', 'value', 'note', 'clock', 'copies')} == {
        'received_ms': ['5'], 'value': [str(MAX_VALUE)], 'note': ['z'], 'clock': ['c'], 'copies': ['4']
    }  # fmt: skip


def test_the_object_has_the_types_and_the_codec_of_the_lakes_own(put_hour, merge_hour):
    put_hour(1, [{}])
    metadata = pyarrow.parquet.read_metadata(merge_hour())
    group = metadata.row_group(0)
    assert {group.column(at).compression for at in range(metadata.num_columns)} == {'ZSTD'}
    schema = {name: metadata.schema.column(at) for at, name in enumerate(NAMES)}
    assert (schema['value'].physical_type, schema['value'].length, schema['value'].scale) == ('FIXED_LEN_BYTE_ARRAY', 12, 9)
    logical = json.loads(schema['measured_at'].logical_type.to_json())
    assert (logical['Type'], logical['isAdjustedToUTC'], logical['timeUnit']) == ('Timestamp', False, 'milliseconds')
    assert schema['measured_at'].physical_type == 'INT64'


@pytest.mark.parametrize('name', ['total', 'total_or_null'])
@pytest.mark.parametrize('sign, limit', [(1, 'above the largest'), (-1, 'below the smallest')])
@pytest.mark.parametrize('value', [MAX_VALUE, MAX_VALUE // 2 + 1])
def test_a_total_of_decimals_that_leaves_its_column_is_the_error_of_typescript(put_hour, merge_hour, bucket, name, sign, limit, value):
    paths = [put_hour(number, [{name: sign * value}, {'probe': 8}]) for number in range(2)]
    said = in_typescript(paths)['error']
    assert said.startswith(f'{name} of probe 7 at 1769950800000 of main in the hour {HOUR} would be {"-" if sign < 0 else ""}1')
    assert f'{limit} value of its column, {"-" if sign < 0 else ""}9999999999999999999.999999999' in said
    with pytest.raises(OverflowError) as error:
        merge_hour()
    assert str(error.value) == said
    assert bucket.read(OF.merged_key) is None


@pytest.mark.parametrize('sign', [1, -1])
def test_totals_that_are_back_in_their_columns_at_the_end_are_exact(put_hour, merge_hour, sign):
    # That of copies leaves its column on the way, so that all are added up in halves.
    for number, large in enumerate([1, 1, -1, -1, 1]):
        rest, note = number % 2, None if number == 4 else 'a'
        put_hour(number, [{'total': sign * (large * (MAX_VALUE - 3) + rest), 'copies': sign * (large * (MAX_BIGINT - 3) + rest), 'note': note}])
    found = units_of(merge_hour())
    assert (found['total'], found['copies']) == ([str(sign * (MAX_VALUE - 1))], [str(sign * (MAX_BIGINT - 1))])
    assert (found['total_or_null'], found['note'], found['lowest']) == ([None], ['a'], [None])
