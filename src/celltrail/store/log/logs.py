"""All logs of a run together, or what of them is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from celltrail.model import Json
from celltrail.store.log import reader, writer_of
from celltrail.store.log.reader import Contents, Gap, Rows, State
from celltrail.store.log.series import LogRows

_MOST_BLOCKS = 64  # that a log is read in one behind the other; then it is read at once again


@dataclass(slots=True)
class Logs:
    """What logs hold: a source of points for each writer, events and items one log behind the other, damage."""

    sources: list[LogRows] = field(default_factory=list)
    events: list[dict[str, Json]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


def paths(folder: Path) -> list[Path]:
    """The logs of the run in this folder: the parts of a writer follow each other."""
    return sorted((folder / "m").glob("*.ctl"))


def each(
    folder: Path,
    start: Mapping[str, int] | None = None,
    stop: Mapping[str, int] | None = None,
    known: dict[str, Contents] | None = None,
) -> Iterator[tuple[Path, Contents]]:
    """Each log from its byte in ``start`` on; with ``stop`` only the logs in there, up to that byte.

    What is ``known`` of a whole log is not read again, only what was appended since; it is brought up to date.
    """
    for path in paths(folder):
        begin, end = (start or {}).get(path.name, 0), None
        if stop is not None and (end := stop.get(path.name)) is None:
            continue
        if begin >= (path.stat().st_size if end is None else end) and begin:
            continue
        if known is not None and not begin and end is None:
            known[path.name] = contents = _read_on(path, known.get(path.name))
        else:
            contents = reader.read(path, None, end)
        if begin:  # what comes later may use schemas from before
            contents = reader.read(path, State(begin, contents.state.schemas), end)
        yield path, contents


def _read_on(path: Path, before: Contents | None) -> Contents:
    """All of a log, of which so much was read before."""
    if before is None or len(before.rows) > _MOST_BLOCKS or path.stat().st_size < before.state.offset:
        return reader.read(path)
    if any(gap.start < before.state.offset for gap in before.gaps):
        return reader.read(path)  # after damage a stretch may be there twice, which only the whole file tells
    more = reader.read(path, before.state)
    rows, events = [*before.rows, *more.rows], [*before.events, *more.events]
    return Contents(more.state, before.head, more.end, rows, events, more.gaps, before.newer or more.newer)


def read(
    folder: Path,
    start: Mapping[str, int] | None = None,
    stop: Mapping[str, int] | None = None,
    known: dict[str, Contents] | None = None,
) -> Logs:
    """Points, events and damage of these stretches, see `each`."""
    found = Logs()
    writers: dict[str, list[list[Rows]]] = {}
    for path, contents in each(folder, start, stop, known):
        parts = writers.setdefault(writer_of(path.name), [])
        # a part is far smaller: offsets order the rows of all parts
        shift = len(parts) << 40
        parts.append([replace(rows, order=rows.order + shift) for rows in contents.rows] if shift else contents.rows)
        found.events += contents.events
        found.gaps += contents.gaps
    found.sources = [LogRows(writer, [rows for part in parts for rows in part]) for writer, parts in writers.items()]
    return found
