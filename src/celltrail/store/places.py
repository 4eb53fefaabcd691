"""Where the trails of this user are, noted for programs that were told no path: a Jupyter server, above all.

One file for each trail and place, beside its index and like that only for this user's eyes: nobody else can put a
path there that a server would then open.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from celltrail.errors import CelltrailError
from celltrail.store import root
from celltrail.store.files import disk
from celltrail.store.files.network import caches

_NAME = "place"
_noted: set[tuple[str, Path]] = set()


def folders(trail: str, root: Path) -> list[Path]:
    """Where this machine keeps what it knows of the trail in this place, its index above all; best first.

    On local disks only: SQLite's log needs one host.
    """
    where = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:8]
    return [cache / trail / where for cache in caches()] if trail else []


def note(trail: str, folder: Path) -> None:
    """Note that the trail of this id is in this folder; once in a process, and without a word where it cannot be."""
    if (trail, folder) in _noted:
        return
    _noted.add((trail, folder))
    for place in folders(trail, folder):
        with contextlib.suppress(OSError):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if is_own(place):
                disk.replace_whole(place / _NAME, os.fsencode(folder.resolve()), 0o600, is_synced=False)
                return


def noted() -> Iterator[tuple[str, Path]]:
    """The trails that were noted and are still there, by id and folder."""
    for cache in caches():
        for place in cache.glob(f"*/*/{_NAME}"):
            found = _read(place)
            if found is not None:
                yield place.parent.parent.name, found


def _read(place: Path) -> Path | None:
    try:
        if not (is_own(place.parent) and is_own(place)):
            return None
        folder = Path(os.fsdecode(place.read_bytes()))
        return folder if root.trail_id(folder) == place.parent.parent.name else None
    except (OSError, ValueError, CelltrailError):
        return None


def is_own(path: Path) -> bool:
    """Whether a file or folder is this user's, and nobody else may write to it; raises OSError where there is none."""
    about = path.stat()
    if not hasattr(os, "getuid"):
        return True
    return about.st_uid == os.getuid() and not about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
