"""The job keeps the rules of docs/design.md, "Commit rules"."""
import json
from dataclasses import asdict
from functools import partial

import pyarrow
import pyarrow.parquet
import pytest
from conftest import FLOWS, PAIR_DAYS, flows_of, pair_days_key, put_text, summary_key
from consolidate_days import main, plan_period
from lake_errors import StorageError
from lake_layout import ledger_key, source_of
from period_consolidation import consolidate
from period_contents import read_contents, read_footer
from period_merge import write_sorted_parts
from period_object import arrow_schema, write_period_object
from period_state import look_at_period

DAY = '2026-02-01'
PAIR = {'src_ip': '10.0.0.1', 'dst_ip': '10.0.0.2'}


@pytest.fixture
def merge(spark):
    return partial(write_sorted_parts, spark)


@pytest.fixture
def flows_of_day(bucket, tmp_path):
    """Pairs and flows of the day's object, its rows in order."""

    def read():
        path = str(tmp_path / 'day.parquet')
        bucket.download(pair_days_key(DAY), path)
        rows = pyarrow.parquet.read_table(path, partitioning=None).to_pylist()
        return [(row['src_ip'], row['dst_ip'], row['flows']) for row in rows]

    return read


@pytest.fixture
def falsify(bucket, tmp_path):
    """Writes an object of the day that lists what it should contain and has other figures."""

    def write(day, contains):
        rows = [['main', '10.0.0.9', '10.0.0.9', *[70] * (len(PAIR_DAYS.columns) - 3)]]
        part, path = str(tmp_path / 'part.parquet'), str(tmp_path / 'false.parquet')
        pyarrow.parquet.write_table(pyarrow.table([*map(list, zip(*rows))], schema=arrow_schema(PAIR_DAYS)), part)
        write_period_object(path, [part], table=PAIR_DAYS, contains=contains)
        bucket.put_file(path, pair_days_key(day), etag=bucket.etag_of(pair_days_key(day)))

    return write


@pytest.fixture
def without_timed_flows(bucket, tmp_path):
    """Makes a summary of the day one of format 2."""

    def drop(contribution):
        path, key = str(tmp_path / 'older.parquet'), summary_key(DAY, contribution)
        bucket.download(key, path)
        pyarrow.parquet.write_table(pyarrow.parquet.read_table(path, partitioning=None).drop_columns('timed_flows'), path)
        bucket.put_file(path, key, etag=bucket.read_end(key, 1)[0])

    return drop


def first_time(action, call):
    """The call, with something else happening in front of its first run."""
    done = []

    def call_after(*arguments, **options):
        if not done:
            done.append(True)
            action()
        return call(*arguments, **options)

    return call_after


def test_a_summary_counts_only_if_its_ledger_says_so(bucket, put_source, merge, flows_of_day):
    live = put_source(1, [{**PAIR, 'flows': 10}], day=DAY)
    put_source(2, [{**PAIR, 'flows': 100}], day=DAY, version=f'1-{"a" * 16}')
    newer = put_source(2, [{**PAIR, 'flows': 1000}], day=DAY, version=f'2-{"b" * 16}')
    put_source(3, [{**PAIR, 'flows': 10000}], day=DAY, live=f'9-{"f" * 16}')
    bucket.delete_all(ledger_key(source_of(put_source(4, [{**PAIR, 'flows': 100000}], day=DAY))))
    assert consolidate(flows_of(DAY), bucket=bucket, merge=merge).writes == 1
    assert flows_of_day() == [('10.0.0.1', '10.0.0.2', 1010)]
    assert read_contents(bucket, pair_days_key(DAY))[1] == [live, newer]


def test_one_more_source_is_merged_without_a_look_at_the_others(bucket, put_source, merge, flows_of_day):
    names = [put_source(number, [{**PAIR, 'flows': 1}], day=DAY) for number in range(3)]
    consolidate(flows_of(DAY), bucket=bucket, merge=merge)
    put_source(7, [{**PAIR, 'flows': 10}, {'src_ip': '10.0.0.0', 'dst_ip': '::1', 'flows': 5}], day=DAY)
    read = []
    consolidate(flows_of(DAY), bucket=bucket, merge=lambda **arguments: (read.extend(arguments['paths']), merge(**arguments)))
    assert [path.rpartition('/')[2] for path in read] == [f'{7:016x}.1-{"c" * 16}.parquet', 'contained.parquet']
    assert flows_of_day() == [('10.0.0.0', '::1', 5), ('10.0.0.1', '10.0.0.2', 13)]
    assert len(names) == 3


def test_a_writer_in_between_is_noticed_and_the_day_looked_at_again(bucket, put_source, merge, flows_of_day):
    put_source(1, [{**PAIR, 'flows': 1}], day=DAY)

    def other_writer():
        put_source(2, [{**PAIR, 'flows': 10}], day=DAY)
        consolidate(flows_of(DAY), bucket=bucket, merge=merge)

    outcome = consolidate(flows_of(DAY), bucket=bucket, merge=first_time(other_writer, merge))
    assert (outcome.writes, outcome.lost_races) == (0, 1)
    assert flows_of_day() == [('10.0.0.1', '10.0.0.2', 11)]


def test_an_object_that_changes_under_a_merge_is_merged_into_as_it_is_then(bucket, put_source, merge, flows_of_day):
    put_source(1, [{**PAIR, 'flows': 1}], day=DAY)
    consolidate(flows_of(DAY), bucket=bucket, merge=merge)
    put_source(2, [{**PAIR, 'flows': 10}], day=DAY)

    def other_writer():
        consolidate(flows_of(DAY), bucket=bucket, merge=merge)
        put_source(3, [{**PAIR, 'flows': 100}], day=DAY)

    outcome = consolidate(flows_of(DAY), bucket=bucket, merge=first_time(other_writer, merge))
    assert (outcome.writes, outcome.lost_races) == (1, 1)
    assert flows_of_day() == [('10.0.0.1', '10.0.0.2', 111)]


def test_an_object_that_changes_and_changes_back_is_not_merged_into_as_it_was_between(
    bucket, client, put_source, merge, flows_of_day, monkeypatch
):
    put_source(1, [{**PAIR, 'flows': 1}], day=DAY)
    consolidate(flows_of(DAY), bucket=bucket, merge=merge)
    before = bucket.read(pair_days_key(DAY))
    put_source(2, [{**PAIR, 'flows': 10}], day=DAY)

    def change():
        put_source(3, [{**PAIR, 'flows': 100}], day=DAY)
        consolidate(flows_of(DAY), bucket=bucket, merge=merge)

    def change_back():
        client.put_object(Bucket=bucket.name, Key=pair_days_key(DAY), Body=before)

    monkeypatch.setattr(bucket, 'copy', first_time(change, bucket.copy))
    consolidate(flows_of(DAY), bucket=bucket, merge=first_time(change_back, merge))
    assert flows_of_day() == [('10.0.0.1', '10.0.0.2', 111)]


def test_a_source_that_comes_while_the_day_is_written_is_in_it_at_the_end(bucket, put_source, merge, flows_of_day):
    put_source(1, [{**PAIR, 'flows': 1}], day=DAY)
    late = partial(put_source, 2, [{**PAIR, 'flows': 10}], day=DAY)
    assert consolidate(flows_of(DAY), bucket=bucket, merge=first_time(late, merge)).writes == 2
    assert flows_of_day() == [('10.0.0.1', '10.0.0.2', 11)]


def test_a_summary_that_is_deleted_while_it_is_read_is_no_error(bucket, put_source, merge, flows_of_day):
    put_source(1, [{**PAIR, 'flows': 1}], day=DAY)
    gone = put_source(2, [{**PAIR, 'flows': 10}], day=DAY)
    retract = partial(bucket.delete_all, summary_key(DAY, gone))
    assert consolidate(flows_of(DAY), bucket=bucket, merge=first_time(retract, merge)).writes == 1
    assert flows_of_day() == [('10.0.0.1', '10.0.0.2', 1)]


def test_a_day_left_with_nothing_gets_an_object_without_rows(bucket, put_source, merge, flows_of_day, in_typescript):
    assert consolidate(flows_of(DAY), bucket=bucket, merge=merge).writes == 0
    assert bucket.read(pair_days_key(DAY)) is None
    gone = put_source(1, [PAIR], day=DAY)
    consolidate(flows_of(DAY), bucket=bucket, merge=merge)
    bucket.delete_all(summary_key(DAY, gone))
    assert consolidate(flows_of(DAY), bucket=bucket, merge=merge).writes == 1
    assert flows_of_day() == []
    assert in_typescript(bucket, 'contained', DAY) == [] and in_typescript(bucket, 'rows', DAY)['site'] == []
    assert in_typescript(bucket, 'consolidate', DAY) == 0


def test_two_hundred_sources_are_listed_in_front_of_the_footer(bucket, put_source, merge, flows_of_day, in_typescript):
    names = [put_source(number, [PAIR], day=DAY) for number in range(200)]
    assert consolidate(flows_of(DAY), bucket=bucket, merge=merge).writes == 1
    assert flows_of_day() == [('10.0.0.1', '10.0.0.2', 200)]
    assert in_typescript(bucket, 'contained', DAY) == names
    assert b'flowlake.contains_at' in bucket.read_end(pair_days_key(DAY), 3000)[2]
    put_source(200, [PAIR], day=DAY)
    assert in_typescript(bucket, 'consolidate', DAY) == 1
    put_source(201, [PAIR], day=DAY)
    assert look_at_period(bucket, flows_of(DAY)).missing == [f'{201:016x}.1-{"c" * 16}']
    assert consolidate(flows_of(DAY), bucket=bucket, merge=merge).writes == 1
    assert flows_of_day() == [('10.0.0.1', '10.0.0.2', 202)]


def test_a_day_that_another_tool_wrote_is_built_anew(bucket, put_source, merge, flows_of_day, tmp_path):
    put_source(1, [PAIR], day=DAY)
    foreign = str(tmp_path / 'foreign.parquet')
    pyarrow.parquet.write_table(pyarrow.table({'site': ['x']}), foreign)
    bucket.put_file(foreign, pair_days_key(DAY), etag=None)
    assert consolidate(flows_of(DAY), bucket=bucket, merge=merge).writes == 1
    assert flows_of_day() == [('10.0.0.1', '10.0.0.2', 1)]


DAMAGED = ['', 'PAR1', 'no Parquet at all', '\0' * 20 + 'PAR1']


@pytest.mark.parametrize('damaged', DAMAGED)
def test_a_damaged_day_is_named_and_the_other_days_are_done(bucket, put_source, spark, capsys, damaged):
    put_source(1, [PAIR], day=DAY)
    put_source(1, [PAIR], day='2026-02-02')
    put_text(bucket, pair_days_key(DAY), damaged)
    with pytest.raises(RuntimeError, match=f'1 period failed.*{pair_days_key(DAY)}'):
        main(['--bucket', bucket.name, '--from', '2026-02-01', '--to', '2026-02-02'])
    assert '2026-02-02 written: 1 row of 1 source' in capsys.readouterr().out


@pytest.mark.parametrize('damaged', DAMAGED)
def test_a_day_is_built_anew_whatever_its_object_is(bucket, put_source, spark, flows_of_day, capsys, damaged):
    put_source(1, [PAIR], day=DAY)
    put_text(bucket, pair_days_key(DAY), damaged)
    arguments = ['--bucket', bucket.name, '--from', DAY, '--to', DAY, '--anew', 'true']
    main([*arguments, '--dry_run', 'true'])
    main(arguments)
    report = [f'{DAY} needs to be built anew from 1 source', f'{DAY} written: 1 row of 1 source']
    assert capsys.readouterr().out.splitlines() == report
    assert flows_of_day() == [('10.0.0.1', '10.0.0.2', 1)]


def test_a_day_that_says_it_is_right_is_built_anew_once(bucket, put_source, merge, falsify, flows_of_day):
    falsify(DAY, [put_source(number, [PAIR], day=DAY) for number in range(2)])
    assert consolidate(flows_of(DAY), bucket=bucket, merge=merge).writes == 0
    assert flows_of_day() == [('10.0.0.9', '10.0.0.9', 70)]
    outcome = consolidate(flows_of(DAY), bucket=bucket, merge=merge, anew=True)
    assert (outcome.writes, outcome.sources, outcome.rows) == (1, 2, 1)
    assert flows_of_day() == [('10.0.0.1', '10.0.0.2', 2)]


def test_a_day_stays_to_be_built_anew_until_that_write_is_won(bucket, put_source, merge, flows_of_day):
    put_source(1, [PAIR], day=DAY)
    consolidate(flows_of(DAY), bucket=bucket, merge=merge)
    damage = partial(put_text, bucket, pair_days_key(DAY), 'damaged meanwhile')
    outcome = consolidate(flows_of(DAY), bucket=bucket, merge=first_time(damage, merge), anew=True)
    assert (outcome.writes, outcome.lost_races) == (1, 1)
    assert flows_of_day() == [('10.0.0.1', '10.0.0.2', 1)]


def test_a_day_built_anew_is_looked_at_again(bucket, put_source, merge, flows_of_day):
    put_source(1, [PAIR], day=DAY)
    late = partial(put_source, 2, [{**PAIR, 'flows': 10}], day=DAY)
    outcome = consolidate(flows_of(DAY), bucket=bucket, merge=first_time(late, merge), anew=True)
    assert (outcome.writes, outcome.sources) == (2, 2)
    assert flows_of_day() == [('10.0.0.1', '10.0.0.2', 11)]


def test_of_a_day_without_anything_nothing_is_built_anew(bucket, put_source, merge, flows_of_day):
    assert consolidate(flows_of(DAY), bucket=bucket, merge=merge, anew=True).writes == 0
    assert bucket.read(pair_days_key(DAY)) is None
    put_text(bucket, pair_days_key(DAY), 'damaged')
    assert consolidate(flows_of(DAY), bucket=bucket, merge=merge, anew=True).writes == 1
    assert flows_of_day() == []


REPORT = '_flowlake/reports/of-this-test.json'


def test_what_came_of_each_day_stands_in_the_report(bucket, put_source, spark):
    put_source(1, [PAIR], day=DAY)
    put_source(1, [PAIR], day='2026-02-02')
    put_text(bucket, pair_days_key('2026-02-02'), 'damaged')
    with pytest.raises(RuntimeError):
        main(['--bucket', bucket.name, '--from', DAY, '--to', '2026-02-28', '--report', REPORT])
    written, failed = json.loads(bucket.read(REPORT))['periods']
    assert written == {'table': 'pair_days', 'period': DAY, 'what': 'written', 'sources': 1, 'rows': 1, 'failed': False}
    assert (failed['table'], failed['period'], failed['failed']) == ('pair_days', '2026-02-02', True)
    assert failed['what'].startswith(f'failed: StorageError: {pair_days_key("2026-02-02")} is no Parquet file: flowlake rebuild --anew')


def test_a_run_that_glue_starts_again_builds_no_day_anew_twice(bucket, put_source, spark, falsify, flows_of_day):
    first = put_source(1, [PAIR], day=DAY)
    put_source(1, [{**PAIR, 'flows': 2**62}], day='2026-02-02')
    too_much = put_source(2, [{**PAIR, 'flows': 2**62}], day='2026-02-02')
    arguments = ['--bucket', bucket.name, '--from', DAY, '--to', '2026-02-28', '--anew', 'true', '--report', REPORT]
    with pytest.raises(RuntimeError):
        main(arguments)
    assert [day['what'][:7] for day in json.loads(bucket.read(REPORT))['periods']] == ['written', 'failed:']
    # Built anew once more, it would have its figures back.
    falsify(DAY, [first])
    bucket.delete_all(summary_key('2026-02-02', too_much))
    main(arguments)
    days = json.loads(bucket.read(REPORT))['periods']
    assert [(day['what'], day['failed']) for day in days] == [('written', False), ('written', False)]
    assert flows_of_day() == [('10.0.0.9', '10.0.0.9', 70)]


def test_a_damaged_summary_or_ledger_record_is_named(bucket, put_source, merge):
    name = put_source(1, [PAIR], day=DAY)
    put_text(bucket, summary_key(DAY, name), 'no Parquet')
    with pytest.raises(StorageError, match=name):
        consolidate(flows_of(DAY), bucket=bucket, merge=merge)
    put_text(bucket, ledger_key(source_of(name)), '[]')
    with pytest.raises(StorageError, match=ledger_key(source_of(name))):
        consolidate(flows_of(DAY), bucket=bucket, merge=merge)


def test_a_summary_without_one_of_the_columns_is_named_and_no_total_made_of_the_others(bucket, put_source, merge, tmp_path):
    put_source(1, [PAIR], day=DAY)
    older = put_source(2, [PAIR], day=DAY)
    path = str(tmp_path / 'older.parquet')
    bucket.download(summary_key(DAY, older), path)
    pyarrow.parquet.write_table(pyarrow.parquet.read_table(path, partitioning=None).drop_columns('fwd_pkts_max'), path)
    bucket.put_file(path, summary_key(DAY, older), etag=bucket.read_end(summary_key(DAY, older), 1)[0])
    with pytest.raises(StorageError, match=f'fwd_pkts_max is missing in s3://.*/{older}.parquet'):
        consolidate(flows_of(DAY), bucket=bucket, merge=merge)
    assert bucket.read(pair_days_key(DAY)) is None


def test_a_summary_of_a_format_in_which_all_flows_were_timed_is_merged_as_that(bucket, put_source, merge, without_timed_flows, tmp_path):
    untimed = {'timed_flows': 0, 'flow_duration_us_sum': 0, 'flow_duration_us_sum_sq': 0, 'flow_duration_us_min': None, 'flow_duration_us_max': None}
    put_source(1, [{**PAIR, 'flows': 2, **untimed}, {**PAIR, 'dst_ip': 'other', **untimed}], day=DAY)
    without_timed_flows(put_source(2, [{**PAIR, 'flows': 3, 'flow_duration_us_sum': 5}], day=DAY))
    consolidate(flows_of(DAY), bucket=bucket, merge=merge)
    path = str(tmp_path / 'day.parquet')
    bucket.download(pair_days_key(DAY), path)
    rows = pyarrow.parquet.read_table(path, partitioning=None).to_pylist()
    assert [(row['flows'], row['timed_flows'], row['flow_duration_us_sum'], row['flow_duration_us_min']) for row in rows] == [
        (5, 3, 5, 1),
        (1, 0, 0, None),
    ]


def test_a_day_says_the_lowest_format_of_what_it_contains(bucket, put_source, merge, without_timed_flows):
    def said():
        return read_footer(bucket, pair_days_key(DAY)).said_format

    put_source(1, [{**PAIR, 'flows': 10}], day=DAY)
    consolidate(flows_of(DAY), bucket=bucket, merge=merge)
    assert said() == FLOWS.format
    without_timed_flows(put_source(2, [{**PAIR, 'flows': 100}], day=DAY))
    consolidate(flows_of(DAY), bucket=bucket, merge=merge)
    assert said() == 0
    put_source(3, [{**PAIR, 'flows': 1000}], day=DAY)
    consolidate(flows_of(DAY), bucket=bucket, merge=merge)
    assert said() == 0


def test_nothing_of_the_work_stays_behind_nor_is_seen_by_a_reader(bucket, put_source, merge):
    put_source(1, [PAIR], day=DAY)
    seen = []
    consolidate(flows_of(DAY), bucket=bucket, merge=lambda **arguments: (merge(**arguments), seen.extend(bucket.list(''))))
    assert {key.partition('/')[0] for key in seen} == {'ledger', 'summaries', '_flowlake'}
    put_source(2, [{**PAIR, 'flows': 2**63 - 1}], day=DAY)
    with pytest.raises(OverflowError):
        consolidate(flows_of(DAY), bucket=bucket, merge=merge)
    assert {key.partition('/')[0] for key in bucket.list('')} == {'ledger', 'summaries', 'pair_days'}


def test_a_dry_run_says_what_is_to_do_and_writes_nothing(bucket, put_source, spark, merge, capsys):
    put_source(1, [PAIR], day=DAY)
    put_source(1, [PAIR], day='2026-02-02')
    consolidate(flows_of('2026-02-02'), bucket=bucket, merge=merge)
    put_source(2, [PAIR], day='2026-02-02')
    before = list(bucket.list(''))
    main(['--bucket', bucket.name, '--from', DAY, '--to', '2026-02-28', '--dry_run', 'true'])
    report = sorted(capsys.readouterr().out.splitlines())
    assert report == [f'{DAY} needs to be built anew from 1 source', '2026-02-02 needs 1 source merged into 1']
    assert list(bucket.list('')) == before


def test_what_is_to_do_is_told_as_the_program_tells_it(bucket, put_source, merge, in_typescript):
    def told():
        ours = asdict(plan_period(flows_of(DAY), bucket=bucket))
        assert in_typescript(bucket, 'plan', DAY) == ours
        return ours['what'], ours['sources']

    assert told() == ('is right', 0)
    put_source(1, [PAIR], day=DAY)
    assert told() == ('needs to be built anew from 1 source', 1)
    consolidate(flows_of(DAY), bucket=bucket, merge=merge)
    put_source(2, [PAIR], day=DAY)
    gone = put_source(3, [PAIR], day=DAY)
    assert told() == ('needs 2 sources merged into 1', 3)
    consolidate(flows_of(DAY), bucket=bucket, merge=merge)
    assert told() == ('is right', 3)
    bucket.delete_all(summary_key(DAY, gone))
    assert told() == ('needs to be built anew from 2 sources', 2)


def test_both_ends_of_the_range_belong_to_it(bucket, put_source, spark, capsys):
    for day in ('2026-01-31', DAY, '2026-02-02', '2026-02-03'):
        put_source(1, [PAIR], day=day)
    main(['--bucket', bucket.name, '--from', DAY, '--to', '2026-02-02'])
    assert sorted(capsys.readouterr().out.splitlines()) == [f'{day} written: 1 row of 1 source' for day in (DAY, '2026-02-02')]
