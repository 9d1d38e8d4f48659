"""S3: the tags that a template gives to a bucket."""
from ministack.services import s3
from ministack.services.cloudformation import provisioners


def with_tags(apply, props_at):
    def apply_and_tag(*arguments):
        name, attributes = apply(*arguments)
        s3._bucket_tags[name] = {tag['Key']: tag['Value'] for tag in arguments[props_at].get('Tags', [])}
        return name, attributes

    return apply_and_tag


def teach():
    bucket = provisioners._RESOURCE_HANDLERS['AWS::S3::Bucket']
    provisioners._RESOURCE_HANDLERS['AWS::S3::Bucket'] = bucket | {
        'create': with_tags(bucket['create'], 1),
        'update': with_tags(bucket['update'], 2),
    }
