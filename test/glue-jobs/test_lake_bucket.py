"""Conditional writes with the boto3 that Glue has, which is older than they are."""
import lake_bucket
import pytest
from lake_errors import ConflictError


@pytest.fixture(params=['in one piece', 'in parts'])
def body(request, tmp_path, monkeypatch):
    """Writes a file that is put in the one way or in the other; S3's smallest part is 5 MB."""
    monkeypatch.setattr(lake_bucket, 'PART_BYTES', 5 << 20)
    size = 100 if request.param == 'in one piece' else 11 << 20

    def write(letter: bytes) -> str:
        path = tmp_path / letter.decode()
        path.write_bytes(letter * size)
        return str(path)

    return write


def etag_of(bucket, key):
    return bucket.read_end(key, 1)[0]


def test_an_object_is_made_only_where_there_is_none(bucket, body):
    bucket.put_file(body(b'a'), 'key', etag=None)
    with pytest.raises(ConflictError):
        bucket.put_file(body(b'b'), 'key', etag=None)
    assert bucket.read('key')[:1] == b'a'


def test_an_object_is_replaced_only_as_it_was_seen(bucket, body):
    bucket.put_file(body(b'a'), 'key', etag=None)
    seen = etag_of(bucket, 'key')
    bucket.put_file(body(b'b'), 'key', etag=seen)
    with pytest.raises(ConflictError):
        bucket.put_file(body(b'c'), 'key', etag=seen)
    assert bucket.read('key')[:1] == b'b'


def test_an_object_that_was_deleted_is_not_replaced(bucket, body):
    bucket.put_file(body(b'a'), 'key', etag=None)
    seen = etag_of(bucket, 'key')
    bucket.delete_all('key')
    with pytest.raises(ConflictError):
        bucket.put_file(body(b'b'), 'key', etag=seen)
    assert bucket.read('key') is None


def test_reading_and_copying_are_pinned_to_what_was_seen(bucket, body):
    path = body(b'a')
    bucket.put_file(path, 'key', etag=None)
    seen, size, end = bucket.read_end('key', 10)
    assert (size, end) == (len(bucket.read('key')), b'a' * 10)
    bucket.copy('key', etag=seen, to='copy')
    bucket.put_file(body(b'b'), 'key', etag=seen)
    for late in (lambda: bucket.read_range('key', etag=seen, start=0, length=5), lambda: bucket.copy('key', etag=seen, to='late')):
        with pytest.raises(ConflictError):
            late()
    bucket.delete_all('key')
    with pytest.raises(ConflictError):
        bucket.copy('key', etag=seen, to='late')
    assert bucket.read('copy') == b'a' * size and bucket.read('late') is None


def test_what_is_not_there_is_not_an_error(bucket):
    assert bucket.read('key') is None and bucket.read_end('key', 10) is None
    assert list(bucket.list('')) == [] and list(bucket.list_folders('')) == []
    bucket.delete_all('key')


def test_a_bucket_that_is_not_there_is_an_error(client):
    missing = lake_bucket.LakeBucket(client, 'no-such-bucket')
    for call in (lambda: missing.read('key'), lambda: missing.read_end('key', 1), lambda: list(missing.list(''))):
        with pytest.raises(client.exceptions.NoSuchBucket):
            call()


def test_parts_of_a_lost_race_are_not_kept(bucket, client, tmp_path, monkeypatch):
    monkeypatch.setattr(lake_bucket, 'PART_BYTES', 5 << 20)
    path = tmp_path / 'large'
    path.write_bytes(b'a' * (6 << 20))
    bucket.put_file(str(path), 'key', etag=None)
    with pytest.raises(ConflictError):
        bucket.put_file(str(path), 'key', etag=None)
    uploads = client.list_multipart_uploads(Bucket=bucket.name).get('Uploads', [])
    assert [client.list_parts(Bucket=bucket.name, Key='key', UploadId=each['UploadId']) for each in uploads] == []
