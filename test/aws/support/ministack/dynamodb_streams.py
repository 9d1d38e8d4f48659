"""
DynamoDB: its streams as sources of Lambda's events (event_sources.py reads them): one shard a table. What time to live takes away is told to the
stream, as DynamoDB's own deed.
"""
import threading
import time

from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import dynamodb, lambda_svc

# Four times a second, as AWS.
POLL_SECONDS = 0.25


class TableStream:
    """A table's stream as a source: positions count its records from the first ever."""

    info = 'DDBStreamBatchInfo'
    id = 'shardId-00000000000000000000-00000000'

    def __init__(self, arn, table):
        self.arn, self.table = arn, table

    @classmethod
    def of(cls, arn):
        table = table_of(arn)
        return [cls(arn, table)] if table else []

    @staticmethod
    def start(arn, position):
        table = table_of(arn)
        if table is None:
            raise LookupError(f'there is no stream {arn}')
        return dynamodb.stream_start_position(table) if position == 'TRIM_HORIZON' else dynamodb.stream_end_position(table)

    def is_there(self):
        return table_of(self.arn) == self.table

    def is_over(self, position):
        return False

    def read(self, position, limit):
        begin = max(position, dynamodb.stream_start_position(self.table))
        records = dynamodb.stream_records_since(self.table, begin, limit)
        return [(begin + at + 1, record) for at, record in enumerate(records)]

    def wait(self, seconds):
        time.sleep(min(seconds, POLL_SECONDS))

    def key(self, record):
        return str(sorted(record['dynamodb']['Keys'].items()))

    def sequence(self, record):
        return record['dynamodb']['SequenceNumber']

    def arrived(self, record):
        return float(record['dynamodb']['ApproximateCreationDateTime'])

    def size(self, record):
        return len(str(record))

    def event(self, record, role):
        return record


def table_of(arn):
    """Name of the table that has this stream now, or None."""
    spec = parse_arn(arn)
    named = lambda_svc._dynamodb_stream_table_from_arn_spec(spec)
    if named is None or spec.account_id != get_account_id() or spec.region != get_region():
        return None
    table = dynamodb._tables.get(named[0])
    return named[0] if table and table.get('LatestStreamArn') == arn else None


def remove_and_tell(table, partition_key, sort_key, of_ministack=dynamodb._remove_item):
    item = table['items'].get(partition_key, {}).get(sort_key)
    removed = of_ministack(table, partition_key, sort_key)
    if item is not None and threading.current_thread().name == 'dynamodb-ttl-reaper':
        spec = parse_arn(table['TableArn'])
        with request_scope(spec.account_id, spec.region):
            before = dynamodb.stream_end_position(table['TableName'])
            dynamodb._emit_stream_event(table['TableName'], 'REMOVE', item, None)
            for record in dynamodb.stream_records_since(table['TableName'], before, 1):
                record['userIdentity'] = {'type': 'Service', 'principalId': 'dynamodb.amazonaws.com'}
    return removed


def teach():
    dynamodb._remove_item = remove_and_tell
