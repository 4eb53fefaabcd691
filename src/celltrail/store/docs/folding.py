"""Files of actors whose process has ended, taken over by one that lives: so a run keeps few of them.

The words of a dead actor stay its own, with its times: taking them over twice, by two at once, or being
killed in between changes nothing in what a reader finds.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from celltrail.store.docs import actors, choices, edits
from celltrail.store.docs.actors import actor

# of an actor on another machine nobody here can say whether it lives
_STRANGER_AGE_S = 30 * 86_400.0
# readers that have not asked for so long look at every run anyway
_TOUCHED_MS = 2 * 86_400_000


def fold(folder: Path) -> int:
    """Take the files of dead actors in a run's ``edits/`` over into this process's own; how many there were.

    One dead file alone stays as it is: taking it over would change nothing. Raises OSError.
    """
    from celltrail.store.docs.documents import Documents

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
        return _remove(dead)


def fold_actors(trail: Path) -> int:
    """Take the documents of dead actors in ``actors/`` over into this process's own; how many there were.

    Which runs they touched lately is told again, for readers that have not heard of it. Raises OSError.
    """
    from celltrail.store.docs.documents import Documents

    with edits.clock.lock:
        dead = {path: _bytes(path) for path in (trail / "actors").glob("*.json") if is_dead(path)}
        if len(dead) < 2:
            return 0
        entries: dict[str, dict[str, Any]] = {}
        for table in choices.TABLES:
            said = [choice for path, data in dead.items() for choice in choices.choices_in(path.name, data, table)]
            for name, choice in edits.winners(said).items():
                entries[f"{table} {choice.actor} {name}"] = {**choice.entry(), "actor": choice.actor, "table": table}
        with Documents(actors.document_path(trail)) as documents:
            documents.change("folded", lambda known: known.update(entries))
        recent = (time.time_ns() // 1_000_000 - _TOUCHED_MS) << 16
        times = [actors.touched_in(path.name, data) for path, data in dead.items()]
        runs = {run for each in times for run, at in each.items() if at > recent}
        if runs:
            actors.touch(trail, dict.fromkeys(runs, edits.clock.after(())))
        return _remove(dead)


def is_dead(path: Path) -> bool:
    """Whether the process whose file this is has certainly ended, so that nobody writes it any more."""
    mine, parts = actor().split("-"), path.stem.split("-")
    if len(parts) != len(mine):
        return _age(path) > _STRANGER_AGE_S
    if parts[1] != mine[1]:  # another machine, container or boot
        return _age(path) > _STRANGER_AGE_S
    return path.stem != actor() and not _runs(parts[2])


def _remove(dead: Mapping[Path, bytes]) -> int:
    """Remove the files that are still as they were when they were taken over; how many."""
    gone = [path for path, before in dead.items() if before and _bytes(path) == before]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


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
