"""The yardstick: one JSON line written and flushed per call, the way people log without a tracker."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from contestants import Finish, Log, Points


def load() -> None:
    pass


def begin(folder: Path, name: str = "bench", params: dict[str, Any] | None = None) -> tuple[Log, Finish]:
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / f"{name}-{os.getpid()}.jsonl").open("a")
    file.write(json.dumps({"params": params or {}, "status": "running"}) + "\n")

    def log(values: dict[str, float], step: int) -> None:
        file.write(json.dumps({"step": step, "t": time.time(), **values}) + "\n")
        file.flush()

    def finish() -> None:
        file.write(json.dumps({"status": "finished"}) + "\n")
        file.close()

    return log, finish


def points(folder: Path) -> list[Points]:
    return [_series(path) for path in sorted(folder.glob("*.jsonl"))]


def _series(path: Path) -> Points:
    found: Points = {}
    for line in path.read_text().splitlines():
        row = json.loads(line)
        if "step" in row:
            for name in row.keys() - {"step", "t"}:
                found.setdefault(name, []).append((row["step"], row[name]))
    return found


def frame(folder: Path) -> Any:
    import pandas as pd

    (path,) = folder.glob("*.jsonl")
    rows = (json.loads(line) for line in path.open())
    return pd.DataFrame([row for row in rows if "step" in row])


def thin(folder: Path, metric: str, points: int) -> tuple[Any, Any]:
    """The lowest and the highest of each stretch, as one writes it by hand."""
    import numpy as np

    (path,) = folder.glob("*.jsonl")
    pairs = [(row["step"], row[metric]) for row in map(json.loads, path.open()) if metric in row]
    steps, values = np.array([step for step, _ in pairs]), np.array([value for _, value in pairs])
    width = max(1, len(values) // (points // 2))
    parts = values[: len(values) // width * width].reshape(-1, width)
    starts = np.arange(len(parts)) * width
    chosen = np.unique(np.concatenate([starts + parts.argmin(1), starts + parts.argmax(1)]))
    return steps[chosen], values[chosen]


def fill(folder: Path, runs: list[Any]) -> None:
    for run in runs:
        log, finish = begin(folder, run.name, run.params)
        for step, values in run.rows():
            log(values, step)
        finish()


def one_metric(folder: Path, metric: str) -> int:
    return sum(len(_series(path).get(metric, [])) for path in folder.glob("*.jsonl"))
