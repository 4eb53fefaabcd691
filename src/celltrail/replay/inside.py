"""What a replay runs in its fresh kernel, without leaving a name there."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, MutableMapping
from pathlib import Path
from typing import Any

from celltrail.capture import rng
from celltrail.capture.files.places import is_within
from celltrail.store.files.network import caches

# audit event -> which of its arguments are paths that it changes
_CHANGES: dict[str, tuple[int, ...]] = {
    "os.chmod": (0,),
    "os.chown": (0,),
    "os.link": (1,),
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.setxattr": (0,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.utime": (0,),
    "shutil.rmtree": (0,),
}
_SQLITE = "sqlite3.connect"
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_TRUNC | os.O_APPEND | os.O_CREAT


class WouldWrite(PermissionError):
    """A cell was about to change a file of the user's."""


def restore(places: Iterable[str], namespace: MutableMapping[str, Any]) -> None:
    """Set the generators to the states in these files.

    Args:
        places: one file for each generator, as a trail keeps it.
        namespace: where generators that are variables are.
    """
    rng.restore(dict(rng.unpack(Path(place).read_bytes()) for place in places), namespace)


def _only_reads(database: Any) -> bool:
    """Whether SQLite keeps nothing on disk for this database: one in memory, or opened to be read.

    >>> _only_reads(":memory:"), _only_reads("file:a.db?mode=ro"), _only_reads("a.db")
    (True, True, False)
    """
    name = os.fsdecode(database) if isinstance(database, str | bytes | os.PathLike) else ""
    return name in ("", ":memory:") or (name.startswith("file:") and ("mode=ro" in name or "mode=memory" in name))


def guard(folders: Iterable[str]) -> None:
    """From here on nothing outside these folders is changed that was there before.

    Seen is what Python itself does, in this process and in those forked from it; what other programs and libraries
    in C write is not, which `foreseen.unguarded` names.
    What is new in the system's folder for temporary files, and what libraries keep in their caches, is let through.
    For a kernel that only a replay uses: an audit hook stays for good.

    Args:
        folders: where the cells may write.
    """
    real = os.path.realpath
    own = [real(folder) for folder in folders]
    home = [os.path.expanduser(place) for place in ("~/.cache", "~/.ipython", "~/.config", "~/.local/share/jupyter")]
    kept = [*map(real, home), *(real(place) for place in caches()), "/dev", "/proc", real(sys.prefix)]
    new, temporary = set[str](), real(tempfile.gettempdir())

    def check(path: Any) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a descriptor: whoever opened it was checked
        place = real(os.fsdecode(path))
        if any(is_within(place, folder) for folder in (*own, *kept)) or place in new:
            return
        if is_within(place, temporary) and not os.path.exists(place):
            new.add(place)
            return
        raise WouldWrite(f"it writes {os.path.basename(place)}, outside the project: a replay changes nothing there")

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = args
            if (isinstance(mode, str) and set(mode) & set("wax+")) or (not mode and (flags or 0) & _WRITES):
                check(path)
        elif event in _CHANGES:
            for place in _CHANGES[event]:
                check(args[place])
        elif event == _SQLITE and not _only_reads(args[0]):
            check(args[0])

    sys.addaudithook(hook)
