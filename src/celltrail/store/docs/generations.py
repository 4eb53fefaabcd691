"""Which document of a run counts: each process that goes on with a run writes one of its own, of a next generation."""

from __future__ import annotations

import os
import re
from pathlib import Path

_NAME = re.compile(r"run\.([1-9]\d*)\.json")


def name_of(generation: int) -> str:
    """The document of the process that owns a run as the first, the second ...

    >>> name_of(1), name_of(2)
    ('run.json', 'run.2.json')
    """
    return "run.json" if generation == 1 else f"run.{generation}.json"


def newest(folder: str | Path) -> str:
    """The name of the document that counts, whether it is there or not."""
    place = os.fspath(folder)
    if not os.path.exists(f"{place}/run.2.json"):  # most runs were never resumed, and a listing asks thousands
        return name_of(1)
    return name_of(max(generations(place)))


def generations(folder: str | Path) -> list[int]:
    """The generations whose documents are there."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries]
    found = [int(match[1]) for match in map(_NAME.fullmatch, names) if match]
    return sorted([*found, *([1] if "run.json" in names else [])])
