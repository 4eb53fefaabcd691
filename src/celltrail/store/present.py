"""Which run each process of this machine is in just now, for the processes it makes: no socket, no variable.

A process has a folder of its own on a local disk, only for its user's eyes. ``run`` in it names the run it is in, and
is replaced as that changes: a worker that lives on reads of the next run, or that there is none. In ``begun``, where
a process made it, those it made leave the runs that they begin, for it to show them.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import shutil
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from celltrail.model import RUN_ID
from celltrail.store.files import alive, disk
from celltrail.store.files.alive import Process
from celltrail.store.files.network import caches
from celltrail.store.places import is_own

_RUN, _BEGUN = "run", "begun"
_MOST_ANCESTORS = 8


class Told(NamedTuple):
    """A run, and the trail it is in."""

    root: Path
    run: str


_made: set[Path] = set()  # folders of this process, and of those it was forked from
_told: dict[Path, Told | None] = {}
_around: dict[int, list[Path]] = {}  # by the pid of this process, the folders of those that made it


def tell(told: Told | None) -> None:
    """This process is in this run from now on, or in none; without a word where no local disk takes it."""
    folder = _folder(alive.myself())
    if folder is None or _told.get(folder) == told:
        return
    with contextlib.suppress(OSError):
        if told is None:
            (folder / _RUN).unlink(missing_ok=True)
        else:
            _make(folder)
            _write(folder / _RUN, told)
        _told[folder] = told


class Teller:
    """Another process, and the run that it is in."""

    def __init__(self, process: Process) -> None:
        self._folder = _folder(process)
        self._stamp: tuple[int, int] = 0, 0
        self._last: Told | None = None

    def told(self) -> Told | None:
        """The run it is in now; the file is read again once it is another one."""
        if self._folder is None:
            return None
        path = self._folder / _RUN
        try:
            about = os.stat(path)
            if (about.st_ino, about.st_mtime_ns) != self._stamp:
                self._last = _read(path)
                self._stamp = about.st_ino, about.st_mtime_ns
        except (OSError, ValueError):
            self._stamp, self._last = (0, 0), None
        return self._last


def outer() -> Told | None:
    """The run that the processes which made this one are in: of the nearest that is in one."""
    for folder in _ancestors():
        run = f"{folder}{os.sep}{_RUN}"
        if os.access(run, os.F_OK):  # asked first: of most there is none, and an exception for each would be felt
            with contextlib.suppress(OSError, ValueError):
                return _read(Path(run))
    return None


def listen() -> Path | None:
    """Make the place where runs of the processes that this one makes are left; None where no local disk takes it."""
    folder = _folder(alive.myself())
    with contextlib.suppress(OSError):
        if folder is not None:
            _make(folder)
            (folder / _BEGUN).mkdir(mode=0o700, exist_ok=True)
            return folder / _BEGUN
    return None


def announce(told: Told) -> None:
    """Leave this run with the nearest of the processes that made this one and that listens; not where this one does."""
    own = _folder(alive.myself())
    if own is None or (own / _BEGUN).is_dir():
        return
    for folder in _ancestors():
        with contextlib.suppress(OSError):
            if is_own(folder / _BEGUN):
                _write(folder / _BEGUN / told.run, told)
                return


def left(place: Path) -> list[Told]:
    """The runs that were left in the place that `listen` made, taken away from there; the first begun first.

    What is just being written is not taken away: it would be lost for the one who writes it and for the one who reads.
    """
    found: list[Told] = []
    for path in sorted(place.iterdir()):
        if RUN_ID.fullmatch(path.name):
            with contextlib.suppress(OSError, ValueError):
                found.append(_read(path))
                path.unlink()
    return found


def _ancestors() -> list[Path]:
    """The folders of the process that made this one, that which made it, and so on."""
    here = os.getpid()
    if here not in _around:
        _around[here] = found = list[Path]()
        pid = os.getppid()
        while pid > 1 and len(found) < _MOST_ANCESTORS:
            folder = _folder(alive.process(pid))
            found += [folder] if folder is not None else []
            pid = alive.parent_of(pid)
    return _around[here]


def _folder(process: Process) -> Path | None:
    return _folder_in(_place(os.environ.get("XDG_CACHE_HOME"), os.environ.get("HOME")), process)


@lru_cache(maxsize=64)
def _folder_in(place: Path | None, process: Process) -> Path | None:
    if place is None or not process.start:
        return None
    life = hashlib.sha256(f"{process.start} {process.boot}".encode()).hexdigest()[:12]
    return place / f"{process.pid}-{life}"


@lru_cache(maxsize=4)
def _place(*_: str | None) -> Path | None:
    """Where the folders are, by what the caches depend on."""
    return next((cache / "processes" for cache in caches()), None)


def _make(folder: Path) -> None:
    if folder in _made and folder.is_dir():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not is_own(folder):
        raise PermissionError(f"{folder} is not this user's own")
    if folder not in _made:
        _made.add(folder)
        _sweep(folder.parent)
        atexit.register(_remove, folder, os.getpid())


def _sweep(place: Path) -> None:
    """Remove what processes left that were killed."""
    for folder in place.iterdir():
        pid, _, _ = folder.name.partition("-")
        if pid.isdecimal() and _folder(alive.process(int(pid))) != folder:
            shutil.rmtree(folder, ignore_errors=True)


def _remove(folder: Path, pid: int) -> None:
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)


def _write(path: Path, told: Told) -> None:
    disk.replace_whole(path, os.fsencode(f"{told.run}\n{told.root}"), 0o600, is_synced=False)


def _read(path: Path) -> Told:
    if not is_own(path):
        raise ValueError(f"{path} is not this user's own")
    run, _, root = os.fsdecode(path.read_bytes()).partition("\n")
    return Told(Path(root), run)
