"""What a merged object contains: the list of contributions that its Parquet metadata holds, as lake/parquet.ts writes and reads it."""
from dataclasses import dataclass

import pyarrow
import pyarrow.parquet

from lake_bucket import LakeBucket
from lake_errors import StorageError
from lake_tables import Kind

# Key of the metadata that lists what is contained: `<source>.<version>`, comma between.
CONTAINS = 'flowlake.contains'

# Key of the metadata that says where a longer list stands: `<offset>:<length>` of the text in front of the footer.
CONTAINS_AT = 'flowlake.contains_at'

# Keys of the metadata that say what a derived object was made of, or where that stands, as lake/parquet/file-writer.ts has them.
MADE_OF = 'flowlake.made_of'
MADE_OF_AT = 'flowlake.made_of_at'

# Key of the metadata that says the kind's format in which all rows were read; of rows that were read in several, the lowest. Of
# a derived object it is the derived table's format.
FORMAT = 'flowlake.format'

# A longer text would make every reader's footer heavy.
MAX_INLINE_BYTES = 4096

# Holds the footer of most objects, so that one request is enough.
_FIRST_READ_BYTES = 1 << 16

# Format of an object that lacks columns and does not say which one it is: older than any that is said.
_SOME_OLDER_FORMAT = 0

_NEXT_STEP = 'flowlake rebuild --anew (--anew true of this job) writes it from the summaries of its day'

# Length of the footer and the magic word behind it: https://parquet.apache.org/docs/file-format/
_TAIL_BYTES = 8


def read_contents(bucket: LakeBucket, key: str) -> tuple[str | None, list[str]]:
    """
    Etag of the object, None where there is none, and what it contains, ascending.
    Raises StorageError where it is no Parquet file, ConflictError where it changes meanwhile.
    """
    end = bucket.read_end(key, _FIRST_READ_BYTES)
    if end is None:
        return None, []
    text = _read_text(bucket, key, end, (CONTAINS, CONTAINS_AT))[0]
    return end[0], text.split(',') if text else []


def read_made_of(bucket: LakeBucket, key: str) -> tuple[str | None, str, int]:
    """
    Etag of a derived object, None where there is none; the text that says what it was made of, and the format that it says: empty and 0 where it
    says nothing, also because it is damaged. Raises ConflictError where it changes meanwhile.
    """
    end = bucket.read_end(key, _FIRST_READ_BYTES)
    if end is None:
        return None, '', 0
    try:
        text, entries = _read_text(bucket, key, end, (MADE_OF, MADE_OF_AT))
        return end[0], text, int(entries.get(FORMAT.encode(), b'0'))
    except (StorageError, ValueError):
        return end[0], '', 0


def _read_text(bucket: LakeBucket, key: str, end: tuple[str, int, bytes], names: tuple[str, str]) -> tuple[str, dict[bytes, bytes]]:
    """The text of the metadata, or of the place that it names, empty where there is none; and all of the metadata."""
    entries = _metadata_of(bucket, key, end, _NEXT_STEP).metadata or {}
    place = entries.get(names[1].encode())
    if place is None:
        return entries.get(names[0].encode(), b'').decode(), entries
    start, length = map(int, place.split(b':'))
    return bucket.read_range(key, etag=end[0], start=start, length=length).decode(), entries


@dataclass(frozen=True)
class Footer:
    """What the footer of an object tells beside what it contains."""

    # Names of its columns.
    columns: frozenset[str]
    # Format of the kind that it says; None in objects that were written before they said it.
    said_format: int | None

    def format_of(self, kind: Kind) -> int:
        """The format in which its rows were read, as lake/commit/format-of.ts tells it."""
        if self.said_format is not None:
            return self.said_format
        return kind.unsaid_format if {column.name for column in kind.merged.columns} <= self.columns else _SOME_OLDER_FORMAT


def read_footer(bucket: LakeBucket, key: str) -> Footer:
    """The object's footer. Raises StorageError where it is gone or no Parquet file, ConflictError where it changes meanwhile."""
    end = bucket.read_end(key, _FIRST_READ_BYTES)
    if end is None:
        raise StorageError(f'{key} is gone')
    metadata = _metadata_of(bucket, key, end, 'flowlake verify --repair reads the file that it is of once more')
    said = (metadata.metadata or {}).get(FORMAT.encode())
    return Footer(frozenset(metadata.schema.names), None if said is None else int(said))


def place_list(contains: list[str], *, sink) -> dict[str, str]:
    """The metadata entry that lists the contributions; a long list is written to `sink`, which stands where the footer will begin."""
    return _place_text(','.join(sorted(contains)), (CONTAINS, CONTAINS_AT), sink=sink)


def place_made_of(made_of: str, *, sink) -> dict[str, str]:
    """The metadata entry that says what a derived object was made of, as `place_list` has it."""
    return _place_text(made_of, (MADE_OF, MADE_OF_AT), sink=sink)


def _place_text(text: str, names: tuple[str, str], *, sink) -> dict[str, str]:
    encoded = text.encode()
    if len(encoded) <= MAX_INLINE_BYTES:
        return {names[0]: text}
    place = f'{sink.tell()}:{len(encoded)}'
    sink.write(encoded)
    return {names[1]: place}


def _metadata_of(bucket: LakeBucket, key: str, end: tuple[str, int, bytes], next_step: str) -> pyarrow.parquet.FileMetaData:
    etag, size_bytes, tail = end
    needed = _TAIL_BYTES + int.from_bytes(tail[-8:-4], 'little')
    if tail[-4:] != b'PAR1' or needed > size_bytes:
        raise StorageError(f'{key} is no Parquet file: {next_step}')
    if needed > len(tail):
        tail = bucket.read_range(key, etag=etag, start=size_bytes - needed, length=needed)
    try:
        # What ends like the file: nothing in front of the footer is looked at.
        return pyarrow.parquet.read_metadata(pyarrow.BufferReader(tail))
    except (pyarrow.ArrowException, OSError) as error:
        raise StorageError(f'{key} has a damaged footer: {next_step}') from error
