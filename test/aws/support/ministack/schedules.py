"""EventBridge: an action runs a rule's or a schedule's targets now, or the jobs of Glue's trigger, so that a test need not wait for the minute."""
import time

from glue_jobs import start_trigger_jobs
from levers import Refused, add_action

from ministack.core.responses import get_account_id, get_region, new_uuid, request_scope
from ministack.services import eventbridge, glue, scheduler


def scheduled_event(source, arn):
    return {
        'EventId': new_uuid(),
        'Source': source,
        'DetailType': 'Scheduled Event',
        'Detail': '{}',
        'EventBusName': 'default',
        'Time': time.time(),
        'Resources': [arn],
        'Account': get_account_id(),
        'Region': get_region(),
    }


def run_now(asked):
    """Fires what has this name: a rule with a schedule on the default bus, a schedule of any group, or a trigger of Glue."""
    name = asked['name']
    with request_scope(asked.get('account', '000000000000'), asked.get('region', 'us-east-1')):
        targets = []
        for key, rule in eventbridge._rules.items():
            if rule.get('Name') == name and rule.get('ScheduleExpression'):
                targets += [(target, 'aws.events', rule) for target in eventbridge._targets.get(key, [])]
        targets += [(each['Target'], 'aws.scheduler', each) for each in scheduler._schedules.values() if each.get('Name') == name]
        trigger = glue._triggers.get(name)
        if trigger is not None:
            start_trigger_jobs(trigger)
            return {'targets': len(trigger['Actions'])}
        if not targets:
            raise Refused(f'There is no schedule {name} with a target')
        for target, source, rule in targets:
            eventbridge._invoke_target(target, scheduled_event(source, rule.get('Arn', '')), rule)
        return {'targets': len(targets)}


def teach():
    add_action('run-schedule', run_now)
