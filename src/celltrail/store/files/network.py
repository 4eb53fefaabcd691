"""Whether a folder is on this machine's disk or on a network, where files behave otherwise."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")

_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "beegfs", "ceph", "9p", "afs"}


def is_network(path: Path) -> bool:
    """Whether a path lies on a file system that other hosts may write too."""
    try:
        return _is_network(_mounts(), str(path.resolve()))
    except OSError:
        return False


def _mounts() -> str:
    return Path("/proc/self/mountinfo").read_text()


@lru_cache(maxsize=64)  # each question asks for the same few places
def _is_network(mounts: str, target: str) -> bool:
    longest, kind = "", ""
    for line in mounts.splitlines():
        mount, _, rest = line.partition(" - ")
        point = mount.split()[4].replace("\\040", " ")
        if len(point) >= len(longest) and (target == point or target.startswith(point.rstrip("/") + "/")):
            longest, kind = point, rest.split()[0]
    return kind in _NETWORK or kind.startswith("fuse")


def caches() -> list[Path]:
    """Where this user may keep files of celltrail on a local disk, best first."""
    cache = os.environ.get("XDG_CACHE_HOME")
    places: list[Path] = []
    with contextlib.suppress(RuntimeError):  # no home
        places.append((Path(cache) if cache else Path.home() / ".cache") / "celltrail")
    user = os.getuid() if hasattr(os, "getuid") else 0
    places += [Path(folder) / f"celltrail-{user}" for folder in (_temporary(), "/var/tmp")]
    try:
        mounts = _mounts()
        return [place for place in dict.fromkeys(places) if not _is_network(mounts, str(place.resolve()))]
    except OSError:
        return list(dict.fromkeys(places))


def _temporary() -> str:
    """`tempfile.gettempdir()`, without its module and the dozen that come with it: a run that begins needs no other."""
    if "tempfile" not in sys.modules and os.name == "posix":
        for folder in (*map(os.environ.get, ("TMPDIR", "TEMP", "TMP")), "/tmp"):
            if folder and os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK):
                return os.path.abspath(folder)
    import tempfile

    return tempfile.gettempdir()


def retried(read: Callable[_P, _T]) -> Callable[_P, _T]:
    """Make a function that opens files by name try once more where NFS says that the handle is stale.

    That is what a client says of a file which another host has just replaced; opened anew, it is the new one.
    """

    @wraps(read)
    def again(*args: _P.args, **named: _P.kwargs) -> _T:
        try:
            return read(*args, **named)
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
        return read(*args, **named)

    return again
