"""The rows of a log, checked and decoded many at once.

One row by itself costs a microsecond of Python, most of it for calling `crc32` on a few bytes. Rows of one
size are therefore checked together: 16 bits of every row in one step of array arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from typing import TYPE_CHECKING, Any
from zlib import crc32

from celltrail.store.log import COVERED, HEADER, ROW, ROW_KIND

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = slice | NDArray[np.int64]  # of rows, in the order they stand

ALONE = 32  # so many rows in a row are worth a look at what follows
_ALIKE = 512  # so many of one size are worth a table of their own
_WALK = 8_192
_BLOCK = 16_384  # rows in one step: their bytes stay in the cache of the processor
_SHORT = 128  # bytes; longer rows are quicker one by one
_POLYNOMIAL = 0xEDB88320  # of crc32 as in zlib, bits reversed


@dataclass(slots=True)
class Rows:
    """The rows of one schema, in log order."""

    names: tuple[str, ...]
    order: NDArray[np.int64]  # byte offset of each row in its log
    step: NDArray[np.int64]
    t_us: NDArray[np.int64]
    values: NDArray[np.float64]  # one row each


class RowScan:
    """Where in the bytes of a log its rows stand, and what they hold."""

    def __init__(self, data: bytes, salt: int) -> None:
        self._data = data
        self._salt = salt
        self._at: dict[tuple[int, int], list[Places]] = {}  # schema and size -> where
        self._single: dict[tuple[int, int], list[int]] = {}  # the same, rows that came one by one
        self._records: dict[int, NDArray[Any]] = {}

    def note(self, schema: int, size: int, position: int) -> None:
        """A row that was checked by itself."""
        places = self._single.get((schema, size))
        if places is None:
            # whatever follows in bulk stands behind it, so the order is kept
            places = self._single[schema, size] = []
        places.append(position)

    def take(self, position: int) -> tuple[int, int, int]:
        """Take in the rows from here on until something else stands there, or a row that does not verify.

        Returns where that is, and step and time of the last row taken.
        """
        size = HEADER.unpack_from(self._data, position)[0]
        if not _is_size(size) or position + size + 9 > len(self._data):
            return position, 0, 0
        count = self._count_alike(position, size)
        if count >= _ALIKE:
            found: dict[int, Places] = {size: slice(position, position + count * (size + 9), size + 9)}
        else:
            found = self._walk(position)
        return self._verified(found, position)

    def rows(self, schemas: Mapping[int, tuple[str, ...]], base: int) -> Iterator[Rows | tuple[int, int]]:
        """The rows of each schema; of one that is not known, where its first row stands and their bytes."""
        import numpy as np

        self._settle()
        by_schema: dict[int, dict[int, list[Places]]] = {}
        for (schema, size), places in self._at.items():
            by_schema.setdefault(schema, {})[size] = places
        for schema, sizes in by_schema.items():
            names = schemas.get(schema)
            if names is None or sizes.keys() != {ROW.size + 8 * len(names)}:
                offsets = {size: np.concatenate([_offsets(each) for each in places]) for size, places in sizes.items()}
                first = min(int(each[0]) for each in offsets.values())
                yield base + first, sum((size + 9) * len(each) for size, each in offsets.items())
                continue
            ((size, places),) = sizes.items()
            order = base + np.concatenate([_offsets(each) for each in places])
            parts = [self._table(size, each) for each in places]
            # views until here: copied once, in columns that lie as numbers should
            columns = [np.concatenate([part[name] for part in parts]) for name in ("step", "t", "values")]
            yield Rows(names, order, *columns)

    def _settle(self) -> None:
        import numpy as np

        for key, positions in self._single.items():
            self._at.setdefault(key, []).append(np.array(positions))
        self._single = {}

    def _table(self, size: int, places: Places) -> NDArray[Any]:
        """The rows of this size at these places."""
        import numpy as np

        kind = _kind_of(size)
        if size not in self._records:
            # a record at every position, without its fields: numpy would copy those one by one
            room = max(0, len(self._data) - size - 8)
            self._records[size] = np.ndarray((room,), f"V{size + 9}", self._data, 0, (1,))
        return self._records[size][places].view(kind)

    def _count_alike(self, position: int, size: int) -> int:
        """How many rows of one size stand here behind each other, going by their headers."""
        count, stride = 0, size + 9
        most, ahead = (len(self._data) - position) // stride, 2 * _ALIKE
        while count < most:
            start = position + count * stride
            part = self._table(size, slice(start, start + min(ahead, most - count) * stride, stride))
            alike = (part["size"] == size) & (part["kind"] == ROW_KIND)
            if not alike.all():
                return count + int(alike.argmin())
            count += len(part)
            ahead = 1 << 16
        return count

    def _walk(self, position: int) -> dict[int, Places]:
        """Rows of different sizes, going by their headers."""
        import numpy as np

        unpack, data, end = HEADER.unpack_from, self._data, len(self._data) - 9
        found: dict[int, list[int]] = {}
        for _ in range(_WALK):
            if position > end:
                break
            size, _, kind = unpack(data, position)
            after = position + 9 + size
            if kind != ROW_KIND or after > end + 9:
                break
            if size in found:
                found[size].append(position)
            elif _is_size(size):
                found[size] = [position]
            else:
                break
            position = after
        return {size: np.array(places) for size, places in found.items()}

    def _verified(self, found: dict[int, Places], position: int) -> tuple[int, int, int]:
        """Keep what stands before the first row that does not verify."""
        good: dict[int, Places] = {}
        bad = len(self._data)
        for size, places in found.items():
            count = _count_true(self._table(size, places), size, crc32(COVERED.pack(size, ROW_KIND), self._salt))
            offsets = _offsets(places)
            if count < len(offsets):
                bad = min(bad, int(offsets[count]))
            good[size] = places
        stop, step, t_us = position, 0, 0
        for size, places in good.items():
            places = _before(places, bad)
            rows = self._table(size, places)
            if not len(rows):
                continue
            self._keep(size, places, rows["schema"])
            last = int(_offsets(places)[-1])
            if last + size + 9 > stop:
                stop, step, t_us = last + size + 9, int(rows["step"][-1]), int(rows["t"][-1])
        return stop, step, t_us

    def _keep(self, size: int, places: Places, schemas: NDArray[np.uint16]) -> None:
        import numpy as np

        self._settle()
        first = int(schemas[0])
        if (schemas == first).all():
            self._at.setdefault((first, size), []).append(places)
            return
        offsets = _offsets(places)
        for schema in np.flatnonzero(np.bincount(schemas)).tolist():
            self._at.setdefault((schema, size), []).append(offsets[schemas == schema])


def _is_size(size: int) -> bool:
    return size >= ROW.size and (size - ROW.size) % 8 == 0


def _offsets(places: Places) -> NDArray[np.int64]:
    import numpy as np

    return np.arange(places.start, places.stop, places.step) if isinstance(places, slice) else places


def _before(places: Places, end: int) -> Places:
    if isinstance(places, slice):
        return slice(places.start, min(places.stop, end), places.step)
    return places[places < end]


def packed(
    schema: int, inner: int, steps: NDArray[np.int64], times: NDArray[np.int64], values: NDArray[np.float64]
) -> bytes:
    """Rows of one schema as they lie in a log, made many at once.

    Args:
        schema: its id.
        inner: the crc of length and kind, as `log.Schema` has it.
        steps: one for each row.
        times: microseconds.
        values: one row each.
    """
    import numpy as np

    size = ROW.size + 8 * values.shape[1]
    kind = _kind_of(size)
    table = np.frombuffer(bytearray(len(steps) * kind.itemsize), kind)
    table["size"], table["kind"], table["schema"] = size, ROW_KIND, schema
    table["step"], table["t"], table["values"] = steps, times, values
    table["crc"] = _crcs(table, size, inner)
    return table.tobytes()


@cache
def _kind_of(size: int) -> np.dtype[Any]:
    """A row as it lies in the log, and its body as 16-bit words beside that."""
    import numpy as np

    fields: dict[str, tuple[Any, int]] = {
        "size": (np.dtype("<u4"), 0),
        "crc": (np.dtype("<u4"), 4),
        "kind": (np.dtype("u1"), 8),
        "body": (np.dtype(f"V{size}"), 9),
        "schema": (np.dtype("<u2"), 9),
        "step": (np.dtype("<i8"), 11),
        "t": (np.dtype("<i8"), 19),
        "values": (np.dtype(("<f8", ((size - ROW.size) // 8,))), 27),
    }
    if size <= _SHORT:
        fields |= {f"word{n}": (np.dtype("<u2"), 9 + 2 * n) for n in range(size // 2)}
    return np.dtype(
        {
            "names": list(fields),
            "formats": [kind for kind, _ in fields.values()],
            "offsets": [offset for _, offset in fields.values()],
            "itemsize": size + 9,
        }
    )


def _count_true(rows: NDArray[Any], size: int, inner: int) -> int:
    """How many rows from the first on have a crc that is right."""
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        right = _crcs(block, size, inner) == block["crc"]
        if not right.all():
            return start + int(right.argmin())
    return len(rows)


def _crcs(rows: NDArray[Any], size: int, inner: int) -> NDArray[np.uint32]:
    """`zlib.crc32` of the body of each row, with ``inner`` as its start value."""
    import numpy as np

    if size > _SHORT or len(rows) < 128:
        return np.fromiter(map(crc32, rows["body"].tolist(), repeat(inner)), np.uint32, len(rows))
    table = _crc_of_words()
    crcs = np.full(len(rows), inner ^ 0xFFFFFFFF, np.uint32)
    for word in range(size // 2):
        index = crcs.astype(np.uint16)
        index ^= rows[f"word{word}"]
        crcs >>= np.uint32(16)
        crcs ^= table.take(index, mode="clip")
    crcs ^= np.uint32(0xFFFFFFFF)
    return crcs


@cache
def _crc_of_words() -> NDArray[np.uint32]:
    """What 16 bits do to a crc: the table of Sarwate's algorithm (1988) for a word in place of a byte."""
    import numpy as np

    crcs = np.arange(1 << 16, dtype=np.uint32)
    for _ in range(16):
        crcs = np.where(crcs & 1, (crcs >> np.uint32(1)) ^ np.uint32(_POLYNOMIAL), crcs >> np.uint32(1))
    return crcs
