"""safetensors: a header of JSON, then the bytes of every tensor. The header is read alone, and kept as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from celltrail.errors import BadValue
from celltrail.formats.layers import Layer, Layers

_MOST_HEADER = 100_000_000  # as the format has it
METADATA = "__metadata__"


@dataclass(frozen=True, slots=True)
class TensorFile:
    """A file of tensors: its first bytes as they are, and where each tensor stands behind them, in order."""

    head: bytes
    tensors: tuple[tuple[str, str, tuple[int, ...], int, int], ...]  # name, dtype, shape, begin, end
    metadata: dict[str, str]
    data: bytes | Path

    @property
    def layers(self) -> Layers:
        """The tensors by name."""
        return Layers(Layer(name, dtype, shape) for name, dtype, shape, _, _ in sorted(self.tensors))

    def each(self) -> Iterator[tuple[str, str, tuple[int, ...], bytes]]:
        """Name, dtype, shape and bytes of every tensor, in the order of the file."""
        if isinstance(self.data, bytes):
            for name, dtype, shape, begin, end in self.tensors:
                yield name, dtype, shape, self.data[len(self.head) + begin : len(self.head) + end]
            return
        with self.data.open("rb") as file:
            for name, dtype, shape, begin, end in self.tensors:
                file.seek(len(self.head) + begin)
                yield name, dtype, shape, file.read(end - begin)


def read(data: bytes | Path, name: str = "model.safetensors") -> TensorFile:
    """The file by its header alone.

    Raises:
        BadValue: it is no file of safetensors, or cut short.
    """
    if isinstance(data, bytes):
        return _read(data[:8], data[8 : 8 + _MOST_HEADER], len(data), data, name)
    with data.open("rb") as file:
        return _from_file(file, data, name)


def _from_file(file: BinaryIO, path: Path, name: str) -> TensorFile:
    count = file.read(8)
    size = int.from_bytes(count, "little")
    header = file.read(size) if size <= _MOST_HEADER else b""
    return _read(count, header, path.stat().st_size, path, name)


def _read(count: bytes, rest: bytes, size: int, data: bytes | Path, name: str) -> TensorFile:
    length = int.from_bytes(count, "little")
    try:
        if len(count) < 8 or not 0 < length <= len(rest):
            raise ValueError("its header is cut short")
        raw = rest[:length]
        told: dict[str, Any] = orjson.loads(raw)
        metadata = {str(key): str(value) for key, value in told.pop(METADATA, {}).items()}
        found: list[tuple[str, str, tuple[int, ...], int, int]] = [
            (key, str(each["dtype"]), tuple(each["shape"]), int(each["data_offsets"][0]), int(each["data_offsets"][1]))
            for key, each in told.items()
        ]
        found.sort(key=lambda each: each[3:])
        end = 0
        for _, _, _, begin, until in found:
            if begin != end or until < begin:
                raise ValueError("its tensors do not lie one behind the other")
            end = until
        if 8 + length + end != size:
            raise ValueError(f"it has {size:,} bytes and its header speaks of {8 + length + end:,}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadValue(f"{name!r} is no file of safetensors: {error}") from None
    return TensorFile(count + raw, tuple(found), metadata, data)


def tied(metadata: dict[str, str], names: set[str]) -> dict[str, str]:
    """The names that were left out because they are another one's tensor, and that one's name."""
    return {key: value for key, value in metadata.items() if value in names and key not in names}
