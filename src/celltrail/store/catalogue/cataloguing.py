"""Keeping the catalogue: entries of runs that are over go into segments, and what no longer counts goes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from celltrail.errors import Damaged
from celltrail.store.blobs import Blobs
from celltrail.store.catalogue import entries, segments
from celltrail.store.catalogue.entries import Entry
from celltrail.store.catalogue.segments import Segment
from celltrail.store.files import disk
from celltrail.store.folders import run_folder
from celltrail.store.runs import RunFiles

WORTH_RUNS = 256  # fewer are read from their own files as fast
MOST_RUNS = 4_096  # in a segment: some 50 MB of memory while it is written


@dataclass(slots=True)
class _Known:
    """A segment and the runs of which it has the state that counts."""

    segment: Segment
    of_use: set[str] = field(default_factory=set)
    has_gone: bool = False  # it tells of runs that are no longer there


def catalogue(trail: Path, blobs: Blobs, run_ids: Sequence[str]) -> list[tuple[str, int]]:
    """Bring the catalogue up to these runs, which are all there are; (segment, runs) of those written.

    A crash leaves a segment too many, which the next time finds useless.
    """
    disk.sweep(trail / segments.FOLDER)
    known, placed = _placed(trail, blobs, run_ids)
    loose = [run_id for run_id in run_ids if run_id not in placed]
    reading = _read(trail, blobs, loose) if len(loose) >= WORTH_RUNS else iter(())
    fresh = list(itertools.islice(reading, WORTH_RUNS))
    is_worth_it = len(fresh) == WORTH_RUNS
    again = _to_rewrite(known, len(loose) if is_worth_it else 0)
    found = itertools.chain.from_iterable(map(_entries, again))
    if is_worth_it:
        found = itertools.chain(found, fresh, reading)
    made: list[tuple[str, int]] = []
    while some := sorted(itertools.islice(found, MOST_RUNS), key=lambda entry: entry.run):
        made.append((segments.write(trail, some).stem, len(some)))
    for each in again:
        each.segment.path.unlink(missing_ok=True)
    return made


def _placed(trail: Path, blobs: Blobs, run_ids: Iterable[str]) -> tuple[list[_Known], set[str]]:
    """The segments, and the runs of which one of them has an entry that holds; what cannot be read goes."""
    stamps = dict.fromkeys(run_ids, "")
    known: list[_Known] = []
    placed: set[str] = set()
    for path in segments.paths(trail):
        try:
            segment = Segment(path)
            if segment.format > segments.FORMAT:
                continue  # a newer celltrail's: it will know when to remove it
            pairs = list(_states(segment)) if segment.format == segments.FORMAT else []
        except Damaged:
            path.unlink(missing_ok=True)
            continue
        except OSError:
            continue
        each = _Known(segment)
        for run_id, state in pairs:
            if run_id not in stamps:
                each.has_gone = True
            elif run_id not in placed:
                stamps[run_id] = stamps[run_id] or RunFiles(run_folder(trail, run_id), blobs).stamp()
                if entries.holds(state, trail, run_id, stamps[run_id]):
                    each.of_use.add(run_id)
        placed |= each.of_use
        known.append(each)
    return known, placed


def _states(segment: Segment) -> Iterator[tuple[str, str]]:
    for group in range(len(segment.groups)):
        yield from zip(segment.runs(group), segment.states(group), strict=True)


def _entries(known: _Known) -> Iterator[Entry]:
    """Those of use; none where the file has been damaged or removed meanwhile."""
    try:
        for group in range(len(known.segment.groups)):
            yield from (entry for entry in known.segment.entries(group) if entry.run in known.of_use)
    except (Damaged, OSError):
        return


def _to_rewrite(known: Sequence[_Known], fresh: int) -> list[_Known]:
    """Segments that tell of runs that are gone, are useless by half, or go together with others of their size."""
    chosen = [each for each in known if each.has_gone or 2 * len(each.of_use) <= len(each.segment)]
    others = sorted((each for each in known if each not in chosen), key=lambda each: len(each.of_use))
    size = fresh + sum(len(each.of_use) for each in chosen)
    for each in others:
        together = size + len(each.of_use)
        if size and together <= MOST_RUNS and len(each.of_use) <= 2 * size:
            chosen.append(each)
            size = together
    return chosen


def _read(trail: Path, blobs: Blobs, run_ids: Iterable[str]) -> Iterator[Entry]:
    for run_id in run_ids:
        try:
            entry = entries.read(trail, RunFiles(run_folder(trail, run_id), blobs))
        except OSError:
            continue
        if entry is not None:
            yield entry
