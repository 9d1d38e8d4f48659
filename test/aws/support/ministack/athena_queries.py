"""Athena: named queries as a resource of CloudFormation."""
import json

from ministack.services import athena
from ministack.services.cloudformation import provisioners


def create_named_query(logical_id, props, stack_name):
    _status, _headers, body = athena._create_named_query(props)
    query_id = json.loads(body)['NamedQueryId']
    return query_id, {'NamedQueryId': query_id}


def delete_named_query(physical_id, props):
    athena._delete_named_query({'NamedQueryId': physical_id})


def teach():
    provisioners._RESOURCE_HANDLERS['AWS::Athena::NamedQuery'] = {'create': create_named_query, 'delete': delete_named_query}
