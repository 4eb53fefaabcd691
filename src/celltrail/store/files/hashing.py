"""What a file held, as a digest: from memory where it has not changed, sampled where it is huge."""

from __future__ import annotations

import os
import stat
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from celltrail.model import Json

How = Literal["full", "sampled", "off", "secret", "gone", "unreadable", "pending", "failed"]
Asked = Literal["sample", "full", "off"]

WHOLE_BYTES = 1 << 30  # larger files are sampled
_BLOCKS, _BLOCK = 16, 1 << 20
_REMEMBERED = 20_000
# a file system's clock may stand still for this long: what changed so recently may change again unseen
_STANDS_NS = 20_000_000
_Key = tuple[int, int, int, int, bool]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells cheaply whether a file is still the same: size, time of change and inode."""

    size: int
    mtime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, path: str | int) -> Stamp | None:
        """The stamp of a regular file; None for anything else, a pipe and a device among it."""
        try:
            found = os.stat(path)
        except (OSError, ValueError):  # ValueError: a text with a zero byte in it
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        return cls(found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev)

    def is_settled(self, at_ns: int) -> bool:
        """Whether a file that is changed from this moment on will have another stamp."""
        return at_ns - self.mtime_ns > _STANDS_NS


@dataclass(frozen=True, slots=True)
class Print:
    """A digest and how it came about."""

    digest: str
    how: How
    stamp: Stamp | None = None

    def told(self) -> dict[str, Json]:
        """The part of a file's record that says what it held."""
        size, mtime = (self.stamp.size, self.stamp.mtime_ns) if self.stamp else (None, None)
        return {"size": size, "mtime_ns": mtime, "hash": self.digest, "how": self.how}


_known: OrderedDict[_Key, str] = OrderedDict()


def hashed(path: str, asked: Asked = "sample", whole_bytes: int = WHOLE_BYTES) -> Print:
    """The digest of a file by BLAKE3; of more than 1 GB, of its size and 16 blocks of 1 MB over its whole length.

    Args:
        path: the file.
        asked: "full" reads also a huge one whole, "off" reads nothing.
        whole_bytes: larger ones are sampled.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     hashed(file.name).how, hashed(file.name, "off").digest
    ('full', '')
    """
    stamp = Stamp.of(path)
    if stamp is None:
        return Print("", "gone")
    if asked == "off":
        return Print("", "off", stamp)
    whole = asked == "full" or stamp.size <= max(whole_bytes, _BLOCKS * _BLOCK)
    key = (stamp.device, stamp.inode, stamp.size, stamp.mtime_ns, whole)
    how: How = "full" if whole else "sampled"
    if key in _known:
        return Print(_known[key], how, stamp)
    begun = time.time_ns()
    try:
        digest = _whole(path) if whole else _sampled(path, stamp.size)
    except FileNotFoundError:
        return Print("", "gone", stamp)
    except OSError:
        return Print("", "unreadable", stamp)
    after = Stamp.of(path)
    if after == stamp and stamp.is_settled(begun):
        _known[key] = digest
        while len(_known) > _REMEMBERED:
            _known.popitem(last=False)
    return Print(digest, how, after or stamp)


def _whole(path: str) -> str:
    from blake3 import blake3

    hasher = blake3()
    descriptor = _open(path)
    try:
        while block := os.read(descriptor, _BLOCK):
            hasher.update(block)
    finally:
        os.close(descriptor)
    return hasher.hexdigest()


def _sampled(path: str, size: int) -> str:
    from blake3 import blake3

    hasher = blake3(size.to_bytes(8, "little"))
    descriptor = _open(path)
    try:
        for number in range(_BLOCKS):
            os.lseek(descriptor, (size - _BLOCK) * number // (_BLOCKS - 1), os.SEEK_SET)
            hasher.update(os.read(descriptor, _BLOCK))
    finally:
        os.close(descriptor)
    return hasher.hexdigest()


def _open(path: str) -> int:
    # never through a pipe that took the file's place meanwhile: that would wait for ever
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
    return os.open(path, flags)
