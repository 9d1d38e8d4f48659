"""
ministack with three things that 1.5.33 lacks and a lake needs: AWS::Athena::NamedQuery and the tags of buckets in its CloudFormation (its
Athena and its S3 have them), and batches of SQS under the right for the single message, as AWS has it. Started like `ministack` itself.
"""
import json
import sys

from ministack.app import main
from ministack.core import iam_actions
from ministack.services import athena, s3
from ministack.services.cloudformation import provisioners

HANDLERS = provisioners._RESOURCE_HANDLERS


def create_named_query(logical_id, props, stack_name):
    _status, _headers, body = athena._create_named_query(props)
    query_id = json.loads(body)['NamedQueryId']
    return query_id, {'NamedQueryId': query_id}


def delete_named_query(physical_id, props):
    athena._delete_named_query({'NamedQueryId': physical_id})


def with_tags(apply, props_at):
    def apply_and_tag(*arguments):
        name, attributes = apply(*arguments)
        s3._bucket_tags[name] = {tag['Key']: tag['Value'] for tag in arguments[props_at].get('Tags', [])}
        return name, attributes

    return apply_and_tag


def as_single_message(name_action):
    def name(*arguments, **options):
        action = name_action(*arguments, **options)
        return action.removesuffix('Batch') if action and action.startswith('sqs:') else action

    return name


iam_actions.extract_iam_action = as_single_message(iam_actions.extract_iam_action)
HANDLERS['AWS::Athena::NamedQuery'] = {'create': create_named_query, 'delete': delete_named_query}
BUCKET = HANDLERS['AWS::S3::Bucket']
HANDLERS['AWS::S3::Bucket'] = BUCKET | {'create': with_tags(BUCKET['create'], 1), 'update': with_tags(BUCKET['update'], 2)}

if __name__ == '__main__':
    sys.exit(main())
