"""What a job tells AWS at its end: figures for alarms, and the crawler that follows its tables."""
import time

from botocore.exceptions import ClientError

# A crawler that is at work looks at the folders as they were: what was written since is seen by another crawl.
_TRY_AGAIN_SECONDS = 15
_TRIES = 80


def put_count(client, name: str, value: int, *, service: str, stage: str) -> None:
    """Puts a figure into CloudWatch, with the dimensions that the lake's functions give theirs."""
    dimensions = [{'Name': 'service', 'Value': service}, {'Name': 'stage', 'Value': stage}]
    client.put_metric_data(
        Namespace='flowlake', MetricData=[{'MetricName': name, 'Dimensions': dimensions, 'Value': float(value), 'Unit': 'Count'}]
    )


def start_crawler(client, name: str, *, wait=time.sleep) -> None:
    """Starts the crawler, behind the crawl that is under way. Raises TimeoutError where that one does not end."""
    for _ in range(_TRIES):
        try:
            client.start_crawler(Name=name)
            return
        except ClientError as error:
            if error.response['Error']['Code'] != 'CrawlerRunningException':
                raise
        wait(_TRY_AGAIN_SECONDS)
    raise TimeoutError(f'crawler {name} is at another crawl for {_TRIES * _TRY_AGAIN_SECONDS} seconds: aws glue start-crawler --name {name} when it is over')
