"""
Glue: a crawler really reads the Parquet files of its targets. Each folder above `key=value` folders is a table: its columns are those of all
its files together, its partitions the `key=value` folders. A column of two types, another format, or no file at all is a FAILED crawl.
"""
import contextvars
import io
import json
import logging
import re
import threading
import time

import pyarrow
import pyarrow.parquet
from iam_rights import require_right
from own_client import s3_client, split_location

from ministack.core.responses import error_response_json, json_response, new_uuid
from ministack.services import glue

logger = logging.getLogger('glue-catalog')

PARQUET = {
    'InputFormat': 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
    'OutputFormat': 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
    'SerdeInfo': {'SerializationLibrary': 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'},
}
HIVE_TYPES = {
    'int8': 'tinyint',
    'int16': 'smallint',
    'int32': 'int',
    'int64': 'bigint',
    'float': 'float',
    'double': 'double',
    'bool': 'boolean',
    'string': 'string',
    'large_string': 'string',
    'binary': 'binary',
    'date32[day]': 'date',
}


class CrawlFailed(Exception):
    """A crawl came to a bad end; its text says of what."""


def hive_type(of):
    if pyarrow.types.is_decimal(of):
        return f'decimal({of.precision},{of.scale})'
    if pyarrow.types.is_timestamp(of):
        return 'timestamp'
    if pyarrow.types.is_list(of):
        return f'array<{hive_type(of.value_type)}>'
    if pyarrow.types.is_struct(of):
        return f'struct<{",".join(f"{field.name}:{hive_type(field.type)}" for field in of)}>'
    if str(of) not in HIVE_TYPES:
        raise CrawlFailed(f'Parquet type {of} is not taught')
    return HIVE_TYPES[str(of)]


def start_crawler(asked):
    crawler = glue._crawlers.get(asked.get('Name'))
    if crawler is None:
        return error_response_json('EntityNotFoundException', f'Crawler {asked.get("Name")} not found', 400)
    if crawler['State'] == 'RUNNING':
        return error_response_json('CrawlerRunningException', f'Crawler {crawler["Name"]} is already running', 400)
    crawler['State'] = 'RUNNING'
    threading.Thread(target=contextvars.copy_context().run, args=(follow, crawler), daemon=True).start()
    return json_response({})


def follow(crawler):
    began = time.time()
    try:
        crawl(crawler)
        outcome = {'Status': 'SUCCEEDED'}
    except Exception as failed:
        logger.warning('crawler %s: %s', crawler['Name'], failed)
        outcome = {'Status': 'FAILED', 'ErrorMessage': str(failed)[:2000]}
    crawler['LastCrawl'] = {
        **outcome,
        'LogGroup': '/aws-glue/crawlers',
        'LogStream': crawler['Name'],
        'MessagePrefix': new_uuid(),
        'StartTime': int(began),
    }
    crawler['CrawlElapsedTime'] = int((time.time() - began) * 1000)
    crawler['State'] = 'READY'


def crawl(crawler):
    targets = crawler.get('Targets') or {}
    others = [kind for kind, chosen in targets.items() if chosen and kind not in ('S3Targets', 'CatalogTargets')]
    if others:
        raise CrawlFailed(f'targets {", ".join(others)} are not taught: S3Targets and CatalogTargets are')
    for target in targets.get('S3Targets') or []:
        for folder, files in tables_below(crawler, target['Path'], target.get('Exclusions')).items():
            name = crawler.get('TablePrefix', '') + re.sub(r'[^a-z0-9_]', '_', folder.rstrip('/').rsplit('/', 1)[-1].lower())
            update_table(crawler, crawler['DatabaseName'], name, folder, files)
    for target in targets.get('CatalogTargets') or []:
        for name in target['Tables']:
            table = glue._tables.get(f'{target["DatabaseName"]}/{name}')
            if table is None:
                raise CrawlFailed(f'there is no table {target["DatabaseName"]}.{name}')
            location = table['StorageDescriptor']['Location']
            files = [file for found in tables_below(crawler, location, None).values() for file in found]
            update_table(crawler, target['DatabaseName'], name, location, files)


def tables_below(crawler, location, exclusions):
    """Files by the folder of their table, each as its partitions, its columns and its location."""
    if exclusions:
        raise CrawlFailed('exclusions are not taught')
    bucket, prefix = split_location(location)
    for action, resource in (('s3:ListBucket', bucket), ('s3:GetObject', f'{bucket}/{prefix}*')):
        require_right(crawler['Role'], action, f'arn:aws:s3:::{resource}')
    client = s3_client()
    tables = {}
    for page in client.get_paginator('list_objects_v2').paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get('Contents', []):
            key = entry['Key']
            if key.endswith('/') or '/_' in key or '/.' in key or entry['Size'] == 0:
                continue
            folders = key.split('/')[:-1]
            at = next((index for index, folder in enumerate(folders) if '=' in folder), len(folders))
            partitions = [folder.split('=', 1) for folder in folders[at:]]
            columns = columns_of(client.get_object(Bucket=bucket, Key=key)['Body'].read(), key)
            table = f's3://{bucket}/{"/".join(folders[:at])}/'
            tables.setdefault(table, []).append((partitions, columns, f's3://{bucket}/{"/".join(folders)}/'))
    if not tables:
        raise CrawlFailed(f'there is nothing below {location}')
    return tables


def columns_of(content, key):
    try:
        schema = pyarrow.parquet.read_schema(io.BytesIO(content))
    except pyarrow.ArrowInvalid as other:
        raise CrawlFailed(f'{key} is no Parquet file, and nothing else is taught: {other}') from other
    return [(field.name.lower(), hive_type(field.type)) for field in schema]


def update_table(crawler, database, name, location, files):
    key = f'{database}/{name}'
    table = glue._tables.get(key)
    partition_keys = [each for each, _ in files[0][0]]
    if any([each for each, _ in partitions] != partition_keys for partitions, _, _ in files):
        raise CrawlFailed(f'files of {name} lie in folders of other partitions')
    types = {column['Name']: column['Type'] for column in (table or {}).get('StorageDescriptor', {}).get('Columns', [])} if is_merging(crawler) else {}
    for _partitions, columns, folder in files:
        for column, type_ in columns:
            if types.setdefault(column, type_) != type_:
                raise CrawlFailed(f'column {column} of {name} is {types[column]}, and {type_} in {folder}')
    columns = [{'Name': column, 'Type': type_} for column, type_ in types.items() if column not in partition_keys]
    if table is None:
        made = glue._create_table({
            'DatabaseName': database,
            'TableInput': {
                'Name': name,
                'TableType': 'EXTERNAL_TABLE',
                'Parameters': {'classification': 'parquet', 'UPDATED_BY_CRAWLER': crawler['Name']},
                'StorageDescriptor': {**PARQUET, 'Columns': columns, 'Location': location},
                'PartitionKeys': [{'Name': each, 'Type': 'string'} for each in partition_keys],
            },
        })
        if made[0] != 200:
            raise CrawlFailed(json.loads(made[2])['message'])
    elif (crawler.get('SchemaChangePolicy') or {}).get('UpdateBehavior', 'UPDATE_IN_DATABASE') == 'UPDATE_IN_DATABASE':
        table['StorageDescriptor'] = {**table['StorageDescriptor'], 'Columns': columns}
        table['UpdateTime'] = int(time.time())
        table['VersionId'] = str(int(table.get('VersionId') or 1) + 1)
    if (table or {}).get('Parameters', {}).get('projection.enabled') != 'true':
        add_partitions(database, name, columns, files)


def is_merging(crawler):
    """True if columns that no file has any more are kept."""
    output = json.loads(crawler.get('Configuration') or '{}').get('CrawlerOutput', {})
    return output.get('Tables', {}).get('AddOrUpdateBehavior') == 'MergeNewColumns'


def add_partitions(database, name, columns, files):
    places = {tuple(value for _, value in partitions): place for partitions, _, place in files if partitions}
    there = {tuple(each['Values']) for each in glue._partitions.get(f'{database}/{name}', [])}
    for values, place in places.items():
        if values not in there:
            glue._create_partition({
                'DatabaseName': database,
                'TableName': name,
                'PartitionInput': {'Values': list(values), 'StorageDescriptor': {**PARQUET, 'Columns': columns, 'Location': place}},
            })


def teach():
    glue._start_crawler = start_crawler
