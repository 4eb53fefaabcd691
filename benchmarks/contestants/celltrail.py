"""celltrail through its own door."""

from __future__ import annotations

from collections.abc import Iterable
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


def seal(folder: Path) -> None:
    """Every run into Parquet and its logs removed, as if the hour that celltrail waits were over."""
    import os
    import time

    import celltrail as ct
    from celltrail.store.seal.sealing import release

    def age(paths: Iterable[Path]) -> None:
        for path in paths:
            os.utime(path, (time.time() - 7200,) * 2)

    store = ct.Store(folder if (folder / "runs").exists() else folder / ".celltrail")
    for run in ct.runs(store=store):
        (place,) = store.root.glob(f"runs/*/{run.id}")
        age(place.rglob("*"))
        assert store.seal(run.id), run.id
        age(place.glob("sealed*.json"))
        for log in release(place, store._files(run.id)) or []:
            log.unlink()


def pack(folder: Path) -> None:
    """What celltrail does by itself once nothing runs: the sealed runs of a trail packed together."""
    import celltrail as ct
    from celltrail.store.seal.compaction import compact

    store = ct.Store(folder)
    compact(store.root, store.blobs, store.audit)


def _store(folder: Path) -> Any:
    import celltrail as ct

    return ct.Store(folder / ".celltrail")


def frame(folder: Path) -> Any:
    return _newest(folder).history()


def arrays(folder: Path, names: list[str]) -> int:
    """These metrics of the run as NumPy arrays; the points."""
    run = _newest(folder)
    return sum(len(run.series(name)[1]) for name in names)


def thin(folder: Path, metric: str, points: int) -> tuple[Any, Any]:
    return _newest(folder).series(metric, points=points)


def _newest(folder: Path) -> Any:
    import celltrail as ct

    return ct.runs(store=_store(folder))[0]


QUESTION = "status == 'finished' and params.lr < 0.01 and best('val/loss') < 0.5 and 'mlp' in tags"


def top(folder: Path) -> list[str]:
    """As in a cell of its own: nothing is kept in hand from one question to the next."""
    import celltrail as ct

    return [run.name for run in ct.runs(QUESTION, store=folder).sort("-best('val/acc')")[:50]]


def other(folder: Path) -> list[str]:
    """A question about fields that nobody has asked for yet."""
    import celltrail as ct

    return [run.name for run in ct.runs("params.dropout < 0.3", store=folder).sort("-best('train/acc')")[:50]]


def change(folder: Path) -> None:
    """A tag more on one run, as a person would add it in the table."""
    import celltrail as ct

    run = ct.runs(store=folder)[0]
    run.store.edit(run.id, "tag:seen", "seen" not in run.tags)


def one_metric(folder: Path, metric: str) -> int:
    import celltrail as ct

    return len(ct.runs(store=folder).metric(metric))


def fill_trail(folder: Path, runs: int, points: int) -> None:
    """Many finished runs in the real formats, without the time it takes to have them."""
    from trails import make_trail

    make_trail(folder, runs, points)
