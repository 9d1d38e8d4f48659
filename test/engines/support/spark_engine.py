"""
Spark behind a pipe: one JSON request per line on stdin, one JSON answer per line on stdout. `open` makes tables of a lake's folder and views of
SQL texts, `query` answers SQL, `consolidate` runs the Glue job on a bucket in the same session.
"""
import contextlib
import json
import os
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

# Answers only: what Spark or the job print goes to stderr.
ANSWERS = os.fdopen(os.dup(1), 'w')
os.dup2(2, 1)

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / 'glue-jobs'))

from pyspark.sql import SparkSession  # noqa: E402

import consolidate_days  # noqa: E402
from period_merge import SPARK_SETTINGS  # noqa: E402

# The files of each table below its prefix; Spark has `day` from the folder.
READERS = {'parquet': 'parquet', 'json': 'json', 'jsonl.gz': 'json'}


def main():
    spark = SparkSession.builder.config(map=SPARK_SETTINGS).getOrCreate()
    spark.sparkContext.setLogLevel('OFF')
    actions = {'open': open_lake, 'query': query, 'consolidate': consolidate}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = actions[request.pop('do')](spark, **request)
        except Exception as error:
            answer = {'error': str(error)}
        print(json.dumps(answer), file=ANSWERS, flush=True)


def open_lake(spark, *, folder, tables, views):
    """Tables of lake/kinds.ts over the folder, then views by name in the order given, each in place of the one that was there."""
    for table in tables:
        columns = [f"{column['name']} {column['type']}" for column in table['columns']]
        partition = ['day string'] if 'per' in table else []
        schema = ', '.join(columns + partition)
        path = Path(folder, table['prefix'])
        # Spark refuses a folder that is not there; to the other engines that is a table without rows.
        reader = getattr(spark.read.schema(schema), READERS[table['format']])
        rows = reader(str(path)) if path.exists() else spark.createDataFrame([], schema)
        rows.createOrReplaceTempView(table['name'])
    for name, sql in views:
        spark.sql(f'create or replace temporary view {name} as {sql}')
    return {}


def query(spark, *, sql, parameters):
    """Columns with their types, and the rows: every value as text, null as null."""
    answer = spark.sql(sql, args=[read_parameter(each) for each in parameters])
    columns = [{'name': field.name, 'type': field.dataType.simpleString()} for field in answer.schema.fields]
    return {'columns': columns, 'rows': [[text_of(value) for value in row] for row in answer.collect()]}


def consolidate(spark, *, bucket, first_day, last_day):
    """What the job prints, a line per period."""
    said = Lines()
    with contextlib.redirect_stdout(said):
        consolidate_days.main(['--bucket', bucket, '--from', first_day, '--to', last_day])
    return {'lines': said.text.splitlines()}


class Lines:
    """A stdout that keeps what is written."""

    def __init__(self):
        self.text = ''

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def read_parameter(parameter):
    # Whole numbers travel as text, so that none loses digits.
    return int(parameter['whole']) if isinstance(parameter, dict) else parameter


def text_of(value):
    if value is None:
        return None
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, Decimal):
        # All digits, and no exponent.
        return f'{value:f}'
    if isinstance(value, datetime):
        return value.isoformat(sep=' ', timespec='milliseconds')
    # The shortest text that is this very double again, as JavaScript's own.
    return repr(value) if isinstance(value, float) else str(value)


if __name__ == '__main__':
    main()
