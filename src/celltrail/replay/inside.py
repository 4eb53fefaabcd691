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

_CHANGES = {"os.remove": 1, "os.rename": 2, "os.rmdir": 1, "os.truncate": 1, "shutil.rmtree": 1, "os.link": 2}
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


def guard(folders: Iterable[str]) -> None:
    """From here on nothing outside these folders is changed that was there before.

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
            for path in args[: _CHANGES[event]]:
                check(path)

    sys.addaudithook(hook)
