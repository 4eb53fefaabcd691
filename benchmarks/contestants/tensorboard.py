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
