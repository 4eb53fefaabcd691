"""The walk through a value: one digest for each part, bounded in time, in parts and in bytes.

What is equal gets equal bytes, in every process: nothing depends on addresses or on the seed of hashes. A part
that occurs twice is looked at once. Two names for one list are something else than two equal lists, since what
happens to one then happens to both; so the second time a changeable part occurs is marked.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import xxhash

from celltrail.capture.shield import attempt
from celltrail.capture.values.fingerprint import kinds

Quality = Literal["full", "sampled", "opaque"]
Update = Callable[[Any], None]
Reader = Callable[["Walk", Any, Update], None]

MOST_PARTS = 5000
MOST_OBJECTS = 6  # objects inside each other
_MOST_LEVELS = 40  # containers inside each other; each costs three frames of the stack
_MOST_INSIDE = 200
_SHORT = 256
_NAME = 64
FULL_BYTES = 8_000_000  # of one array, read whole
SAMPLE_BYTES = 1_000_000  # of a larger one, in ten windows
_MOST_BYTES = 64_000_000  # of one value, whatever number of arrays it has


class Spent(BaseException):
    """The time is over. Not an `Exception`, so that nobody on the way takes it for a fault of an object."""


@dataclass(slots=True)
class Budget:
    """How long the values of one cell may be looked at, all of them together.

    Counted in time of this thread: a busy machine makes no value opaque. Waiting, for a disk behind a mapped
    array, counts once it lasts ten times as long.
    """

    seconds: float = 0.05
    spent: float = 0.0
    _cpu: float = field(default=0.0, repr=False)
    _wall: float = field(default=0.0, repr=False)

    def begin(self) -> None:
        """Time runs from now."""
        self._cpu, self._wall = time.thread_time(), time.perf_counter()

    def check(self) -> None:
        """Raise `Spent` when it is used up."""
        if time.perf_counter() - self._wall > self.seconds - self.spent:
            waited = (time.perf_counter() - self._wall) / 10
            if max(waited, time.thread_time() - self._cpu) > self.seconds - self.spent:
                raise Spent

    def pause(self) -> None:
        """Time stands still."""
        self.spent += time.thread_time() - self._cpu


@dataclass(frozen=True, slots=True)
class Print:
    """What a value was at one moment, in few bytes.

    ``full``: every byte counts. ``sampled``: of something large, parts were read; equal digests mean probably
    equal values. ``opaque``: some of it cannot be seen (or the time was over); equal digests mean little.
    """

    digest: str
    quality: Quality
    inside: frozenset[int] = frozenset()  # addresses of arrays, models and containers in it, 200 at most


def text(value: str) -> bytes:
    """A string as a part of what is digested: its length first, so that two never run together."""
    return _name(value) if len(value) <= _NAME and type(value) is str else _text(value)


def _text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"s" + struct.pack("<Q", len(data)) + data


_name = lru_cache(maxsize=4096)(_text)  # of classes, attributes and columns: the same ones again and again


class Walk:
    """One walk through one value.

    Args:
        budget: ends it.
        scalars: tokens of the types that have no parts, by the address of the type.
        reader: finds who reads the parts of a type.
    """

    def __init__(
        self, budget: Budget, scalars: Mapping[int, Callable[[Any], bytes]], reader: Callable[[type], Reader]
    ) -> None:
        self.quality: Quality = "full"
        self.inside: set[int] = set()
        self.objects = 0  # objects around what is looked at
        self._budget, self._scalars, self._reader_of = budget, scalars, reader
        self._parts = self._bytes = 0
        self._open: dict[int, int] = {}  # what is being looked at: address -> how deep
        # with the value itself, here and below: a column's address is given out again as soon as the column is gone
        self._done: dict[int, tuple[Any, bytes, bool]] = {}

    def token(self, value: Any) -> bytes:
        """A part of a value as bytes: itself when short, else a digest."""
        kind = type(value)
        scalar = self._scalars.get(id(kind))
        if scalar is not None:
            return scalar(value)
        if kind is str and len(value) <= _SHORT:
            return text(value)
        key = id(value)
        done = self._done.get(key)
        if done is not None:
            return b"&" + done[1] if done[2] else done[1]
        if key in self._open:
            return b"^%d" % (len(self._open) - self._open[key])
        self._parts += 1
        if not self._parts & 31:
            self._budget.check()
        if self._parts > MOST_PARTS or len(self._open) > _MOST_LEVELS or self.objects > MOST_OBJECTS:
            self.lower("sampled")
            return b"?" + text(kinds.name(kind))
        found = self._read(value, kind, key)
        self._done[key] = (value, found, is_changeable(kind))
        return found

    def _read(self, value: Any, kind: type, key: int) -> bytes:
        hasher = xxhash.xxh3_128()
        self._open[key] = len(self._open)
        objects = self.objects
        try:
            if attempt(self._reader_of(kind), self, value, hasher.update):
                return b"#" + hasher.digest()
        finally:
            del self._open[key]
            self.objects = objects
        self.lower("opaque")
        return b"!" + text(kinds.name(kind))

    def lower(self, quality: Quality) -> None:
        """Something was not seen, or not all of it."""
        if self.quality != "opaque":
            self.quality = quality

    def contains(self, value: Any, most: int = _MOST_INSIDE) -> None:
        """This is an array, a model or a container inside of the value."""
        if len(self.inside) < most and id(value) != next(iter(self._open)):  # the value itself is not in it
            self.inside.add(id(value))

    def costs(self, parts: int) -> None:
        """So many parts were read in one go."""
        self._parts += parts
        self._budget.check()

    def allow(self, size: int, whole: int = FULL_BYTES) -> int:
        """How many of so many bytes may be read: all, or as many as a sample has."""
        self._budget.check()
        if size <= whole and self._bytes + size <= _MOST_BYTES:
            self._bytes += size
            return size
        self.lower("sampled")
        allowed = SAMPLE_BYTES if self._bytes < _MOST_BYTES else SAMPLE_BYTES // 20
        self._bytes += allowed
        return min(size, max(1, allowed * whole // FULL_BYTES))


def is_changeable(kind: type) -> bool:
    """Whether a change of one of two references to such a value is seen through the other."""
    return kind in _CHANGEABLE if type(kind) is type else False


_CHANGEABLE = frozenset([list, dict, set, bytearray])
