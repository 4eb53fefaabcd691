"""GGUF and ONNX: what the head of the file says of a model, without reading its weights."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from celltrail.errors import BadValue
from celltrail.formats.layers import Layer, Layers

_MOST_KEPT = 200  # characters or items of one value: a vocabulary is no fact about a model
Head = tuple[Layers, dict[str, Any]]

# GGUF: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
_PLAIN = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_TEXT, _ARRAY = 8, 9
_QUANTIZED = {0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K",
              11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 24: "I8", 25: "I16", 26: "I32", 27: "I64",
              28: "F64", 30: "BF16"}  # fmt: skip


def gguf(path: Path) -> Head:
    """Tensors and fields of a GGUF file; `BadValue` where it is none."""
    try:
        with path.open("rb") as file:
            magic, version, tensors, fields = struct.unpack("<4sIQQ", file.read(24))
            if magic != b"GGUF" or version < 2:
                raise ValueError(f"it begins with {magic!r}, version {version}")
            told = {_text(file): _value(file, _number(file, "<I")) for _ in range(fields)}
            found = [_tensor(file) for _ in range(tensors)]
    except (struct.error, ValueError, MemoryError) as error:
        raise BadValue(f"{path.name!r} is no GGUF file that can be read: {error}") from None
    return Layers(found), {key: value for key, value in told.items() if value is not None}


def _number(file: BinaryIO, form: str) -> Any:
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def _text(file: BinaryIO) -> str:
    size = _number(file, "<Q")
    if size > 1 << 24:
        raise ValueError(f"a text of {size:,} bytes")
    return file.read(size).decode("utf-8", "replace")


def _value(file: BinaryIO, kind: int) -> Any:
    """One value; None of a long list, which is passed over."""
    if kind == _TEXT:
        return _text(file)[:_MOST_KEPT]
    if kind == _ARRAY:
        inner, count = _number(file, "<I"), _number(file, "<Q")
        if inner in _PLAIN and count > _MOST_KEPT:
            file.seek(struct.calcsize(_PLAIN[inner]) * count, 1)
            return None
        found = [_value(file, inner) for _ in range(count)]
        return found if count <= _MOST_KEPT else None
    if kind not in _PLAIN:
        raise ValueError(f"a value of the unknown type {kind}")
    return _number(file, _PLAIN[kind])


def _tensor(file: BinaryIO) -> Layer:
    name, dimensions = _text(file), _number(file, "<I")
    shape = [_number(file, "<Q") for _ in range(dimensions)]
    kind, _ = _number(file, "<I"), _number(file, "<Q")
    return Layer(name, _QUANTIZED.get(kind, f"type {kind}"), tuple(reversed(shape)))


# ONNX is a message of protobuf: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
_FACTS = {1: "ir_version", 2: "producer_name", 3: "producer_version", 4: "domain", 5: "model_version", 6: "doc_string"}
_GRAPH, _OPSETS, _PROPERTIES = 7, 8, 14
_NODE, _GRAPH_NAME, _INITIALIZER, _INPUT, _OUTPUT = 1, 2, 5, 11, 12
_TYPES = {1: "F32", 2: "U8", 3: "I8", 4: "U16", 5: "I16", 6: "I32", 7: "I64", 9: "BOOL", 10: "F16", 11: "F64",
          12: "U32", 13: "U64", 16: "BF16"}  # fmt: skip


def onnx(path: Path) -> Head:
    """Initializers and facts of an ONNX file; `BadValue` where it is none."""
    told: dict[str, Any] = {}
    layers: list[Layer] = []
    try:
        with path.open("rb") as file:
            for field, value, size in _fields(file, path.stat().st_size):
                if field in _FACTS:
                    told[_FACTS[field]] = value if isinstance(value, int) else _held(file, size)
                elif field == _OPSETS:
                    opset = {f: v if isinstance(v, int) else _held(file, s) for f, v, s in _fields(file, size)}
                    told.setdefault("opset", {})[opset.get(1) or "ai.onnx"] = opset.get(2)
                elif field == _PROPERTIES:
                    pair = {f: _held(file, s) for f, _, s in _fields(file, size)}
                    told.setdefault("metadata", {})[pair.get(1, "")] = pair.get(2, "")
                elif field == _GRAPH:
                    _graph(file, size, told, layers)
            if "ir_version" not in told or "graph" not in told:
                raise ValueError("it has no graph")
    except (ValueError, IndexError, struct.error) as error:
        raise BadValue(f"{path.name!r} is no ONNX file that can be read: {error}") from None
    return Layers(layers), told


def _graph(file: BinaryIO, size: int, told: dict[str, Any], layers: list[Layer]) -> None:
    nodes, told["graph"] = 0, ""
    names: dict[int, list[str]] = {_INPUT: [], _OUTPUT: []}
    for field, _, length in _fields(file, size):
        if field == _NODE:
            nodes += 1
        elif field == _GRAPH_NAME:
            told["graph"] = _held(file, length)
        elif field == _INITIALIZER:
            layers.append(_initializer(file, length))
        elif field in names:
            names[field] += [_held(file, s) for f, _, s in _fields(file, length) if f == 1]
    told |= {"nodes": nodes, "inputs": names[_INPUT], "outputs": names[_OUTPUT]}


def _initializer(file: BinaryIO, size: int) -> Layer:
    shape, kind, name = list[int](), 0, ""
    for field, value, length in _fields(file, size):
        if field == 1 and isinstance(value, int):
            shape.append(value)
        elif field == 1:
            end = file.tell() + length
            while file.tell() < end:
                shape.append(_varint(file))
        elif field == 2 and isinstance(value, int):
            kind = value
        elif field == 8:
            name = _held(file, length)
    return Layer(name, _TYPES.get(kind, f"type {kind}"), tuple(shape))


def _fields(file: BinaryIO, size: int) -> Iterator[tuple[int, int | None, int]]:
    """Number, value of a plain one, length of one with parts; what is not read of those is passed over."""
    end = file.tell() + size
    while file.tell() < end:
        tag = _varint(file)
        field, wire = tag >> 3, tag & 7
        if wire == 0:
            yield field, _varint(file), 0
        elif wire in (1, 5):
            yield field, int.from_bytes(file.read(8 if wire == 1 else 4), "little"), 0
        elif wire == 2:
            length = _varint(file)
            after = file.tell() + length
            if after > end:
                raise ValueError("it is cut short")
            yield field, None, length
            file.seek(after)
        else:
            raise ValueError(f"wire type {wire}")


def _varint(file: BinaryIO) -> int:
    number = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)[0]
        number |= (byte & 127) << shift
        if byte < 128:
            return number
    raise ValueError("a number that does not end")


def _held(file: BinaryIO, size: int) -> str:
    return file.read(min(size, 4 * _MOST_KEPT)).decode("utf-8", "replace")[:_MOST_KEPT]
