"""The bucket of a lake, over boto3: what a single object PUT on a condition makes possible, and what the jobs need beside it."""
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress

from botocore.exceptions import ClientError

from lake_errors import ConflictError

# One PUT takes 5 GB at most, and what breaks off begins anew: https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
PART_BYTES = 64 << 20

# 10,000 parts are the most: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
MAX_PARTS = 10_000

# 412: another etag. 409: another write is going on, or was while the parts were sent:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
_LOST_STATUSES = {409, 412}

# `If-Match` of an object that was deleted; HEAD, with which a copy begins, has no body and so no other code than its status; parts that
# were put together already, by a request whose answer was lost on its way.
_LOST_CODES = {'NoSuchKey', '404', 'NoSuchUpload'}

_CONDITIONS = {'IfMatch': 'If-Match', 'IfNoneMatch': 'If-None-Match'}


class LakeBucket:
    """The objects of one bucket. Safe to use from several threads, as the client is."""

    def __init__(self, client, name: str):
        self.name = name
        self._client = client
        _teach_conditions(client)

    def read(self, key: str) -> bytes | None:
        """The whole object; None where nothing is there. For small ones."""
        try:
            return self._client.get_object(Bucket=self.name, Key=key)['Body'].read()
        except ClientError as error:
            if _code_of(error) == 'NoSuchKey':
                return None
            raise

    def etag_of(self, key: str) -> str | None:
        """Etag of the object, whatever is in it; None where nothing is there."""
        try:
            return self._client.head_object(Bucket=self.name, Key=key)['ETag']
        except ClientError as error:
            # HEAD has no body, and so no other code than its status.
            if _code_of(error) == '404':
                return None
            raise

    def read_end(self, key: str, length: int) -> tuple[str, int, bytes] | None:
        """Etag, size and the last bytes of the object, as many as there are; None where nothing is there."""
        try:
            answer = self._client.get_object(Bucket=self.name, Key=key, Range=f'bytes=-{length}')
        except ClientError as error:
            if _code_of(error) == 'NoSuchKey':
                return None
            # An object without a byte has no range.
            if _code_of(error) == 'InvalidRange':
                return self._client.head_object(Bucket=self.name, Key=key)['ETag'], 0, b''
            raise
        return answer['ETag'], int(answer['ContentRange'].rpartition('/')[2]), answer['Body'].read()

    def read_range(self, key: str, *, etag: str, start: int, length: int) -> bytes:
        """Some bytes of the object. Raises ConflictError where it has another etag or is gone."""
        if length == 0:
            return b''
        with_range = {'Range': f'bytes={start}-{start + length - 1}', 'IfMatch': etag}
        return _raced(lambda: self._client.get_object(Bucket=self.name, Key=key, **with_range))['Body'].read()

    def list(self, prefix: str) -> Iterator[str]:
        """Every key that begins with the prefix, ascending."""
        for page in self._client.get_paginator('list_objects_v2').paginate(Bucket=self.name, Prefix=prefix):
            yield from (entry['Key'] for entry in page.get('Contents', []))

    def list_folders(self, prefix: str, *, delimiter: str = '/') -> Iterator[str]:
        """Every folder right under the prefix, with its final slash, ascending; or what keys have in common up to another delimiter."""
        for page in self._client.get_paginator('list_objects_v2').paginate(Bucket=self.name, Prefix=prefix, Delimiter=delimiter):
            yield from (entry['Prefix'] for entry in page.get('CommonPrefixes', []))

    def copy(self, source: str, *, etag: str, to: str, metadata: dict[str, str] | None = None) -> None:
        """Copies the object inside of S3, with its metadata or with other. Raises ConflictError where it has another etag or is gone."""
        of = {'Bucket': self.name, 'Key': source}
        other = {} if metadata is None else {'Metadata': metadata, 'MetadataDirective': 'REPLACE'}
        _raced(lambda: self._client.copy(of, self.name, to, ExtraArgs={'CopySourceIfMatch': etag, **other}))

    def metadata_of(self, key: str) -> dict[str, str]:
        """Metadata of the object; none where nothing is there."""
        try:
            return self._client.head_object(Bucket=self.name, Key=key)['Metadata']
        except ClientError as error:
            if _code_of(error) == '404':
                return {}
            raise

    def download(self, key: str, path: str) -> None:
        """Writes the object to a file."""
        self._client.download_file(self.name, key, path)

    def fetch(self, key: str, path: str) -> str | None:
        """Writes the object to a file, read as a whole: its etag, and None where nothing is there."""
        try:
            answer = self._client.get_object(Bucket=self.name, Key=key)
        except ClientError as error:
            if _code_of(error) == 'NoSuchKey':
                return None
            raise
        with open(path, 'wb') as file:
            shutil.copyfileobj(answer['Body'], file)
        return answer['ETag']

    def list_etags(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Every key that begins with the prefix, ascending, with its object's etag."""
        for page in self._client.get_paginator('list_objects_v2').paginate(Bucket=self.name, Prefix=prefix):
            yield from ((entry['Key'], entry['ETag']) for entry in page.get('Contents', []))

    def put_file(self, path: str, key: str, *, etag: str | None) -> None:
        """Writes the object whole or not at all, if it has this etag now (None: if there is none). Raises ConflictError where not."""
        condition = {'IfNoneMatch': '*'} if etag is None else {'IfMatch': etag}
        if os.path.getsize(path) > PART_BYTES:
            self._put_in_parts(path, key, condition)
            return
        with open(path, 'rb') as body:
            _raced(lambda: self._client.put_object(Bucket=self.name, Key=key, Body=body, **condition))

    def write(self, key: str, body: bytes) -> None:
        """Writes the object, whatever was there. For what nobody else writes."""
        self._client.put_object(Bucket=self.name, Key=key, Body=body)

    def delete_all(self, prefix: str) -> None:
        """Deletes every object whose key begins with the prefix."""
        for key in self.list(prefix):
            self._client.delete_object(Bucket=self.name, Key=key)

    def _put_in_parts(self, path: str, key: str, condition: dict[str, str]) -> None:
        part_bytes = max(PART_BYTES, -(-os.path.getsize(path) // MAX_PARTS))
        upload = {'Bucket': self.name, 'Key': key}
        upload['UploadId'] = self._client.create_multipart_upload(**upload)['UploadId']
        try:
            parts = []
            with open(path, 'rb') as body:
                while bytes_of_part := body.read(part_bytes):
                    number = len(parts) + 1
                    answer = self._client.upload_part(**upload, PartNumber=number, Body=bytes_of_part)
                    parts.append({'PartNumber': number, 'ETag': answer['ETag']})
            _raced(lambda: self._client.complete_multipart_upload(**upload, MultipartUpload={'Parts': parts}, **condition))
        except BaseException:
            # What this cannot remove the bucket's lifecycle does.
            with suppress(ClientError):
                self._client.abort_multipart_upload(**upload)
            raise


def _raced(call):
    try:
        return call()
    except ClientError as error:
        if error.response['ResponseMetadata']['HTTPStatusCode'] in _LOST_STATUSES or _code_of(error) in _LOST_CODES:
            raise ConflictError(str(error)) from error
        raise


def _code_of(error: ClientError) -> str:
    return error.response['Error']['Code']


def _teach_conditions(client) -> None:
    """
    Lets the client write on a condition. Glue 5.0 has boto3 1.34.131 (https://docs.aws.amazon.com/glue/latest/dg/
    aws-glue-programming-python-libraries.html), older than conditional writes are, and refuses parameters that it does not know; a newer
    one from `--additional-python-modules` would make every start of the job need the package index.
    """

    def take(params, context, **_):
        context['conditions'] = {_CONDITIONS[name]: params.pop(name) for name in _CONDITIONS if name in params}

    def add(params, context, **_):
        params['headers'].update(context.get('conditions', {}))

    for operation in ('PutObject', 'CompleteMultipartUpload'):
        # Once, however many buckets share the client.
        client.meta.events.register(f'before-parameter-build.s3.{operation}', take, unique_id=f'lake-take-{operation}')
        client.meta.events.register(f'before-call.s3.{operation}', add, unique_id=f'lake-add-{operation}')
