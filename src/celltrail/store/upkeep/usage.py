"""How much room a trail takes, and sizes as people write them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from celltrail.errors import BadValue
from celltrail.store.files.telling import sized
from celltrail.store.upkeep.trash import size_of

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?\s*", re.IGNORECASE)
_UNITS = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40}


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes by the folder they are in: runs, blobs, trash ..."""

    parts: dict[str, int]

    @property
    def total(self) -> int:
        """Of the whole trail, its trash included."""
        return sum(self.parts.values())

    def __str__(self) -> str:
        parts = sorted(self.parts.items(), key=lambda part: -part[1])
        told = ", ".join(f"{name} {sized(size)}" for name, size in parts if size >= 1000)
        return f"{sized(self.total)}" + (f": {told}" if told else "")


def usage(trail: Path) -> Usage:
    """How much room each part of a trail takes."""
    try:
        entries = [Path(entry.path) for entry in os.scandir(trail)]
    except FileNotFoundError:
        entries = []
    return Usage({path.name: size_of(path) for path in sorted(entries)})


def bytes_in(size: str | float) -> int:
    """A size as a number of bytes.

    >>> bytes_in("2GB"), bytes_in("1.5 MiB"), bytes_in(1000)
    (2000000000, 1572864, 1000)
    """
    if isinstance(size, str):
        match = _SIZE.fullmatch(size)
        if not match:
            raise BadValue(f"{size!r} is no size: write 2GB, 500 MB, 1.5GiB or a number of bytes")
        return int(float(match[1]) * _UNITS[match[2].lower()])
    if not size >= 0:
        raise BadValue(f"{size!r} is no size: it must be 0 or more bytes")
    return int(size)
