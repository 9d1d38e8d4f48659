"""Messages that stand in rows of a file (CSV), as docs/reading-telemetry.md has them: each the flat object of its cells under the header's names."""
import re
from collections.abc import Iterator

from lake_errors import NotFollowedError
from profile_json import Unreadable, parse_json

_SEPARATORS = ',;\t|'


def rows_of_text(text: str) -> Iterator[tuple[str, dict | None]]:
    """
    Each row below the header as it stands without its line end, and its cells by their names; None of one with more cells than the header. Raises
    NotFollowedError where no header is found, and for quotes that do not surround a cell.
    """
    rows = _rows(text)
    header = next(rows, '')
    separator = next((each for each in _SEPARATORS if each in header), None)
    names = [] if separator is None else _cells(header, separator)
    if not names or '' in names or len(set(names)) < len(names):
        raise NotFollowedError('a file that is neither JSON nor rows under a header is not followed')
    for row in rows:
        cells = _cells(row, separator)
        yield row, None if len(cells) > len(names) else {name: _value_of(cell) for name, cell in zip(names, cells) if cell != ''}


def _rows(text: str) -> Iterator[str]:
    started = ''
    for line in text.split('\n'):
        row = started + line
        # A quoted cell may go on behind the end of a line.
        if row.count('"') % 2:
            started = f'{row}\n'
            continue
        started = ''
        row = row.removesuffix('\r')
        if row.strip(' \t'):
            yield row
    if started:
        raise NotFollowedError('rows with a quoted cell that does not end are not followed')


def _cells(row: str, separator: str) -> list[str]:
    blank = ' ' if separator == '\t' else r'[ \t]'
    cell = re.compile(rf'{blank}*(?:"((?:[^"]|"")*)"{blank}*|([^"{re.escape(separator)}]*?){blank}*)({re.escape(separator)}|$)')
    found, at = [], 0
    while True:
        match = cell.match(row, at)
        if match is None:
            raise NotFollowedError('rows with quotes within a cell are not followed')
        quoted, plain, end = match.groups()
        found.append(plain if quoted is None else quoted.replace('""', '"'))
        at = match.end()
        if end == '':
            return found


def _value_of(cell: str):
    if cell in ('true', 'false', 'null') or re.fullmatch(r'-?\d[\d.eE+-]*', cell):
        try:
            return parse_json(cell)
        except Unreadable:
            return cell
    return cell
