"""
Glue: a Spark job's script really runs, in the Python that SPARK_PYTHON names, with the job's arguments and modules; without one, or without a
script, the run is FAILED. Runs at once are limited and failed runs retried as the job says. Under AUTH=true runs fail: a job's role is not
taught. Triggers with a schedule start their jobs, by the minute or by the action `run-schedule`; conditional ones and workflows are refused.
"""
import contextvars
import logging
import os
import re
import subprocess
import tempfile
import threading
import time
from datetime import datetime, timezone

from own_client import endpoint, s3_client, split_location

from ministack import app
from ministack.core.responses import error_response_json, json_response, new_uuid, request_scope
from ministack.services import eventbridge, glue
from ministack.services.cloudformation import provisioners

logger = logging.getLogger('glue-jobs')

TRIGGER_POLL_SECONDS = 20
UNDER_WAY = ('STARTING', 'RUNNING', 'STOPPING')
# The line in which Python says what a program died of.
ERROR_LINE = re.compile(r'^\w+(\.\w+)*(Error|Exception)?: .*', re.MULTILINE)
# What makes Spark read s3:// from this server; on Glue nothing of it is needed.
SPARK_SETTINGS = {
    'spark.hadoop.fs.s3.impl': 'org.apache.hadoop.fs.s3a.S3AFileSystem',
    'spark.hadoop.fs.s3a.path.style.access': 'true',
    'spark.hadoop.fs.s3a.connection.ssl.enabled': 'false',
    'spark.hadoop.fs.s3a.aws.credentials.provider': 'com.amazonaws.auth.EnvironmentVariableCredentialsProvider',
    'spark.ui.enabled': 'false',
    'spark.driver.bindAddress': '127.0.0.1',
    'spark.driver.host': '127.0.0.1',
    'spark.sql.shuffle.partitions': '4',
}


class RunFailed(Exception):
    """A run came to a bad end; its text is what Glue shows."""


def start_job_run(asked):
    name = asked.get('JobName')
    job = glue._jobs.get(name)
    if job is None:
        return error_response_json('EntityNotFoundException', f'Failed to start job run due to missing metadata: {name}', 400)
    under_way = [run for run in glue._job_runs.get(name, []) if run['JobRunState'] in UNDER_WAY]
    if len(under_way) >= int((job.get('ExecutionProperty') or {}).get('MaxConcurrentRuns') or 1):
        return error_response_json('ConcurrentRunsExceededException', f'Concurrent runs exceeded for {name}', 400)
    run = begin(job, asked, f'jr_{new_uuid().replace("-", "")}', 0)
    return json_response({'JobRunId': run['Id']})


def begin(job, asked, run_id, attempt):
    run = {
        'Id': run_id if attempt == 0 else f'{run_id}_attempt_{attempt}',
        'JobName': job['Name'],
        'StartedOn': int(time.time()),
        'LastModifiedOn': int(time.time()),
        'JobRunState': 'STARTING',
        'Arguments': asked.get('Arguments') or {},
        'ErrorMessage': '',
        'Attempt': attempt,
        'Timeout': asked.get('Timeout') or job.get('Timeout', 2880),
        'GlueVersion': job.get('GlueVersion', '5.0'),
        'WorkerType': job.get('WorkerType', 'G.1X'),
        'NumberOfWorkers': job.get('NumberOfWorkers', 2),
    }
    if attempt > 0:
        run['PreviousRunId'] = run_id if attempt == 1 else f'{run_id}_attempt_{attempt - 1}'
    glue._job_runs.setdefault(job['Name'], []).append(run)

    def follow():
        run['JobRunState'] = 'RUNNING'
        state, message = end_of(job, run)
        run.update(JobRunState=state, ErrorMessage=message, CompletedOn=int(time.time()), ExecutionTime=int(time.time()) - run['StartedOn'])
        if state == 'FAILED' and attempt < int(job.get('MaxRetries') or 0):
            begin(job, asked, run_id, attempt + 1)

    threading.Thread(target=contextvars.copy_context().run, args=(follow,), daemon=True).start()
    return run


def end_of(job, run):
    try:
        run_script(job, run)
        return 'SUCCEEDED', ''
    except subprocess.TimeoutExpired:
        return 'TIMEOUT', f'The run took longer than {run["Timeout"]} minutes'
    except Exception as failed:
        return 'FAILED', str(failed)[:2000]


def run_script(job, run):
    if app.AUTH:
        raise RunFailed('the role of a job is not taught to the local AWS: run jobs without AUTH=true')
    command = job.get('Command') or {}
    is_spark = command.get('Name') == 'glueetl'
    python = os.environ.get('SPARK_PYTHON') if is_spark else os.environ.get('SPARK_PYTHON', 'python3')
    if not python:
        raise RunFailed('there is no Spark here: npm run tools -- spark, and start the local AWS with SPARK_PYTHON')
    defaults = job.get('DefaultArguments') or {}
    with tempfile.TemporaryDirectory() as folder:
        script = download(command.get('ScriptLocation', ''), folder)
        modules = [download(place, folder) for place in filter(None, defaults.get('--extra-py-files', '').split(','))]
        arguments = {**defaults, **run['Arguments'], '--JOB_NAME': job['Name'], '--JOB_RUN_ID': run['Id']}
        settings = {**SPARK_SETTINGS, 'spark.hadoop.fs.s3a.endpoint': endpoint()}
        environment = {
            'PATH': os.environ['PATH'],
            'HOME': folder,
            'AWS_ENDPOINT_URL': endpoint(),
            'AWS_ACCESS_KEY_ID': 'test',
            'AWS_SECRET_ACCESS_KEY': 'test',
            'AWS_REGION': 'us-east-1',
            'AWS_DEFAULT_REGION': 'us-east-1',
            'AWS_EC2_METADATA_DISABLED': 'true',
            'PYTHONPATH': ':'.join(modules),
            'SPARK_LOCAL_IP': '127.0.0.1',
            'PYSPARK_SUBMIT_ARGS': ' '.join(
                ['--master local[2] --driver-memory 1g', *(f'--conf {name}={value}' for name, value in settings.items()), 'pyspark-shell']
            ),
        }
        words = [word for pair in arguments.items() for word in map(str, pair)]
        done = subprocess.run(
            [python, '-B', script, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=60 * float(run['Timeout'])
        )
    if done.returncode != 0:
        said = [found[0] for found in ERROR_LINE.finditer(done.stderr)]
        raise RunFailed(said[-1] if said else f'exit code {done.returncode}: {done.stderr[-500:]}')


def download(location, folder):
    bucket, key = split_location(location)
    path = os.path.join(folder, os.path.basename(key) or 'script.py')
    try:
        with open(path, 'wb') as file:
            file.write(s3_client().get_object(Bucket=bucket, Key=key)['Body'].read())
    except Exception as missing:
        raise RunFailed(f'{location or "the script"} cannot be read: {missing}') from missing
    return path


def create_job(asked, of_ministack=glue._create_job):
    answer = of_ministack(asked)
    if answer[0] == 200:
        glue._jobs[asked['Name']]['ExecutionProperty'] = asked.get('ExecutionProperty') or {'MaxConcurrentRuns': 1}
    return answer


def create_trigger(asked, of_ministack=glue._create_trigger):
    if asked.get('Type') != 'SCHEDULED':
        return refuse(f'triggers of type {asked.get("Type")}')(asked)
    if eventbridge._parse_cron_fields(asked.get('Schedule', '')) is None:
        return error_response_json('InvalidInputException', f'schedule {asked.get("Schedule")} cannot be read', 400)
    return of_ministack(asked)


def start_trigger_jobs(trigger):
    for action in trigger.get('Actions') or []:
        status, _headers, body = start_job_run({'JobName': action.get('JobName'), 'Arguments': action.get('Arguments') or {}})
        if status != 200:
            logger.error('trigger %s cannot start %s: %s', trigger['Name'], action.get('JobName'), body)


def run_triggers():
    """Starts what each activated trigger's schedule says, minute by minute."""
    last = datetime.now(timezone.utc)
    while True:
        time.sleep(TRIGGER_POLL_SECONDS)
        now = datetime.now(timezone.utc)
        for (account, region, _name), trigger in list(glue._triggers._data.items()):
            due = eventbridge._cron_next_fire(eventbridge._parse_cron_fields(trigger['Schedule']), last)
            if trigger['State'] == 'ACTIVATED' and due is not None and due <= now:
                with request_scope(account, region):
                    start_trigger_jobs(trigger)
        last = now


def refuse(what):
    return lambda asked: error_response_json('InvalidInputException', f'{what} are not taught to the local AWS: they would never run', 400)


def teach():
    glue._start_job_run, glue._create_job = start_job_run, create_job
    glue._create_trigger, glue._create_workflow = create_trigger, refuse('workflows')
    threading.Thread(target=run_triggers, daemon=True).start()
    provisioners._GLUE_JOB_DEFAULTS['ExecutionProperty'] = {'MaxConcurrentRuns': 1}
