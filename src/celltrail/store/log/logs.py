"""All logs of a run together, or what of them is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from celltrail.model import Json
from celltrail.store.log import reader, writer_of
from celltrail.store.log.reader import Contents, Gap, Rows, State
from celltrail.store.log.series import LogRows


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
    folder: Path, start: Mapping[str, int] | None = None, stop: Mapping[str, int] | None = None
) -> Iterator[tuple[Path, Contents]]:
    """Each log from its byte in ``start`` on; with ``stop`` only the logs in there, up to that byte."""
    for path in paths(folder):
        begin, end = (start or {}).get(path.name, 0), None
        if stop is not None and (end := stop.get(path.name)) is None:
            continue
        if begin >= (path.stat().st_size if end is None else end) and begin:
            continue
        contents = reader.read(path, None, end)
        if begin:  # what comes later may use schemas from before
            contents = reader.read(path, State(begin, contents.state.schemas), end)
        yield path, contents


def read(folder: Path, start: Mapping[str, int] | None = None, stop: Mapping[str, int] | None = None) -> Logs:
    """Points, events and damage of these stretches."""
    found = Logs()
    writers: dict[str, list[list[Rows]]] = {}
    for path, contents in each(folder, start, stop):
        parts = writers.setdefault(writer_of(path.name), [])
        for rows in contents.rows:
            rows.order += len(parts) << 40  # a part is far smaller: offsets order the rows of all parts
        parts.append(contents.rows)
        found.events += contents.events
        found.gaps += contents.gaps
    found.sources = [LogRows(writer, [rows for part in parts for rows in part]) for writer, parts in writers.items()]
    return found
