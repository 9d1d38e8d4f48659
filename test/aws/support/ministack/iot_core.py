"""
IoT Core: rule actions kinesis, s3 and firehose; what a rule cannot do fails into its error action, also an action that is not taught; SQL that is
not known is refused. Devices need a certificate, and are held to its policies whether AUTH is on or not; a session ends when its certificate is
no longer active, when it is silent for one and a half keepalives, when it sends more than 128 KB, and by DeleteConnection. Rules count in
AWS/IoT, and what fails is logged, where a stack says so.
"""
import asyncio
import base64
import contextvars
import json
import re
import time
from urllib.parse import unquote

from iam_rights import require_right
from levers import add_action

from ministack.core.responses import error_response_json, get_account_id, get_region, json_response, request_scope
from ministack.services import cloudwatch, cloudwatch_logs, firehose, iot, iot_data, kinesis, lambda_svc, s3, sqs
from ministack.services.cloudformation import provisioners

MAX_PAYLOAD_BYTES = 128 * 1024
CONNECT, PUBLISH = 1, 3
LOG_GROUP = 'AWSIotLogsV2'
OF_MINISTACK = ('lambda', 'republish', 'dynamoDBv2', 'sns', 'sqs')

# What a rule's templates are filled from while its actions run: topic, payload, message, client.
_message = contextvars.ContextVar('message')
# Names of rules whose actions fail, as the lever's action says.
_failing = set()


def count(region_scope, metric, dimensions):
    with request_scope(*region_scope):
        cloudwatch.record_metric('AWS/IoT', metric, 1, 'Count', dimensions)


async def run_rule(account, region, rule, payload, topic='', client_id=None, of_ministack=iot._run_rule_actions):
    token = _message.set((topic, payload, iot._rule_message(payload or b''), client_id))
    if rule and not rule.get('ruleDisabled'):
        count((account, region), 'TopicMatch', {'RuleName': rule['ruleName']})
    try:
        await of_ministack(account, region, rule, payload, topic, client_id)
    finally:
        _message.reset(token)


def fill(value):
    """The value with its `${...}` replaced, in every text of it."""
    if isinstance(value, dict):
        return {name: fill(inner) for name, inner in value.items()}

    def one(found):
        result = iot._eval_select_expr(found[1], *_message.get())
        return '' if result is iot._MISSING else result if isinstance(result, str) else json.dumps(result)

    return re.sub(r'\$\{([^}]+)\}', one, value) if isinstance(value, str) else value


async def run_action(account, region, rule_name, action, event):
    is_error_action = isinstance(event, dict) and 'base64OriginalPayload' in event
    kind = next(iter(action))
    dimensions = {'RuleName': rule_name, 'ActionType': kind[0].upper() + kind[1:] if kind != 'sqs' else 'SQS'}
    try:
        await do_action(account, region, rule_name, action, event, is_error_action)
        count((account, region), 'ErrorActionSuccess' if is_error_action else 'Success', dimensions)
    except Exception as failed:
        count((account, region), 'ErrorActionFailure' if is_error_action else 'Failure', dimensions)
        log_failure(account, region, rule_name, kind, failed)
        raise


def log_failure(account, region, rule_name, kind, failed):
    """A line in the account's log of IoT Core, where there is one."""
    with request_scope(account, region):
        if LOG_GROUP not in cloudwatch_logs._log_groups:
            return
        said = {'logLevel': 'ERROR', 'eventType': 'RuleExecution', 'status': 'Failure', 'ruleName': rule_name, 'ruleAction': kind, 'reason': str(failed)}
        cloudwatch_logs._create_log_stream({'logGroupName': LOG_GROUP, 'logStreamName': 'rules'})
        cloudwatch_logs._put_log_events({
            'logGroupName': LOG_GROUP,
            'logStreamName': 'rules',
            'logEvents': [{'timestamp': int(time.time() * 1000), 'message': json.dumps(said)}],
        })


async def do_action(account, region, rule_name, action, event, is_error_action, of_ministack=iot._dispatch_rule_action):
    kind, spec = next(iter(action.items()))
    # An error action's event tells of the message; its templates are filled as the rule's are.
    spec = fill(spec)
    if rule_name in _failing and not is_error_action:
        raise RuntimeError(f'{kind} fails, as the test wants it')
    with request_scope(account, region):
        if kind == 'kinesis':
            put_into_stream(spec, event)
        elif kind == 's3':
            await put_into_bucket(spec, event)
        elif kind == 'firehose':
            put_into_firehose(spec, event)
        elif kind in OF_MINISTACK:
            refuse_silence(kind, spec)
            await of_ministack(account, region, rule_name, {kind: spec}, event)
        else:
            raise RuntimeError(f'rule action {kind} is not taught to the local AWS')


def bytes_of(event):
    return event.encode() if isinstance(event, str) else json.dumps(event, ensure_ascii=False).encode()


def put_into_stream(spec, event):
    name = spec['streamName']
    stream = kinesis._streams.get(name)
    require_right(spec.get('roleArn', ''), 'kinesis:PutRecord', stream['StreamARN'] if stream else name)
    check(kinesis._put_record({
        'StreamName': name,
        'PartitionKey': spec.get('partitionKey') or iot.new_uuid(),
        'Data': base64.b64encode(bytes_of(event)).decode(),
    }))


async def put_into_bucket(spec, event):
    require_right(spec.get('roleArn', ''), 's3:PutObject', f'arn:aws:s3:::{spec["bucketName"]}/{spec["key"]}')
    path = f'/{spec["bucketName"]}/{spec["key"]}'
    check(await s3.handle_request('PUT', path, {'host': 's3.localhost'}, bytes_of(event), {}, internal=True))


def put_into_firehose(spec, event):
    data = bytes_of(event) + spec.get('separator', '').encode()
    check(firehose._put_record({'DeliveryStreamName': spec['deliveryStreamName'], 'Record': {'Data': base64.b64encode(data).decode()}}))


def check(answer):
    if answer[0] >= 400:
        raise RuntimeError(str(answer[2])[:300])


def refuse_silence(kind, spec):
    """What ministack would only log becomes a failure of the action."""
    if kind == 'sqs':
        queue = sqs._get_q(spec.get('queueUrl', ''))
        require_right(spec.get('roleArn', ''), 'sqs:SendMessage', queue['attributes']['QueueArn'])
        if queue['is_fifo']:
            raise RuntimeError('a rule does not write to a FIFO queue')
    elif kind == 'lambda' and lambda_svc._get_func_record_for_ref(spec.get('functionArn', ''))[0] is None:
        raise RuntimeError(f'there is no function {spec.get("functionArn")}')
    elif kind == 'dynamoDBv2' and not (spec.get('putItem') or {}).get('tableName'):
        raise RuntimeError('dynamoDBv2 names no table')


def put_rule(name, payload, *, created_at=None, of_ministack=iot.put_topic_rule):
    unknown = iot._unimplemented_sql_functions(payload.get('sql', ''))
    if unknown:
        raise iot.RuleSqlError(f'{", ".join(unknown)} is not taught to the local AWS')
    return of_ministack(name, payload, created_at=created_at)


def require_certificate(of_ministack=iot._mtls_build_ssl_context):
    context = of_ministack()
    context.verify_mode = iot.ssl.CERT_REQUIRED
    return context


def change_certificate(method, path, body, query, of_ministack=iot._handle_certificate):
    answer = of_ministack(method, path, body, query)
    certificate = path.rstrip('/').split('/')[-1]
    if method in ('PUT', 'DELETE') and answer[0] < 300 and (iot._certificates.get(certificate) or {}).get('status') != 'ACTIVE':
        for session in list(iot._connected_clients.values()):
            if session.certificate_id == certificate:
                asyncio.run_coroutine_threadsafe(end(session, 'SERVER_INITIATED_DISCONNECT'), iot._mtls_loop)
    return answer


async def end(session, why):
    session._forced_disconnect_reason = why
    await session._send({'type': 'websocket.close'})
    await session.cleanup()


async def end_when_silent(session, keepalive):
    while time.monotonic() - session.heard_at < 1.5 * keepalive:
        await asyncio.sleep(keepalive / 4)
    await end(session, 'MQTT_KEEP_ALIVE_TIMEOUT')


async def take_packet(session, kind, flags, body, of_ministack=iot._WSSession.handle_packet):
    session.heard_at = time.monotonic()
    if kind == PUBLISH and len(body) > MAX_PAYLOAD_BYTES + 2 + int.from_bytes(body[:2], 'big') + 2:
        return False
    is_open = await of_ministack(session, kind, flags, body)
    if kind == CONNECT and is_open:
        # MQTT 3.1.1, section 3.1.2.10: two bytes after the protocol's name, its level and the flags.
        at = 4 + body[1]
        keepalive = int.from_bytes(body[at : at + 2], 'big')
        if keepalive:
            session.silence_watch = asyncio.ensure_future(end_when_silent(session, keepalive))
    return is_open


async def clean_up(session, *arguments, of_ministack=iot._WSSession.cleanup):
    watch = getattr(session, 'silence_watch', None)
    if watch is not None and watch is not asyncio.current_task():
        watch.cancel()
    return await of_ministack(session, *arguments)


def is_held_to_policies(session, of_ministack=iot._WSSession._evaluates_policies):
    return session.certificate_id is not None or of_ministack(session)


async def delete_connection(method, path, headers, body, query, of_ministack=iot_data.handle_request):
    if method != 'DELETE' or not path.startswith('/connections/'):
        return await of_ministack(method, path, headers, body, query)
    client = unquote(path.removeprefix('/connections/'))
    session = iot._connected_clients.get((get_account_id(), get_region(), client))
    if session is None:
        return error_response_json('ResourceNotFoundException', f'{client} is not connected', 404)
    if query.get('preventWillMessage', ['false'])[0] == 'true':
        session._will_topic = None
    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(end(session, 'API_INITIATED_DISCONNECT'), iot._mtls_loop))
    return json_response({})


def set_logging(logical_id, props, stack_name):
    """The account's logging. What it logs here is what rules fail at, whatever its level."""
    return props['AccountId'], {}


def fail_rule(asked):
    """Makes a rule's actions fail, or work again; its error action works."""
    (_failing.add if asked['fails'] else _failing.discard)(asked['rule'])
    return {'failing': sorted(_failing)}


def teach():
    if not iot._CRYPTOGRAPHY_AVAILABLE:
        raise SystemExit('IoT Core needs the package cryptography: npm run tools -- ministack')
    iot._run_rule_actions, iot._dispatch_rule_action, iot.put_topic_rule = run_rule, run_action, put_rule
    iot._mtls_build_ssl_context, iot._handle_certificate = require_certificate, change_certificate
    iot._WSSession.handle_packet, iot._WSSession.cleanup = take_packet, clean_up
    iot._WSSession._evaluates_policies = is_held_to_policies
    iot_data.handle_request = delete_connection
    iot._RULE_ACTION_RESOURCE_KEYS.update(kinesis=('streamName',), s3=('bucketName',), firehose=('deliveryStreamName',))
    add_action('fail-rule', fail_rule)
    provisioners._RESOURCE_HANDLERS['AWS::IoT::Logging'] = {
        'create': set_logging,
        'update': lambda physical_id, old_props, new_props, stack_name: (physical_id, {}),
        'delete': lambda physical_id, props: None,
    }
