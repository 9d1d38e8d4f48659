"""The file of a period, from its sorted parts; needs neither Spark nor S3."""
import period_object
import pyarrow
import pyarrow.parquet
import pytest
from conftest import PAIR_DAYS
from period_object import arrow_schema, write_period_object


@pytest.fixture
def part(tmp_path):
    """Writes a part as Spark does, its columns nullable, its pairs numbered."""

    def write(first: int, count: int, **columns) -> str:
        numbers = range(first, first + count)
        values = {
            field.name: [f'{number:09}' for number in numbers] if field.type == pyarrow.string() else list(numbers)
            for field in arrow_schema(PAIR_DAYS)
        }
        schema = pyarrow.schema([pyarrow.field(field.name, field.type) for field in arrow_schema(PAIR_DAYS)])
        path = str(tmp_path / f'part-{first:09}.parquet')
        pyarrow.parquet.write_table(pyarrow.table({**values, **columns}, schema=schema), path)
        return path

    return write


def group_sizes(path):
    metadata = pyarrow.parquet.read_metadata(path)
    return [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]


def test_groups_are_of_one_size_wherever_parts_end(part, tmp_path):
    path = str(tmp_path / 'day.parquet')
    parts = [part(0, 7_000), part(7_000, 1), part(7_001, 12_999), part(20_000, 4_000)]
    assert write_period_object(path, parts, table=PAIR_DAYS, contains=[]) == 24_000
    assert group_sizes(path) == [5_000, 5_000, 5_000, 5_000, 4_000]
    assert pyarrow.parquet.read_table(path)['src_ip'].to_pylist() == [f'{number:09}' for number in range(24_000)]


def test_groups_of_a_huge_day_grow_so_that_its_footer_does_not(part, tmp_path, monkeypatch):
    monkeypatch.setattr(period_object, 'MAX_ROW_GROUPS', 3)
    path = str(tmp_path / 'day.parquet')
    write_period_object(path, [part(0, 18_001)], table=PAIR_DAYS, contains=[])
    assert group_sizes(path) == [6_001, 6_001, 5_999]


def test_every_group_says_its_smallest_and_largest_key(part, tmp_path):
    path = str(tmp_path / 'day.parquet')
    write_period_object(path, [part(0, 12_000)], table=PAIR_DAYS, contains=[])
    metadata = pyarrow.parquet.read_metadata(path)
    found = [metadata.row_group(at).column(1).statistics for at in range(3)]
    assert [(each.min, each.max) for each in found] == [
        ('000000000', '000004999'),
        ('000005000', '000009999'),
        ('000010000', '000011999'),
    ]


@pytest.mark.parametrize('count, key', [(0, b'flowlake.contains'), (93, b'flowlake.contains'), (94, b'flowlake.contains_at')])
def test_a_long_list_stands_in_front_of_the_footer(part, tmp_path, count, key):
    path = str(tmp_path / 'day.parquet')
    names = [f'{number:016x}.1-{"c" * 16}'.ljust(43, '0') for number in range(count)]
    write_period_object(path, [part(0, 10)], table=PAIR_DAYS, contains=names[::-1])
    metadata = pyarrow.parquet.read_metadata(path).metadata
    assert list(metadata) == [key]
    if key == b'flowlake.contains_at':
        start, length = map(int, metadata[key].split(b':'))
        data = (tmp_path / 'day.parquet').read_bytes()
        assert data[start : start + length].decode() == ','.join(names)
        assert start + length == len(data) - 8 - int.from_bytes(data[-8:-4], 'little')
    else:
        assert metadata[key].decode() == ','.join(names)


def test_a_null_is_refused(part, tmp_path):
    with pytest.raises(ValueError, match='null'):
        write_period_object(str(tmp_path / 'day.parquet'), [part(0, 2, flows=[1, None])], table=PAIR_DAYS, contains=[])
