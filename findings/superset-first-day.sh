#!/usr/bin/env bash
# Superset 6.1.0 on DuckDB leaves the first day of a range out, without a word, where days are texts like 2026-01-06.
#
# A column's format (`python_date_format`, here %Y-%m-%d) says how its texts are compared. For Trino and Athena the start of a range is written so. For DuckDB a VARCHAR is compared with
# '2026-01-06 00:00:00.000000' whatever the format, and the text 2026-01-06 is smaller than that: the day is not in its own range. Of a type that Superset does not know the format holds.
# Seen on 2026-11-30.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Superset's numpy is older than Python 3.13.
python=$(command -v python3.11 || command -v python3)
"$python" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check apache-superset==6.1.0 flask-caching==2.3.1 rich==15.0.0 cachetools==8.0.2 duckdb==2.0.1 duckdb-engine==0.17.0

export SUPERSET_HOME="$work" SUPERSET_CONFIG_PATH="$work/superset_config.py"
printf "SECRET_KEY = '%s'\nSQLALCHEMY_DATABASE_URI = 'sqlite:///%s/own.db'\n" "$(printf 'x%.0s' {1..42})" "$work" > superset_config.py

cat > ask.py <<'END'
import logging
from datetime import datetime

logging.disable(logging.CRITICAL)

import duckdb
from superset.app import create_app

app = create_app()
with app.app_context():
    from superset.connectors.sqla.models import SqlaTable, TableColumn
    from superset.models.core import Database

    def start_of(uri, type_):
        """What Superset writes for the start of a range of such a column."""
        column = TableColumn(column_name='day', type=type_, is_dttm=True, python_date_format='%Y-%m-%d')
        table = SqlaTable(table_name='days', database=Database(database_name=uri, sqlalchemy_uri=uri), columns=[column])
        return table.dttm_sql_literal(datetime(2026, 1, 6), column)

    found = {
        'Trino, VARCHAR': start_of('trino://localhost/catalog', 'VARCHAR'),
        'DuckDB, VARCHAR': start_of('duckdb:///:memory:', 'VARCHAR'),
        'DuckDB, a type that it does not know': start_of('duckdb:///:memory:', 'DAY'),
    }
for what, start in found.items():
    days = duckdb.execute(f"select day from (values ('2026-01-05'), ('2026-01-06'), ('2026-01-07')) as days (day) where day >= {start}").fetchall()
    print(f"{what}: day >= {start} gives {', '.join(day for day, in days)}")
END

cat > expected <<'END'
Trino, VARCHAR: day >= '2026-01-06' gives 2026-01-06, 2026-01-07
DuckDB, VARCHAR: day >= '2026-01-06 00:00:00.000000' gives 2026-01-07
DuckDB, a type that it does not know: day >= '2026-01-06' gives 2026-01-06, 2026-01-07
END

venv/bin/python -W ignore ask.py 2> errors > said || { cat errors; exit 1; }
grep 'day >=' said > seen
cat seen
diff expected seen && echo 'As found.'
