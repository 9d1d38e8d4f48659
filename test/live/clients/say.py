"""What each of these programs says: a line of JSON for each thing that happened, as its library told it."""
import json
import sys
import threading

_LOCK = threading.Lock()


def options() -> dict:
    return json.loads(sys.argv[1])


def say(what: str, **more) -> None:
    with _LOCK:
        print(json.dumps({'is': what, **more}), flush=True)


def payload_of(message: dict) -> str:
    return message['payload'] if 'payload' in message else 'x' * message['bytes']
