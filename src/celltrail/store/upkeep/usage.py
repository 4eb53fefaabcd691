"""How much room a trail takes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from celltrail.store.files.telling import sized
from celltrail.store.upkeep.trash import size_of


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
