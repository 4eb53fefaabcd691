"""Where a run goes on when its trail disappears under it, and how what it wrote there comes back.

``<local cache>/celltrail/fallback/<trail id>/`` is an ordinary trail with the id of the one that is gone, so
that bringing it back is a `merge`. Beside it ``home.<digest>.json`` says where the lost one was: a trail that
is made anew in its place has another id.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from celltrail.errors import Damaged, NoRun, StoreError
from celltrail.model import now_us
from celltrail.store import root
from celltrail.store.files import disk
from celltrail.store.files.encoding import decode, encode
from celltrail.store.files.network import caches
from celltrail.store.folders import run_folder
from celltrail.store.log import Log, copied, writer_of

if TYPE_CHECKING:
    from celltrail.store.upkeep.merge import MergeReport

FOLDER = "fallback"
RESTING = "imported"
REST_DAYS = 30
# the trail cannot be written, and waiting alone does not help
_GONE = {
    errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENODEV,
    errno.ENXIO, errno.ENOTCONN,
}  # fmt: skip

Parts = list[tuple[str, int, int]]  # as `Log.holding` gives them


def is_gone(failure: OSError | None) -> bool:
    """Whether this failure says that a trail is not there any more, or not writable."""
    return failure is not None and failure.errno in _GONE


def prepare(home: Path, trail: str, run: str) -> Path:
    """The folder of this run in a fallback trail for the trail that was at ``home``, made if need be.

    Raises OSError when no disk of this machine takes one.
    """
    failure: OSError = FileNotFoundError("no folder on a local disk")
    for place in caches():
        fallback = place / FOLDER / trail
        try:
            disk.make_folder(fallback, fallback)
            _check_ours(place)
            root.write(fallback, trail, now_us())
            _note(fallback, home)
            folder = run_folder(fallback, run)
            disk.make_folder(folder / "m", fallback)
            return folder
        except OSError as error:
            failure = error
    raise failure


def copy(parts: Parts, folder: Path) -> bool:
    """Bring parts of a log into another folder of a run; whether all of it could be read."""
    is_whole = True
    for name, fd, size in parts:
        try:
            os.pread(fd, 1, 0)
        except OSError:
            is_whole = False
            continue
        copied(fd, size, folder / "m" / name)
    return is_whole


def carry_over(log: Log, parts: Parts, folder: Path) -> bool:
    """Have a log go on in another folder, with what it got since it held ``parts``; whether that could be read."""
    close(parts)
    parts += log.holding()
    is_whole = copy(parts, folder)
    log.go_on_in(folder / "m")
    return is_whole


def close(parts: Parts) -> None:
    """Let go of what `Log.holding` gave."""
    for _, fd, _ in parts:
        os.close(fd)
    parts.clear()


def bring_back(target: Path) -> list[MergeReport]:
    """Merge every fallback trail of the trail in ``target`` into it; one that nobody writes any more is put to rest.

    Raises:
        NoRun: there is none.
    """
    from celltrail.store.upkeep.merge import merge

    found = list(_fallbacks(target))
    if not found:
        raise NoRun(
            f"nothing was recorded outside of {target.name}: there is no fallback trail of it on this machine; "
            "--store names another trail"
        )
    reports: list[MergeReport] = []
    for fallback in found:
        _revive(target, root.trail_id(fallback))
        busy = _is_busy(fallback)  # before it is read: what is written meanwhile must stay
        report = merge(fallback, target)
        if busy:
            report.notes.append("a run still goes on there: import again when it has ended")
        else:
            _put_to_rest(fallback)
        reports.append(report)
    return reports


def _revive(target: Path, trail: str) -> None:
    """A trail that is gone comes back under its own id."""
    with root.told(target):
        if not root.trail_id(target):
            disk.make_folder(target, target)
            root.write(target, trail, now_us())


def _fallbacks(target: Path) -> Iterator[Path]:
    known = root.trail_id(target)
    for place in caches():
        try:
            _check_ours(place)
            entries = sorted(os.scandir(place / FOLDER), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            fallback = Path(entry.path)
            if entry.name == RESTING or not entry.is_dir(follow_symlinks=False):
                continue
            with contextlib.suppress(StoreError, Damaged, OSError):  # of a newer celltrail, or not a trail at all
                if (trail := root.trail_id(fallback)) and (trail == known or str(target) in _homes(fallback)):
                    yield fallback


def _homes(fallback: Path) -> Iterator[str]:
    for path in fallback.glob("home.*.json"):
        with contextlib.suppress(Damaged, OSError, KeyError, TypeError):
            yield decode(path.read_bytes(), path.name)["home"]


def _note(fallback: Path, home: Path) -> None:
    from blake3 import blake3

    body = encode({"home": str(home)})
    disk.create_whole(fallback / f"home.{blake3(body).hexdigest()[:12]}.json", body)


def _is_busy(fallback: Path) -> bool:
    from celltrail.store.files.written import is_written  # reads logs, which who only writes does not

    last = {(log.parent, writer_of(log.name)): log for log in sorted(fallback.glob("runs/*/*/m/*.ctl"))}
    return any(is_written(log) for log in last.values())  # only the last part of a log ever has an end


def _put_to_rest(fallback: Path) -> None:
    import shutil

    resting = fallback.parent / RESTING
    with contextlib.suppress(OSError):
        resting.mkdir(mode=0o700, exist_ok=True)
        for old in resting.iterdir():
            if time.time() - old.lstat().st_mtime > REST_DAYS * 86400:
                shutil.rmtree(old, ignore_errors=True)
        os.utime(fallback)
        os.rename(fallback, resting / f"{fallback.name}.{now_us()}")


def _check_ours(place: Path) -> None:
    # in a folder for everybody, somebody else may have made one of this name
    about = place.stat()
    if hasattr(os, "getuid") and (about.st_uid != os.getuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        raise PermissionError(f"{place.name} is not this user's alone")
