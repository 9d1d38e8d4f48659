"""The columns of the lake's tables, from tables.json, which is generated from lake/tables.ts."""
import json
import pkgutil


def pair_columns() -> list[tuple[str, str]]:
    """Name and SQL type of each column of `pair_days` and `flow_summaries`, in their order."""
    # By way of the loader: on Glue the modules are in a zip.
    text = pkgutil.get_data(__name__, 'tables.json')
    tables = {table['name']: table for table in json.loads(text)}
    return [(column['name'], column['type']) for column in tables['pair_days']['columns']]
