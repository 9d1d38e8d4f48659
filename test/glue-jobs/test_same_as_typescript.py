"""What the job writes and what lake/commit/consolidate.ts writes is the same, whoever comes first."""
import threading

import pyarrow.parquet
from conftest import pair_days_key, put_text
from consolidate_days import main


def run_job(bucket, capsys, *more):
    main(['--JOB_NAME', 'consolidate-days', '--bucket', bucket.name, '--from', '2026-01-01', '--to', '2026-12-31', *more])
    return capsys.readouterr().out.splitlines()


def days_of(folder):
    return sorted(path.name.removeprefix('day=') for path in (folder / 'pair_days').iterdir())


def etags_of(bucket, days):
    return [bucket.read_end(pair_days_key(day), 1)[0] for day in days]


def flows_file(name, *, packets, day='05/01/2026'):
    # Some flows have no duration, which on some days leaves their pair without any.
    rows = [f'10.9.0.{at},10.9.1.1,{day} 12:00:00,{1000 + at if at % 3 else "-"},{packets}' for at in range(50)]
    return f'raw/{name}', '\n'.join(['Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts', *rows, ''])


def test_every_figure_column_and_contained_source_is_what_typescript_writes(lake, lake_folder, spark, in_typescript, tmp_path, capsys):
    report = run_job(lake, capsys)
    days = days_of(lake_folder)
    assert [line[:20] for line in sorted(report)] == [f'{day} written: ' for day in days]
    for day in days:
        ours, theirs = tmp_path / f'{day}.parquet', lake_folder / pair_days_key(day)
        lake.download(pair_days_key(day), str(ours))
        by_job = {command: in_typescript(lake, command, day) for command in ('schema', 'contained', 'rows')}
        put_text(lake, pair_days_key(day), '')
        lake.put_file(str(theirs), pair_days_key(day), etag=lake.read_end(pair_days_key(day), 1)[0])
        assert {command: in_typescript(lake, command, day) for command in by_job} == by_job
        assert len(by_job['contained']) > 2 and len(by_job['rows']['site']) > 50
        assert pyarrow.parquet.read_table(ours).equals(pyarrow.parquet.read_table(theirs, partitioning=None))


def test_a_second_run_writes_nothing(lake, lake_folder, spark, capsys):
    run_job(lake, capsys)
    before = etags_of(lake, days_of(lake_folder))
    assert sorted(run_job(lake, capsys)) == [f'{day} was right' for day in days_of(lake_folder)]
    assert etags_of(lake, days_of(lake_folder)) == before


def test_typescript_takes_what_the_job_wrote_as_current_and_the_other_way_round(lake, lake_folder, spark, in_typescript, capsys):
    first, *others = days_of(lake_folder)
    run_job(lake, capsys, '--to', first)
    assert in_typescript(lake, 'consolidate', first) == 0
    assert [in_typescript(lake, 'consolidate', day) for day in others] == [1] * len(others)
    assert all(line.endswith(' was right') for line in run_job(lake, capsys))


def test_a_day_that_both_merge_into_by_turns_is_the_day_built_anew(lake, lake_folder, spark, in_typescript, capsys):
    day = '2026-01-05'
    for turn in range(4):
        key, text = flows_file(f'turn-{turn}.csv', packets=turn)
        put_text(lake, key, text)
        assert in_typescript(lake, 'summarize', key) == [day]
        if turn % 2:
            assert in_typescript(lake, 'consolidate', day) == 1
        else:
            assert ' written: ' in run_job(lake, capsys, '--to', day)[0]
    by_turns = in_typescript(lake, 'rows', day), in_typescript(lake, 'contained', day)
    lake.delete_all(pair_days_key(day))
    assert in_typescript(lake, 'consolidate', day) == 1
    assert (in_typescript(lake, 'rows', day), in_typescript(lake, 'contained', day)) == by_turns


def test_a_corrected_source_is_built_anew(lake, spark, in_typescript, capsys):
    day = '2026-01-05'
    key, text = flows_file('corrected.csv', packets=7)
    put_text(lake, key, text)
    in_typescript(lake, 'summarize', key)
    run_job(lake, capsys)
    put_text(lake, *flows_file('corrected.csv', packets=9))
    in_typescript(lake, 'summarize', key)
    assert 'needs to be built anew' in run_job(lake, capsys, '--to', day, '--dry_run', 'true')[0]
    run_job(lake, capsys, '--to', day)
    rows = in_typescript(lake, 'rows', day)
    assert [most for src, most in zip(rows['src_ip'], rows['fwd_pkts_max']) if src.startswith('10.9.0.')] == ['9'] * 50
    assert in_typescript(lake, 'consolidate', day) == 0


def test_lambda_and_job_at_once_on_the_same_days_come_to_the_right_figures(lake, lake_folder, spark, in_typescript, capsys):
    days = days_of(lake_folder)
    lambdas = [threading.Thread(target=in_typescript, args=(lake, 'consolidate', day)) for day in days for _ in range(2)]
    for each in lambdas:
        each.start()
    run_job(lake, capsys)
    for each in lambdas:
        each.join()
    assert [in_typescript(lake, 'consolidate', day) for day in days] == [0] * len(days)
    together = [in_typescript(lake, 'rows', day) for day in days]
    lake.delete_all('pair_days/')
    assert [in_typescript(lake, 'consolidate', day) for day in days] == [1] * len(days)
    assert [in_typescript(lake, 'rows', day) for day in days] == together
