"""What a training job is told of the exported days of a range: its objects in three parts by time, their columns, and what they are. lake/reports/feature-manifests.ts is the same."""
import json

# Shares of the days, in order: what comes later is never trained on.
_TRAIN, _VALIDATION = 0.7, 0.15

CONTENT_TYPE = 'application/x-parquet'


def split_days(days: list[str]) -> dict[str, list[str]]:
    """The days, ascending, in three parts by time. Of fewer than three days all are trained on."""
    if len(days) < 3:
        return {'train': days, 'validation': [], 'test': []}
    validation = max(1, int(len(days) * _VALIDATION))
    train = min(max(1, int(len(days) * _TRAIN)), len(days) - 2 * validation)
    return {'train': days[:train], 'validation': days[train : train + validation], 'test': days[train + validation :]}


def manifest_files(
    *, view: str, prefix: str, address: str, columns: list[dict[str, str]], rows: dict[str, int], first_day: str, last_day: str
) -> dict[str, str]:
    """The manifests of a range by their keys. `address` is what stands before `prefix` in the manifests, `rows` the rows of each day that has some."""
    folder = f'{prefix}_manifests/{first_day}_{last_day}/'
    parts = split_days(sorted(rows))
    files = {
        f'{folder}{part}.manifest': json.dumps([{'prefix': f'{address}{prefix}'}, *(f'day={day}/part-00.parquet' for day in days)], indent=4)
        for part, days in parts.items()
    }
    told = {
        'table': view,
        'content_type': CONTENT_TYPE,
        'from': first_day,
        'to': last_day,
        'columns': columns,
        'split': {'by': 'time', **{part: {'days': days, 'rows': sum(rows[day] for day in days)} for part, days in parts.items()}},
    }
    return {**files, f'{folder}schema.json': json.dumps(told, indent=4)}
