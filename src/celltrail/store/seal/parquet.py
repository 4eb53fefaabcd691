"""Columns of points as Parquet: each encoded as suits it, and every stretch of it proven when it is read.

A proof says of a file how long it is, how its footer hashes, how many rows its row groups have, and how the
values of each column in each group hash. Nothing is decoded before the footer and the checksums of the pages
agree, nothing is given out before its values do.
Format: https://parquet.apache.org/docs/file-format/
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from celltrail.errors import Damaged
from celltrail.model import Json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GROUP_ROWS = 131_072  # a megabyte of doubles: what a window reads too much stays small
TRIAL_ROWS = 65_536
_ENCODINGS = ("BYTE_STREAM_SPLIT", "PLAIN", "DICTIONARY")
_LEVEL = 3


class Column(NamedTuple):
    """Values, and which of them are there; None: all are."""

    values: NDArray[Any]
    valid: NDArray[np.bool_] | None = None

    def rows(self, start: int, stop: int) -> Column:
        """The values from one row to before another."""
        return Column(self.values[start:stop], None if self.valid is None else self.valid[start:stop])

    def digest(self) -> str:
        """The hash of the values that are there, and of where they are; all NaN are one."""
        import numpy as np
        from blake3 import blake3

        values, hashed = self.values, blake3()
        if values.dtype == object:
            for value in values:
                data = value.encode() if isinstance(value, str) else value
                hashed.update((-1 if data is None else len(data)).to_bytes(8, "little", signed=True) + (data or b""))
            return hashed.hexdigest(length=16)
        if self.valid is not None and not self.valid.all():
            hashed.update(np.packbits(self.valid).tobytes())
            values = values[self.valid]
        if values.dtype.kind == "f" and (missing := np.isnan(values)).any():
            values = np.where(missing, np.nan, values)
        hashed.update(np.ascontiguousarray(values).view(np.uint8).data)
        return hashed.hexdigest(length=16)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a file must hold."""

    size: int
    footer: str
    groups: list[int]  # rows of each row group
    columns: dict[str, list[str]]  # digest of each column in each group

    def fields(self) -> dict[str, Json]:
        """As JSON."""
        return {"size": self.size, "footer": self.footer, "groups": self.groups, "columns": self.columns}

    @classmethod
    def of(cls, fields: Mapping[str, Json]) -> Proof:
        """What `fields` gave."""
        return cls(fields["size"], fields["footer"], fields["groups"], fields["columns"])


def digests(columns: Mapping[str, Column], groups: Sequence[int]) -> dict[str, list[str]]:
    """The digest of each column in each row group."""
    found: dict[str, list[str]] = {name: [] for name in columns}
    for start, stop in spans(groups):
        for name, column in columns.items():
            found[name].append(column.rows(start, stop).digest())
    return found


def spans(groups: Sequence[int]) -> list[tuple[int, int]]:
    """First row and end of each row group."""
    found: list[tuple[int, int]] = []
    for rows in groups:
        start = found[-1][1] if found else 0
        found.append((start, start + rows))
    return found


def evenly(rows: int, most: int = GROUP_ROWS) -> list[int]:
    """Row groups for so many rows."""
    whole, rest = divmod(rows, most)
    return [most] * whole + ([rest] if rest else [])


def write(path: Path, columns: Mapping[str, Column], groups: Sequence[int], about: bytes, mode: int) -> Proof:
    """Write columns to a new file and fsync it; what it must hold. Integers are for counters that grow evenly."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    chosen = {name: _encoding(column) for name, column in columns.items()}
    arrays = {name: _array(column, chosen[name][1]) for name, column in columns.items()}
    schema = pa.schema([(name, array.type) for name, array in arrays.items()])
    table = pa.table(list(arrays.values()), schema=schema)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "wb") as file:
        with pq.ParquetWriter(file, schema, **_settings({name: each[0] for name, each in chosen.items()})) as writer:
            for start, stop in spans(groups):
                writer.write_table(table.slice(start, stop - start), row_group_size=stop - start)
            writer.add_key_value_metadata({b"celltrail": about})
        file.flush()
        os.fsync(file.fileno())
    return Proof(path.stat().st_size, footer_digest(path), list(groups), digests(columns, groups))


class Proven:
    """A file and its proof, for reading; raises `Damaged` for what does not agree with it."""

    def __init__(self, path: Path, proof: Proof) -> None:
        self._path = path
        self._proof = proof
        self._file: Any = None

    def column(self, name: str, group: int) -> Column:
        """The values of a column in a row group."""
        import pyarrow as pa

        try:
            read = self._open().read_row_group(group, columns=[name], use_threads=False)
            column = _column(read.column(name))
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            raise Damaged(f"{self._path.name} cannot be read: {type(error).__name__}") from error
        rows, digest = self._proof.groups[group], self._proof.columns[name][group]
        if len(column.values) != rows or column.digest() != digest:
            raise Damaged(f"{name!r} in {self._path.name} does not hold what was sealed")
        return column

    def place(self, name: str, group: int) -> tuple[int, int]:
        """Where in the file a column of a row group stands, and how many bytes it has; all of it when unknown."""
        import pyarrow as pa

        try:
            about = self._open().metadata
            column = about.row_group(group).column(about.schema.names.index(name))
            start = column.dictionary_page_offset or column.data_page_offset
            return start, column.total_compressed_size
        except (pa.ArrowException, OSError, ValueError, IndexError):
            return 0, self._proof.size

    def _open(self) -> Any:
        if self._file is None:
            import pyarrow.parquet as pq

            if self._path.stat().st_size != self._proof.size or footer_digest(self._path) != self._proof.footer:
                raise Damaged(f"{self._path.name} is not the file that was sealed")
            self._file = pq.ParquetFile(self._path, memory_map=False, page_checksum_verification=True)
        return self._file


def about_of(path: Path) -> bytes:
    """What `write` was told about a file; b"" where it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return (pq.read_metadata(path).metadata or {}).get(b"celltrail", b"")
    except (pa.ArrowException, OSError, ValueError):
        return b""


def footer_digest(path: Path) -> str:
    """The hash of the end of a file, which says what is where in it; raises `Damaged`."""
    from blake3 import blake3

    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - 8))
        length = int.from_bytes(file.read(4), "little") + 8
        if length > size:
            raise Damaged(f"{path.name} has no footer")
        file.seek(size - length)
        return blake3(file.read()).hexdigest(length=16)


def _encoding(column: Column) -> tuple[str, bool]:
    """The smallest of the encodings in a trial, and whether 32 bits hold every value."""
    import numpy as np

    values = column.values
    if values.dtype.kind != "f":
        # text and bytes as they are: zstd sees what repeats
        return {np.dtype(np.int64): "DELTA_BINARY_PACKED", np.dtype(object): "PLAIN"}.get(
            values.dtype, "DICTIONARY"
        ), False
    with np.errstate(over="ignore", invalid="ignore"):
        short = values.astype(np.float32)
    known = ~np.isnan(values)
    is_short = bool((short.astype(np.float64)[known].view(np.int64) == values[known].view(np.int64)).all())
    array = _array(column.rows(0, TRIAL_ROWS), is_short)
    return min(_ENCODINGS, key=lambda encoding: _size(array, encoding)), is_short


def _size(array: Any, encoding: str) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"x": array}), sink, **_settings({"x": encoding}))
    return sink.tell()


def _settings(encodings: Mapping[str, str]) -> dict[str, Any]:
    # pyarrow refuses a column that has an encoding and a dictionary, and by default all have one
    dictionaries = [name for name, encoding in encodings.items() if encoding == "DICTIONARY"]
    return {
        "compression": "zstd",
        "compression_level": _LEVEL,
        "use_dictionary": dictionaries or False,
        "column_encoding": {name: encoding for name, encoding in encodings.items() if encoding != "DICTIONARY"} or None,
        "write_statistics": [name for name in encodings if name in ("$step", "$t")] or False,
        "write_page_checksum": True,
        "store_schema": False,
    }


def _array(column: Column, is_short: bool) -> Any:
    import numpy as np
    import pyarrow as pa

    values = column.values
    if values.dtype == object:
        return pa.array(values, pa.binary() if any(isinstance(value, bytes) for value in values) else pa.string())
    if is_short:
        with np.errstate(over="ignore", invalid="ignore"):
            values = values.astype(np.float32)
    missing = None if column.valid is None or column.valid.all() else ~column.valid
    return pa.array(values, mask=missing, from_pandas=False)


def _column(read: Any) -> Column:
    import numpy as np
    import pyarrow as pa

    array = read.combine_chunks() if read.num_chunks != 1 else read.chunk(0)
    valid = None
    if array.null_count and not pa.types.is_binary(array.type) and not pa.types.is_string(array.type):
        valid = array.is_valid().to_numpy(zero_copy_only=False)
        array = array.fill_null(0)
    values = array.to_numpy(zero_copy_only=False)
    return Column(values.astype(np.float64) if values.dtype == np.float32 else values, valid)
