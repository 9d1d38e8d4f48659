"""
ministack 1.5.33 with what AWS does and it does not: each module beside this file teaches one service, and says in its first lines what. Started
like `ministack` itself: `python ministack/`, with the same environment. What stays untrue fails loudly: a refusal, a FAILED run, an error action.
"""
import sys
from importlib.metadata import version

import athena_queries
import cloudwatch_alarms
import dynamodb_streams
import event_sources
import glue_catalog
import glue_jobs
import iam_rights
import iot_core
import kinesis_streams
import lambda_metrics
import levers
import s3_buckets
import schedules
import sqs_queues

from ministack.app import main

TAUGHT = '1.5.33'

MODULES = (
    iam_rights,
    levers,
    athena_queries,
    cloudwatch_alarms,
    s3_buckets,
    sqs_queues,
    kinesis_streams,
    dynamodb_streams,
    event_sources,
    lambda_metrics,
    iot_core,
    schedules,
    glue_jobs,
    glue_catalog,
)

if __name__ == '__main__':
    if version('ministack') != TAUGHT:
        sys.exit(f'These lessons are for ministack {TAUGHT}, and {version("ministack")} is installed: npm run tools -- ministack')
    for module in MODULES:
        module.teach()
    sys.exit(main())
