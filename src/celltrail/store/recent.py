"""The run whose points were asked for last: whoever reads its metrics one by one has its files decoded once."""

from __future__ import annotations

import os

from celltrail.store.docs.carried import Shared
from celltrail.store.log.series import SeriesMapping
from celltrail.store.runs import RunFiles

MOST_BYTES = 16 << 20  # of files: their points take a few times that in memory

Stamp = tuple[tuple[str, int, int], ...]


class Recent:
    """The points of one run, for as long as its files are what they were."""

    def __init__(self) -> None:
        self._kept: tuple[str, Stamp, SeriesMapping] | None = None

    def series(self, files: RunFiles) -> SeriesMapping:
        """The points of the run in these files, read again only where something changed."""
        stamp, kept = _stamp(files.place), self._kept
        if kept is not None and kept[:2] == (files.id, stamp):
            return kept[2]
        found = files.series()
        # what a fork shares stands in the files of another run
        is_whole = not any(isinstance(source, Shared) for source in found.sources)
        is_small = sum(size for _, size, _ in stamp) <= MOST_BYTES
        self._kept = (files.id, stamp, found) if is_whole and is_small else None
        return found


def _stamp(place: str) -> Stamp:
    """Name, size and time of change of whatever the points of a run are read from."""
    found: list[tuple[str, int, int]] = []
    for folder in (place, f"{place}/m", f"{place}/sealed"):
        try:
            with os.scandir(folder) as entries:
                stats = [(entry.name, entry.stat()) for entry in entries if entry.is_file()]
        except FileNotFoundError:
            continue
        found += [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    return tuple(sorted(found))
