"""Fields of free-form messages: what each is, exactly, and which no column can hold. Needs Python alone."""
import json

import pytest
from lake_bucket import LakeBucket
from lake_errors import ConflictError, StorageError
from profile_json import parse_json
from wide_columns import MOST_COLUMNS, columns_key, plain_name, remember
from wide_fields import Field, fields_of


def fields(text: str) -> dict:
    """The fields of a payload by their paths with dots, as (kind, value, fault)."""
    return {'.'.join(path): (field.kind, field.value, field.fault) for path, field in fields_of(parse_json(text)).items()}


def test_objects_are_gone_into_and_lists_stay_whole():
    text = '{"a": {"b": {"c": "x"}, "d": {}}, "e": null, "f": [1.50, {"g": [null, "é\\n\\"\u2028"]}, true], "h": false}'
    assert fields(text) == {
        'a.b.c': ('text', 'x', None),
        'f': ('list', '[1.50,{"g":[null,"é\\n\\"\u2028"]},true]', None),
        'h': ('yes/no', 'false', None),
    }


@pytest.mark.parametrize(
    ('sent', 'value'),
    [
        ('12.50', '12.5'),
        ('-0', '0'),
        ('0.000000001', '0.000000001'),
        ('9999999999999999999', '9999999999999999999'),
        ('1e3', '1000'),
        ('1.5E-2', '0.015'),
        ('10.0000000000', '10'),
        ('0e999999999', None),
        ('0.0000000001', None),
        ('10000000000000000000', None),
        ('1e999999999', None),
        ('1e-999999999', None),
    ],
)
def test_a_number_is_exact_or_no_value(sent, value):
    kind, told, fault = fields(f'{{"n": {sent}}}')['n']
    assert (kind, told, fault) == (('number', value, None) if value is not None else ('number', sent, 'not_exact'))


def test_names_of_columns_are_for_every_engine():
    assert [plain_name(name) for name in ('Total', 'customer_naïve id', '1st', '_x', 'GROUP')] == ['total', 'customer_na_ve_id', 'm_1st', 'm__x', 'group']


class Shelf(LakeBucket):
    """A bucket of one object, on which another run may be faster."""

    def __init__(self, text: str | None = None, *, others=()):
        self.text, self.version, self.others = text, 0, list(others)

    def fetch(self, key, path):
        """Writes the object to a file: its etag, or None."""
        if self.text is None:
            return None
        with open(path, 'w', encoding='utf-8') as file:
            file.write(self.text)
        return str(self.version)

    def put_file(self, path, key, *, etag):
        """Replaces the object, unless another run was faster."""
        if self.others:
            other = self.others.pop(0)
            self.text, self.version = other, self.version + 1
        if etag != (None if self.text is None else str(self.version)):
            raise ConflictError(key)
        with open(path, encoding='utf-8') as file:
            self.text, self.version = file.read(), self.version + 1


def names(columns) -> list[str]:
    """What each column is called, and what it is."""
    return [f'{column.name} {column.kind}' for column in columns]


def test_a_column_keeps_its_name_and_its_kind_and_new_ones_come_behind():
    shelf = Shelf()
    assert names(remember(shelf, 'till', {('b',): 'text', ('a', 'x'): 'number', ('A_x',): 'text'})) == ['a_x text', 'a_x_2 number', 'b text']
    assert names(remember(shelf, 'till', {('b',): 'number', ('group',): 'yes/no', ('day',): 'text'})) == [
        *['a_x text', 'a_x_2 number', 'b text'],
        *['day_2 text', 'group_ yes/no'],
    ]
    assert len(json.loads(shelf.text)['columns']) == 5


def test_of_two_runs_that_find_fields_at_once_neither_loses_its_own():
    other = json.dumps({'columns': [{'path': ['mine'], 'name': 'mine', 'kind': 'text'}]})
    shelf = Shelf(others=[other])
    assert names(remember(shelf, 'till', {('ours',): 'number', ('mine',): 'number'})) == ['mine text', 'ours number']


def test_what_is_remembered_and_damaged_is_said():
    for text in ('{', '{"columns": [{}]}', '{"columns": [{"path": ["a"], "name": "a", "kind": "date"}]}', '[]'):
        with pytest.raises(StorageError, match='^wide_columns/till.json does not say the columns of table wide_till'):
            remember(Shelf(text), 'till', {})
    assert columns_key('till') == 'wide_columns/till.json'


def test_a_table_has_no_end_of_columns():
    shelf = Shelf()
    columns = remember(shelf, 'till', {(f'k{number:05}',): 'text' for number in range(MOST_COLUMNS + 10)})
    assert len(columns) == MOST_COLUMNS
    assert len(remember(shelf, 'till', {('z',): 'text'})) == MOST_COLUMNS


def test_a_field_is_what_it_is():
    assert fields_of({'a': True}) == {('a',): Field('yes/no', 'true')}
