"""Lambda: lines of its log in the embedded metric format become metrics of CloudWatch."""
import json
import logging

from ministack.services import cloudwatch, lambda_svc

logger = logging.getLogger('lambda-metrics')


def record_line(line):
    begin = line.find('{"_aws"')
    if begin < 0:
        return
    try:
        said = json.loads(line[begin:])
    except ValueError:
        logger.error('a line that begins as a metric is no JSON: %.300s', line)
        return
    for directive in said['_aws']['CloudWatchMetrics']:
        for names in directive['Dimensions']:
            dimensions = {name: str(said[name]) for name in names}
            for metric in directive['Metrics']:
                value = said[metric['Name']]
                for number in value if isinstance(value, list) else [value]:
                    cloudwatch.record_metric(directive['Namespace'], metric['Name'], number, metric.get('Unit', 'None'), dimensions)


def emit_logs(function, request_id, log, *rest, of_ministack=lambda_svc._emit_lambda_logs, **options):
    for line in (log or '').splitlines():
        record_line(line)
    return of_ministack(function, request_id, log, *rest, **options)


def teach():
    lambda_svc._emit_lambda_logs = emit_logs
