"""celltrail through its own door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from contestants import Finish, Log, Points


def load() -> None:
    import celltrail as ct

    _ = ct.start  # the door is lazy: an import that loads nothing would be no import


def begin(folder: Path, name: str = "bench", params: dict[str, Any] | None = None) -> tuple[Log, Finish]:
    import celltrail as ct

    run = ct.start(name, params, store=_store(folder))
    return run.log, run.finish


def points(folder: Path) -> list[Points]:
    import celltrail as ct

    store = _store(folder)
    found = []
    for run in ct.runs(store=store):
        series = {name: run.series(name) for name in store.series(run.id)}
        found.append({name: list(zip(*map(list, pair), strict=True)) for name, pair in series.items()})
    return [{name: [(int(s), float(v)) for s, v in pairs] for name, pairs in run.items()} for run in found]


def _store(folder: Path) -> Any:
    import celltrail as ct

    return ct.Store(folder / ".celltrail")
