"""Sealing: the logs of a run that is over become Parquet, and go only once that has been read back and compared.

Everything is written beside what is there, under names that carry the sealer; ``sealed.json`` comes last and
exists once, so a crash leaves the logs as the truth and two sealers cannot meet.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from celltrail.errors import Damaged
from celltrail.model import Json, now_us
from celltrail.store.docs import records
from celltrail.store.docs.generations import newest
from celltrail.store.files import alive, disk
from celltrail.store.files.alive import Process
from celltrail.store.files.encoding import decode, encode
from celltrail.store.log import logs, reader
from celltrail.store.log.reader import Contents, Rows
from celltrail.store.log.series import LogRows, Series, SeriesMapping
from celltrail.store.runs import RunFiles
from celltrail.store.seal import layout, parquet, sealed
from celltrail.store.seal.parquet import Column
from celltrail.store.seal.sealed import BODY, STEP, TIME, WRITER, Seal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

QUIET_S = 60.0
KEEP_LOGS_S = 3600.0
# a writer of another machine that did not close its log may have slept: its points must find their file
KEEP_OPEN_LOGS_S = 24 * 3600.0
LOG_FORMAT = 1
_EVENT_ROWS = 4096


@dataclass(slots=True)
class _Read:
    """A log as it is sealed."""

    path: Path
    start: int
    size: int
    blake3: str
    contents: Contents

    @property
    def is_over(self) -> bool:
        """Whether its writer said that this was all, or is known to be dead."""
        return self.contents.end is not None or _lives(self.contents) is False


def seal(folder: Path, files: RunFiles, heads: Mapping[str, Json], verify: bool = False) -> int | None:
    """Seal what is not sealed yet of a run; the number of the seal, or None where there is nothing to do (yet).

    With ``verify`` a seal that went bad is made again, as long as the logs it covers are all there. ``heads`` are
    the heads of the audit, kept in the seal. Raises OSError; the logs are untouched then.
    """
    seals, unreadable = files.seals()
    bad = [seal for seal in seals if verify and seal.verify() and files.covered(seal)]
    good = [seal for seal in seals if seal not in bad]
    covered = sealed.covered_by(good)
    if all(path.stat().st_size <= covered.get(path.name, 0) for path in logs.paths(folder)):
        return None
    if not is_over(folder, files):
        return None
    found = list(_logs(folder, covered))
    if not found or any(_is_newer(log.contents) for log in found):
        return None
    numbers = sealed.numbers(folder)
    replaces = [seal.number for seal in bad] + [n for n in numbers if n not in {seal.number for seal in seals}]
    return _Sealing(folder, files, found, max(numbers, default=0) + 1, replaces if unreadable or bad else []).run(heads)


def release(folder: Path, files: RunFiles) -> list[Path] | None:
    """The logs of a run that may go: sealed an hour ago, whole, and everything in the seal verifies once more.

    None when it does not verify.
    """
    seals, unreadable = files.seals()
    now = disk.now_at(folder.parents[2])
    old = [seal for seal in seals if now - seal.path.stat().st_mtime >= KEEP_LOGS_S]
    sources = {log: fields for seal in old for log, fields in seal.body["sources"].items()}
    done = [path for path in logs.paths(folder) if _may_go(path, sources.get(path.name), now)]
    if done and (unreadable or any(seal.verify() for seal in old)):
        return None
    if done:
        _sweep(folder / sealed.FOLDER, seals, now)
    return done


def _sweep(place: Path, seals: Sequence[Seal], now: float) -> None:
    """Remove what sealers that were killed, or came second, left beside the files of the seals."""
    disk.sweep(place)
    known = {file for seal in seals for file in (*seal.body["tables"], seal.body["events"]["file"])}
    covered = sealed.covered_by(seals)
    for path in place.glob("*.parquet"):
        if path.name in known or now - path.stat().st_mtime < KEEP_LOGS_S:
            continue
        try:
            sources = decode(parquet.about_of(path), path.name)["sources"]
        except (Damaged, KeyError, TypeError):
            continue  # nobody knows what it holds
        if all(source["size"] <= covered.get(log, -1) for log, source in sources.items()):
            path.unlink(missing_ok=True)


def is_over(folder: Path, files: RunFiles) -> bool:
    """Whether a run has ended, nobody lives who still writes to it, and it has been quiet for a minute."""
    now = disk.now_at(folder.parents[2])  # of the trail: looking at its clock leaves a file for a moment
    paths = logs.paths(folder)
    latest = max((path.stat().st_mtime for path in (*paths, folder / newest(folder)) if path.exists()), default=now)
    if now - latest < QUIET_S:
        return False
    if files.unedited()[0].status == "running":
        return False
    last = [reader.read(path) for path in {logs.writer_of(path.name): path for path in paths}.values()]
    return not any(contents.end is None and _lives(contents) for contents in last)


def _lives(contents: Contents) -> bool | None:
    """Whether the writer of a log lives; None when nobody here can know."""
    fields = contents.head or {}
    try:
        return alive.is_alive(Process(fields["pid"], fields["start"], fields["boot"], fields["host"]))
    except KeyError:
        return None


def _is_newer(contents: Contents) -> bool:
    return contents.newer or (contents.head or {}).get("format", LOG_FORMAT) > LOG_FORMAT


def _may_go(path: Path, source: Mapping[str, Json] | None, now: float) -> bool:
    if source is None or source["damaged"]:
        return False
    about = path.stat()
    keep = KEEP_LOGS_S if source["over"] else KEEP_OPEN_LOGS_S
    return now - about.st_mtime >= keep and about.st_size == source["size"] and _hash(path) == source["blake3"]


def _logs(folder: Path, covered: Mapping[str, int]) -> Iterator[_Read]:
    for path, contents in logs.each(folder, covered):
        yield _Read(path, covered.get(path.name, 0), path.stat().st_size, _hash(path), contents)


def _hash(path: Path) -> str:
    from blake3 import blake3

    hashed = blake3()
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            hashed.update(data)
    return hashed.hexdigest()


class _Sealing:
    """One attempt to seal one run."""

    def __init__(self, folder: Path, files: RunFiles, found: list[_Read], number: int, replaces: list[int]) -> None:
        self._folder = folder
        self._files = files
        self._logs = found
        self._number = number
        self._replaces = replaces
        self._sealer = secrets.token_hex(4)
        self._place = folder / sealed.FOLDER
        self._made: list[Path] = []
        self._writers: dict[str, list[Rows]] = {}
        for part, log in enumerate(found):
            for rows in log.contents.rows:
                rows.order += part << 40
            self._writers.setdefault(logs.writer_of(log.path.name), []).extend(log.contents.rows)
        self._series = SeriesMapping([LogRows(writer, rows) for writer, rows in self._writers.items()])

    def run(self, heads: Mapping[str, Json]) -> int | None:
        """Write, compare, and put the seal on it; None when another sealer was first."""
        disk.make_folder(self._place, self._folder)
        disk.sweep(self._place)
        done = False
        try:
            body = self._body(heads)
            self._compare(body)
            data = sealed.to_bytes(body)
            done = disk.create_whole(sealed.path_of(self._folder, self._number), data)
        finally:
            if not done:
                for path in self._made:
                    path.unlink(missing_ok=True)
        return self._number if done else None

    def _body(self, heads: Mapping[str, Json]) -> dict[str, Json]:
        about = self._about()
        tables = {}
        for names in layout.tables(_calls(self._writers.values())):
            columns = _table(names, self._writers)
            rows = len(columns[STEP].values)
            groups = parquet.evenly(rows)
            if len(self._writers) == 1:
                del columns[WRITER]
            steps = [columns[STEP].values[start:stop] for start, stop in parquet.spans(groups)]
            fields = {"steps": [[int(some.min()), int(some.max())] for some in steps]}
            file, proof = self._write(str(len(tables)), columns, groups, {**about, "table": fields})
            tables[file] = {**fields, **proof}
        columns = self._events()
        groups = parquet.evenly(len(columns[BODY].values), _EVENT_ROWS)
        about |= {"names": list(self._series), "replaces": self._replaces, "gaps": self._gaps()}
        about |= {"record": self._record(), "audit": dict(heads)}
        files = {file: [fields["size"], fields["footer"]] for file, fields in tables.items()}
        file, proof = self._write(sealed.EVENTS, columns, groups, {**about, "files": files})
        return {**about, "tables": tables, "events": {"file": file, **proof}}

    def _about(self) -> dict[str, Json]:
        """What each file says of the seal it belongs to, so that the seal can be made again from its files."""
        return {
            "format": sealed.FORMAT,
            "run": self._files.id,
            "number": self._number,
            "sealer": self._sealer,
            "at": now_us(),
            "sources": {log.path.name: _source(log) for log in self._logs},
            "writers": list(self._writers),
        }

    def _record(self) -> dict[str, Json]:
        record, tables = self._files.unedited()
        kept = {name: tables[name] for name in ("writers", "declared") if name in tables}
        return {**records.tables_of(record), **kept}

    def _gaps(self) -> list[Json]:
        gaps = [gap for log in self._logs for gap in log.contents.gaps]
        return [[gap.log, gap.start, gap.size, gap.step, gap.metric] for gap in gaps]

    def _write(
        self, group: str, columns: Mapping[str, Column], groups: Sequence[int], about: dict[str, Json]
    ) -> tuple[str, dict[str, Json]]:
        """One file, read back from the disk before it gets its name."""
        path = self._place / f"{group}.{self._sealer}.parquet"
        temp = disk.temp_name(path)
        self._made.append(temp)
        proven = parquet.digests(columns, groups)
        about = {**about, "groups": list(groups), "columns": proven}
        proof = parquet.write(temp, columns, groups, sealed.to_bytes(about), disk.file_mode(self._place))
        reader = parquet.Proven(temp, proof)
        for name in columns:
            for group_number in range(len(groups)):
                reader.column(name, group_number)
        os.replace(temp, path)
        self._made[-1] = path
        disk.fsync_folder(self._place)
        return path.name, proof.fields()

    def _events(self) -> dict[str, Column]:
        import numpy as np

        events = [event for log in self._logs for event in log.contents.events]
        numbers = {writer: number for number, writer in enumerate(self._writers)}
        owners = [(numbers[logs.writer_of(log.path.name)], len(log.contents.events)) for log in self._logs]
        steps = [_whole(event.get("step")) for event in events]
        return {
            WRITER: Column(np.repeat(*np.array(owners, np.uint16).reshape(-1, 2).T)),
            "seq": Column(np.arange(len(events), dtype=np.int64)),
            "step": Column(np.array([step or 0 for step in steps], np.int64), np.array([s is not None for s in steps])),
            "t": Column(np.array([_whole(event.get("t")) or 0 for event in events], np.int64)),
            "kind": Column(_objects(_text(event.get("kind")) for event in events)),
            "name": Column(_objects(_text(event.get("name")) for event in events)),
            BODY: Column(_objects(encode(event) for event in events)),
        }

    def _compare(self, body: dict[str, Json]) -> None:
        """Read the files as a reader will, and compare every point and event with the logs; raises `Damaged`."""
        made = Seal(self._folder, self._number, lambda _: None, body)
        found = SeriesMapping([made])
        same = list(found) == list(self._series) and all(
            _are_same(found[name], self._series[name]) for name in self._series
        )
        events = [event for log in self._logs for event in log.contents.events]
        if not same or [encode(event) for event in made.events()] != [encode(event) for event in events]:
            raise Damaged(f"run {self._files.id} reads otherwise once it is sealed; its logs stay")


def _calls(writers: Iterable[list[Rows]]) -> dict[layout.Call, int]:
    calls: dict[layout.Call, int] = {}
    for rows in writers:
        for block in rows:
            calls[block.names] = calls.get(block.names, 0) + len(block.step)
    return calls


def _source(log: _Read) -> dict[str, Json]:
    return {
        "start": log.start,
        "size": log.size,
        "blake3": log.blake3,
        "over": log.is_over,
        "damaged": bool(log.contents.gaps),
    }


def _table(names: Sequence[str], writers: Mapping[str, list[Rows]]) -> dict[str, Column]:
    """The rows of these metrics: writer after writer, each in the order of its log."""
    import numpy as np

    members = set(names)
    blocks: list[Rows] = []
    owners: list[int] = []
    for number, rows in enumerate(writers.values()):
        mine = [block for block in rows if not members.isdisjoint(block.names)]
        blocks += mine
        owners += [number] * len(mine)
    lengths = [len(block.step) for block in blocks]
    owner = np.repeat(np.array(owners, np.uint16), lengths)
    order = np.lexsort((np.concatenate([block.order for block in blocks]), owner))
    columns = {STEP: Column(np.concatenate([block.step for block in blocks])[order])}
    columns[TIME] = Column(np.concatenate([block.t_us for block in blocks])[order])
    columns[WRITER] = Column(owner[order])
    spans = parquet.spans(lengths)
    places = [{name: place for place, name in enumerate(block.names)} for block in blocks]
    for name in names:
        values, valid = np.zeros(len(order)), np.zeros(len(order), bool)
        for block, (start, stop), place in zip(blocks, spans, places, strict=True):
            if name in place:
                values[start:stop] = block.values[:, place[name]]
                valid[start:stop] = True
        columns[name] = Column(values[order], valid[order])
    return columns


def _are_same(one: Series, other: Series) -> bool:
    """Whether two series are equal to the bit; all NaN are one."""
    import numpy as np

    first, second = one.value, other.value
    if not np.array_equal(one.step, other.step) or not np.array_equal(one.t_us, other.t_us):
        return False
    if len(first) != len(second):
        return False
    missing = np.isnan(first)
    equal = first.view(np.int64) == np.ascontiguousarray(second).view(np.int64)
    return bool((equal | (missing & np.isnan(second))).all())


def _whole(value: Json) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    return value if is_whole else None


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _objects(values: Iterable[Json]) -> NDArray[np.object_]:
    import numpy as np

    found = list(values)
    array = np.empty(len(found), object)
    array[:] = found
    return array
