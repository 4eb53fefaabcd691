"""The bytes of a blob that is kept in pieces, put together again."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from typing import BinaryIO

from celltrail.store.blobs.chunks import Manifest

Read = Callable[[str], bytes]  # a piece by its digest, verified


def joined(manifest: Manifest, read: Read) -> Iterator[bytes]:
    """All of it in order, a piece at a time."""
    held = _Held(manifest, read)
    for place in manifest.places():
        yield held.at(*place)


def opened(manifest: Manifest, read: Read) -> BinaryIO:
    """All of it as a file to read and seek in, of which one piece at a time is in memory."""
    return io.BufferedReader(_Reader(manifest, read), 1 << 16)


class _Reader(io.RawIOBase):
    """A blob as a seekable stream that holds one piece at a time, and what lies between the pieces."""

    def __init__(self, manifest: Manifest, read: Read) -> None:
        self._manifest, self._held = manifest, _Held(manifest, read)
        self._at = 0
        self._piece, self._start = b"", 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        size = self._manifest.size
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: size}[whence])
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not self._start <= self._at < self._start + len(self._piece):
            self._load()
        offset = self._at - self._start
        part = self._piece[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _load(self) -> None:
        self._piece = b""
        self._start = 0
        for piece, start, end in self._manifest.places():
            if self._at < self._start + end - start:
                self._piece = self._held.at(piece, start, end)
                return
            self._start += end - start


class _Held:
    """Reads pieces; what lies between them is read once."""

    def __init__(self, manifest: Manifest, read: Read) -> None:
        self._manifest, self._read, self._rest = manifest, read, b""

    def at(self, piece: str, start: int, end: int) -> bytes:
        if piece != self._manifest.rest:
            return self._read(piece)
        self._rest = self._rest or self._read(piece)
        return self._rest[start:end]


class Section:
    """The next so many bytes of a file."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left = file, size

    def read(self, most: int) -> bytes:
        """At most so many of them; none at the end."""
        data = self._file.read(min(most, self._left))
        self._left -= len(data)
        return data
