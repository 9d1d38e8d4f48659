"""
Kinesis: a reshard closes its parents and keeps their records readable until they expire; sequence numbers are as long as AWS's; records are
refused as throttled by a lever, one by one; enhanced fan-out consumers and policies of streams are resources of CloudFormation; an on-demand
stream is scaled by an action, as AWS scales it. SubscribeToShard is refused: a Lambda's event source on a consumer is what is taught.
"""
import base64
import json
import threading
import time

from levers import Refused, add_action, lever

from ministack.core.concurrency import esm_wake
from ministack.core.responses import error_response_json, json_response, request_scope
from ministack.services import firehose, kinesis
from ministack.services.cloudformation import provisioners

THROTTLED = 'ProvisionedThroughputExceededException'
SHARD_RECORDS_A_SECOND = 1000
SHARD_BYTES_A_SECOND = 1024 * 1024
MAX_RECORD_BYTES = 1024 * 1024
MAX_REQUEST_BYTES = 5 * 1024 * 1024
MAX_RECORDS = 500

# Notified whenever a record came or a shard was closed; who reads a stream waits for it.
news = threading.Condition()

_puts = 0
_used = {}
_sequences = threading.Lock()
_appending = threading.Lock()
_last_sequence = 0


def next_sequence():
    """A number of 56 digits, as AWS's, greater than any before it in any stream."""
    global _last_sequence
    with _sequences:
        _last_sequence = max(_last_sequence + 1, int(time.time() * 1_000_000) * 10**10)
        return str(49 * 10**54 + _last_sequence)


def is_closed(shard):
    return 'ending_sequence_number' in shard


def route(hash_key, stream):
    for shard_id, shard in stream['shards'].items():
        if not is_closed(shard) and int(shard['starting_hash_key']) <= hash_key <= int(shard['ending_hash_key']):
            return shard_id
    raise LookupError(f'no open shard of {stream["StreamName"]} takes {hash_key}')


def expire(stream):
    """Forgets what is too old, and closed shards of which nothing is left. Looks at what it forgets only."""
    cutoff = time.time() - stream['RetentionPeriodHours'] * 3600
    for shard_id, shard in list(stream['shards'].items()):
        records = shard['records']
        while records and records[0]['ApproximateArrivalTimestamp'] < cutoff:
            del records[0]
        if is_closed(shard) and shard['closed_at'] < cutoff:
            del stream['shards'][shard_id]


def is_throttled(stream, shard_id, size):
    global _puts
    _puts += 1
    every = lever('kinesis.throttle_every')
    if every and _puts % every == 0:
        return True
    if not lever('kinesis.shard_limits'):
        return False
    key, second = (stream['StreamARN'], shard_id), int(time.time())
    at, records, used = _used.get(key, (second, 0, 0))
    records, used = (records, used) if at == second else (0, 0)
    if records + 1 > SHARD_RECORDS_A_SECOND or used + size > SHARD_BYTES_A_SECOND:
        return True
    _used[key] = (second, records + 1, used + size)
    return False


def append(stream, record):
    """The record's shard and sequence number; no number where it is throttled."""
    key = record['PartitionKey']
    explicit = record.get('ExplicitHashKey')
    hash_key = int(explicit) if explicit else kinesis._partition_key_to_hash(key)
    shard_id = route(hash_key, stream)
    if is_throttled(stream, shard_id, len(base64.b64decode(record['Data'])) + len(key.encode())):
        return shard_id, None
    # Numbered and put at once: a reader that has seen a number never looks at smaller ones again.
    with _appending:
        shard_id = route(hash_key, stream)
        sequence = next_sequence()
        stream['shards'][shard_id]['records'].append({
            'SequenceNumber': sequence,
            'ApproximateArrivalTimestamp': round(time.time(), 3),
            'Data': record['Data'],
            'PartitionKey': key,
        })
    return shard_id, sequence


def why_invalid(record):
    key, data = record.get('PartitionKey', ''), record.get('Data', '')
    if not 1 <= len(key) <= 256:
        return "Value at 'partitionKey' failed to satisfy constraint: Member must have length between 1 and 256"
    if len(base64.b64decode(data, validate=True)) > MAX_RECORD_BYTES:
        return "Value at 'data' failed to satisfy constraint: Member must have length less than or equal to 1048576"
    return None


def open_stream(data):
    """The stream that is asked for, or why not, as an answer."""
    name, stream = kinesis._resolve_stream(data)
    if not stream:
        return None, error_response_json('ResourceNotFoundException', f'Stream {name} not found', 400)
    if stream['StreamStatus'] != 'ACTIVE':
        return None, error_response_json('ResourceInUseException', f'Stream {name} is {stream["StreamStatus"]}', 400)
    expire(stream)
    return stream, None


def tell():
    esm_wake.set()
    with news:
        news.notify_all()


def hand_to_firehose(stream, records):
    firehose.ingest_from_kinesis_source(stream['StreamARN'], [(record['PartitionKey'], base64.b64decode(record['Data'])) for record in records])


def put_record(data):
    stream, refusal = open_stream(data)
    invalid = refusal or why_invalid(data)
    if invalid:
        return refusal or error_response_json('ValidationException', invalid, 400)
    shard_id, sequence = append(stream, {'Data': '', **data})
    if sequence is None:
        return error_response_json(THROTTLED, f'Rate exceeded for shard {shard_id} in stream {stream["StreamName"]}.', 400)
    tell()
    hand_to_firehose(stream, [{'Data': '', **data}])
    return json_response({'ShardId': shard_id, 'SequenceNumber': sequence, 'EncryptionType': stream.get('EncryptionType', 'NONE')})


def put_records(data):
    stream, refusal = open_stream(data)
    if refusal:
        return refusal
    records = data.get('Records', [])
    invalid = next(filter(None, map(why_invalid, records)), None)
    if not 1 <= len(records) <= MAX_RECORDS:
        invalid = "Value at 'records' failed to satisfy constraint: Member must have length between 1 and 500"
    if sum(len(base64.b64decode(record['Data'])) + len(record['PartitionKey'].encode()) for record in records) > MAX_REQUEST_BYTES:
        return error_response_json('InvalidArgumentException', 'Records size exceeds 5 MB limit', 400)
    if invalid:
        return error_response_json('ValidationException', f'1 validation error detected: {invalid}', 400)
    outcomes = []
    for record in records:
        shard_id, sequence = append(stream, record)
        outcomes.append(
            {'SequenceNumber': sequence, 'ShardId': shard_id}
            if sequence
            else {'ErrorCode': THROTTLED, 'ErrorMessage': f'Rate exceeded for shard {shard_id} in stream {stream["StreamName"]}.'}
        )
    tell()
    hand_to_firehose(stream, [record for record, outcome in zip(records, outcomes) if 'ErrorCode' not in outcome])
    failed = sum('ErrorCode' in outcome for outcome in outcomes)
    return json_response({'FailedRecordCount': failed, 'Records': outcomes, 'EncryptionType': stream.get('EncryptionType', 'NONE')})


def open_shards(stream):
    return {shard_id: shard for shard_id, shard in stream['shards'].items() if not is_closed(shard)}


def reshard(stream, parents, ranges):
    """Closes the parents and opens a child for each range of hash keys."""
    with _appending:
        replace(stream, parents, ranges)
    tell()


def replace(stream, parents, ranges):
    for shard_id in parents:
        shard = stream['shards'][shard_id]
        shard['ending_sequence_number'] = next_sequence()
        shard['closed_at'] = time.time()
    for start, end in ranges:
        child = f'shardId-{kinesis._max_shard_index(stream) + 1:012d}'
        stream['shards'][child] = {
            'records': [],
            'starting_hash_key': str(start),
            'ending_hash_key': str(end),
            'starting_sequence_number': next_sequence(),
            'parent_shard_id': parents[0],
            'adjacent_parent_shard_id': parents[1] if len(parents) > 1 else None,
        }


def keys_of(shard):
    return int(shard['starting_hash_key']), int(shard['ending_hash_key'])


def asked_shard(stream, shard_id):
    shard = stream['shards'].get(shard_id)
    if shard is None:
        raise Refused(f'Shard {shard_id} in stream {stream["StreamName"]} does not exist')
    if is_closed(shard):
        raise Refused(f'Shard {shard_id} in stream {stream["StreamName"]} is already closed')
    return shard


def split(stream, data):
    start, end = keys_of(asked_shard(stream, data.get('ShardToSplit')))
    at = int(data.get('NewStartingHashKey') or 0)
    if not start < at <= end:
        raise Refused(f'NewStartingHashKey {at} is not inside the shard: {start} to {end}')
    reshard(stream, [data['ShardToSplit']], [(start, at - 1), (at, end)])
    return {}


def merge(stream, data):
    ids = [data.get('ShardToMerge'), data.get('AdjacentShardToMerge')]
    (start, middle), (after, end) = sorted(keys_of(asked_shard(stream, shard_id)) for shard_id in ids)
    if after != middle + 1:
        raise Refused(f'Shards {ids[0]} and {ids[1]} are not adjacent')
    reshard(stream, ids, [(start, end)])
    return {}


def scale(stream, target):
    """Splits every shard in two, or merges them by pairs: the steps that keep shards even. @raises Refused for other numbers"""
    ids = sorted(open_shards(stream), key=lambda shard_id: keys_of(stream['shards'][shard_id]))
    count = len(ids)
    if target == 2 * count:
        for shard_id in ids:
            start, end = keys_of(stream['shards'][shard_id])
            middle = (start + end + 1) // 2
            reshard(stream, [shard_id], [(start, middle - 1), (middle, end)])
    elif 2 * target == count:
        for low, high in zip(ids[::2], ids[1::2]):
            reshard(stream, [low, high], [(keys_of(stream['shards'][low])[0], keys_of(stream['shards'][high])[1])])
    else:
        raise Refused(f'{count} shards are doubled or halved here, not made {target}')
    return count


def update_shard_count(stream, data):
    target = int(data.get('TargetShardCount') or 0)
    count = scale(stream, target)
    return {
        'StreamName': stream['StreamName'],
        'StreamARN': stream['StreamARN'],
        'CurrentShardCount': count,
        'TargetShardCount': target,
    }


def by_person(change):
    """A reshard that somebody asks for: AWS takes it for provisioned streams only."""

    def answer(data):
        stream, refusal = open_stream(data)
        if refusal:
            return refusal
        if stream.get('StreamModeDetails', {}).get('StreamMode') == 'ON_DEMAND':
            return error_response_json('ValidationException', 'Stream is ON_DEMAND: AWS alone scales it', 400)
        try:
            return json_response(change(stream, data))
        except Refused as refused:
            return error_response_json('InvalidArgumentException', str(refused), 400)

    return answer


def scale_on_demand(asked):
    """What AWS does by itself with an on-demand stream: doubles its shards as the load grows, merges them as it falls."""
    with request_scope(asked.get('account', '000000000000'), asked.get('region', 'us-east-1')):
        _name, stream = kinesis._resolve_stream(asked)
        if not stream:
            raise Refused(f'There is no stream {asked.get("StreamName")}')
        scale(stream, int(asked['TargetShardCount']))
        return {'open': sorted(open_shards(stream))}


def create_stream(data, of_ministack=kinesis._create_stream):
    """A stream on demand begins with four shards."""
    is_on_demand = (data.get('StreamModeDetails') or {}).get('StreamMode') == 'ON_DEMAND'
    return of_ministack({**data, 'ShardCount': 4} if is_on_demand else data)


def shard_out(shard_id, shard, of_ministack=kinesis._shard_out):
    described = of_ministack(shard_id, shard)
    if is_closed(shard):
        described['SequenceNumberRange']['EndingSequenceNumber'] = shard['ending_sequence_number']
    return described


def summary(data, of_ministack=kinesis._describe_stream_summary):
    status, headers, body = of_ministack(data)
    if status == 200:
        answer = json.loads(body)
        _name, stream = kinesis._resolve_stream(data)
        answer['StreamDescriptionSummary']['OpenShardCount'] = len(open_shards(stream))
        return json_response(answer)
    return status, headers, body


def get_records(data, of_ministack=kinesis._get_records):
    """The end of a closed shard is told: no next iterator, and the children to read on."""
    asked = kinesis._shard_iterators.get(data.get('ShardIterator'))
    status, headers, body = of_ministack(data)
    if status != 200:
        return status, headers, body
    answer = json.loads(body)
    shards = kinesis._streams.get(asked['stream'])['shards']
    shard = shards[asked['shard_id']]
    following = kinesis._shard_iterators[answer['NextShardIterator']]
    if is_closed(shard) and following['position'] == len(shard['records']):
        del kinesis._shard_iterators[answer.pop('NextShardIterator')]
        answer['ChildShards'] = [
            {
                'ShardId': child_id,
                'ParentShards': parents_of(child),
                'HashKeyRange': {'StartingHashKey': child['starting_hash_key'], 'EndingHashKey': child['ending_hash_key']},
            }
            for child_id, child in shards.items()
            if asked['shard_id'] in parents_of(child)
        ]
    return json_response(answer)


def parents_of(shard):
    return [shard[name] for name in ('parent_shard_id', 'adjacent_parent_shard_id') if shard.get(name)]


def subscribe_to_shard(data, is_cbor):
    return error_response_json('InvalidArgumentException', 'SubscribeToShard is not taught: give a Lambda an event source on the consumer', 400)


def create_consumer(logical_id, props, stack_name):
    status, _headers, body = kinesis._register_consumer(props)
    if status != 200:
        raise ValueError(f'{logical_id}: {json.loads(body)["message"]}')
    consumer = json.loads(body)['Consumer']
    return consumer['ConsumerARN'], {**consumer, 'StreamARN': props['StreamARN'], 'ConsumerCreationTimestamp': str(consumer['ConsumerCreationTimestamp'])}


def delete_consumer(physical_id, props):
    kinesis._deregister_consumer({'ConsumerARN': physical_id})


def put_policy(resource_arn, policy):
    text = policy if isinstance(policy, str) else json.dumps(policy)
    status, _headers, body = kinesis._put_resource_policy({'ResourceARN': resource_arn, 'Policy': text})
    if status != 200:
        raise ValueError(json.loads(body)['message'])


def create_policy(logical_id, props, stack_name):
    put_policy(props['ResourceArn'], props['ResourcePolicy'])
    return props['ResourceArn'], {}


def update_policy(physical_id, old_props, new_props, stack_name):
    put_policy(new_props['ResourceArn'], new_props['ResourcePolicy'])
    if new_props['ResourceArn'] != physical_id:
        delete_policy(physical_id, old_props)
    return new_props['ResourceArn'], {}


def delete_policy(physical_id, props):
    kinesis._delete_resource_policy({'ResourceARN': physical_id})


def with_encryption(apply, props_at):
    """A stream's encryption, as its template says: without effect on bytes, and to be asked for."""

    def apply_and_encrypt(*arguments):
        name, attributes = apply(*arguments)
        asked = arguments[props_at].get('StreamEncryption')
        if asked:
            kinesis._start_stream_encryption({'StreamName': name, **asked})
        else:
            kinesis._stop_stream_encryption({'StreamName': name})
        return name, attributes

    return apply_and_encrypt


def teach():
    kinesis._next_sequence_number = next_sequence
    kinesis._create_stream = create_stream
    kinesis._route_to_shard = route
    kinesis._expire_records = expire
    kinesis._put_record, kinesis._put_records = put_record, put_records
    kinesis._split_shard, kinesis._merge_shards = by_person(split), by_person(merge)
    kinesis._update_shard_count = by_person(update_shard_count)
    kinesis._shard_out, kinesis._describe_stream_summary = shard_out, summary
    kinesis._get_records, kinesis._subscribe_to_shard = get_records, subscribe_to_shard
    handlers = provisioners._RESOURCE_HANDLERS
    handlers['AWS::Kinesis::StreamConsumer'] = {'create': create_consumer, 'delete': delete_consumer}
    handlers['AWS::Kinesis::ResourcePolicy'] = {'create': create_policy, 'update': update_policy, 'delete': delete_policy}
    stream = handlers['AWS::Kinesis::Stream']
    handlers['AWS::Kinesis::Stream'] = stream | {
        'create': with_encryption(stream['create'], 1),
        'update': with_encryption(stream['update'], 2),
    }
    add_action('scale-on-demand-stream', scale_on_demand)
