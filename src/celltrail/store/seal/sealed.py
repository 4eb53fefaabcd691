"""What is sealed of a run: Parquet files and the ``sealed.json`` that proves them, for reading.

A seal covers logs up to a size each, and nobody writes there any more. While a log it covers is still there
it can stand in for a file that does not verify; afterwards the stretches that verify are given, and the rest
is told as a gap.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from celltrail.errors import Damaged
from celltrail.model import Json
from celltrail.store.files.encoding import decode, encode
from celltrail.store.log.logs import Logs
from celltrail.store.log.reader import Gap
from celltrail.store.log.series import Series, Window, joined
from celltrail.store.seal.parquet import Column, Proof, Proven

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = 1
FOLDER = "sealed"
EVENTS = "events"
STEP, TIME, WRITER, BODY = "$step", "$t", "$w", "body"
_FIXED = (STEP, TIME, WRITER)
_NAME = re.compile(r"sealed(?:\.([1-9]\d*))?\.json")
_CHECK = b',"check":"'


def path_of(folder: Path, number: int) -> Path:
    """The document of a run's seal: the first is ``sealed.json``, after a resume ``sealed.2.json`` ..."""
    return folder / ("sealed.json" if number == 1 else f"sealed.{number}.json")


def numbers(folder: Path) -> list[int]:
    """The seals a run has, whether they can be read or not."""
    found = (_NAME.fullmatch(path.name) for path in folder.glob("sealed*.json"))
    return sorted(int(match[1] or 1) for match in found if match)


def to_bytes(body: dict[str, Json]) -> bytes:
    """A seal as the bytes of its document, which prove themselves."""
    data = encode(body)
    return b'%b%b%b"}' % (data[:-1], _CHECK, _digest(data).encode())


def of_bytes(data: bytes, source: str) -> dict[str, Json]:
    """What `to_bytes` was given; raises `Damaged`."""
    text, found, check = data.rpartition(_CHECK)
    if not found or check != b'%b"}' % _digest(text + b"}").encode():
        raise Damaged(f"{source} does not verify")
    return decode(text + b"}", source)


class Seal:
    """One seal of a run. ``logs`` gives what it covers once more, while all those logs are there."""

    def __init__(self, folder: Path, number: int, logs: Callable[[Seal], Logs | None], body: Json = None) -> None:
        # made from the files alone, whose footers nothing proves: pyarrow ends the process over some damaged ones
        self._is_bare = body is not None
        self.number = number
        self.path = path_of(folder, number)
        self.body: dict[str, Json] = body or of_bytes(self.path.read_bytes(), self.path.name)
        if self.body["format"] > FORMAT:
            raise Damaged(f"{self.path.name} is of a newer celltrail")
        self.names: list[str] = self.body["names"]
        self.covers: dict[str, int] = {log: source["size"] for log, source in self.body["sources"].items()}
        self.begins: dict[str, int] = {log: source["start"] for log, source in self.body["sources"].items()}
        self.damage: list[Gap] = []
        self._folder = folder / FOLDER
        self._logs = logs
        self._from_logs: Logs | None = None
        self._tables = [_Table(self, file, fields) for file, fields in self.body["tables"].items()]
        self._table_of = {name: table for table in self._tables for name in table.names}

    @property
    def writers(self) -> list[str]:
        """The writers whose logs it covers."""
        return self.body["writers"]

    @property
    def gaps(self) -> list[Gap]:
        """The damage that the logs had when they were sealed."""
        return [Gap(*fields) for fields in self.body["gaps"]]

    def parts(self, name: str, window: Window | None) -> Iterator[tuple[str, Series]]:
        """The points of a metric, apart for each writer; with a window only its steps."""
        if name not in self._table_of:
            return
        try:
            yield from list(self._table_of[name].parts(name, window, whole=True))
        except Damaged:
            if logs := self._covered_logs():
                for source in logs.sources:
                    yield from source.parts(name, window)
            else:
                yield from list(self._table_of[name].parts(name, window, whole=False))

    def events(self) -> list[dict[str, Json]]:
        """Events and items, as they stood in the logs one behind the other."""
        file, fields = self.body["events"]["file"], self.body["events"]
        proven, proof = Proven(self._folder / file, Proof.of(fields)), Proof.of(fields)
        found: list[dict[str, Json]] = []
        for group in range(len(proof.groups)):
            try:
                bodies = proven.column(BODY, group).values
            except Damaged:
                if logs := self._covered_logs():
                    return logs.events
                self.told(proven, file, BODY, group, None)
                continue
            found += [decode(body, file) for body in bodies]
        return found

    def verify(self) -> list[Gap]:
        """Read everything; what is damaged."""
        self.damage = []
        for table in self._tables:
            for name in (*table.fixed, *table.names):
                table.verify(name)
        self._verify_events()
        return self.damage

    def proven(self, file: str, proof: Proof) -> Proven:
        """One of its files."""
        return Proven(self._folder / file, proof)

    def told(self, proven: Proven, file: str, name: str, group: int, step: int | None) -> None:
        """Note a stretch that does not verify."""
        start, size = (0, 0) if self._is_bare else proven.place(name, group)
        gap = Gap(file, start, size, step, None if name in _FIXED or file.startswith(EVENTS) else name)
        if gap not in self.damage:
            self.damage.append(gap)

    def _verify_events(self) -> None:
        fields = self.body["events"]
        proof = Proof.of(fields)
        proven = self.proven(fields["file"], proof)
        for group in range(len(proof.groups)):
            for name in proof.columns:
                try:
                    proven.column(name, group)
                except Damaged:
                    self.told(proven, fields["file"], name, group, None)

    def _covered_logs(self) -> Logs | None:
        if self._from_logs is None:
            self._from_logs = self._logs(self)
        return self._from_logs


class _Table:
    """One wide table of a seal."""

    def __init__(self, seal: Seal, file: str, fields: Mapping[str, Json]) -> None:
        self._seal = seal
        self._file = file
        self._proof = Proof.of(fields)
        self._steps: list[list[int]] = fields["steps"]
        self._proven = seal.proven(file, self._proof)
        self._read: dict[tuple[str, int], Column] = {}
        self.fixed = [name for name in self._proof.columns if name in _FIXED]
        self.names = [name for name in self._proof.columns if name not in _FIXED]

    def parts(self, name: str, window: Window | None, whole: bool) -> Iterator[tuple[str, Series]]:
        """The points of a metric for each writer; without ``whole``, what is damaged is left out and told."""
        found: dict[str, list[Series]] = {}
        for group, (first, last) in enumerate(self._steps):
            if window is not None and (last < window[0] or first > window[1]):
                continue
            try:
                for writer, part in self._group(name, group):
                    found.setdefault(writer, []).append(part.within(window))
            except Damaged:
                if whole:
                    raise
                self._tell(name, group)
        for writer, parts in found.items():
            yield writer, joined(parts)

    def verify(self, name: str) -> None:
        """Read a column; what is damaged is told."""
        for group in range(len(self._steps)):
            try:
                self._proven.column(name, group)
            except Damaged:
                self._seal.told(self._proven, self._file, name, group, self._steps[group][0])

    def _tell(self, name: str, group: int) -> None:
        for column in (name, *self.fixed):
            try:
                self._column(column, group)
            except Damaged:
                self._seal.told(self._proven, self._file, column, group, self._steps[group][0])

    def _group(self, name: str, group: int) -> Iterator[tuple[str, Series]]:
        values, valid = self._proven.column(name, group)
        points = Series(self._column(STEP, group).values, self._column(TIME, group).values, values)
        if WRITER not in self.fixed:
            yield self._seal.writers[0], points if valid is None else points.at(valid)
            return
        numbers = self._column(WRITER, group).values
        for number in _distinct(numbers if valid is None else numbers[valid]):
            chosen = numbers == number
            yield self._seal.writers[number], points.at(chosen if valid is None else chosen & valid)

    def _column(self, name: str, group: int) -> Column:
        """A column that all metrics of the table share."""
        if (name, group) not in self._read:
            self._read[name, group] = self._proven.column(name, group)
        return self._read[name, group]


def _distinct(numbers: NDArray[np.uint16]) -> list[int]:
    import numpy as np

    return np.unique(numbers).tolist()


def unreadable(folder: Path, number: int) -> Gap:
    """The whole document of a seal, as a gap."""
    path = path_of(folder, number)
    return Gap(path.name, 0, path.stat().st_size)


def covered_by(seals: Iterable[Seal]) -> dict[str, int]:
    """How far each log is covered by any of these."""
    covered: dict[str, int] = {}
    for seal in seals:
        for log, size in seal.covers.items():
            covered[log] = max(size, covered.get(log, 0))
    return covered


def current(seals: Sequence[Seal]) -> list[Seal]:
    """Those that no later one replaces."""
    replaced = {number for seal in seals for number in seal.body["replaces"]}
    return [seal for seal in seals if seal.number not in replaced]


def _digest(data: bytes) -> str:
    from blake3 import blake3

    return blake3(data).hexdigest(length=16)
