"""TensorBoard: event files, written by a thread; one folder per run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from contestants import Finish, Log, Points


def load() -> None:
    import tensorboardX  # noqa: F401


def begin(folder: Path, name: str = "bench", params: dict[str, Any] | None = None) -> tuple[Log, Finish]:
    from tensorboardX import SummaryWriter

    writer = SummaryWriter(str(folder / f"{name}-{os.getpid()}"))
    if params:
        writer.add_hparams(params, {})

    def log(values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            writer.add_scalar(name, value, step)

    return log, writer.close


def points(folder: Path) -> list[Points]:
    found = []
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        events = _read(place)
        found.append({tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]})
    return found


def _read(place: Path, most: int = 0) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(place), size_guidance={"scalars": most})
    events.Reload()
    return events


def frame(folder: Path) -> Any:
    import pandas as pd

    (place,) = (path for path in folder.iterdir() if path.is_dir())
    events = _read(place)
    columns = {}
    for tag in events.Tags()["scalars"]:
        points = events.Scalars(tag)
        columns[tag] = pd.Series([point.value for point in points], [point.step for point in points])
    return pd.DataFrame(columns)


def thin(folder: Path, metric: str, points: int) -> tuple[Any, Any]:
    """It keeps a random sample of so many while it loads: extremes may be missing."""
    (place,) = (path for path in folder.iterdir() if path.is_dir())
    sample = _read(place, points).Scalars(metric)
    return [point.step for point in sample], [point.value for point in sample]


def fill(folder: Path, runs: list[Any]) -> None:
    from tensorboardX import SummaryWriter

    for run in runs:
        writer = SummaryWriter(str(folder / run.name))
        for name, value in run.params.items():  # add_hparams would make a second folder for each run
            writer.add_text(name, str(value))
        for step, values in run.rows():
            for name, value in values.items():
                writer.add_scalar(name, value, step)
        writer.close()


def top(folder: Path) -> list[str]:
    """It has no query: what a loop over the folders does."""
    found = []
    for place in folder.iterdir():
        events = _read(place)
        params = {tag: _text(events, tag) for tag in events.Tags()["tensors"]}
        if float(params["lr/text_summary"]) < 0.01 and params["kind/text_summary"] == "mlp":
            best = {tag: [point.value for point in events.Scalars(tag)] for tag in ("val/loss", "val/acc")}
            if min(best["val/loss"]) < 0.5:
                found.append((max(best["val/acc"]), place.name))
    return [name for _, name in sorted(found, reverse=True)[:50]]


def _text(events: Any, tag: str) -> str:
    return events.Tensors(tag)[0].tensor_proto.string_val[0].decode()


def one_metric(folder: Path, metric: str) -> int:
    return sum(len(_read(place).Scalars(metric)) for place in folder.iterdir())
