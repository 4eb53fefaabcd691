"""The runs whose points were asked for last: whoever reads their metrics one by one has their files decoded once."""

from __future__ import annotations

import os
from dataclasses import dataclass

from celltrail.store.docs.carried import Shared
from celltrail.store.log.reader import Contents
from celltrail.store.log.series import SeriesMapping
from celltrail.store.runs import RunFiles

MOST_BYTES = 64 << 20  # of files: the log of a million calls of five metrics, which takes as much in memory
MOST_MADE = 96 << 20  # of series put together from them

Stamp = tuple[tuple[str, int, int], ...]


@dataclass(slots=True)
class _Kept:
    stamp: Stamp
    bytes: int
    series: SeriesMapping
    logs: dict[str, Contents]  # what was read of them, while nothing is sealed


class Recent:
    """The points of a few runs, for as long as their files are what they were; a log that grew is read on."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}  # the one asked for last is the last

    def series(self, files: RunFiles) -> SeriesMapping:
        """The points of the run in these files, read again only where something changed."""
        stamp, kept = _stamp(files.place), self._kept.pop(files.id, None)
        if kept is None or kept.stamp != stamp:
            logs = {} if kept is None else dict(kept.logs)
            kept = _Kept(stamp, sum(size for _, size, _ in stamp), files.series(logs), logs)
        # what a fork shares stands in the files of another run
        if not any(isinstance(source, Shared) for source in kept.series.sources):
            self._keep(files.id, kept)
        return kept.series

    def _keep(self, run: str, kept: _Kept) -> None:
        """This one, and of those before it as many as there is room for."""
        room, found = MOST_BYTES, {**self._kept, run: kept}
        for name, each in reversed(list(found.items())):
            room -= each.bytes
            if room < 0:
                del found[name]
        self._kept = found
        made = MOST_MADE
        for each in reversed(list(found.values())):
            made -= each.series.forget(max(0, made))


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
