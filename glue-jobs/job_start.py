"""What every job of the lake begins with: its arguments, its bucket, its Spark."""
import argparse
import re
from datetime import UTC, date, datetime, timedelta

from lake_bucket import LakeBucket
from lake_errors import UsageError
from lake_layout import WORK_PREFIX
from period_merge import SPARK_SETTINGS

# Six attempts, like lake/aws/client-config.ts: three are too few for a burst of 503.
MAX_ATTEMPTS = 6


def true_or_false(text: str) -> bool:
    """The value of a switch."""
    if text not in ('true', 'false'):
        raise ValueError(text)
    return text == 'true'


# An argument that is on or off. Arguments of a Glue job always have a value.
SWITCH = {'nargs': '?', 'const': True, 'default': False, 'type': true_or_false, 'metavar': 'true|false'}


def days_parser(name: str) -> argparse.ArgumentParser:
    """Bucket, first and last day (inclusive), whether to look only, and where to report; a job adds what it has of its own."""
    # No abbreviations: Glue adds arguments of its own, --job-language and others, and those are passed over.
    parser = argparse.ArgumentParser(prog=name, allow_abbrev=False, exit_on_error=False, add_help=False)
    parser.add_argument('--bucket', required=True, metavar='NAME', help='bucket of the lake')
    parser.add_argument('--from', required=True, dest='first_day', type=_day, metavar='YYYY-MM-DD', help='first day')
    parser.add_argument('--to', required=True, dest='last_day', type=_day, metavar='YYYY-MM-DD', help='last day, inclusive')
    parser.add_argument('--dry_run', **SWITCH, help='only say what is to do')
    parser.add_argument('--report', metavar=f'{WORK_PREFIX}KEY', help='key of a JSON object that says which periods are done')
    return parser


def parse_days(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    """What the arguments say. Raises UsageError."""

    def refuse(message: str) -> None:
        raise UsageError(f'{message} ({" ".join(parser.format_usage().split())})')

    parser.error = refuse
    try:
        options, _ = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        refuse(str(error))
    if options.first_day > options.last_day:
        refuse(f'--from {options.first_day} is after --to {options.last_day}')
    if options.report is not None and not options.report.startswith(WORK_PREFIX):
        refuse(f'--report {options.report} is not below {WORK_PREFIX}')
    return options


def open_bucket(name: str, *, connections: int) -> LakeBucket:
    """The lake's bucket, with room for `connections` requests at once."""
    import boto3
    from botocore.config import Config

    config = Config(max_pool_connections=connections, retries={'mode': 'standard', 'total_max_attempts': MAX_ATTEMPTS})
    return LakeBucket(boto3.client('s3', config=config), name)


def start_spark():
    """The session, as every job of the lake needs it."""
    from pyspark.sql import SparkSession

    return SparkSession.builder.config(map=SPARK_SETTINGS).getOrCreate()


def _day(text: str) -> str:
    return day_said(text, today=datetime.now(UTC).date())


def day_said(text: str, *, today: date) -> str:
    """A day, `YYYY-MM-DD`; by `yesterday` and `30-days-ago` schedules say one, in UTC. Raises ValueError."""
    ago = re.fullmatch(r'([1-9]\d{0,3})-days-ago', text)
    if text == 'yesterday' or ago:
        return (today - timedelta(days=int(ago[1]) if ago else 1)).isoformat()
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError(text)
    return text
