"""Blobs that came by one process, which may take them away again while nobody else counts on them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from celltrail.store.blobs import Blobs
from celltrail.store.files import disk


class FreshBlobs(Blobs):
    """Blobs that know which files they made.

    Whoever puts bytes that are there already makes their file younger instead of writing it. So a file that is as old
    as it was made is counted on by nobody else.
    """

    def __init__(self, trail: Path) -> None:
        super().__init__(trail)
        self.trail = trail
        self._made: dict[Path, int] = {}  # when, in ns of the file system

    def take_away(self, digests: Iterable[str], needed: Iterable[str]) -> int:
        """Delete what these consist of and those that are ``needed`` do not, as far as this made it; the bytes."""
        kept = {name for digest in needed for name in self.made_of(digest)}
        gone = {name: size for digest in digests for name, size in self.made_of(digest).items() if name not in kept}
        return sum(size for name, size in gone.items() if self._delete(self._folder / name[:2] / name))

    def _delete(self, path: Path) -> bool:
        made = self._made.pop(path, None)
        if made is None:
            return False
        aside = disk.temp_name(path)  # first out of sight, then looked at: nobody begins to count on it in between
        try:
            os.rename(path, aside)
            if aside.stat().st_mtime_ns == made:
                aside.unlink()
                return True
            os.rename(aside, path)
        except OSError:
            pass
        return False

    def _is_kept(self, path: Path | str, size: int | None = None) -> bool:
        path = Path(path)
        before = _age(path)
        is_kept = super()._is_kept(path, size)
        if is_kept and self._made.get(path) == before:
            self._made[path] = _age(path)
        elif is_kept:
            self._made.pop(path, None)
        return is_kept

    def _has_made(self, path: Path) -> None:
        self._made[path] = _age(path)


def _age(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return -1
