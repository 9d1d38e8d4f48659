"""
Levers: what a test may set of the local AWS while it runs, and what it may make happen now. All are off at the start.

`POST /_ministack/levers` takes an object of values and answers with all of them; `POST /_ministack/actions/<name>` does an action.
"""
import json

from ministack import app

LEVERS = '/_ministack/levers'
ACTIONS = '/_ministack/actions/'

_values = {
    # Every n-th record that is put into a stream is refused as throttled; 0: none.
    'kinesis.throttle_every': 0,
    # True: a shard takes 1,000 records and 1 MiB a second, as AWS; what is above is refused as throttled.
    'kinesis.shard_limits': False,
    # Delays of FIFO queues, and the 5 minutes in which they drop repeats, take this part of their time.
    'sqs.fifo_time': 1.0,
}
_actions = {}


class Refused(Exception):
    """What was asked cannot be done; its text is the answer."""


def lever(name):
    return _values[name]


def add_action(name, act):
    """Makes `act(asked)` reachable. It returns what is answered, and raises Refused."""
    _actions[name] = act


def set_levers(asked):
    for name, value in asked.items():
        if name not in _values:
            raise Refused(f'There is no lever {name}: {", ".join(_values)}')
        if isinstance(_values[name], bool) is not isinstance(value, bool) or not isinstance(value, (bool, int, float)) or value < 0:
            raise Refused(f'Lever {name} takes no {value!r}')
    _values.update(asked)
    return dict(_values)


def act(path, body):
    asked = json.loads(body or b'{}')
    if path == LEVERS:
        return set_levers(asked)
    name = path.removeprefix(ACTIONS)
    if name not in _actions:
        raise Refused(f'There is no action {name}: {", ".join(_actions)}')
    return _actions[name](asked)


def with_levers(handle):
    async def handle_with_levers(method, path, headers, body, query_params, request_id):
        if path != LEVERS and not path.startswith(ACTIONS):
            return await handle(method, path, headers, body, query_params, request_id)
        try:
            status, answer = 200, act(path, body)
        except (Refused, ValueError) as refused:
            status, answer = 400, {'message': str(refused)}
        return status, {'Content-Type': 'application/json'}, json.dumps(answer).encode()

    return handle_with_levers


def teach():
    app._handle_post_body_shortcuts = with_levers(app._handle_post_body_shortcuts)
