"""
IAM: a batch of SQS needs the right for the single message. `require_right` asks the rights of roles that services take on by themselves (a
topic rule's, a function's that reads a stream); as everywhere in ministack they hold under AUTH=true.
"""
from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region


class AccessDenied(Exception):
    """A role lacks a right."""


def require_right(role_arn, action, resource):
    """Raises AccessDenied where a service that takes on the role may not do the action on the resource."""
    if not app.AUTH:
        return
    role = role_arn.rsplit('/', 1)[-1]
    context = iam_evaluator.EvalContext(
        principal_arn=role_arn,
        principal_type='AssumedRole',
        principal_account=get_account_id(),
        action=action,
        resource_arn=resource,
        region=get_region(),
    )
    policies = iam_evaluator._gather_role_policies(role, get_account_id())
    if iam_evaluator.evaluate(context, policies).decision != 'Allow':
        raise AccessDenied(f'AccessDeniedException: role {role} may not {action} on {resource}')


def as_single_message(name_action):
    def name(*arguments, **options):
        action = name_action(*arguments, **options)
        return action.removesuffix('Batch') if action and action.startswith('sqs:') else action

    return name


def teach():
    iam_actions.extract_iam_action = as_single_message(iam_actions.extract_iam_action)
