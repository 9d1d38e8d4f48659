"""Where messages stand in a source: what is damaged is a reject or an error by name, never another message."""
import gzip
import json

import pytest
from lake_errors import NotFollowedError, StorageError
from source_messages import messages_of

LINE = {'sequence': '1', 'arrived_ms': 1767607200000, 'device': 'd', 'profile': 'p', 'payload': '{}'}


def chain(*lines, end='1') -> bytes:
    return '\n'.join(line if isinstance(line, str) else json.dumps(line) for line in [*lines, {'end': end}]).encode()


@pytest.mark.parametrize(
    'line',
    ['no JSON', '[]', {**LINE, 'payload': {}}, {**LINE, 'arrived_ms': 'now'}, {**LINE, 'arrived_ms': -1}, {**LINE, 'device': 1}, {'sequence': '1'}],
)
def test_a_chain_line_that_is_none_is_a_reject_and_its_neighbours_are_read(line):
    assert [(found.reject, found.profile) for found in messages_of(chain(LINE, line, LINE))] == [(None, 'p'), ('no_chain_line', None), (None, 'p')]


def test_a_message_that_was_put_aside_is_a_reject_whatever_it_holds():
    found = list(messages_of(chain(LINE, {**LINE, 'refused': 'too large', 'payload': 'x'}, LINE)))
    assert [(each.reject, each.message is None) for each in found] == [(None, False), ('refused', True), (None, False)]


@pytest.mark.parametrize('data', [chain(LINE, end='2'), chain(LINE)[: -len('{"end": "1"}')], gzip.compress(chain(LINE))[:-9], b'\x28\xb5\x2f\xfdno frame'])
def test_a_source_that_was_cut_gives_no_message(data):
    with pytest.raises(StorageError):
        list(messages_of(data))


@pytest.mark.parametrize('data', [b'', b' \n', b'plain words', b'a,a\n1,2', b'a,b\n1,"x', b'a,b\n1,x"y"', b'[{"t":1},{"t":]', b'{"t":\n1}\n{"t":\n'])
def test_what_is_not_followed_is_an_error(data):
    with pytest.raises(NotFollowedError, match='followed'):
        list(messages_of(data))


def test_an_array_is_its_elements_and_of_senml_one_pack():
    pack, packs = b'[{"n":"a"},\n{"n":"b"}]', b'[[{"n":"a"}],\n[{"n":"b"}]]'
    payloads = [[found.message.payload for found in messages_of(data, packs=is_senml)] for data in (pack, packs) for is_senml in (False, True)]
    assert payloads == [[b'{"n":"a"}', b'{"n":"b"}'], [pack], [b'[{"n":"a"}]', b'[{"n":"b"}]'], [b'[{"n":"a"}]', b'[{"n":"b"}]']]
