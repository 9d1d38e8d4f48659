#!/usr/bin/env bash
# `pip install apache-superset` 6.1.0 gives a Superset that does not start: two packages are not declared, and a newer Flask-Caching is let in that it cannot work with.
#
# The command `superset` needs `rich`, and looking for any database needs `cachetools`; neither is among its requirements. Flask-Caching 2.5.1, which they allow, hands each cache an
# argument that Superset's own does not take. With both packages and Flask-Caching 2.3.1 it starts. One would expect a fresh installation to. Seen on 2026-11-30.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Superset's numpy is older than Python 3.13.
python=$(command -v python3.11 || command -v python3)
"$python" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check apache-superset==6.1.0 flask-caching==2.5.1

export FLASK_APP=superset SUPERSET_HOME="$work" SUPERSET_CONFIG_PATH="$work/superset_config.py"
printf "SECRET_KEY = '%s'\n" "$(printf 'x%.0s' {1..42})" > superset_config.py

# The last line that it ends in, or `fine`.
try() {
    if venv/bin/superset "$@" > said 2>&1; then echo fine; else grep -E '^(ModuleNotFoundError|TypeError)' said | tail -1; fi
}

{
    echo "as installed: $(try routes)"
    venv/bin/pip install --quiet --disable-pip-version-check rich==15.0.0
    echo "with rich: $(try routes)"
    venv/bin/pip install --quiet --disable-pip-version-check flask-caching==2.3.1
    echo "with Flask-Caching 2.3.1: $(try routes)"
    echo "a database: $(venv/bin/python -c 'import superset.db_engine_specs.aws_iam' 2>&1 | tail -1)"
} | tee seen

cat > expected <<'END'
as installed: ModuleNotFoundError: No module named 'rich'
with rich: TypeError: SupersetMetastoreCache.__init__() got an unexpected keyword argument 'ignore_delete_many_errors'
with Flask-Caching 2.3.1: fine
a database: ModuleNotFoundError: No module named 'cachetools'
END
diff expected seen && echo 'As found.'
