"""Packs: the points of many small runs in one file, so that one metric of a thousand runs is one read.

A pack is a copy, sorted by metric and run, of what is sealed: it can be deleted at any time. Its ``.json`` says
of which state of each run it is a copy; a run that has another state now is read from its own files.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from celltrail.errors import Damaged
from celltrail.model import new_id
from celltrail.store.files import disk
from celltrail.store.log.series import Series
from celltrail.store.seal import sealed
from celltrail.store.seal.parquet import GROUP_ROWS, footer_digest, spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RACY_NS = 2_000_000_000  # a folder changed within this time may change again and keep its time stamp
FOLDER = "packs"
FORMAT = 1
_KEPT_BYTES = 32 << 20  # of columns that were read, in memory
SMALL_POINTS = 8192  # metrics with fewer share a row group

# the documents of a run's seals and its logs, each with its size: what a run is a copy of
State = dict[str, int]


def state_of(trail: Path, run_id: str) -> State:
    """The state of what is sealed of a run and of its logs; empty when there is no such run."""
    folder = f"{trail}/runs/{run_id[-2:]}/{run_id}"
    found: State = {}
    try:
        for name in os.listdir(folder):
            if name.startswith("sealed") and name.endswith(".json"):
                found[name] = os.stat(f"{folder}/{name}").st_size
        for name in os.listdir(folder + "/m"):
            found[name] = os.stat(f"{folder}/m/{name}").st_size
    except OSError:
        pass
    return found


@dataclass(slots=True, eq=False)
class Pack:
    """One pack, for reading."""

    path: Path
    runs: dict[str, int]  # the number of each run in the file
    states: list[State]
    groups: list[list[Any]]  # rows, first byte, size and digest of each row group
    metrics: dict[str, list[int]]  # first row and end of each
    size: int
    footer: str
    _file: Any = None
    _read: tuple[tuple[int, ...], Any] | None = field(default=None)
    _stood: tuple[int, int, int] | None = None  # the file when it was looked at last
    _proven: set[int] = field(default_factory=set)  # row groups of that file

    @classmethod
    def of(cls, path: Path) -> Pack:
        """The pack with this ``.json``; raises `Damaged`, or FileNotFoundError when it is gone."""
        try:
            body = sealed.of_bytes(path.read_bytes(), path.name)
            if body["format"] > FORMAT:
                raise Damaged(f"{path.name} is of a newer celltrail")
            runs = {run_id: number for number, (run_id, _) in enumerate(body["runs"])}
            states = [state for _, state in body["runs"]]
            data = path.with_suffix(".parquet")
            return cls(data, runs, states, body["groups"], body["metrics"], body["size"], body["footer"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Damaged(f"{path.name} is no pack: {error}") from error

    @property
    def document(self) -> Path:
        """Its ``.json``."""
        return self.path.with_suffix(".json")

    def knows(self, run_id: str, state: State) -> bool:
        """Whether it is a copy of this state: logs that are gone by now were in the seal."""
        number = self.runs.get(run_id)
        if number is None:
            return False
        mine = self.states[number]
        return state.items() <= mine.items() and all(name in state for name in mine if name.endswith(".json"))

    def metric(self, name: str, times: bool = True) -> dict[int, Series]:
        """The points of a metric by the number of the run, ``t_us`` empty without ``times``; `Damaged` or OSError."""
        import numpy as np

        if name not in self.metrics:
            return {}
        start, stop = self.metrics[name]
        groups = [
            (number, first)
            for number, (first, end) in enumerate(spans([rows for rows, *_ in self.groups]))
            if first < stop and end > start
        ]
        first = groups[0][1]
        columns = self._columns(tuple(number for number, _ in groups), times)
        run, step, value, *rest = (column[start - first : stop - first] for column in columns)
        t_us = rest[0] if times else np.empty(0, np.int64)
        edges = [0, *(np.flatnonzero(run[1:] != run[:-1]) + 1).tolist(), len(run)]
        return {
            number: Series(step[a:b], t_us[a:b], value[a:b])
            for (a, b), number in zip(itertools.pairwise(edges), run[edges[:-1]].tolist(), strict=True)
        }

    def verify(self) -> None:
        """Compare the file with what was packed; raises `Damaged` or OSError."""
        self._stood, self._file = None, None
        self._proven.clear()
        self._open()
        for group in range(len(self.groups)):
            self._compare(group)

    def _compare(self, group: int) -> None:
        if group in self._proven:
            return
        _, start, size, digest = self.groups[group]
        with self.path.open("rb") as raw:
            raw.seek(start)
            if _digest(raw.read(size)) != digest:
                raise Damaged(f"{self.path.name} does not hold what was packed")
        self._proven.add(group)

    def _columns(self, groups: tuple[int, ...], times: bool) -> tuple[NDArray[Any], ...]:
        import pyarrow as pa

        names = ["run", "step", "value", "t"][: 4 if times else 3]  # a quarter of the work is the times
        self._look()
        kept = self._read  # another thread may let go of it
        if kept is not None and kept[0] == groups and len(kept[1]) >= len(names):
            return kept[1][: len(names)]
        try:
            file = self._open()
            for group in groups:
                self._compare(group)
            read = file.read_row_groups(groups, columns=names)
        except (pa.ArrowException, ValueError) as error:
            raise Damaged(f"{self.path.name} cannot be read: {type(error).__name__}") from error
        if read.num_rows != sum(self.groups[group][0] for group in groups):
            raise Damaged(f"{self.path.name} does not hold what was packed")
        found = tuple(read.column(name).to_numpy() for name in names)
        self._read = groups, found
        return found

    @property
    def kept_bytes(self) -> int:
        """How much memory the columns take that were read last."""
        kept = self._read
        return sum(column.nbytes for column in kept[1]) if kept is not None else 0

    def let_go(self) -> None:
        """Free it."""
        self._read = None

    def _look(self) -> None:
        """What was proven of the file stays proven as long as it is the same file."""
        about = os.stat(self.path)
        stood = about.st_ino, about.st_size, about.st_mtime_ns
        if self._stood != stood or abs(time.time_ns() - about.st_mtime_ns) < _RACY_NS:
            self._stood, self._file, self._read = stood, None, None
            self._proven.clear()

    def _open(self) -> Any:
        if self._file is None:
            import pyarrow.parquet as pq

            if self.path.stat().st_size != self.size or footer_digest(self.path) != self.footer:
                raise Damaged(f"{self.path.name} is not the file that was packed")
            self._file = pq.ParquetFile(self.path, memory_map=False)
        return self._file


class Packed(NamedTuple):
    """What packs say of a metric."""

    found: dict[str, Series]  # by run
    answered: set[str]  # the runs that are in a pack, also those without the metric


class Packs:
    """The packs of a trail, newest first; what cannot be read is as if it were not there."""

    def __init__(self, trail: Path) -> None:
        self._trail = trail
        self._runs = f"{trail}/runs"
        self._known: dict[str, Pack | None] = {}
        self._present: list[Pack] = []
        # by run, as long as the packs are these: its folders when it was looked at, and where it is
        self._placed: dict[str, tuple[tuple[int, int], Pack | None]] = {}

    def all(self) -> list[Pack]:
        """Those there are now."""
        try:
            names = sorted((name for name in os.listdir(self._trail / FOLDER) if name.endswith(".json")), reverse=True)
        except OSError:
            names = []
        self._known = {name: self._known[name] if name in self._known else self._load(name) for name in names}
        present = [pack for pack in self._known.values() if pack is not None]
        if present != self._present:
            self._present, self._placed = present, {}
        return present

    def _load(self, name: str) -> Pack | None:
        try:
            return Pack.of(self._trail / FOLDER / name)
        except (Damaged, OSError):
            return None

    def places(self, run_ids: Iterable[str]) -> dict[str, Pack]:
        """The newest pack that is a copy of each run as it is now."""
        if not self.all():
            return {}
        return {run_id: pack for run_id in run_ids if (pack := self._place(run_id)) is not None}

    def _place(self, run_id: str) -> Pack | None:
        """Looked up again only where the folders of the run changed: what is sealed grows no more."""
        folder = f"{self._runs}/{run_id[-2:]}/{run_id}"
        try:
            changed = os.stat(folder).st_mtime_ns, os.stat(f"{folder}/m").st_mtime_ns
        except OSError:
            changed = None
        known = self._placed.get(run_id)
        if known is not None and known[0] == changed:
            return known[1]
        state = state_of(self._trail, run_id)
        found = next((pack for pack in self._present if pack.knows(run_id, state)), None)
        if changed and time.time_ns() - max(changed) > _RACY_NS and all(name.startswith("sealed") for name in state):
            self._placed[run_id] = changed, found
        return found

    def metric(self, name: str, run_ids: Sequence[str], times: bool = True) -> Packed:
        """The points of a metric of those runs that are in packs; the others are read from their own files."""
        places = self.places(run_ids)
        found: dict[str, Series] = {}
        answered: set[str] = set()
        read: list[Pack] = []
        for pack in {id(pack): pack for pack in places.values()}.values():
            try:
                by_number = pack.metric(name, times)
            except (Damaged, OSError):
                self._known[pack.document.name] = None
                continue
            mine = [run_id for run_id, place in places.items() if place is pack]
            answered.update(mine)
            found |= {run_id: by_number[n] for run_id in mine if (n := pack.runs[run_id]) in by_number}
            read.append(pack)
        self._keep(read)
        return Packed(found, answered)

    def _keep(self, read: Sequence[Pack]) -> None:
        """Who asked for a metric asks for it again, with a run more: what was read just now stays, if it is small."""
        left = _KEPT_BYTES
        for pack in (*read, *(pack for pack in self._present if pack not in read)):
            left -= pack.kept_bytes
            if left < 0:
                pack.let_go()


@lru_cache(maxsize=16)
def packs_of(trail: Path) -> Packs:
    """The packs of a trail, as this process knows them."""
    return Packs(trail)


def write(
    trail: Path, runs: Sequence[tuple[str, State]], metrics: Iterable[tuple[str, list[tuple[int, Series]]]]
) -> Pack:
    """Write a new pack of these runs; ``metrics`` gives, sorted by name, the points by the number of the run."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = trail / FOLDER
    disk.make_folder(place, trail)
    path = place / f"{new_id()}.parquet"
    temp = disk.temp_name(path)
    kinds = {"metric": pa.string(), "run": pa.int32(), "step": pa.int64(), "t": pa.int64(), "value": pa.float64()}
    # there is no point without one of them, and who reads is not to look which are missing
    schema = pa.schema([pa.field(name, kind, nullable=False) for name, kind in kinds.items()])
    ranges: dict[str, list[int]] = {}
    rows: list[int] = []
    try:
        fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, disk.file_mode(place))
        with os.fdopen(fd, "wb") as file:
            with pq.ParquetWriter(file, schema, **_SETTINGS) as writer:
                for table in _grouped(metrics, schema, ranges):
                    writer.write_table(table, row_group_size=max(1, table.num_rows))
                    rows.append(table.num_rows)
            file.flush()
            os.fsync(file.fileno())
        groups = [[count, *about] for count, about in zip(rows, _places(temp), strict=True)]
        body = {"format": FORMAT, "runs": [list(run) for run in runs], "groups": groups, "metrics": ranges}
        body |= {"size": temp.stat().st_size, "footer": footer_digest(temp)}
        os.replace(temp, path)
    finally:
        temp.unlink(missing_ok=True)
    disk.replace_whole(path.with_suffix(".json"), sealed.to_bytes(body))
    return Pack.of(path.with_suffix(".json"))


_SETTINGS: dict[str, Any] = {
    "compression": "zstd",
    # all points of a run stand together: in a dictionary they are one repeat, which is a tenth of the time to read
    "use_dictionary": ["metric", "run"],
    "column_encoding": {
        "step": "DELTA_BINARY_PACKED",
        "t": "DELTA_BINARY_PACKED",
        "value": "BYTE_STREAM_SPLIT",
    },
    "write_statistics": ["metric"],
    "write_page_index": True,
    "store_schema": False,
}


def _grouped(
    metrics: Iterable[tuple[str, list[tuple[int, Series]]]], schema: Any, ranges: dict[str, list[int]]
) -> Iterator[Any]:
    """Row groups: a long metric has its own, short ones share some; ``ranges`` gets the rows of each metric."""
    import pyarrow as pa

    shared: list[Any] = []
    done = 0
    for name, runs in metrics:
        table = _table(name, runs, schema)
        if not table.num_rows:
            continue
        is_short = table.num_rows < SMALL_POINTS
        if shared and (not is_short or sum(each.num_rows for each in shared) + table.num_rows > GROUP_ROWS):
            yield pa.concat_tables(shared).combine_chunks()
            shared = []
        ranges[name] = [done, done + table.num_rows]
        done += table.num_rows
        if is_short:
            shared.append(table)
            continue
        for start in range(0, table.num_rows, GROUP_ROWS):
            yield table.slice(start, GROUP_ROWS)
    if shared:
        yield pa.concat_tables(shared).combine_chunks()


def _table(name: str, runs: list[tuple[int, Series]], schema: Any) -> Any:
    import numpy as np
    import pyarrow as pa

    lengths = [len(series.step) for _, series in runs]
    columns = [
        pa.DictionaryArray.from_arrays(np.zeros(sum(lengths), np.int32), pa.array([name])).cast(pa.string()),
        pa.array(np.repeat(np.array([number for number, _ in runs], np.int32), lengths)),
        pa.array(np.concatenate([series.step for _, series in runs])),
        pa.array(np.concatenate([series.t_us for _, series in runs])),
        pa.array(np.concatenate([series.value for _, series in runs])),
    ]
    return pa.table(columns, schema=schema)


def _places(path: Path) -> Iterator[tuple[int, int, str]]:
    """First byte, size and digest of each row group."""
    import pyarrow.parquet as pq

    about = pq.read_metadata(path)
    with path.open("rb") as file:
        for number in range(about.num_row_groups):
            group = about.row_group(number)
            columns = [group.column(place) for place in range(group.num_columns)]
            starts = [column.dictionary_page_offset or column.data_page_offset for column in columns]
            stop = max(start + column.total_compressed_size for start, column in zip(starts, columns, strict=True))
            file.seek(min(starts))
            yield min(starts), stop - min(starts), _digest(file.read(stop - min(starts)))


def _digest(data: bytes) -> str:
    from blake3 import blake3

    return blake3(data).hexdigest(length=16)
