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

# Key of the metadata that says the kind's format in which all rows were read; of rows that were read in several, the lowest.
FORMAT = 'flowlake.format'

# A longer list would make every reader's footer heavy.
MAX_INLINE_LIST_BYTES = 4096

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
    etag, entries = end[0], _metadata_of(bucket, key, end, _NEXT_STEP).metadata or {}
    place = entries.get(CONTAINS_AT.encode())
    if place is None:
        text = entries.get(CONTAINS.encode(), b'')
    else:
        start, length = map(int, place.split(b':'))
        text = bucket.read_range(key, etag=etag, start=start, length=length)
    return etag, text.decode().split(',') if text else []


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
    text = ','.join(sorted(contains))
    if len(text) <= MAX_INLINE_LIST_BYTES:
        return {CONTAINS: text}
    place = f'{sink.tell()}:{len(text)}'
    sink.write(text.encode())
    return {CONTAINS_AT: place}


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
