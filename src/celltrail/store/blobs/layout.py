"""Where in a file the parts lie that two checkpoints may share: the tensors of safetensors, the entries of a zip.

Files of PyTorch, skops and Keras and NumPy's ``.npz`` are zips whose entries are not compressed. Only headers are read;
nothing is unpickled.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import orjson

LEAST = 4096  # bytes of a part; what is shorter is kept with what lies between the parts
_LOCAL = struct.Struct("<4s22xHH")  # the head of an entry: its mark, how long its name is, and what follows that
_LONGEST = 64 << 20  # of a header that is read


class Part(NamedTuple):
    """A stretch of a file."""

    start: int
    size: int


def parts(file: BinaryIO, size: int) -> list[Part]:
    """The parts in the order in which they lie; none where the file is of no such kind.

    >>> import io
    >>> parts(io.BytesIO(b"a text of eleven words"), 22)
    []
    """
    import zipfile  # a run that begins has no file to lay out

    file.seek(0)
    head = file.read(9)
    found: Iterator[Part] = iter(())
    if head.startswith(b"PK\3\4"):
        found = _entries(file)
    elif len(head) == 9 and head[8:] == b"{":
        found = _tensors(file, int.from_bytes(head[:8], "little"), size)
    try:
        lying = sorted(part for part in found if part.size >= LEAST)
    except (zipfile.BadZipFile, struct.error, ValueError, KeyError, TypeError, AttributeError, NotImplementedError):
        return []  # looks like one and is none
    return lying if _are_sound(lying, size) else []


def _are_sound(lying: list[Part], size: int) -> bool:
    """Whether they are in the file, one behind the other."""
    at = 0
    for start, length in lying:
        if type(start) is not int or type(length) is not int or start < at:
            return False
        at = start + length
    return at <= size


def stretches(found: list[Part], size: int) -> Iterator[tuple[Part, bool]]:
    """The whole file in order: each part, and what lies between parts; whether it is a part.

    >>> list(stretches([Part(2, 5)], 10))
    [(Part(start=0, size=2), False), (Part(start=2, size=5), True), (Part(start=7, size=3), False)]
    """
    at = 0
    for part in itertools.chain(found, [Part(size, 0)]):
        if part.start > at:
            yield Part(at, part.start - at), False
        if part.size:
            yield part, True
        at = part.start + part.size


def _tensors(file: BinaryIO, length: int, size: int) -> Iterator[Part]:
    """Of safetensors: a length of 8 bytes, so much JSON, then the tensors at the offsets that it tells."""
    if not 2 <= length <= min(_LONGEST, size - 8):
        return
    file.seek(8)
    for name, tensor in orjson.loads(file.read(length)).items():
        if name != "__metadata__":
            start, end = tensor["data_offsets"]
            yield Part(8 + length + start, end - start)


def _entries(file: BinaryIO) -> Iterator[Part]:
    """The entries of a zip that are kept as they are."""
    import zipfile

    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            if entry.compress_type == zipfile.ZIP_STORED:
                file.seek(entry.header_offset)
                mark, name, more = _LOCAL.unpack(file.read(_LOCAL.size))
                if mark == b"PK\3\4":
                    yield Part(entry.header_offset + _LOCAL.size + name + more, entry.compress_size)
