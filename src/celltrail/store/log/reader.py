"""Reading logs: what verifies is decoded, what does not is skipped and located."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from struct import error as StructError  # noqa: N812
from zlib import crc32

from celltrail.model import Json
from celltrail.store.files.encoding import decode
from celltrail.store.files.network import retried
from celltrail.store.log import (
    BEAT,
    BEAT_KIND,
    COVERED,
    END_KIND,
    EVENT_KIND,
    HEAD_KIND,
    HEADER,
    ITEM_KIND,
    MAGIC,
    ROW,
    ROW_KIND,
    SCHEMA_KIND,
    salt_of,
    writer_of,
)
from celltrail.store.log.rows import ALONE, Rows, RowScan

_WINDOW = 1 << 20


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of a log, or of what was sealed, that does not verify."""

    log: str
    start: int
    size: int
    step: int | None = None  # the last step read before it
    metric: str | None = None  # the only one that lacks its points there

    def __str__(self) -> str:
        return self._told(f" of {self.log}")

    @property
    def inside(self) -> str:
        """The same, where the name of the log has been said."""
        return self._told("")

    def _told(self, log: str) -> str:
        about = "" if self.step is None else f", about step {self.step:,}"
        about += "" if self.metric is None else f" of {self.metric}"
        return f"{_bytes(self.size)} unreadable at {_bytes(self.start)}{log}{about}"


@dataclass(slots=True)
class State:
    """How far a log was read and what is needed to read on."""

    offset: int = 0
    schemas: dict[int, tuple[str, ...]] = field(default_factory=dict)
    step: int | None = None
    t_us: int = 0  # of the last record


@dataclass(slots=True)
class Contents:
    """What a stretch of a log holds."""

    state: State
    head: dict[str, Json] | None = None
    end: dict[str, Json] | None = None
    rows: list[Rows] = field(default_factory=list)
    events: list[dict[str, Json]] = field(default_factory=list)  # events and items, in log order
    gaps: list[Gap] = field(default_factory=list)
    newer: bool = False  # holds records of a kind this celltrail does not know


@retried
def read(path: Path, state: State | None = None, stop: int | None = None) -> Contents:
    """Everything in a log after ``state``, from the start when None, and before byte ``stop``.

    Bytes that do not verify at the end of the file are a gap like any other: the caller knows whether
    the writer lives and they are just not there yet. ``state.offset`` always is the end of the last
    record that verified.
    """
    old = state or State()
    with path.open("rb") as file:
        file.seek(old.offset)
        data = file.read() if stop is None else file.read(max(0, stop - old.offset))
    return _Scan(path, data, old).contents()


def read_head(path: Path) -> dict[str, Json] | None:
    """The first record of a log, or None where it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(1 << 14)
        size, crc, kind = HEADER.unpack_from(data, len(MAGIC))
        body = data[len(MAGIC) + 9 : len(MAGIC) + 9 + size]
        salt = salt_of(writer_of(path.name))
        if kind == HEAD_KIND and crc32(body, crc32(COVERED.pack(size, kind), salt)) == crc:
            return decode(body, path.name)
    except (OSError, StructError):
        pass
    return None


class _Scan:
    """One pass over the bytes of a log from an offset on."""

    def __init__(self, path: Path, data: bytes, old: State) -> None:
        self._log = path.name
        self._salt = salt_of(writer_of(path.name))
        self._data = data
        self._base = old.offset
        self._state = State(old.offset, dict(old.schemas), old.step, old.t_us)
        self._found = Contents(self._state)
        self._rows = RowScan(data, self._salt)
        self._seen: set[bytes] | None = None

    def contents(self) -> Contents:
        """Read to the end."""
        position = 0
        if self._base == 0 and self._data:
            position = len(MAGIC) if self._data.startswith(MAGIC) else self._resume(0)
        end = len(self._data)
        while position < end:
            position = self._stretch(position)
            if position < end:
                position = self._resume(position)
        self._gather()
        return self._found

    def _stretch(self, position: int) -> int:
        """Take in records until one does not verify; where that one starts."""
        data, salt, end = self._data, self._salt, len(self._data)
        unpack, unpack_row, covered, note = HEADER.unpack_from, ROW.unpack_from, COVERED.pack, self._rows.note
        inner: dict[int, int] = {}
        alone = 0  # rows behind each other that were read one by one
        step, t_us = self._state.step, self._state.t_us
        while position + 9 <= end:
            size, crc, kind = unpack(data, position)
            start, stop = position + 9, position + 9 + size
            if stop > end:
                break
            body = data[start:stop]
            if kind == ROW_KIND:
                if alone == ALONE and self._seen is None:
                    alone = 0
                    stop, *moment = self._rows.take(position)
                    if stop > position:
                        position, (step, t_us) = stop, moment
                        continue
                    stop = start + size
                known = inner.get(size)
                if known is None:
                    known = inner[size] = crc32(covered(size, kind), salt)
                if crc32(body, known) != crc or size < ROW.size:
                    break
                schema, step, t_us = unpack_row(body)
                if self._seen is None or self._is_new(data[position:stop]):
                    note(schema, size, position)
                alone += 1
            else:
                if crc32(body, crc32(covered(size, kind), salt)) != crc:
                    break
                self._state.step, self._state.t_us = step, t_us
                if self._seen is None or self._is_new(data[position:stop]):
                    self._take(kind, body, self._base + position)
                t_us = self._state.t_us
                alone = 0
            position = stop
        self._state.step, self._state.t_us = step, t_us
        self._state.offset = self._base + position
        return position

    def _take(self, kind: int, body: bytes, offset: int) -> None:
        found, state = self._found, self._state
        if kind == SCHEMA_KIND:
            number, names = decode(body, self._log)
            state.schemas[number] = tuple(names)
        elif kind == EVENT_KIND:
            found.events.append(decode(body, self._log))
            state.t_us = found.events[-1].get("t", state.t_us)
        elif kind == ITEM_KIND:
            item = decode(body, self._log)
            state.t_us = item.get("t", state.t_us)
            if "values" in item:
                found.rows.append(_row_of(item, offset))
            else:
                found.events.append({"kind": "item", **item})
        elif kind == BEAT_KIND:
            (state.t_us,) = BEAT.unpack(body)
        elif kind == HEAD_KIND:
            head = found.head = decode(body, self._log)
            state.t_us = state.t_us or head.get("wall_us", 0)
        elif kind == END_KIND:
            end = found.end = decode(body, self._log)
            state.t_us = end.get("t", state.t_us)
        elif kind < 128:
            found.newer = True

    def _resume(self, position: int) -> int:
        """Note a gap; the offset of the next record that verifies, or the end."""
        if self._seen is None:
            self._seen = self._everything_seen()
        after = next(self._candidates(position + 1), len(self._data))
        self._found.gaps.append(Gap(self._log, self._base + position, after - position, self._state.step))
        return after

    def _candidates(self, position: int) -> Iterator[int]:
        """Offsets from here on where a whole record stands that verifies."""
        import numpy as np

        data, end = self._data, len(self._data)
        while position + 9 <= end:
            window = np.frombuffer(data, np.uint8, min(_WINDOW + 8, end - position), position)
            count = len(window) - 8
            sizes = sum(window[i : i + count].astype(np.int64) << 8 * i for i in range(4))
            kinds = window[8 : 8 + count]
            room = end - position - 9 - np.arange(count)
            for offset in np.flatnonzero((kinds > 0) & (sizes <= room)).tolist():
                at = position + offset
                size, crc, kind = HEADER.unpack_from(data, at)
                if crc32(data[at + 9 : at + 9 + size], crc32(COVERED.pack(size, kind), self._salt)) == crc:
                    yield at
            position += count

    def _everything_seen(self) -> set[bytes]:
        """The records taken so far: after damage, a block of the file may be there twice."""
        seen: set[bytes] = set()
        position = len(MAGIC) if self._base == 0 else 0
        while position + 9 <= self._state.offset - self._base:
            size = HEADER.unpack_from(self._data, position)[0]
            seen.add(self._data[position : position + 9 + size])
            position += 9 + size
        return seen

    def _is_new(self, record: bytes) -> bool:
        assert self._seen is not None
        if record in self._seen:
            return False
        self._seen.add(record)
        return True

    def _gather(self) -> None:
        for found in self._rows.rows(self._state.schemas, self._base):
            if isinstance(found, Rows):
                self._found.rows.append(found)
            else:
                self._found.gaps.append(Gap(self._log, *found))


def _row_of(item: dict[str, Json], offset: int) -> Rows:
    import numpy as np

    return Rows(
        tuple(item["values"]),
        np.array([offset], np.int64),
        np.array([item["step"]], np.int64),
        np.array([item["t"]], np.int64),
        np.array([list(item["values"].values())], np.float64),
    )


def _bytes(count: float) -> str:
    for unit in ("bytes", "KB", "MB"):
        if count < 1000:
            return f"{count:.4g} {unit}"
        count /= 1000
    return f"{count:.4g} GB"
