"""Wide tables of free-form devices by Spark: a new field is a column after the run, one that becomes something else is a counted reject, no table breaks."""
import contextlib
import gzip
import io
import json
from decimal import Decimal

import boto3
import pyarrow.parquet
import pytest
from conftest import PROGRAM, _node
from lake_errors import UsageError
from test_transform_readings import put_lake
from wide_tables import main

DAYS = ['2026-01-05', '2026-01-06']
AT = 1767607200  # 2026-01-05T10:00:00Z
PROFILE = {
    'name': 'till',
    'device': {'path': 'till'},
    'time': {'path': 'at', 'unit': 's'},
    'identity': [{'path': 'no'}],
    'wide': True,
    'metrics': [{'name': 'total', 'path': 'total', 'digits': 2}],
}


@pytest.fixture
def tills(bucket, tmp_path, spark):
    """A lake of tills in a bucket, with a way to send messages and to run the job."""
    return Tills(bucket, tmp_path)


class Tills:
    """A lake whose raw files, ledger and profiles are brought into a bucket before each run."""

    def __init__(self, bucket, folder):
        self.bucket, self._folder, self._files = bucket, folder, 0
        self.add_profile(PROFILE)

    def _flowlake(self, *words):
        return _node(PROGRAM, '--lake', self._folder / 'lake', *words)

    def add_profile(self, document: dict) -> None:
        """Adds a profile, or a version of one."""
        path = self._folder / f'{document["name"]}.json'
        path.write_text(json.dumps(document))
        self._flowlake('profile', 'add', path)

    def send(self, *messages: dict | str, profile: str = 'till') -> str:
        """Uploads a file of messages, each with a number of its own; returns its name."""
        self._files += 1
        path = self._folder / f'{self._files}.jsonl'
        texts = [each if isinstance(each, str) else json.dumps({'till': 't-1', 'at': AT, 'no': f'{self._files}-{number}', 'total': 1, **each}) for number, each in enumerate(messages)]
        path.write_text('\n'.join(texts) + '\n')
        self._flowlake('upload', '--kind', 'telemetry', '--profile', profile, '--allow-duplicate', path)
        return path.name

    def run(self, *more) -> list[str]:
        """Runs the job over both days and returns what it printed."""
        put_lake(self.bucket, self._folder / 'lake')
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            main(['--bucket', self.bucket.name, '--from', DAYS[0], '--to', DAYS[1], *more])
        # Days are told as they are done.
        return sorted(printed.getvalue().splitlines())

    def rows(self, key: str) -> list[dict]:
        """The rows of an object."""
        return pyarrow.parquet.read_table(io.BytesIO(self.bucket.read(key))).to_pylist()

    def till_rows(self, day=DAYS[0]) -> list[dict]:
        """The rows of a day of the tills' table, without what every row has."""
        own = ('site', 'at_ms', 'measured_at', 'received_ms')
        return [{name: value for name, value in row.items() if name not in own} for row in self.rows(f'wide/till/day={day}/part-00.parquet')]

    def rejected(self, day=DAYS[0]) -> list[tuple]:
        """The rejected fields of a day."""
        return [(row['message'], row['field'], row['reason'], row['column_kind'], row['kind'], row['value']) for row in self.rows(f'wide/rejected/day={day}/till.parquet')]


def test_every_field_is_a_column_and_a_new_one_is_after_the_next_run(tills):
    tills.send({'total': 12.5, 'items': [{'sku': 'a', 'n': 2}], 'customer': {'name': 'Ana', 'vip': True}, 'note': None}, {'at': AT + 86_400, 'table': 7})
    assert tills.run() == ['wide_till 2026-01-05 written: 1 row of 1 source', 'wide_till 2026-01-06 written: 1 row of 1 source']
    first = {'device': 't-1', 'message': '1-0', 'copies': 1, 'at_': Decimal(AT), 'no': '1-0', 'till': 't-1', 'total': Decimal('12.5')}
    free = {'items': '[{"sku":"a","n":2}]', 'customer_name': 'Ana', 'customer_vip': True, 'table_': None}
    assert tills.till_rows() == [{**first, **free}]
    assert [row['table_'] for row in tills.till_rows(DAYS[1])] == [Decimal(7)]
    # What is right is left as it is.
    assert tills.run() == []
    tills.send({'at': AT + 5, 'discount': 0.25})
    assert tills.run() == ['wide_till 2026-01-05 written: 2 rows of 2 sources']
    assert [(row['message'], row['customer_name'], row['discount']) for row in tills.till_rows()] == [('1-0', 'Ana', None), ('2-0', None, Decimal('0.25'))]
    # The other day's object has no such column: a reader takes columns by their names.
    assert 'discount' not in tills.till_rows(DAYS[1])[0]


def test_a_field_that_becomes_something_else_is_a_counted_reject_and_its_column_stays_what_it_is(tills):
    tills.send({'at': AT + 60, 'table': 'terrace', 'tip': 1.5}, {'table': 7, 'tip': 2})
    assert tills.run() == ['wide_till 2026-01-05 written, 1 field rejected: 2 rows of 1 source']
    # The earlier message decides, whatever the order of lines.
    assert [(row['message'], row['table_'], row['tip']) for row in tills.till_rows()] == [('1-1', Decimal(7), Decimal(2)), ('1-0', None, Decimal('1.5'))]
    assert tills.rejected() == [('1-0', '["table"]', 'type_changed', 'number', 'text', 'terrace')]
    # Once it is remembered, an earlier message changes nothing.
    tills.send({'at': AT - 60, 'table': 'bar', 'tip': {'card': 3}, 'big': '1'})
    tills.send('{"till":"t-2","at":%d,"no":"x","total":1,"big":1e30,"huge":1e30}' % (AT + 90))
    client = boto3.client('cloudwatch')
    assert tills.run('--stage', 'wide')[0] == 'wide_till 2026-01-05 written, 4 fields rejected: 4 rows of 3 sources'
    assert tills.rejected()[0] == ('2-0', '["table"]', 'type_changed', 'number', 'text', 'bar')
    assert tills.rejected()[2:] == [
        ('x', '["big"]', 'not_exact', 'text', 'number', '1e30'),
        ('x', '["huge"]', 'not_exact', None, 'number', '1e30'),
    ]
    assert tills.till_rows()[0]['tip_card'] == Decimal(3)
    found = client.list_metrics(Namespace='flowlake', MetricName='WideFieldsRejected')['Metrics']
    assert [each['Dimensions'] for each in found] == [[{'Name': 'service', 'Value': 'wide-tables'}, {'Name': 'stage', 'Value': 'wide'}]]


def test_a_message_that_came_twice_is_one_row_and_one_without_a_reading_is_none(tills):
    message = '{"till":"t-1","at":%d,"no":1,"total":3.20,"memo":"a\\u2028b"}' % AT
    tills.send(message, message, '{"till":"t-1","at":%d,"no":2,"total":"free"}' % AT, 'nonsense')
    tills.send(message)
    assert tills.run() == ['wide_till 2026-01-05 written: 1 row of 2 sources']
    assert [(row['message'], row['copies'], row['memo'], row['total']) for row in tills.till_rows()] == [('1', 3, 'a\u2028b', Decimal('3.2'))]


def test_what_counts_no_longer_goes_from_the_table(tills):
    tills.send({'a': 1})
    gone = tills.send({'at': AT + 86_400, 'b': 1})
    tills.run()
    tills._flowlake('retract', gone)
    assert tills.run('--dry_run', 'true') == ['wide_till 2026-01-06 has no messages, its object is to go']
    assert tills.run() == ['wide_till 2026-01-06 has no messages, its object was removed']
    assert list(tills.bucket.list('wide/')) == ['wide/till/day=2026-01-05/part-00.parquet']
    assert list(tills.bucket.list('_flowlake')) == []


def test_a_source_that_cannot_be_read_is_said_and_its_day_made_again_until_it_can(tills):
    tills.send({'a': 1})
    broken = tills.send({'at': AT + 1, 'a': 2})
    put_lake(tills.bucket, tills._folder / 'lake')
    (tills._folder / 'lake/raw/kind=telemetry' / broken).rename(tills._folder / broken)
    tills.bucket.delete_all(f'raw/kind=telemetry/{broken}')
    said = [f'raw/kind=telemetry/{broken} was not read: its raw object is gone', 'wide_till 2026-01-05 written without 1 source that could not be read: 1 row of 1 source']
    assert tills.run() == said
    assert tills.run() == said
    (tills._folder / broken).rename(tills._folder / 'lake/raw/kind=telemetry' / broken)
    assert tills.run() == ['wide_till 2026-01-05 written: 2 rows of 2 sources']


def test_chain_objects_give_rows_by_the_profile_of_each_line(tills):
    lines = [
        {'sequence': '1', 'arrived_ms': AT * 1000, 'way': 'mqtt', 'device': 't-1', 'profile': 'till', 'site': 'roof', 'payload': '{"till":"t-1","at":%d,"no":1,"total":1,"x":"é"}' % AT},
        {'sequence': '2', 'arrived_ms': AT * 1000, 'way': 'mqtt', 'device': 't-1', 'profile': 'other', 'payload': '{"till":"t-1","at":%d,"no":2,"total":1}' % AT},
        {'sequence': '3', 'arrived_ms': AT * 1000, 'way': 'mqtt', 'refused': 'foreign topic', 'profile': 'till', 'payload': '{"till":"t-1","at":%d,"no":3,"total":1}' % AT},
        {'end': '3'},
    ]
    path = tills._folder / 'lake/raw/kind=telemetry/stream=s/shard=0' / f'{"0" * 129}.jsonl.gz'
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress('\n'.join(map(json.dumps, lines)).encode()))
    tills._flowlake('reconcile')
    assert tills.run() == ['wide_till 2026-01-05 written: 1 row of 1 source']
    assert [(row['site'], row['received_ms'], row['x']) for row in tills.rows('wide/till/day=2026-01-05/part-00.parquet')] == [('roof', AT * 1000, 'é')]


def test_only_who_asks_has_a_table_and_two_of_one_name_are_refused(tills):
    tills.send({'a': 1})
    tills.add_profile({**PROFILE, 'wide': False})
    assert tills.run() == ['No profile asks for a wide table ("wide": true)']
    tills.add_profile({**PROFILE, 'name': 'm-1'})
    tills.add_profile({**PROFILE, 'name': '1'})
    with pytest.raises(UsageError, match='^Profile m-1 asks for table wide_m_1, and profile 1 has it: give it another name'):
        tills.run()


def test_the_crawler_that_follows_the_tables_is_started_where_something_changed(tills):
    client = boto3.client('glue')
    client.create_crawler(Name='wide', Role='r', DatabaseName='lake', Targets={'S3Targets': [{'Path': f's3://{tills.bucket.name}/wide/'}]})
    tills.send({'a': 1})
    tills.run('--crawler', 'wide')
    assert 'LastCrawl' in client.get_crawler(Name='wide')['Crawler'] or client.get_crawler(Name='wide')['Crawler']['State'] == 'RUNNING'
    # Behind a crawl that is under way it waits for its turn; nothing changed, nobody is asked.
    tills.run('--crawler', 'no-such-crawler')
