"""Files of actors whose process has ended, taken over by one that lives: so a run keeps few of them.

The words of a dead actor stay its own, with its times: taking them over twice, by two at once, or being
killed in between changes nothing in what a reader finds.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from celltrail.store import edits
from celltrail.store.actors import actor
from celltrail.store.edits import Edit

# of an actor on another machine nobody here can say whether it lives
_STRANGER_AGE_S = 30 * 86_400.0
_AHEAD_MS = 86_400_000


def fold(folder: Path) -> int:
    """Take the files of dead actors in a run's ``edits/`` over into this process's own; how many there were.

    One dead file alone stays as it is: taking it over would change nothing. Raises OSError.
    """
    from celltrail.store.docs import Documents

    with edits.clock.lock:
        dead = {path: _bytes(path) for path in folder.glob("*.json") if is_dead(path)}
        if len(dead) < 2:
            return 0
        said = [edit for path, data in dead.items() for edit in edits.edits_in(path.name, data)]
        entries = {f"{edit.actor} {edit.field}": {**edit.entry(), "actor": edit.actor} for edit in edits.standing(said)}

        def put(known: dict[Any, Any]) -> None:
            for key, entry in entries.items():
                if key not in known or known[key]["at"] < entry["at"]:
                    known[key] = entry

        with Documents(folder / f"{actor()}.json") as documents:
            documents.change("folded", put)
        gone = [path for path, before in dead.items() if before and _bytes(path) == before]
        for path in gone:
            path.unlink(missing_ok=True)
    return len(gone)


def is_dead(path: Path) -> bool:
    """Whether the process whose file this is has certainly ended, so that nobody writes it any more."""
    mine, parts = actor().split("-"), path.stem.split("-")
    if len(parts) != len(mine):
        return _age(path) > _STRANGER_AGE_S
    if parts[1] != mine[1]:  # another machine, container or boot
        return _age(path) > _STRANGER_AGE_S
    return path.stem != actor() and not _runs(parts[2])


def ahead(folder: Path) -> list[Edit]:
    """The edits in a run's ``edits/`` whose time is more than a day from now: a clock was wrong.

    They win against everything said until that day by people who have not seen them.
    """
    limit = (time.time_ns() // 1_000_000 + _AHEAD_MS) << 16
    return [edit for edit in edits.read(folder) if edit.at > limit]


def all_ahead(trail: Path) -> Iterator[tuple[str, Edit]]:
    """The edits of all runs that are `ahead`, each with the id of its run."""
    for folder in sorted(trail.glob("runs/??/*/edits")):
        for edit in ahead(folder):
            yield folder.parent.name, edit


def _runs(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (ValueError, OverflowError, PermissionError):
        return True
    return True


def _age(path: Path) -> float:
    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime
    return 0.0


def _bytes(path: Path) -> bytes:
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return b""
