"""`cdg1`: a digest of what rows hold, whatever file, chunks or width of numbers they come in.

Per column, over values that are made alike first: categories decoded, whole numbers in 64 bits also where they are
kept as floats, times in nanoseconds of UTC. ``FORMAT.md`` has the bytes. The order of rows and of columns counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from celltrail.dataset.table import Column, Table, compute

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

NAME = "cdg1"
_AT_ONCE = 1 << 18  # values
_ALONE_BYTES = 4 << 20  # less is not worth a thread
_EXACT = 2.0**53
_Part = tuple["NDArray[np.bool_] | None", Any, Any]  # where it is null, lengths or None, bytes of the values


@dataclass(frozen=True, slots=True)
class ColumnDigest:
    """What one column holds: ``kind`` is int, float, bool, str, bin, ts, tsz, date, time, dur, dec, json or null."""

    name: str
    dtype: str
    kind: str
    nulls: int
    hex: str = field(repr=False)

    def told(self) -> list[str | int]:
        """As JSON."""
        return [self.name, self.dtype, self.kind, self.nulls, self.hex]


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest of rows by their contents; ``str()`` is the text to compare.

    Attributes:
        hex: 64 characters, equal if the rows, their order and the names and order of the columns are.
        rows: how many rows there are.
        columns: a digest of each column.
        is_partial: whether a column holds objects that cannot be read, of which only the number counts.
    """

    hex: str
    rows: int
    columns: tuple[ColumnDigest, ...] = field(repr=False)
    is_partial: bool = False

    @property
    def schema(self) -> str:
        """A digest of names and exact types alone."""
        told = "\0".join(f"{column.name}\0{column.dtype}" for column in self.columns)
        return sha256(told.encode("utf-8", "surrogatepass")).hexdigest()

    def __str__(self) -> str:
        return f"{NAME}:{self.hex}"


def digest_of(table: Table) -> Digest:
    """The digest of a table.

    >>> from celltrail.dataset.table import table_of
    >>> floats, whole = table_of({"a": [1.0, 2.0]}), table_of({"a": np.array([1, 2], np.int8)})
    >>> digest_of(floats).hex == digest_of(whole).hex, str(digest_of(whole))[:13]
    (True, 'cdg1:...')
    """
    if table.nbytes > _ALONE_BYTES and len(table.columns) > 1:
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:  # hashing lets other threads in
            found = list(threads.map(_column, table.columns, [table.rows] * len(table.columns)))
    else:
        found = [_column(column, table.rows) for column in table.columns]
    told = f"{NAME}|{table.rows}|{len(found)}|{'|'.join(column.hex for column in found)}"
    is_partial = any(column.kind == "opaque" for column in found)
    return Digest(sha256(told.encode()).hexdigest(), table.rows, tuple(found), is_partial)


def _column(column: Column, rows: int) -> ColumnDigest:
    kind, parts = _OPAQUE if column.values is None else kind_of(column.values)
    null, length, value, nulls, at = sha256(), sha256(), sha256(), 0, 0
    for size, (missing, lengths, data) in parts():
        if missing is not None and missing.any():
            places = missing.nonzero()[0]
            null.update((places + at).astype("<u8").tobytes())
            nulls += len(places)
        if lengths is not None:
            length.update(lengths)
        value.update(data)
        at += size
    if column.values is not None and nulls == at:
        kind, length, value = "null", sha256(), sha256()
    shaped = f"{kind}[{','.join(map(str, column.shape))}]" if column.shape else kind
    whole = sha256(b"%b\0%b\0%b\0" % (NAME.encode(), shaped.encode(), column.name.encode("utf-8", "surrogatepass")))
    whole.update(rows.to_bytes(8, "little") + null.digest() + length.digest() + value.digest())
    return ColumnDigest(column.name, column.dtype, shaped, nulls, whole.hexdigest())


Parts = Callable[[], Iterator[tuple[int, _Part]]]
_OPAQUE: tuple[str, Parts] = ("opaque", lambda: iter(()))


def kind_of(values: pa.ChunkedArray) -> tuple[str, Parts]:
    """The kind of a column, and its values made alike, part by part."""
    import pyarrow as pa

    kind = values.type
    if pa.types.is_dictionary(kind):
        values = pa.chunked_array([chunk.dictionary_decode() for chunk in values.chunks], kind.value_type)
        kind = kind.value_type
    types = pa.types
    if types.is_null(kind):
        return "null", lambda: _each(values, lambda chunk: (_missing(chunk, all_of_them=True), None, b""))
    if types.is_boolean(kind):
        return "bool", lambda: _each(values, _booleans)
    if types.is_integer(kind):
        return _integers(values)
    if types.is_floating(kind):
        return _floats(values)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "str", lambda: _each(values.cast(pa.large_string()), _texts)
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind):
        return "bin", lambda: _each(values.cast(pa.large_binary()), _texts)
    if types.is_fixed_size_binary(kind):
        return "bin", lambda: _each(values.cast(pa.binary()).cast(pa.large_binary()), _texts)
    if types.is_timestamp(kind):
        return _times(values)
    if types.is_date(kind):
        return "date", lambda: _each(values.cast(pa.date32()).cast(pa.int32()), _whole)
    if types.is_time(kind):
        return "time", lambda: _each(values.cast(pa.time64("ns")).cast(pa.int64()), _whole)
    if types.is_duration(kind):
        return "dur", lambda: _each(values.cast(pa.duration("ns")).cast(pa.int64()), _whole)
    if types.is_decimal(kind):
        return "dec", lambda: _each(_spelled(values, _decimal), _texts)
    if types.is_nested(kind):
        return "json", lambda: _each(_spelled(values, _json), _texts)
    return _OPAQUE


def _each(values: Any, part: Callable[[Any], _Part]) -> Iterator[tuple[int, _Part]]:
    for chunk in values.chunks:
        for start in range(0, len(chunk), _AT_ONCE):
            piece = chunk.slice(start, _AT_ONCE)
            yield len(piece), part(piece)


def _missing(chunk: Any, *, all_of_them: bool = False) -> NDArray[np.bool_] | None:
    import numpy as np

    if all_of_them:
        return np.ones(len(chunk), bool)
    return chunk.is_null().to_numpy(zero_copy_only=False) if chunk.null_count else None


def _numbers(chunk: Any, filler: Any = 0) -> NDArray[Any]:
    return (chunk.fill_null(filler) if chunk.null_count else chunk).to_numpy(zero_copy_only=False)


def _booleans(chunk: Any) -> _Part:
    import numpy as np

    return _missing(chunk), None, _numbers(chunk, False).astype(np.uint8).tobytes()


def _whole(chunk: Any) -> _Part:
    return _missing(chunk), None, _contiguous(_numbers(chunk).astype("<i8", copy=False))


def _integers(values: pa.ChunkedArray) -> tuple[str, Parts]:
    import pyarrow as pa

    pc = compute()

    largest = pc.max(values).as_py() if values.type == pa.uint64() else None
    if largest is not None and largest >= 2**63:
        return "dec", lambda: _each(_spelled(values, str), _texts)
    return "int", lambda: _each(values, _whole)


def _floats(values: pa.ChunkedArray) -> tuple[str, Parts]:
    import numpy as np
    import pyarrow as pa

    if values.type == pa.float16():
        values = values.cast(pa.float32())

    def read(chunk: Any) -> tuple[Any, NDArray[np.float64]]:
        numbers = _numbers(chunk, np.nan).astype("<f8", copy=False)
        missing = np.isnan(numbers)
        return (missing, np.where(missing, 0.0, numbers)) if missing.any() else (None, numbers)

    def as_floats(chunk: Any) -> _Part:
        missing, numbers = read(chunk)
        return missing, None, _contiguous(numbers)

    def as_whole(chunk: Any) -> _Part:
        missing, numbers = read(chunk)
        return missing, None, numbers.astype("<i8").data

    for _, (_, numbers, _) in _each(values, lambda chunk: (None, read(chunk)[1], b"")):
        if not _are_whole(numbers):
            return "float", lambda: _each(values, as_floats)
    return "int", lambda: _each(values, as_whole)


def _are_whole(numbers: NDArray[np.float64]) -> bool:
    import numpy as np

    if not (numbers[:64] == np.rint(numbers[:64])).all():  # most floats say so at once
        return False
    is_negative_zero = np.signbit(numbers) & (numbers == 0)
    return bool(((numbers == np.rint(numbers)) & (np.abs(numbers) < _EXACT) & ~is_negative_zero).all())


def _contiguous(numbers: NDArray[Any]) -> memoryview:
    import numpy as np

    return np.ascontiguousarray(numbers).data


def _texts(chunk: Any) -> _Part:
    """Lengths and bytes, from the buffers of Arrow; under a null there is nothing."""
    import numpy as np

    missing = _missing(chunk)
    if chunk.null_count:
        chunk = chunk.fill_null("" if "string" in str(chunk.type) else b"")
    if not len(chunk):
        return missing, b"", b""
    _, offsets, data = chunk.buffers()
    ends = np.frombuffer(offsets, np.int64)[chunk.offset : chunk.offset + len(chunk) + 1]
    lengths = np.diff(ends).astype("<u4").tobytes()
    return missing, lengths, b"" if data is None else memoryview(data)[int(ends[0]) : int(ends[-1])]


def _times(values: pa.ChunkedArray) -> tuple[str, Parts]:
    import pyarrow as pa

    zone = values.type.tz
    kind = "ts" if zone is None else "tsz"
    try:
        counted = values.cast(pa.timestamp("ns", zone)).cast(pa.int64())
    except pa.ArrowInvalid:  # outside of 1677 to 2262
        kind, counted = f"{kind}us", values.cast(pa.timestamp("us", zone), safe=False).cast(pa.int64())
    return kind, lambda: _each(counted, _whole)


def _spelled(values: Any, spell: Callable[[Any], str]) -> Any:
    import pyarrow as pa

    texts = [
        pa.array([None if each is None else spell(each) for each in chunk.to_pylist()], pa.large_string())
        for chunk in values.chunks
    ]
    return pa.chunked_array(texts, pa.large_string())


def _decimal(value: Decimal) -> str:
    return format(value.normalize(), "f") if value else "0"


def _json(value: Any) -> str:
    import json

    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
