"""Whether somebody still writes: what maintenance asks before it touches a file."""

from __future__ import annotations

from pathlib import Path

from celltrail.store.files import alive, disk
from celltrail.store.files.alive import Process
from celltrail.store.log import reader


def is_written(log: Path) -> bool:
    """Whether a process may still append to this log: it has no end, and its writer lives or may live."""
    try:
        is_young = log.stat().st_mtime > disk.now_at(log.parent) - alive.SILENT_S
        head = reader.read_head(log)
        lives = alive.is_alive(Process(head["pid"], head["start"], head["boot"], head["host"])) if head else None
        # a kernel lives on after its runs have ended
        return (is_young if lives is None else lives) and reader.read(log).end is None
    except (FileNotFoundError, KeyError):
        return False


def is_run_written(folder: Path) -> bool:
    """Whether any log of a run may still grow."""
    return any(is_written(log) for log in sorted((folder / "m").glob("*.ctl")))
