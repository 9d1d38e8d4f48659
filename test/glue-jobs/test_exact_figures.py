"""Every figure is exact to its last digit, and one that leaves its column is an error that names pair and day."""
from functools import partial

import pyarrow.parquet
import pytest
from conftest import flows_of, pair_days_key
from period_consolidation import consolidate
from period_merge import write_sorted_parts

DAY = '2026-02-01'
PAIR = {'site': 'berlin', 'src_ip': '10.0.0.1', 'dst_ip': '10.0.0.2'}
MAX_BIGINT = 2**63 - 1
MAX_DECIMAL = 10**38 - 1


@pytest.fixture
def rows_of(spark, bucket, put_source, tmp_path):
    """The day's rows as the job merges them from one source per list of rows."""

    def merge(*sources):
        for number, rows in enumerate(sources):
            put_source(number, rows, day=DAY)
        consolidate(flows_of(DAY), bucket=bucket, merge=partial(write_sorted_parts, spark))
        path = str(tmp_path / 'day.parquet')
        bucket.download(pair_days_key(DAY), path)
        return pyarrow.parquet.read_table(path, partitioning=None).to_pylist()

    return merge


def test_totals_up_to_the_last_value_of_their_columns_are_exact(rows_of):
    half, odd = MAX_BIGINT // 2, 5 * 10**37 + 77
    [row] = rows_of(
        [{**PAIR, 'flows': half, 'flow_duration_us_sum': half + 1, 'flow_duration_us_sum_sq': odd, 'fwd_pkts_min': 3}],
        [{**PAIR, 'flows': half, 'flow_duration_us_sum': half, 'flow_duration_us_sum_sq': MAX_DECIMAL - odd, 'fwd_pkts_max': MAX_BIGINT}],
    )
    assert (row['flows'], row['flow_duration_us_sum'], row['flow_duration_us_sum_sq']) == (2 * half, MAX_BIGINT, MAX_DECIMAL)
    assert (row['fwd_pkts_min'], row['fwd_pkts_max'], row['fwd_pkts_sum'], row['fwd_pkts_sum_sq']) == (1, MAX_BIGINT, 2, 2)


def test_typescript_reads_the_same_large_figures(rows_of, bucket, in_typescript):
    rows_of([{**PAIR, 'flow_duration_us_sum': MAX_BIGINT - 1, 'flow_duration_us_sum_sq': MAX_DECIMAL - 10**20}])
    rows = in_typescript(bucket, 'rows', DAY)
    assert rows['flow_duration_us_sum'] == [str(MAX_BIGINT - 1)]
    assert rows['flow_duration_us_sum_sq'] == [str(MAX_DECIMAL - 10**20)]


@pytest.mark.parametrize('sources', [2, 40])
@pytest.mark.parametrize(
    'column, largest',
    [
        ('flows', MAX_BIGINT),
        ('flow_duration_us_sum', MAX_BIGINT),
        ('flow_duration_us_sum_sq', MAX_DECIMAL),
        ('fwd_pkts_sum', MAX_BIGINT),
        ('fwd_pkts_sum_sq', MAX_DECIMAL),
    ],
)
def test_a_total_above_the_largest_value_of_its_column_names_pair_and_day(rows_of, bucket, column, largest, sources):
    total = sources * (largest // 2 + 1)
    what = f'{column} of 10.0.0.1 to 10.0.0.2 at site berlin on {DAY} would be {total}, above the largest value of its column, {largest}'
    with pytest.raises(OverflowError, match=f'^{what}$'):
        rows_of(*[[{**PAIR, column: largest // 2 + 1}, {**PAIR, 'src_ip': '10.0.0.0'}]] * sources)
    assert bucket.read(pair_days_key(DAY)) is None


def test_rows_are_sorted_by_the_bytes_of_their_keys_whatever_these_are(rows_of):
    sites = ['main', 'Zürich', "o'hare", 'a"b', 'berlin', 'B', '\uff21', '\U0001f600']
    addresses = ['10.0.0.10', '10.0.0.2', '9.0.0.1', '2001:db8::1', '::1', 'fe80::1%eth0', '10.0.0.1']
    pairs = [{'site': site, 'src_ip': src, 'dst_ip': dst} for site in sites for src in addresses for dst in addresses]
    keys = [(row['site'], row['src_ip'], row['dst_ip']) for row in rows_of(pairs[::2], pairs[1::2])]
    assert keys == sorted(keys, key=lambda key: [part.encode() for part in key])
    assert set(keys) == {(pair['site'], pair['src_ip'], pair['dst_ip']) for pair in pairs} and len(keys) == len(pairs)
