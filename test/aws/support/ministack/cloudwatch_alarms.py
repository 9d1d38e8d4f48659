"""
CloudWatch: a stack may have alarms over metric math. They are there, and nobody works out the math: they say so, and stay at INSUFFICIENT_DATA.
"""
from ministack.services.cloudformation import provisioners

MATH = 'metric math'


def alarm_record(name, props, of_ministack=provisioners._cw_metric_alarm_record):
    if not props.get('Metrics'):
        return of_ministack(name, props)
    plain = {key: value for key, value in props.items() if key != 'Metrics'}
    alarm = of_ministack(name, {**plain, 'MetricName': MATH, 'Namespace': MATH})
    alarm.update(StateValue='INSUFFICIENT_DATA', StateReason='metric math is not taught to the local AWS: this alarm never rings', Metrics=props['Metrics'])
    return alarm


def teach():
    provisioners._cw_metric_alarm_record = alarm_record
