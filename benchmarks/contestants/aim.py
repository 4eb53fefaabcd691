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


def frame(folder: Path) -> Any:
    import pandas as pd

    (run,) = _indexed(folder).iter_runs()
    return pd.concat([metric.dataframe(include_name=True) for metric in run.metrics()])


def thin(folder: Path, metric: str, points: int) -> tuple[Any, Any]:
    """It takes a random sample of so many: extremes may be missing."""
    (run,) = _indexed(folder).iter_runs()
    (found,) = (one for one in run.metrics() if one.name == metric)
    steps, columns = found.data.sample(points).items_list()
    return steps, columns[0]


def fill(folder: Path, runs: list[Any]) -> None:
    for run in runs:
        log, finish = begin(folder, run.name, run.params)
        for step, values in run.rows():
            log(values, step)
        finish()
    _indexed(folder)


def top(folder: Path) -> list[str]:
    from aim import Repo
    from aim.storage.context import Context

    asked = Repo(str(folder)).query_runs("run.hparams.lr < 0.01 and run.hparams.kind == 'mlp'", report_mode=0)
    found = []
    for each in asked.iter_runs():
        run = each.run
        best = {name: run.get_metric(name, Context({})).values.values_list() for name in ("val/loss", "val/acc")}
        if min(best["val/loss"]) < 0.5:
            found.append((max(best["val/acc"]), run.name))
    return [name for _, name in sorted(found, reverse=True)[:50]]


def one_metric(folder: Path, metric: str) -> int:
    from aim import Repo

    asked = Repo(str(folder)).query_metrics(f"metric.name == {metric!r}", report_mode=0)
    return sum(len(found.data.items_list()[0]) for run in asked.iter_runs() for found in run)
