"""The append-only log of one process: framed records that prove themselves.

A file is `MAGIC`, then little-endian records ``u32 length | u32 crc | u8 type | body``. The crc covers
length and type and is salted with the writer's name: a flipped type byte, a zero-filled tail or the
bytes of another log inside a text never pass for a record.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Never
from zlib import crc32

from celltrail.model import Json
from celltrail.store.files import disk
from celltrail.store.files.encoding import encode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAGIC = b"CTL1\r\n\x1a\n"
HEADER = Struct("<IIB")
COVERED = Struct("<IB")
pack_header = HEADER.pack  # bound once: row() runs it on every call
ROW = Struct("<Hqq")
BEAT = Struct("<q")
HEAD_KIND, ROW_KIND, SCHEMA_KIND, ITEM_KIND, EVENT_KIND, BEAT_KIND, END_KIND = range(1, 8)

PART_BYTES = 256 << 20
REPEAT_BYTES = 4 << 20
_BLOCK = 1 << 20
MAX_SCHEMAS = 1024
NO_SCHEMA = 0xFFFF  # in the packed form of a row that is kept as an item

# pack of the body, schema id, the header's constant length, the crc of length and type
Schema = tuple[Callable[..., bytes], int, int, int]


def writer_of(log: str) -> str:
    """The writer of a log, by its file name."""
    return log.rsplit(".", 2)[0]


def salt_of(writer: str) -> int:
    """The start value of every crc in this writer's files."""
    return crc32(writer.encode())


def frame(kind: int, body: bytes, salt: int) -> bytes:
    """One record."""
    size = len(body)
    return HEADER.pack(size, crc32(body, crc32(COVERED.pack(size, kind), salt)), kind) + body


def copied(fd: int, size: int, path: Path) -> None:
    """Bring what a file holds up to this size to another path; what is there already, from before, stays."""
    copy = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, disk.file_mode(path.parent))
    with os.fdopen(copy, "ab") as file:
        at = os.fstat(copy).st_size
        while at < size and (block := os.pread(fd, min(_BLOCK, size - at), at)):
            file.write(block)
            at += len(block)
        file.flush()
        os.fsync(copy)


def unpacked(
    width: int, bodies: Sequence[bytes]
) -> tuple[NDArray[np.uint16], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Schemas, steps, times and values of packed rows of this many values each."""
    import numpy as np

    kind = np.dtype([("schema", "<u2"), ("step", "<i8"), ("t", "<i8"), ("values", "<f8", (width,))])
    table = np.frombuffer(b"".join(bodies), kind)
    return table["schema"], table["step"], table["t"], table["values"]


def unpacked_few(width: int, bodies: Sequence[bytes]) -> tuple[tuple[int, ...], list[tuple[float, ...]]]:
    """Steps of some packed rows, and the column of each of their values, without NumPy."""
    _, steps, _, *columns = zip(*Struct(f"{ROW.format}{width}d").iter_unpack(b"".join(bodies)), strict=True)
    return steps, columns


class Log:
    """The file this process appends to: every append is one ``os.write`` of whole records.

    Not thread-safe by itself; its owner holds a lock. A file is never reopened for append, so nothing is
    ever written behind a torn tail: what cannot be mended continues in a new part.
    """

    def __init__(self, folder: Path, writer: str, head: dict[str, Json]) -> None:
        self.writer = writer
        self.salt = salt_of(writer)
        self.size = 0
        self._fd = -1
        self._folder = folder
        self._head = head
        self._part = 0
        self._name = ""
        self._parts: list[tuple[str, int, int]] = []  # name, descriptor and size of those before
        self._ids = itertools.count()
        self._schemas: dict[tuple[str, ...], Schema] = {}
        self._latest: tuple[tuple[str, ...], Schema | None] = ((), None)  # hashing 50 names costs as much as packing
        self._keep_up_at = REPEAT_BYTES
        self.next_part()

    def row(self, names: tuple[str, ...], step: int, t_us: int, values: Collection[float]) -> bytes:
        """Append the record of one `log` call; its packed form: schema, step, time and values."""
        if self.size >= self._keep_up_at:
            self._keep_up()
        known, schema = self._latest
        if names is not known:
            schema = self._schemas.get(names)
            self._latest = names, schema
        if schema is None:
            data, body, schema = self.record(names, step, t_us, values)
            self.append(data)
            self.learn(names, schema)
            return body
        pack, number, length, inner = schema
        body = pack(number, step, t_us, *values)
        # as `append`, without the call
        written = os.write(self._fd, pack_header(length, crc32(body, inner), ROW_KIND) + body)
        if written != length + 9:
            self._fall_short(written)
        self.size += written
        return body

    def record(
        self, names: tuple[str, ...], step: int, t_us: int, values: Collection[float]
    ) -> tuple[bytes, bytes, Schema | None]:
        """The bytes of a row, behind its schema where that is not `learn`ed yet; its packed form, that schema.

        A schema is learned only once its bytes are kept, so an interrupt in between never leaves rows
        that nobody can read; its id is used up at once, so no two schemas ever share one.
        """
        schema, before = self._schemas.get(names), b""
        pack = schema[0] if schema else Struct(f"{ROW.format}{len(names)}d").pack
        if schema is None and len(self._schemas) < MAX_SCHEMAS and (number := next(self._ids)) < NO_SCHEMA:
            length = ROW.size + 8 * len(names)
            schema = pack, number, length, crc32(COVERED.pack(length, ROW_KIND), self.salt)
            before = self._schema_frame(number, names)
        if schema is None:
            item = {"step": step, "t": t_us, "values": dict(zip(names, map(float, values), strict=True))}
            return frame(ITEM_KIND, encode(item), self.salt), pack(NO_SCHEMA, step, t_us, *values), None
        _, number, length, inner = schema
        body = pack(number, step, t_us, *values)
        return before + pack_header(length, crc32(body, inner), ROW_KIND) + body, body, schema

    def learn(self, names: tuple[str, ...], schema: Schema | None) -> None:
        """From now on rows of these names are written without their schema."""
        if schema is not None:
            self._schemas[names] = schema
            self._latest = names, schema

    def schema(self, names: tuple[str, ...]) -> Schema | None:
        """The schema of these names, where there is one by now."""
        return self._schemas.get(names)

    def append(self, data: bytes) -> None:
        """Write whole records; after an error none of their bytes stay behind."""
        written = os.write(self._fd, data)
        if written != len(data):
            self._fall_short(written)
        self.size += written

    def end(self, summary: dict[str, Json]) -> None:
        """The last record: a clean close."""
        self.append(self._all_schemas() + frame(END_KIND, encode(summary), self.salt))
        if not disk.is_later(self._folder / self._name):
            self.sync()

    def sync(self) -> None:
        """Bring everything appended so far to the disk."""
        os.fdatasync(self._fd)

    def duplicate(self) -> int:
        """A descriptor of the file that stays valid when the log goes on in another part."""
        return os.dup(self._fd)

    def close(self) -> None:
        """Let go of the files."""
        self._set_aside()
        parts, self._parts = self._parts, []
        for _, fd, _ in parts:
            with contextlib.suppress(OSError):
                os.close(fd)

    def _set_aside(self) -> None:
        """Write no more to this part, but keep it open: somebody may delete it, and then this is all there is."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._parts.append((self._name, fd, self.size))

    def is_lost(self) -> bool:
        """Whether the file that is written is no longer the one of its name, or cannot be reached by it."""
        try:
            there = os.stat(self._folder / self._name if self._fd >= 0 else self._folder)
            mine = os.fstat(self._fd) if self._fd >= 0 else there
        except OSError:
            return True
        return not mine.st_nlink or (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)

    def holding(self) -> list[tuple[str, int, int]]:
        """Name, a descriptor of its own and size of each part, for `copied`; the caller closes it."""
        now = [(self._name, self._fd, self.size)] if self._fd >= 0 else []
        return [(name, os.dup(fd), size) for name, fd, size in self._parts + now]

    def go_on_in(self, folder: Path) -> None:
        """Go on in a new part in another folder."""
        before, self._folder = self._folder, folder
        try:
            self.next_part()
        except BaseException:
            self._folder = before
            raise

    @property
    def is_open(self) -> bool:
        """Whether there is a file to append to; after a failure that could not be mended there is none."""
        return self._fd >= 0

    def next_part(self) -> None:
        """Go on in a new file, which starts with the head and all schemas."""
        self._part += 1
        name = f"{self.writer}.{self._part:04}.ctl"
        path = self._folder / name
        head = frame(HEAD_KIND, encode({**self._head, "writer": self.writer, "part": self._part}), self.salt)
        data = MAGIC + head + self._all_schemas()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        fd = os.open(path, flags, disk.file_mode(self._folder))
        try:
            if os.write(fd, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except BaseException:
            os.close(fd)
            path.unlink(missing_ok=True)
            raise
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                self.sync()
            self._set_aside()
        self._fd, self._name = fd, name
        self.size, self._keep_up_at = len(data), len(data) + REPEAT_BYTES

    def _keep_up(self) -> None:
        if self.size >= PART_BYTES:
            self.next_part()
        else:
            self.append(self._all_schemas())
            self._keep_up_at = min(self.size + REPEAT_BYTES, PART_BYTES)

    def _fall_short(self, written: int) -> Never:
        """Cut off the part of a record that was written; the file is ours alone, so its end is that part."""
        try:
            os.ftruncate(self._fd, os.fstat(self._fd).st_size - written)
        except OSError:
            self._set_aside()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _all_schemas(self) -> bytes:
        return b"".join(self._schema_frame(schema[1], names) for names, schema in self._schemas.items())

    def _schema_frame(self, number: int, names: tuple[str, ...]) -> bytes:
        return frame(SCHEMA_KIND, encode([number, names]), self.salt)
