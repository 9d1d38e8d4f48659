"""
Lambda's event sources on streams of Kinesis and DynamoDB, as AWS reads them: a thread a shard and mapping; batches by size and window; partial
failures, bisecting, attempts, age, and a record of what was given up to SQS or SNS; parents before children over a reshard; LATEST and
TRIM_HORIZON exact; consumers with enhanced fan-out get records as they come, plain iterators look once a second. A setting that is not taught
is refused, and so is a role that may not read.
"""
import contextvars
import hashlib
import json
import logging
import threading
import time

import kinesis_streams
from dynamodb_streams import TableStream
from iam_rights import require_right

from ministack.core.concurrency import esm_wake
from ministack.core.responses import error_response_json, get_account_id, get_region, new_uuid, request_scope
from ministack.services import cloudwatch, kinesis, lambda_svc, sns, sqs
from ministack.services.cloudformation import provisioners

logger = logging.getLogger('event-sources')

# A stream is read once a second where its reader has no throughput of its own.
PLAIN_POLL_SECONDS = 1.0
# What Lambda takes as one event.
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
STREAM_BATCH_SIZE = 100
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
UNTAUGHT = ('TumblingWindowInSeconds', 'ProvisionedPollerConfig', 'MetricsConfig', 'KmsKeyArn')
READ_STREAM = ('kinesis:DescribeStream', 'kinesis:DescribeStreamSummary', 'kinesis:GetRecords', 'kinesis:GetShardIterator', 'kinesis:ListShards')
READ_TABLE = ('dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator')

_running = {}


class KinesisShard:
    """A shard as a source: positions are sequence numbers as integers."""

    info = 'KinesisBatchInfo'

    def __init__(self, stream, shard_id, source_arn):
        self.stream, self.id, self.arn = stream, shard_id, stream['StreamARN']
        self.shard = stream['shards'][shard_id]
        self.event_source_arn = source_arn
        self.has_own_throughput = '/consumer/' in source_arn

    def is_there(self):
        return kinesis._streams.get(self.stream['StreamName']) is self.stream

    def is_over(self, position):
        """True if the shard is closed and read to its end."""
        records = self.shard['records']
        return kinesis_streams.is_closed(self.shard) and (not records or int(records[-1]['SequenceNumber']) <= position)

    def read(self, position, limit):
        """Up to `limit` records behind the position, each with the position behind itself."""
        records = self.shard['records']
        low, high = 0, len(records)
        while low < high:
            middle = (low + high) // 2
            if int(records[middle]['SequenceNumber']) > position:
                high = middle
            else:
                low = middle + 1
        return [(int(record['SequenceNumber']), record) for record in records[low : low + limit]]

    def wait(self, seconds):
        if self.has_own_throughput:
            with kinesis_streams.news:
                kinesis_streams.news.wait(min(seconds, 0.25))
        else:
            time.sleep(min(seconds, PLAIN_POLL_SECONDS))

    def key(self, record):
        return record['PartitionKey']

    def sequence(self, record):
        return record['SequenceNumber']

    def arrived(self, record):
        return record['ApproximateArrivalTimestamp']

    def size(self, record):
        return len(record['Data']) + 500

    def event(self, record, role):
        return {
            'kinesis': {
                'kinesisSchemaVersion': '1.0',
                'partitionKey': record['PartitionKey'],
                'sequenceNumber': record['SequenceNumber'],
                'data': record['Data'],
                'approximateArrivalTimestamp': record['ApproximateArrivalTimestamp'],
            },
            'eventSource': 'aws:kinesis',
            'eventVersion': '1.0',
            'eventID': f'{self.id}:{record["SequenceNumber"]}',
            'eventName': 'aws:kinesis:record',
            'invokeIdentityArn': role,
            'awsRegion': get_region(),
            'eventSourceARN': self.event_source_arn,
        }


def sources_of(mapping):
    """What a mapping reads now, parents first; none where it is no stream, or the stream is not there."""
    arn = mapping.get('EventSourceArn', '')
    if ':kinesis:' in arn:
        stream = kinesis._resolve_stream_by_arn(arn.split('/consumer/')[0])
        if not stream or ('/consumer/' in arn and kinesis._consumer_from_arn(arn) is None):
            return []
        kinesis_streams.expire(stream)
        return [KinesisShard(stream, shard_id, arn) for shard_id in sorted(stream['shards'])]
    return TableStream.of(arn)


def position_of(mapping, source):
    return mapping['_positions'].get(source.id, mapping['_from'])


def is_turn_of(mapping, source):
    """False while a parent of the shard is not read to its end."""
    if not isinstance(source, KinesisShard):
        return True
    shards = source.stream['shards']
    parents = [KinesisShard(source.stream, parent, source.event_source_arn) for parent in kinesis_streams.parents_of(source.shard) if parent in shards]
    return all(is_turn_of(mapping, parent) and parent.is_over(position_of(mapping, parent)) for parent in parents)


def start_readers():
    """Takes the place of ministack's own pollers: a thread for each mapping and shard that has none and whose turn it is."""
    for account, region, mapping in lambda_svc._iter_all_esms():
        if '_from' not in mapping:
            continue
        with request_scope(account, region):
            for source in sources_of(mapping):
                name = (mapping['UUID'], source.id)
                if name in _running or source.is_over(position_of(mapping, source)) or not is_turn_of(mapping, source):
                    continue
                reader = Reader(account, region, mapping, source, name)
                _running[name] = threading.Thread(target=contextvars.copy_context().run, args=(reader.follow,), daemon=True)
                _running[name].start()
    return False


class Reader:
    """Hands one shard to one function, until the mapping or the stream is gone, or the shard is read to its end."""

    def __init__(self, account, region, mapping, source, name):
        self.key, self.mapping, self.source, self.name = (account, region, mapping['UUID']), mapping, source, name

    def is_wanted(self):
        return lambda_svc._esms._data.get(self.key) is self.mapping and self.source.is_there()

    def is_enabled(self):
        return self.is_wanted() and self.mapping.get('Enabled', True)

    def follow(self):
        try:
            while self.is_wanted() and not self.source.is_over(position_of(self.mapping, self.source)):
                try:
                    self.take_batch()
                except Exception:
                    logger.exception('reading %s for %s', self.source.id, self.mapping['FunctionName'])
                    time.sleep(PLAIN_POLL_SECONDS)
        finally:
            _running.pop(self.name, None)
            # A child may have its turn now.
            esm_wake.set()

    def take_batch(self):
        items = self.gather() if self.is_enabled() else []
        if not items:
            self.source.wait(PLAIN_POLL_SECONDS)
            return
        lanes = {}
        for item in items:
            digest = hashlib.md5(self.source.key(item[1]).encode()).digest()
            lanes.setdefault(digest[-1] % self.lanes, []).append(item[1])
        threads = [threading.Thread(target=contextvars.copy_context().run, args=(self.deliver, lane)) for lane in lanes.values()]
        for thread in threads[1:]:
            thread.start()
        self.deliver(next(iter(lanes.values())))
        for thread in threads[1:]:
            thread.join()
        if self.is_enabled():
            self.mapping['_positions'][self.source.id] = items[-1][0]

    @property
    def lanes(self):
        return int(self.mapping.get('ParallelizationFactor') or 1)

    def gather(self):
        """The next batch: full, or with all that came within the window."""
        position = position_of(self.mapping, self.source)
        size = int(self.mapping.get('BatchSize') or STREAM_BATCH_SIZE) * self.lanes
        window = float(self.mapping.get('MaximumBatchingWindowInSeconds') or 0)
        items = self.source.read(position, size)
        until = time.monotonic() + window
        while items and len(items) < size and self.is_enabled() and not self.source.is_over(items[-1][0]):
            left = until - time.monotonic()
            if left <= 0 or sum(self.source.size(record) for _, record in items) > MAX_PAYLOAD_BYTES:
                break
            self.source.wait(left)
            items = self.source.read(position, size)
        return items

    def deliver(self, records):
        """Returns when the function has taken every record, or it was given up, or the mapping was switched off."""
        size = int(self.mapping.get('BatchSize') or STREAM_BATCH_SIZE)
        waiting = [(batch, 0) for batch in cut(records, size, self.source.size)]
        while waiting and self.is_enabled():
            batch, failures = waiting.pop(0)
            batch = self.without_old(batch, failures)
            if not batch:
                continue
            if -1 < int(self.mapping.get('MaximumRetryAttempts', -1)) < failures:
                self.give_up(batch, 'RetryAttemptsExhausted', failures)
                continue
            outcome, first_failed = self.invoke(batch)
            if outcome == 'taken':
                continue
            if outcome == 'throttled':
                waiting.insert(0, (batch, failures))
            elif outcome == 'failed in part':
                # What is before the first failure is done; its own tries are counted from now on.
                waiting.insert(0, (batch[first_failed:], 1 if first_failed else failures + 1))
            elif self.mapping.get('BisectBatchOnFunctionError') and len(batch) > 1:
                # A split is not counted as a try.
                middle = len(batch) // 2
                waiting[:0] = [(batch[:middle], failures), (batch[middle:], failures)]
            else:
                waiting.insert(0, (batch, failures + 1))
            time.sleep(min(FIRST_PAUSE_SECONDS * 2**failures, LONGEST_PAUSE_SECONDS))

    def without_old(self, batch, failures):
        age = int(self.mapping.get('MaximumRecordAgeInSeconds') or -1)
        oldest = time.time() - age
        old = [record for record in batch if age > 0 and self.source.arrived(record) < oldest]
        if old:
            self.give_up(old, 'RecordAgeExceeded', failures)
        return batch[len(old) :]

    def invoke(self, batch):
        """What became of it, and the index of the first record that failed."""
        function, config = lambda_svc._get_func_record_for_qualifier(self.mapping['FunctionName'], self.mapping.get('Qualifier'))
        if function is None:
            return 'throttled', 0
        events = lambda_svc._apply_filter_criteria([self.source.event(record, config.get('Role', '')) for record in batch], self.mapping)
        if not events:
            return 'taken', 0
        age_ms = max(0.0, (time.time() - self.source.arrived(batch[-1])) * 1000)
        cloudwatch.record_metric('AWS/Lambda', 'IteratorAge', age_ms, 'Milliseconds', {'FunctionName': self.mapping['FunctionName']})
        result = lambda_svc._execute_function(function, {'Records': events})
        if result.get('throttle'):
            return 'throttled', 0
        if result.get('error'):
            self.mapping['LastProcessingResult'] = 'PROBLEM: Function call failed'
            logger.warning('%s failed on %d records of %s: %s\n%s', self.mapping['FunctionName'], len(batch), self.source.id, result.get('body'), result.get('log', ''))
            return 'failed', 0
        self.mapping['LastProcessingResult'] = 'OK'
        if 'ReportBatchItemFailures' not in (self.mapping.get('FunctionResponseTypes') or []):
            return 'taken', 0
        return self.read_failures(batch, result.get('body'))

    def read_failures(self, batch, body):
        answer = json.loads(body) if isinstance(body, str) and body.strip() else body
        failures = (answer.get('batchItemFailures') if isinstance(answer, dict) else None) or []
        if not failures:
            return 'taken', 0
        sequences = [self.source.sequence(record) for record in batch]
        named = [failure.get('itemIdentifier') if isinstance(failure, dict) else None for failure in failures]
        if any(name not in sequences for name in named):
            # An identifier that is none fails the whole batch.
            logger.warning('%s answers with failures that are none of its records: %s', self.mapping['FunctionName'], named[:3])
            return 'failed', 0
        return 'failed in part', min(sequences.index(name) for name in named)

    def give_up(self, batch, condition, invocations):
        """Tells the destination, as AWS does: which records, not what they hold."""
        destination = ((self.mapping.get('DestinationConfig') or {}).get('OnFailure') or {}).get('Destination')
        logger.warning('%d records of %s given up for %s: %s', len(batch), self.source.id, self.mapping['FunctionName'], condition)
        if not destination:
            return
        told = {
            'requestContext': {
                'requestId': new_uuid(),
                'functionArn': self.mapping['FunctionArn'],
                'condition': condition,
                'approximateInvokeCount': invocations,
            },
            'responseContext': {'statusCode': 200, 'executedVersion': '$LATEST', 'functionError': 'Unhandled'},
            'version': '1.0',
            'timestamp': iso(time.time()),
            self.source.info: {
                'shardId': self.source.id,
                'startSequenceNumber': self.source.sequence(batch[0]),
                'endSequenceNumber': self.source.sequence(batch[-1]),
                'approximateArrivalOfFirstRecord': iso(self.source.arrived(batch[0])),
                'approximateArrivalOfLastRecord': iso(self.source.arrived(batch[-1])),
                'batchSize': len(batch),
                'streamArn': self.source.arn,
            },
        }
        try:
            send(destination, json.dumps(told))
        except Exception:
            # AWS loses it too, and counts that.
            logger.exception('destination %s', destination)
            cloudwatch.record_metric('AWS/Lambda', 'DestinationDeliveryFailures', 1, 'Count', {'FunctionName': self.mapping['FunctionName']})


def cut(records, size, size_of):
    """Batches of at most `size` records and as many bytes as an event holds."""
    batch, batch_bytes = [], 0
    for record in records:
        if batch and (len(batch) == size or batch_bytes + size_of(record) > MAX_PAYLOAD_BYTES):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(record)
        batch_bytes += size_of(record)
    if batch:
        yield batch


def send(destination, body):
    if ':sqs:' in destination:
        queue = sqs._queue_by_arn(destination)
        if queue is None:
            raise LookupError(f'there is no queue {destination}')
        sqs._act_send_message({'MessageBody': body}, queue['url'])
    elif ':sns:' in destination:
        if sns.publish_internal(destination, body) is None:
            raise LookupError(f'there is no topic {destination}')
    else:
        raise LookupError(f'destination {destination} is not taught: a queue or a topic is')


def iso(seconds):
    return time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds)) + f'.{int(seconds * 1000) % 1000:03d}Z'


def why_refused(asked):
    """Why a mapping cannot be made, or None."""
    untaught = [name for name in UNTAUGHT if asked.get(name)]
    if untaught:
        return f'{", ".join(untaught)} is not taught to the local AWS'
    position = asked.get('StartingPosition')
    if is_stream(asked.get('EventSourceArn', '')) and position not in ('TRIM_HORIZON', 'LATEST'):
        return f'Starting position {position} is not taught to the local AWS: TRIM_HORIZON and LATEST are'
    return None


def is_stream(arn):
    return ':kinesis:' in arn or (':dynamodb:' in arn and '/stream/' in arn)


def settle(mapping, asked):
    """What a new mapping knows: where it begins, and that its function's role may read. @raises AccessDenied"""
    arn = mapping['EventSourceArn']
    if not is_stream(arn):
        return
    mapping['BatchSize'] = int(asked.get('BatchSize') or STREAM_BATCH_SIZE)
    mapping['_positions'] = {}
    if ':kinesis:' in arn:
        mapping['_from'] = 0 if asked['StartingPosition'] == 'TRIM_HORIZON' else int(kinesis_streams.next_sequence())
    else:
        mapping['_from'] = TableStream.start(arn, asked['StartingPosition'])
    _function, config = lambda_svc._get_func_record_for_qualifier(mapping['FunctionName'], mapping.get('Qualifier'))
    role = (config or {}).get('Role', '')
    for action in READ_STREAM if ':kinesis:' in arn else READ_TABLE:
        require_right(role, action, arn.split('/consumer/')[0])
    if '/consumer/' in arn:
        require_right(role, 'kinesis:SubscribeToShard', arn)
    destination = ((mapping.get('DestinationConfig') or {}).get('OnFailure') or {}).get('Destination') or ''
    if ':sqs:' in destination:
        require_right(role, 'sqs:SendMessage', destination)


def create_by_api(asked, of_ministack=lambda_svc._create_esm):
    refusal = why_refused(asked)
    if refusal:
        return error_response_json('InvalidParameterValueException', refusal, 400)
    status, headers, body = of_ministack(asked)
    if status >= 300:
        return status, headers, body
    made = json.loads(body)['UUID']
    try:
        settle(lambda_svc._esms[made], asked)
    except Exception as refused:
        lambda_svc._esms.pop(made)
        return error_response_json('InvalidParameterValueException', str(refused), 400)
    esm_wake.set()
    return status, headers, json.dumps(lambda_svc._esm_response(lambda_svc._esms[made])).encode()


def create_by_stack(logical_id, props, stack_name, of_ministack=provisioners._lambda_esm_create):
    refusal = why_refused(props)
    if refusal:
        raise ValueError(f'{logical_id}: {refusal}')
    made, attributes = of_ministack(logical_id, props, stack_name)
    try:
        settle(lambda_svc._esms[made], props)
    except Exception:
        lambda_svc._esms.pop(made)
        raise
    esm_wake.set()
    return made, attributes


def shown(mapping, of_ministack=lambda_svc._esm_response):
    """Where it stands in its shards is its own business."""
    return {name: value for name, value in of_ministack(mapping).items() if not name.startswith('_')}


def validate_source(arn, of_ministack=lambda_svc._validate_event_source_arn):
    if '/consumer/' not in arn:
        return of_ministack(arn)
    spec, refusal = of_ministack(arn.split('/consumer/')[0])
    if refusal is None and kinesis._consumer_from_arn(arn) is None:
        return None, error_response_json('InvalidParameterValueException', f'Consumer {arn} is not there', 400)
    return spec, refusal


def teach():
    lambda_svc._poll_kinesis = start_readers
    lambda_svc._poll_dynamodb_streams = lambda: False
    lambda_svc._create_esm = create_by_api
    lambda_svc._esm_response = shown
    lambda_svc._validate_event_source_arn = validate_source
    provisioners._lambda_esm_create = create_by_stack
    handlers = provisioners._RESOURCE_HANDLERS
    handlers['AWS::Lambda::EventSourceMapping'] = handlers['AWS::Lambda::EventSourceMapping'] | {'create': create_by_stack}
