"""Clients of this very server, for what is easier asked by its API than by its insides."""
import os

from botocore.config import Config
from botocore.session import Session

from ministack.core import tls


def endpoint():
    scheme = 'https' if tls.use_ssl_enabled() else 'http'
    return f'{scheme}://127.0.0.1:{os.environ["GATEWAY_PORT"]}'


def s3_client():
    return Session().create_client(
        's3',
        endpoint_url=endpoint(),
        region_name='us-east-1',
        aws_access_key_id='test',
        aws_secret_access_key='test',
        # It is this machine's own certificate.
        verify=False,
        config=Config(s3={'addressing_style': 'path'}),
    )


def split_location(location):
    """Bucket and key of `s3://bucket/key`."""
    bucket, _slash, key = location.removeprefix('s3://').partition('/')
    return bucket, key
