"""A claim on work that one process at a time should do; no lock: who dies or sleeps loses it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from pathlib import Path

from celltrail.errors import Damaged
from celltrail.model import Json
from celltrail.store.files import alive, disk
from celltrail.store.files.alive import Process
from celltrail.store.files.encoding import decode, encode

EXPIRES_S = 600.0


class Claim:
    """A file that exists while somebody works.

    It is made exclusively, on any file system, and names its process: one that is known to be dead, or that
    did not `renew` it for ten minutes, has lost it. Two can, in a rare moment, both think it theirs: what is
    done under a claim must bear that.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mine = b""

    def take(self) -> bool:
        """Whether it is ours now."""
        mine = encode(dataclasses.asdict(alive.myself()))
        for _ in range(2):
            if disk.create_whole(self._path, mine):
                self._mine = mine
                return True
            if not self._is_lost():
                return False
            self._set_aside()
        return False

    def renew(self) -> None:
        """Say that we are still at it."""
        with contextlib.suppress(OSError):
            os.utime(self._path)

    def drop(self) -> None:
        """Let others have it."""
        with contextlib.suppress(OSError):
            if self._mine and self._path.read_bytes() == self._mine:
                self._path.unlink()

    def _is_lost(self) -> bool:
        try:
            if disk.now_at(self._path.parent) - self._path.stat().st_mtime > EXPIRES_S:
                return True
            fields: dict[str, Json] = decode(self._path.read_bytes(), self._path.name)
            return alive.is_alive(Process(**fields)) is False
        except FileNotFoundError:
            return True
        except (Damaged, TypeError):
            return False  # being written just now, or of a later format: it expires

    def _set_aside(self) -> None:
        temp = disk.temp_name(self._path)
        with contextlib.suppress(OSError):
            os.replace(self._path, temp)  # of several who do this at once, one has the file
            temp.unlink()
