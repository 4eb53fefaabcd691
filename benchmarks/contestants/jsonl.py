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
