"""Segments of the catalogue: Parquet files of entries, for building an index without opening every run.

A segment is a copy and can be deleted at any time. What its footer says of it proves itself and the values of every
column; one that does not verify, or is of another format, is as if it were not there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celltrail.errors import Damaged
from celltrail.model import new_id
from celltrail.store.catalogue.entries import Entry
from celltrail.store.files import disk
from celltrail.store.seal import parquet, sealed
from celltrail.store.seal.parquet import Column, Proof, Proven

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDER = "catalogue"
FORMAT = 1
GROUP_RUNS = 1024
_COLUMNS = tuple(field.name for field in fields(Entry))
_NUMBERS, _FLAGS = {"created", "ended", "duration"}, {"archived", "starred", "deleted"}


class Segment:
    """One segment, for reading. Making one raises `Damaged`, or OSError when it is gone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            body = sealed.of_bytes(parquet.about_of(path), path.name)
            self.format: int = body["format"]
            self.groups: list[int] = body["groups"]
            if self.format == FORMAT and not body["columns"].keys() >= {*_COLUMNS}:
                raise Damaged(f"{path.name} lacks {', '.join({*_COLUMNS} - body['columns'].keys())}")
            proof = Proof(path.stat().st_size, parquet.footer_digest(path), self.groups, body["columns"])
        except (KeyError, TypeError, AttributeError) as error:
            raise Damaged(f"{path.name} is no segment: {error}") from error
        self._proven = Proven(path, proof)

    def __len__(self) -> int:
        return sum(self.groups)

    def runs(self, group: int) -> list[str]:
        """The runs in one of its row groups; raises `Damaged` or OSError, as all that follows."""
        return self._column("run", group)

    def states(self, group: int) -> list[str]:
        """The state each of them was seen in."""
        return self._column("state", group)

    def entries(self, group: int) -> list[Entry]:
        """All about them."""
        columns = [self._column(name, group) for name in _COLUMNS]
        return [Entry(*values) for values in zip(*columns, strict=True)]

    def _column(self, name: str, group: int) -> list[Any]:
        try:
            values, valid = self._proven.column(name, group)
        except (KeyError, IndexError, TypeError) as error:
            raise Damaged(f"{self.path.name} is no segment: {error}") from error
        if valid is None:
            return values.tolist()
        pairs = zip(values.tolist(), valid.tolist(), strict=True)
        return [value if is_there else None for value, is_there in pairs]


def paths(trail: Path) -> list[Path]:
    """The files of the segments there are now, the newest first."""
    try:
        names = sorted((name for name in os.listdir(trail / FOLDER) if name.endswith(".parquet")), reverse=True)
    except OSError:
        return []
    return [trail / FOLDER / name for name in names]


def readable(trail: Path) -> Iterator[Segment]:
    """Those that verify and are of this format."""
    for path in paths(trail):
        try:
            segment = Segment(path)
        except (Damaged, OSError):
            continue
        if segment.format == FORMAT:
            yield segment


def write(trail: Path, entries: Sequence[Entry]) -> Path:
    """Put these entries into a new segment."""
    place = trail / FOLDER
    disk.make_folder(place, trail)
    path = place / f"{new_id()}.parquet"
    temp = disk.temp_name(path)
    columns = {name: _column(name, [getattr(entry, name) for entry in entries]) for name in _COLUMNS}
    groups = parquet.evenly(len(entries), GROUP_RUNS)
    about = {"format": FORMAT, "groups": groups, "columns": parquet.digests(columns, groups)}
    try:
        parquet.write(temp, columns, groups, sealed.to_bytes(about), disk.file_mode(place))
        os.replace(temp, path)
    finally:
        temp.unlink(missing_ok=True)
    disk.fsync_folder(place)
    return path


def _column(name: str, values: list[Any]) -> Column:
    import numpy as np

    if name in _NUMBERS:
        there = np.array([value is not None for value in values], bool)
        return Column(np.array([0.0 if value is None else value for value in values], np.float64), there)
    if name in _FLAGS:
        return Column(np.array(values, bool))
    found: NDArray[np.object_] = np.empty(len(values), object)
    found[:] = values
    return Column(found)
