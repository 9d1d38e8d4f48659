"""The job as Glue runs it: a script of its own, its modules in a zip, settings from outside."""
import os
import shutil
import subprocess
import sys

from conftest import JOBS


def test_the_script_runs_with_its_modules_in_a_zip(lake, spark_arguments, tmp_path):
    shutil.copy(JOBS / 'consolidate_days.py', tmp_path)
    modules = shutil.make_archive(str(tmp_path / 'modules'), 'zip', JOBS)
    environment = {**os.environ, 'PYTHONPATH': modules, 'PYSPARK_SUBMIT_ARGS': spark_arguments}
    said = ['--JOB_NAME', 'consolidate-days', '--bucket', lake.name, '--from', '2026-01-06', '--to', '2026-01-07']
    command = [sys.executable, 'consolidate_days.py', *said]
    first, second = (subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert [line[:19] for line in report_of(first)] == ['2026-01-06 written:', '2026-01-07 written:']
    assert report_of(second) == ['2026-01-06 was right', '2026-01-07 was right']


def report_of(run):
    return sorted(line for line in run.stdout.splitlines() if line)
