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
