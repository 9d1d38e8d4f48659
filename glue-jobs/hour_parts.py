"""What the merged hours of a day come to in table `metric_hours`: hours are read and gone through by the executors, and Spark sorts their rows."""
import os
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import partial
from itertools import islice

import pyarrow
import pyarrow.parquet
from derived_day import DerivedDay, MadePart, plain_etag
from job_start import open_bucket
from lake_bucket import LakeBucket
from lake_errors import StorageError
from lake_inputs import LakeInputs
from lake_layout import TablePeriod, hour_start_ms
from metric_hours import HourReading, hours_of
from period_object import arrow_schema
from profile_rules import HourRules
from spark_errors import spark_errors

# Rounds no number of the lake: their types have 38 digits at most.
_ALL_DIGITS = Context(prec=38)

# Rows that are in memory at once, of readings and of hours.
_BATCH_ROWS = 50_000


@dataclass(frozen=True)
class _PartDone:
    """What an executor made of a merged object."""

    # None where it is gone.
    part: MadePart | None
    # Key of its rows; None where it has none.
    rows_key: str | None = None
    # Why nothing could be made of it: an error of an executor has lost its class.
    problem: str | None = None


def derive_hours(spark, *, bucket: str, of: DerivedDay, periods: list[str], into: str) -> list[MadePart | None]:
    """
    Reads the merged hours and writes their rows as sorted parts below `<into>/parts/`. Returns what came of each, None for one that is gone. Raises
    StorageError where one cannot be read, or its profile.
    """
    with spark_errors(f'{of.table} on {of.period} could not be derived'):
        work = partial(_derive_hour, of=of, bucket=bucket, into=into)
        done = spark.sparkContext.parallelize(periods, len(periods)).map(work).collect()
        for each in done:
            if each.problem is not None:
                raise StorageError(each.problem)
        paths = [f's3://{bucket}/{each.rows_key}' for each in done if each.rows_key is not None]
        if paths and all(each.part is not None for each in done):
            table = of.derived.table
            rows = spark.read.schema(table.schema).parquet(*paths).orderBy(*table.keys)
            # What a failed write has left is no reason to fail.
            rows.write.mode('overwrite').parquet(f's3://{bucket}/{into}/parts')
    return [each.part for each in done]


def _derive_hour(period: str, *, of: DerivedDay, bucket: str, into: str) -> _PartDone:
    lake = open_bucket(bucket, connections=1)
    key = TablePeriod(of.kind, period).merged_key
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'hour.parquet')
            etag = lake.fetch(key, path)
            if etag is None:
                return _PartDone(None)
            rules = _NamedRules(LakeInputs(lake.read, of.kind.inputs_prefix))
            rows = hours_of(_readings_in(path, key, of), hour_ms=hour_start_ms(period), rules_of=rules.of)
            rows_path = os.path.join(folder, 'rows.parquet')
            count = _write_rows(rows_path, rows, pyarrow_schema=arrow_schema(of.derived.table))
            rows_key = _put_rows(lake, rows_path, f'{into}/hours/{period}') if count else None
            return _PartDone(MadePart(period, plain_etag(etag), rules.versions(), count), rows_key)
    except StorageError as error:
        return _PartDone(None, problem=str(error))


class _NamedRules:
    """Rules of profiles, each by the version that it has when it is asked for first; and which were asked for."""

    def __init__(self, inputs: LakeInputs):
        self._inputs = inputs
        self._rules: dict[str, HourRules | None] = {}

    def of(self, profile: str) -> HourRules | None:
        if profile not in self._rules:
            found = self._inputs.find(profile)
            self._rules[profile] = None if found is None else HourRules(found.document)
        return self._rules[profile]

    def versions(self) -> dict[str, int]:
        return {name: self._inputs.version_of(name) for name in sorted(self._rules)}


def _readings_in(path: str, key: str, of: DerivedDay) -> Iterator[HourReading]:
    """The readings of a merged hour, in its order."""
    names = list(HourReading._fields[:-1])
    wanted = pyarrow.schema([field for field in arrow_schema(of.kind.merged) if field.name in (*names, 'value')])
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            missing = sorted({column.name for column in of.kind.merged.columns} - set(file.schema_arrow.names))
            if missing:
                raise StorageError(f'{missing[0]} is missing in {key}: run flowlake reconcile')
            for batch in file.iter_batches(_BATCH_ROWS, columns=wanted.names):
                rows = pyarrow.Table.from_batches([batch]).select(wanted.names).cast(wanted)
                columns = [rows[name].to_pylist() for name in names]
                yield from map(HourReading, *columns, map(_units_of, rows['value'].to_pylist()))
    except (pyarrow.ArrowException, OSError) as error:
        raise StorageError(f'{key} cannot be read: {error}; flowlake rebuild --anew writes it from the summaries of its day') from error


def _units_of(value: Decimal | None) -> int | None:
    """A decimal(28,9) in units of 10^-9."""
    return None if value is None else int(_ALL_DIGITS.scaleb(value, 9))


def _write_rows(path: str, rows: Iterator[tuple], *, pyarrow_schema: pyarrow.Schema) -> int:
    count = 0
    with pyarrow.parquet.ParquetWriter(path, pyarrow_schema, store_schema=False) as writer:
        while batch := list(islice(rows, _BATCH_ROWS)):
            columns = [pyarrow.array(values, field.type) for values, field in zip(zip(*batch), pyarrow_schema)]
            writer.write_table(pyarrow.table(columns, schema=pyarrow_schema))
            count += len(batch)
    return count


def _put_rows(lake: LakeBucket, path: str, prefix: str) -> str:
    # A task that is done again writes a file of its own: what counts is the one of the answer that came.
    key = f'{prefix}-{uuid.uuid4()}.parquet'
    lake.put_file(path, key, etag=None)
    return key
