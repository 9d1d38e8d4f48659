"""
What the tests of the Glue jobs run on: a lake that the lake's own program made, a real S3 protocol server, a real Spark.
Set AWS_ENDPOINT_URL to use a server that runs already; else ministack is started, from PATH or .tools/ministack.
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from pathlib import Path

import boto3
import pyarrow
import pyarrow.parquet
import pytest

ROOT = Path(__file__).resolve().parents[2]
JOBS = ROOT / 'glue-jobs'
NODE = ROOT / 'node_modules/node/bin/node'
PROGRAM = os.environ.get('FLOWLAKE_PROGRAM', ROOT / 'dist/flowlake.js')

sys.path.insert(0, str(JOBS))

from lake_bucket import LakeBucket  # noqa: E402
from lake_layout import TablePeriod, ledger_key  # noqa: E402
from lake_tables import kind_named  # noqa: E402
from period_object import arrow_schema  # noqa: E402

FLOWS = kind_named('flows')
PAIR_DAYS = FLOWS.merged


def flows_of(day: str) -> TablePeriod:
    """The day of `pair_days`."""
    return TablePeriod(FLOWS, day)


def pair_days_key(day: str) -> str:
    """Key of the day's pair days."""
    return flows_of(day).merged_key


def summary_key(day: str, contribution: str) -> str:
    """Key of what a version of a source contributes to the day's pair days."""
    return flows_of(day).contribution_key(contribution)


@pytest.fixture(scope='session')
def s3_endpoint(tmp_path_factory):
    """Address of the S3 server; AWS_ENDPOINT_URL says it to everything that the tests start."""
    os.environ.update(AWS_ACCESS_KEY_ID='test', AWS_SECRET_ACCESS_KEY='test', AWS_REGION='us-east-1', AWS_DEFAULT_REGION='us-east-1')
    if 'AWS_ENDPOINT_URL' in os.environ:
        yield os.environ['AWS_ENDPOINT_URL']
        return
    program = shutil.which('ministack') or ROOT / '.tools/ministack/bin/ministack'
    if not Path(program).exists():
        pytest.skip('no S3 server: pip install ministack==1.5.33 into .tools/ministack, or set AWS_ENDPOINT_URL')
    folder = tmp_path_factory.mktemp('s3')
    folders = {name: str(folder / name) for name in ('STATE_DIR', 'S3_DATA_DIR', 'TMPDIR')}
    for path in folders.values():
        os.mkdir(path)
    port = os.environ.get('GATEWAY_PORT') or _free_port()
    environment = {**os.environ, **folders, 'GATEWAY_PORT': port}
    server = subprocess.Popen([program], env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    os.environ['AWS_ENDPOINT_URL'] = f'http://127.0.0.1:{port}'
    _wait_for(f'http://127.0.0.1:{port}/_ministack/health')
    yield os.environ['AWS_ENDPOINT_URL']
    del os.environ['AWS_ENDPOINT_URL']
    server.terminate()
    server.wait()


@pytest.fixture(scope='session')
def spark_arguments(s3_endpoint):
    """What makes any Spark read s3:// from the server; on Glue nothing of it is needed."""
    settings = {
        'spark.hadoop.fs.s3.impl': 'org.apache.hadoop.fs.s3a.S3AFileSystem',
        'spark.hadoop.fs.s3a.endpoint': s3_endpoint,
        'spark.hadoop.fs.s3a.path.style.access': 'true',
        'spark.hadoop.fs.s3a.connection.ssl.enabled': 'false',
        'spark.hadoop.fs.s3a.aws.credentials.provider': 'com.amazonaws.auth.EnvironmentVariableCredentialsProvider',
        'spark.ui.enabled': 'false',
        'spark.driver.bindAddress': '127.0.0.1',
        'spark.driver.host': '127.0.0.1',
        'spark.sql.shuffle.partitions': '4',
    }
    options = ' '.join(f'--conf {name}={value}' for name, value in settings.items())
    return f'--master local[2] --driver-memory 2g {options} pyspark-shell'


@pytest.fixture(scope='session')
def spark(spark_arguments):
    """The session that the job uses as well."""
    # Executors find the modules of a job as they do on Glue, and run the same Python.
    os.environ.update(PYSPARK_SUBMIT_ARGS=spark_arguments, SPARK_LOCAL_IP='127.0.0.1', PYTHONPATH=str(JOBS), PYSPARK_PYTHON=sys.executable)
    from period_merge import SPARK_SETTINGS
    from pyspark.sql import SparkSession

    session = SparkSession.builder.config(map=SPARK_SETTINGS).getOrCreate()
    session.sparkContext.setLogLevel('OFF')
    yield session
    session.stop()


@pytest.fixture(scope='session')
def lake_folder(tmp_path_factory):
    """A lake of three sites and four days, twelve sources, with pair days that the lake's own program made."""
    folder = tmp_path_factory.mktemp('lake')
    _node(PROGRAM, 'sample', folder / 'captures', '--flows', '20000', '--days', '4', '--pairs', '120')
    _node(PROGRAM, '--lake', folder / 'lake', 'upload', folder / 'captures')
    return folder / 'lake'


@pytest.fixture
def client(s3_endpoint):
    return boto3.client('s3')


@pytest.fixture
def bucket(client):
    """A bucket of its own for each test."""
    name = f'lake-{uuid.uuid4()}'
    client.create_bucket(Bucket=name)
    return LakeBucket(client, name)


@pytest.fixture
def lake(bucket, client, lake_folder):
    """The bucket with raw files, ledger and summaries of the lake, without pair days."""
    for prefix in ('raw', 'ledger', 'summaries'):
        for path in sorted((lake_folder / prefix).rglob('*')):
            if path.is_file():
                client.upload_file(str(path), bucket.name, str(path.relative_to(lake_folder)))
    return bucket


@pytest.fixture
def put_source(bucket, tmp_path):
    """Puts a source with one summary: rows as dictionaries, what is not said being 1. Returns its `<source>.<version>`."""
    names = [column.name for column in PAIR_DAYS.columns]

    def put(number: int, rows: list[dict], *, day: str, version: str = f'1-{"c" * 16}', live: str | None = None) -> str:
        source = f'{number:016x}'
        # Summaries are sorted, as days are.
        full = sorted(([{'site': 'main', **row}.get(name, 1) for name in names] for row in rows), key=lambda row: row[:3])
        path = str(tmp_path / 'summary.parquet')
        table = pyarrow.table([*map(list, zip(*full))], schema=arrow_schema(PAIR_DAYS))
        pyarrow.parquet.write_table(table, path, store_schema=False)
        bucket.put_file(path, summary_key(day, f'{source}.{version}'), etag=None)
        counts = {'rows_read': len(rows), 'rows_kept': len(rows), 'rows_rejected': 0, 'size_bytes': 1}
        record = {'source': f'raw/{number}.csv', 'state': 'done', 'version': live or version, 'commits': 1, 'versions': {}, **counts}
        put_text(bucket, ledger_key(source), json.dumps(record))
        return f'{source}.{version}'

    return put


def put_text(bucket: LakeBucket, key: str, text: str) -> None:
    """Writes an object, whatever was there."""
    boto3.client('s3').put_object(Bucket=bucket.name, Key=key, Body=text.encode())


@pytest.fixture
def in_typescript(s3_endpoint):
    """Runs a command of lake-in-bucket.ts."""

    def run(bucket: LakeBucket, command: str, argument: str):
        return json.loads(_node(Path(__file__).parent / 'lake-in-bucket.ts', bucket.name, command, argument))

    return run


def _node(*arguments) -> str:
    done = subprocess.run([NODE, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return str(probe.getsockname()[1])


def _wait_for(url: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(url).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(url)
