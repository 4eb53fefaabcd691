"""Large bytes in pieces, so that what two checkpoints have in common is kept once.

Where a piece ends is decided by the bytes themselves: behind a byte `MARK` whose last eight bytes hash to
a small number. An insertion therefore moves the ends near it and no others, which pieces of one fixed
size cannot offer: there, one byte more at the start makes every piece new. The idea is that of the Low
Bandwidth File System (Muthitacharoen, Chen, Mazieres, 2001, https://doi.org/10.1145/502034.502052); the
mark in front of the hash lets NumPy look at one position of 256 instead of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from celltrail.errors import Damaged, StoreError
from celltrail.store.files.encoding import decode, encode

LEAST, MOST = 1 << 20, 8 << 20  # bytes in a piece; random bytes give 2 MiB on average
MARK = 0x37  # the digit 7 in text, one byte of 256 in weights: frequent enough in both
_WINDOW = 8
_RARE = 12  # bits that must be zero
_FACTOR = 0x9E3779B97F4A7C15
_BLOCK = 16 << 20
_STRETCH = 256 << 10  # looked at in one go
_FORMAT = 2


class _Readable(Protocol):
    def read(self, most: int, /) -> bytes: ...


def pieces(file: _Readable) -> Iterator[bytes]:
    """The bytes of a stream in pieces, cut at places that depend on their surroundings only."""
    rest, is_last = b"", False
    while not is_last:
        block = file.read(_BLOCK)
        is_last = not block
        data = rest + block
        start = 0
        for end in _ends(data, is_last):
            yield data[start:end]
            start = end
        rest = data[start:]


def _ends(data: bytes, is_last: bool) -> Iterator[int]:
    """Where the pieces of these bytes end, which begin with a piece; all of them only if nothing follows."""
    start = 0
    while len(data) - start > MOST or (is_last and start < len(data)):
        start = _end(data, start + LEAST, min(start + MOST, len(data)))
        yield start


def _end(data: bytes, least: int, most: int) -> int:
    """Where a piece ends that may end from ``least`` to ``most``."""
    import numpy as np

    view = np.frombuffer(data, np.uint8)
    for low in range(least, most, _STRETCH):
        at = np.flatnonzero(view[low : min(low + _STRETCH, most)] == MARK) + low
        word = np.zeros(len(at), np.uint64)
        for back in range(_WINDOW):
            word = word << np.uint64(8) | view[at - back]
        found = at[(word * np.uint64(_FACTOR)) >> np.uint64(64 - _RARE) == 0]
        if len(found):
            return int(found[0]) + 1
    return most


@dataclass(frozen=True, slots=True)
class Manifest:
    """Which pieces, in order, make up the bytes of a digest."""

    digest: str
    pieces: tuple[tuple[str, int], ...]  # digest and size; without a digest the next bytes of the rest
    rest: str = ""  # digest of what lies between the pieces, all of it

    @property
    def size(self) -> int:
        """Of the whole."""
        return sum(size for _, size in self.pieces)

    @property
    def blobs(self) -> tuple[str, ...]:
        """All that is needed to put the whole together."""
        return tuple(dict.fromkeys(filter(None, (self.rest, *(piece for piece, _ in self.pieces)))))

    def places(self) -> Iterator[tuple[str, int, int]]:
        """In order: a blob, and from where to where in it."""
        at = 0
        for piece, size in self.pieces:
            if piece:
                yield piece, 0, size
            else:
                yield self.rest, at, at + size
                at += size

    def encode(self) -> bytes:
        """As the bytes of its file."""
        body: dict[str, object] = {"format": 1, "size": self.size, "pieces": [list(piece) for piece in self.pieces]}
        if self.rest:
            body |= {"format": 2, "rest": self.rest}
        return encode({**body, "check": _check(self.digest, body)})


def manifest_of(digest: str, data: bytes) -> Manifest:
    """What `Manifest.encode` gave; `Damaged` when it is not that."""
    try:
        body = decode(data, "manifest")
        check = body.pop("check")
        if check == _check(digest, body):
            if body["format"] > _FORMAT:
                raise StoreError(
                    f"blob {digest[:12]} has format {body['format']}, newer than this celltrail knows ({_FORMAT}); "
                    "pip install --upgrade celltrail"
                )
            return Manifest(digest, tuple((piece, size) for piece, size in body["pieces"]), body.get("rest", ""))
    except (Damaged, KeyError, TypeError, ValueError, AttributeError):
        pass
    raise Damaged(f"the list of pieces of blob {digest[:12]} does not verify")


def _check(digest: str, body: Mapping[str, object]) -> str:
    from blake3 import blake3

    return blake3(digest.encode() + encode(dict(sorted(body.items())))).hexdigest()[:16]
