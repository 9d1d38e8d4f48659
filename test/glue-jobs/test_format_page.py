"""docs/format.md holds for what the jobs write, and its reader reads what the lake's own program and the jobs wrote."""
import json
import re
import subprocess
import sys

import period_object
import pyarrow
import pyarrow.parquet
import pytest
from conftest import PAIR_DAYS, ROOT
from period_contents import CONTAINS, CONTAINS_AT
from period_object import arrow_schema, write_period_object

PAGE = (ROOT / 'docs/format.md').read_text()


def rows_below(heading, at):
    """The cells of the rows of the heading's table number `at`, its head left out, without their backticks."""
    section = re.split(r'^## ', PAGE.partition(f'\n## {heading}\n')[2], flags=re.MULTILINE)[0]
    table = re.findall(r'(?:^\|.*\n)+', section, re.MULTILINE)[at]
    return [[cell.strip(' `') for cell in row[1:-1].split('|')] for row in table.splitlines()[2:]]


def codes(fact):
    """What stands in backticks in a row of the facts."""
    return re.findall(r'`([^`]+)`', re.search(rf'^\| {fact} \| (.*) \|$', PAGE, re.MULTILINE)[1])


@pytest.fixture
def read_day(tmp_path):
    """Runs the page's reader. Returns its lines."""
    program = tmp_path / 'read_day.py'
    program.write_text(re.search(r'```python\n(.*?)```', PAGE, re.DOTALL)[1])

    def run(lake, day):
        done = subprocess.run([sys.executable, program, lake, day], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


@pytest.fixture
def write_day(tmp_path):
    """Writes a day as the job does: so many pairs in two parts, figures numbered or made of these numbers. Returns the path."""

    def write(count, *, contains=(), path=tmp_path / 'day.parquet', **figures):
        parts = []
        for numbers in (range(0, count // 3), range(count // 3, count)):
            columns = {
                'site': ['main' for _ in numbers],
                'src_ip': [f'10.0.{number >> 8:03}.{number & 255:03}' for number in numbers],
                'dst_ip': ['10.0.0.1' for _ in numbers],
            }
            columns.update({name: [figure(number) for number in numbers] for name, figure in figures.items()})
            values = {field.name: columns.get(field.name, list(numbers)) for field in arrow_schema(PAIR_DAYS)}
            parts.append(str(tmp_path / f'part-{len(parts)}.parquet'))
            pyarrow.parquet.write_table(pyarrow.table(values, schema=arrow_schema(PAIR_DAYS)), parts[-1])
        write_period_object(str(path), parts, table=PAIR_DAYS, contains=list(contains))
        return path

    return write


def test_the_reader_of_the_page_says_what_a_day_of_the_program_contains(read_day, lake_folder):
    records = {path.stem: json.loads(path.read_text()) for path in (lake_folder / 'ledger').iterdir()}
    days = sorted(path.name.removeprefix('day=') for path in (lake_folder / 'pair_days').iterdir())
    assert len(days) == 4
    for day in days:
        *names, total = read_day(lake_folder, day)
        counting = [
            f'{source}.{record["version"]} {record["source"]}'
            for source, record in sorted(records.items())
            if day in record['versions'][record['version']]
        ]
        assert names == counting and len(names) == 3
        summaries = pyarrow.parquet.read_table(lake_folder / 'summaries' / f'day={day}', partitioning=None)
        pairs = summaries.group_by(['site', 'src_ip', 'dst_ip']).aggregate([])
        assert total == f'{pairs.num_rows} pairs, {sum(summaries["flows"].to_pylist())} flows'


@pytest.mark.parametrize('count', [0, 1, 200])
def test_the_reader_of_the_page_says_what_a_day_of_the_job_contains(read_day, write_day, tmp_path, count):
    folder, ledger = tmp_path / 'lake/pair_days/day=2026-01-05', tmp_path / 'lake/ledger'
    folder.mkdir(parents=True)
    ledger.mkdir()
    names = [f'{number:016x}.{number + 1}-{"c" * 16}' for number in range(count)]
    for number, name in enumerate(names):
        (ledger / f'{name[:16]}.json').write_text(json.dumps({'source': f'raw/{number}.csv'}))
    write_day(300, contains=names[::-1], path=folder / 'part-00.parquet')
    expected = [f'{name} raw/{number}.csv' for number, name in enumerate(names)]
    assert read_day(tmp_path / 'lake', '2026-01-05') == [*expected, f'300 pairs, {sum(range(300))} flows']


def test_a_day_of_the_job_has_the_columns_of_the_page(write_day):
    schema = pyarrow.parquet.ParquetFile(write_day(10)).schema
    found = []
    for column in map(schema.column, range(len(schema.names))):
        length = f'({column.length})' if column.length else ''
        decimal = f'({column.precision},{column.scale})' if column.converted_type == 'DECIMAL' else ''
        converted = '' if column.converted_type == 'NONE' else f'{column.converted_type}{decimal}'
        repetition = 'OPTIONAL' if column.max_definition_level == 1 else 'REQUIRED'
        found.append([column.name, f'{column.physical_type}{length}', converted, repetition])
        assert column.max_repetition_level == 0
    assert found == rows_below('Parquet', 0)


def test_a_day_of_the_job_is_laid_out_as_the_page_says(write_day):
    path = write_day(12_345)
    metadata = pyarrow.parquet.read_metadata(path)
    group_rows = int(codes('rows of a row group')[0])
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    assert [group.num_rows for group in groups] == [group_rows, group_rows, 12_345 - 2 * group_rows]
    chunks = [group.column(at) for group in groups for at in range(metadata.num_columns)]
    assert {chunk.compression for chunk in chunks} == set(codes('compression'))
    assert {encoding for chunk in chunks for encoding in chunk.encodings} == {*codes('encodings of data pages'), 'RLE'}
    for chunk in chunks:
        assert (chunk.is_stats_set, chunk.statistics.has_min_max, chunk.statistics.null_count) == (True, True, 0)
        assert not chunk.has_column_index
    for at, group in enumerate(groups):
        rows = pyarrow.parquet.ParquetFile(path).read_row_group(at)
        for place, name in enumerate(rows.column_names):
            values, statistics = rows[name].to_pylist(), group.column(place).statistics
            assert (statistics.min, statistics.max) == (min(values), max(values))
    table = pyarrow.parquet.read_table(path, columns=codes('rows sorted by'))
    keys = [[text.encode() for text in row] for row in zip(*(column.to_pylist() for column in table.columns))]
    assert all(before < after for before, after in zip(keys, keys[1:]))


def test_values_that_hardly_repeat_have_no_dictionary(write_day):
    packets = dict.fromkeys(('fwd_pkts_sum', 'fwd_pkts_min', 'fwd_pkts_max'), lambda number: number % 2_500)
    path = write_day(5_000, flows=lambda number: number % 3, fwd_pkts_sum_sq=lambda number: number % 2_501, **packets)
    group = pyarrow.parquet.read_metadata(path).row_group(0)
    with_dictionary = [group.column(at).path_in_schema for at in range(group.num_columns) if group.column(at).has_dictionary_page]
    assert with_dictionary == ['site', 'src_ip', 'dst_ip', 'flows', 'fwd_pkts_sum', 'fwd_pkts_min', 'fwd_pkts_max']


def test_groups_grow_past_the_number_of_rows_that_the_page_says():
    past = int(re.search(r'past ([\d,]+) rows a thousandth of the rows', PAGE)[1].replace(',', ''))
    assert PAIR_DAYS.group_rows * period_object.MAX_ROW_GROUPS == past
    assert period_object.MAX_ROW_GROUPS == 1_000


@pytest.mark.parametrize('more', [0, 1])
def test_the_list_stands_where_the_page_says(write_day, more):
    (inline, _, when), (elsewhere, *_) = rows_below('What a day contains', 0)
    assert (inline, elsewhere) == (CONTAINS, CONTAINS_AT)
    most = int(re.search(r'at most `(\d+)` bytes', when)[1])
    # The number of a commit may have any number of digits.
    names = [f'{number:016x}.1-{"c" * 16}' for number in range((most + 1) // 36)]
    names[0] = f'{0:016x}.{"1".ljust(1 + (most + 1) % 36 + more, "0")}-{"c" * 16}'
    text = ','.join(names).encode()
    assert len(text) == most + more
    path = write_day(10, contains=names[::-1])
    data = path.read_bytes()
    footer_at = len(data) - 8 - int.from_bytes(data[-8:-4], 'little')
    entries = pyarrow.parquet.read_metadata(path).metadata
    if more:
        assert entries == {elsewhere.encode(): f'{footer_at - len(text)}:{len(text)}'.encode()}
        assert data[footer_at - len(text) : footer_at] == text
    else:
        assert entries == {inline.encode(): text}
