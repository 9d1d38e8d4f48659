"""What Spark says when it fails, in the errors of the lake."""
import re
from collections.abc import Iterator
from contextlib import contextmanager

from lake_errors import StorageError

# Overflows in the words of period_merge.py, and of the views.
_OVERFLOW = re.compile(
    r'\w+ of [^\n]*? (?:would be -?[\d.]+, (?:above the largest|below the smallest) value of its column, -?\d+(?:\.\d+)?'
    r'|is too large for exact statistics on \d{4}-\d{2}-\d{2})|a total left its column'
)

_CAUSE = re.compile(r'^Caused by: (.*)', re.MULTILINE)


@contextmanager
def spark_errors(failed: str) -> Iterator[None]:
    """Raises OverflowError where a figure left its range, and for all else StorageError: `failed`, and why."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        text = str(error)
        overflow = _OVERFLOW.search(text)
        if overflow:
            raise OverflowError(overflow[0]) from error
        # The last cause is the one that names the file.
        cause = (_CAUSE.findall(text) or text.splitlines()[:1])[-1]
        raise StorageError(f'{failed}: {cause}') from error
