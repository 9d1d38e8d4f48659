"""The profile language in Python: what test/fixtures/profile-cases.jsonl says of it for every reader, to the last digit."""
import base64
import json

import pytest
from conftest import ROOT
from lake_errors import NotFollowedError
from profile_json import parse_json
from profile_reader import ProfileReader
from profile_sources import Message

LINES = (ROOT / 'test/fixtures/profile-cases.jsonl').read_text(encoding='utf-8').split('\n')[:-1]


def message_of(case: dict) -> Message:
    """The message of a case."""
    payload = case['payload'].encode() if 'payload' in case else base64.b64decode(case['payload_base64'])
    return Message(
        payload,
        arrived_ms=case.get('arrivedMs'),
        topic=case.get('topic'),
        device=case.get('device'),
        key=case.get('key'),
        headers=case.get('headers', {}),
        is_retained=case.get('isRetained', False),
    )


def as_in_cases(outcome) -> dict:
    """An outcome in the words of the cases."""
    readings = [
        {
            **{'device': each.device, 'metric': each.metric, 'atMs': each.at_ms, 'receivedMs': each.received_ms},
            **({'text': each.text} if each.units is None else {'units': str(each.units)}),
            **{'message': each.message, 'clock': each.clock},
            **({'isHistorical': True} if each.is_historical else {}),
        }
        for each in outcome.readings
    ]
    named = [{'reason': each.reason, 'metric': each.metric, 'device': each.device, 'atMs': each.at_ms} for each in outcome.problems]
    problems = [{word: value for word, value in each.items() if value is not None} for each in named]
    return {'readings': readings, 'problems': problems, 'unknownFields': outcome.unknown_fields}


@pytest.mark.parametrize('number', range(1, len(LINES) + 1))
def test_line(number):
    # The profile is read as the job reads it: by the reader of messages, so that its numbers keep their digits.
    profile = parse_json(LINES[number - 1])['profile']
    reader = ProfileReader(profile)
    for case in json.loads(LINES[number - 1])['messages']:
        expected = {word: case[word] for word in ('readings', 'problems', 'unknownFields')}
        assert as_in_cases(reader.read(message_of(case))) == expected


def test_there_are_all_cases():
    assert len(LINES) == 579


@pytest.mark.parametrize('words', [{'decoder': 'protobuf'}, {'decoder': 'cbor', 'each': '[]'}, {'decoder': 'senml', 'unpack': [{'path': 'vd', 'as': 'json'}]}])
def test_a_profile_that_is_not_followed_is_an_error_that_says_so(words):
    with pytest.raises(NotFollowedError, match='^profile p .* is not followed'):
        ProfileReader({**parse_json(PLAIN), **words})


PLAIN = '{"name":"p","device":{"text":"d"},"time":"arrival","metrics":[{"name":"t","path":"t","digits":2,"unless":{"path":"n","above":5,"why":"w"}}]}'


@pytest.mark.parametrize(
    ('payload', 'units', 'reasons'),
    [
        ('{"t":1,"n":1e99999999999999999999}', [], ['no_value']),
        ('{"t":1,"n":-1e99999999999999999999}', [10**9], []),
        ('{"t":1,"n":1e-99999999999999999999}', [10**9], []),
        ('{"t":"' + '9' * 100_000 + '"}', [], ['out_of_limits']),
        ('{"t":"0.' + '9' * 100_000 + '"}', [10**9], []),
        ('{"t":"' + '0' * 100_000 + '1"}', [10**9], []),
        ('{"t":' + '[' * 100_000 + ']' * 100_000 + '}', [], ['unreadable']),
        ('{"t":1,"n":{' + ','.join(f'"{at}":1' for at in range(10_001)) + '}}', [], ['unreadable']),
        ('{"t":1,"' + 'k' * 1_025 + '":1}', [], ['unreadable']),
        ('{"t":' + '1' * 101 + '}', [], ['unreadable']),
    ],
)
def test_hostile_payloads_are_one_reading_or_one_reject(payload, units, reasons):
    outcome = ProfileReader(parse_json(PLAIN)).read(Message(payload.encode(), arrived_ms=1_767_607_202_000))
    assert [reading.units for reading in outcome.readings] == units
    assert [problem.reason for problem in outcome.problems] == reasons
