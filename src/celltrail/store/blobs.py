"""Bytes kept once, under the name of their BLAKE3 digest."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from celltrail.errors import Damaged, NoRun, StoreError
from celltrail.store import disk, root

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Blobs:
    """The blobs of one trail: ``blobs/<first two>/<digest>``, never changed once written."""

    def __init__(self, trail: Path) -> None:
        self._trail = trail
        self._folder = trail / "blobs"

    def put(self, data: bytes | str) -> str:
        """Keep these bytes (text as UTF-8); the digest to ask for them by."""
        from blake3 import blake3

        if isinstance(data, str):
            data = data.encode("utf-8", "backslashreplace")
        digest = blake3(data).hexdigest()
        path = self._path(digest)
        try:
            self._keep(path, data)
        except StoreError:
            raise
        except OSError as error:
            raise StoreError(root.unwritable(self._trail, error)) from error
        return digest

    def _keep(self, path: Path, data: bytes) -> None:
        try:
            if path.stat().st_size == len(data):
                with contextlib.suppress(OSError):
                    os.utime(path)  # young again: a clean-up running now spares it
                return
        except FileNotFoundError:
            root.establish(self._trail)
            disk.make_folder(path.parent, self._trail)
        disk.replace_whole(path, data, mode=0o444)

    def get(self, digest: str) -> bytes:
        """The bytes of this digest, verified; `Damaged` when they are not the ones that were put."""
        from blake3 import blake3

        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError:
            raise NoRun(f"no blob {digest[:12]!r} in {self._trail.name}") from None
        if blake3(data).hexdigest() != digest:
            raise Damaged(f"blob {digest[:12]} does not hold what was put into it; restore blobs/ from a copy")
        return data

    def text(self, digest: str) -> str:
        """The bytes of this digest as text."""
        return self.get(digest).decode("utf-8", "replace")

    def __contains__(self, digest: str) -> bool:
        return bool(_DIGEST.fullmatch(digest)) and self._path(digest).exists()

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise NoRun(f"no blob {digest[:12]!r}: a digest is 64 characters of 0-9 and a-f")
        return self._folder / digest[:2] / digest
