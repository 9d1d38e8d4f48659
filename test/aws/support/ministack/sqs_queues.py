"""
SQS: a new delay of a FIFO queue holds for messages that are in it already. A lever shortens the delay of FIFO queues and the 5 minutes in which
they drop repeats, by one factor, so that their order is kept.
"""
from levers import lever

from ministack.services import sqs

DEDUPLICATION_SECONDS = 300


def send_message(data, queue_url, of_ministack=sqs._act_send_message):
    queue = sqs._get_q(data.get('QueueUrl', queue_url))
    if not queue['is_fifo']:
        return of_ministack(data, queue_url)
    scale = lever('sqs.fifo_time')
    sqs._DEDUP_WINDOW_S = DEDUPLICATION_SECONDS * scale
    before = len(queue['messages'])
    answer = of_ministack(data, queue_url)
    for message in queue['messages'][before:]:
        message['visible_at'] = message['sent_at'] + sqs.queue_delay(queue) * scale
    return answer


def set_attributes(data, queue_url, of_ministack=sqs._act_set_queue_attributes):
    queue = sqs._get_q(data.get('QueueUrl', queue_url))
    before = sqs.queue_delay(queue)
    answer = of_ministack(data, queue_url)
    if queue['is_fifo'] and sqs.queue_delay(queue) != before:
        for message in queue['messages']:
            if message['receive_count'] == 0:
                message['visible_at'] = message['sent_at'] + sqs.queue_delay(queue) * lever('sqs.fifo_time')
    return answer


def teach():
    sqs._act_set_queue_attributes = set_attributes
    sqs._HANDLERS['SetQueueAttributes'] = set_attributes
    sqs._act_send_message = send_message
    sqs._HANDLERS['SendMessage'] = send_message
