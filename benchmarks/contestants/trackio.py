"""Trackio: a local database, written by a thread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from contestants import Finish, Log, Points

PROJECT = "bench"


def load() -> None:
    import trackio  # noqa: F401


def begin(folder: Path, name: str = "bench", params: dict[str, Any] | None = None) -> tuple[Log, Finish]:
    import trackio

    run = trackio.init(project=PROJECT, name=name, config=params, embed=False)
    return lambda values, step: run.log(values, step=step), trackio.finish


def points(folder: Path) -> list[Points]:
    return [_series(_rows(run)) for run in _runs()]


def _runs() -> list[Any]:
    import trackio

    return list(trackio.Api().runs(PROJECT))


def _rows(run: Any, most: int | None = None) -> list[dict[str, Any]]:
    from trackio.sqlite_storage import SQLiteStorage

    return SQLiteStorage.get_logs(PROJECT, run.name, max_points=most, run_id=run.id)


def _series(rows: list[dict[str, Any]]) -> Points:
    found: Points = {}
    for row in rows:
        for name in row.keys() - {"step", "timestamp"}:
            found.setdefault(name, []).append((row["step"], row[name]))
    return found


def frame(folder: Path) -> Any:
    import pandas as pd

    (run,) = _runs()
    return pd.DataFrame(_rows(run))


def thin(folder: Path, metric: str, points: int) -> tuple[Any, Any]:
    (run,) = _runs()
    pairs = [(row["step"], row[metric]) for row in _rows(run, points) if metric in row]
    return [step for step, _ in pairs], [value for _, value in pairs]


def fill(folder: Path, runs: list[Any]) -> None:
    for run in runs:
        log, finish = begin(folder, run.name, run.params)
        for step, values in run.rows():
            log(values, step)
        finish()


def top(folder: Path) -> list[str]:
    """Its runs have no query of their own; the SQL it offers over a project does it in one go."""
    from trackio.sqlite_storage import SQLiteStorage

    sql = """
        select m.run_name as name from (
            select run_name, min(json_extract(metrics, '$."val/loss"')) as loss,
                   max(json_extract(metrics, '$."val/acc"')) as acc
            from metrics group by run_name
        ) m join configs c on c.run_name = m.run_name
        where m.loss < 0.5 and json_extract(c.config, '$.lr') < 0.01 and json_extract(c.config, '$.kind') = 'mlp'
        order by m.acc desc limit 50"""
    return [row["name"] for row in SQLiteStorage.query_project(PROJECT, sql)["rows"]]


def one_metric(folder: Path, metric: str) -> int:
    return sum(sum(metric in row for row in _rows(run)) for run in _runs())
