"""Where the runs of a trail are: ``runs/<xx>/<run>``, xx being the last two characters of the run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def run_folder(trail: Path, run_id: str) -> Path:
    """Where a run lives: by the last characters of its id, for the first ones are its time."""
    return trail.joinpath("runs", run_id[-2:], run_id)


def run_ids(trail: Path) -> list[str]:
    """The ids of all runs that have a folder."""
    runs = f"{trail}/runs"
    return [run_id for group in groups(runs) for run_id in ids_in(runs, group)]


def size_of(folder: Path | str) -> int:
    """How many bytes the files in a folder and below have; 0 for one that is gone."""
    size = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            size += size_of(entry.path) if entry.is_dir() else entry.stat().st_size
    return size


def groups(runs: str) -> dict[str, int]:
    """The folders in ``runs/``, by their names, and when each gained or lost a run last, in ns."""
    found: dict[str, int] = {}
    with contextlib.suppress(FileNotFoundError), os.scandir(runs) as entries:
        for entry in entries:
            if len(entry.name) == 2 and entry.name.isascii():
                found[entry.name] = entry.stat().st_mtime_ns
    return found


def ids_in(runs: str, group: str) -> Iterator[str]:
    """The ids of the runs in one of them."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(f"{runs}/{group}") as entries:
        for entry in entries:
            name = entry.name
            if name.endswith(group) and len(name) > 2 and name.isascii():
                yield name
