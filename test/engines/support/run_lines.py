"""
Runs lines of docs/format.md: JSON on stdin, a list of {how, days, code}; JSON on stdout, of each {values} as text, or {error}. `how` is python
(`days` is run before, `code` is what is asked) or an engine of SQL (`days` is what the text calls so, or makes it).
"""
import json
import math
import re
import sys
from decimal import Decimal
from importlib import import_module

MODULES = {
    **{name: name for name in ('daft', 'duckdb', 'fastparquet', 'pandas', 'polars', 'pyarrow')},
    **{name: f'pyarrow.{name}' for name in ('compute', 'parquet')},
}


def run_python(days, code):
    names = {name: import_module(module) for name, module in MODULES.items() if re.search(rf'\b{name}\.', days + code)}
    exec(days, names)
    return values_of(eval(code, names))


def values_of(answer):
    """What a column or table of any of the readers holds, row by row."""
    for name in ('to_pydict', 'to_pylist'):
        if hasattr(answer, name):
            answer = getattr(answer, name)()
    if isinstance(answer, dict):
        answer = zip(*answer.values(), strict=True)
    return list(answer)


def run_duckdb(days, sql):
    import duckdb

    return duckdb.sql(sql.replace('from days', f'from {days}')).fetchall()


def run_datafusion(days, sql):
    import datafusion

    context = datafusion.SessionContext()
    context.sql(days)
    return values_of(context.sql(sql))


def run_clickhouse(days, sql):
    import chdb

    answer = chdb.query(sql.replace('from days', f'from {days}'), 'JSONCompactEachRow')
    # As text: a reader of JSON would make doubles of large numbers.
    return [json.loads(line, parse_float=Decimal) for line in answer.data().splitlines()]


def text_of(value):
    if isinstance(value, (tuple, list)):
        return ' '.join(map(text_of, value))
    # A double as the whole number that it is.
    return str(int(value)) if isinstance(value, float) and math.isfinite(value) else str(value)


def run(line):
    try:
        return {'values': [text_of(value) for value in globals()[f'run_{line["how"]}'](line['days'], line['code'])]}
    except Exception as error:
        return {'error': f'{type(error).__name__}: {error}'}


if __name__ == '__main__':
    json.dump([run(line) for line in json.load(sys.stdin)], sys.stdout)
