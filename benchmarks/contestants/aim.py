"""Aim: RocksDB, written by the process that logs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from contestants import Finish, Log, Points


def load() -> None:
    from aim import Run  # noqa: F401


def begin(folder: Path, name: str = "bench", params: dict[str, Any] | None = None) -> tuple[Log, Finish]:
    from aim import Run

    folder.mkdir(parents=True, exist_ok=True)
    run = Run(repo=str(folder), experiment="bench", system_tracking_interval=None, capture_terminal_logs=False)
    run.name = name
    if params:
        run["hparams"] = params
    return lambda values, step: run.track(values, step=step), run.close


def points(folder: Path) -> list[Points]:
    return [_series(run) for run in _indexed(folder).iter_runs()]


def _indexed(folder: Path) -> Any:
    """The repository after ``aim storage reindex``: until then (or until ``aim up`` ran) it finds no run."""
    from aim import Repo

    Repo(str(folder))._recreate_index()
    return Repo(str(folder))


def _series(run: Any) -> Points:
    found: Points = {}
    for metric in run.metrics():
        steps, columns = metric.data.items_list()
        found[metric.name] = list(zip(steps, columns[0], strict=True))
    return found
