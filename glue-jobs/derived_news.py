"""Days of derived tables that this job does not derive: it tells the workers of a deployment, or says what is left."""
import json
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from day_derivation import is_derived
from derived_day import DerivedDay
from lake_bucket import LakeBucket
from lake_errors import StorageError

# Messages that SQS takes at once: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
_MAX_BATCH = 10


def tell_days(days: Sequence[DerivedDay], *, queue: str, client, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
    """
    Sends each day to the deployment's FIFO queue of this name, in the form of lake/work/messages.ts. Whether or not anything was written: who wrote it
    may have died before it told. Raises StorageError where the queue does not take one.
    """
    if not days:
        return
    url = client.get_queue_url(QueueName=queue)['QueueUrl']
    at = now().astimezone(UTC).isoformat(timespec='milliseconds').replace('+00:00', 'Z')
    for start in range(0, len(days), _MAX_BATCH):
        entries = [_entry_of(number, of, at) for number, of in enumerate(days[start : start + _MAX_BATCH])]
        failed = client.send_message_batch(QueueUrl=url, Entries=entries).get('Failed')
        if failed:
            why = failed[0].get('Message') or failed[0]['Code']
            raise StorageError(f'queue {queue} did not take {len(failed)} of {len(entries)} messages: {why}')


def say_told(days: Sequence[DerivedDay], *, queue: str) -> str:
    """A line of the log for days that were sent to the queue."""
    return f'{_say_days(days)} told to queue {queue}: its workers derive what is not right'


def say_left(days: Sequence[DerivedDay], bucket: LakeBucket) -> list[str]:
    """A line of the log for each day that is not made of what is there, or cannot be looked at: nobody else was told of it."""
    return [line for of in days if (line := _say_left(of, bucket)) is not None]


def _say_left(of: DerivedDay, bucket: LakeBucket) -> str | None:
    try:
        if is_derived(bucket, of):
            return None
    except StorageError as error:
        return f'{of.table} {of.period} could not be looked at: {error}'
    return f'{of.table} {of.period} is left to be derived: flowlake --lake s3://{bucket.name} reconcile does it'


def _say_days(days: Sequence[DerivedDay]) -> str:
    return ', '.join(f'{of.table} {of.period}' for of in days)


def _entry_of(number: int, of: DerivedDay, at: str) -> dict:
    return {
        'Id': str(number),
        'MessageBody': json.dumps({'table': of.table, 'period': of.period, 'uploaded_at': at}, separators=(',', ':')),
        # One message of a day is out at a time; an id of its own, or SQS would drop what is sent again within five minutes.
        'MessageGroupId': f'{of.table}/{of.period}',
        'MessageDeduplicationId': str(uuid.uuid4()),
    }
