"""Bytes kept once, under the name of their BLAKE3 digest.

Up to `WHOLE_BYTES` a blob is one file, ``blobs/<first two>/<digest>``; a larger one is a list of pieces,
``<digest>.pieces``, and each piece a blob of its own. So is a file of tensors from `LAID_OUT_BYTES` on, cut where its
tensors end: what checkpoints share is kept once. The digest is that of the whole either way.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from celltrail.errors import BadValue, Damaged, NoRun, StoreError
from celltrail.store import root
from celltrail.store.blobs import chunks, layout
from celltrail.store.blobs.chunks import Manifest, manifest_of
from celltrail.store.blobs.layout import Part
from celltrail.store.blobs.reading import Section, joined, opened
from celltrail.store.files import disk

WHOLE_BYTES = 64 << 20
LAID_OUT_BYTES = 64 << 10
PIECES = ".pieces"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"([0-9a-f]{64})(\.pieces)?")
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class BlobFile:
    """One file under ``blobs/``: a blob, a piece of one, or the list of the pieces of one."""

    digest: str
    path: Path
    size: int
    used: float  # when these bytes were last put, seconds since the epoch
    is_list: bool


@dataclass(frozen=True, slots=True)
class BlobUsage:
    """How many files the blobs are, and how large."""

    count: int
    size: int


class Blobs:
    """The blobs of one trail, never changed once written."""

    def __init__(self, trail: Path) -> None:
        self._trail = trail
        self._folder = trail / "blobs"

    def put(self, data: bytes | str) -> str:
        """Keep these bytes (text as UTF-8); the digest to ask for them by."""
        if isinstance(data, str):
            data = data.encode("utf-8", "backslashreplace")
        with self._writing():
            if len(data) > WHOLE_BYTES:
                return self._put_pieces(io.BytesIO(data))
            digest = _digest(data)
            self._keep(digest, data)
            return digest

    def put_file(self, path: Path | str) -> str:
        """Keep the bytes of a file, which is read block by block; the digest to ask for them by."""
        try:
            source = open(path, "rb")  # noqa: SIM115  its failure is not that of the trail
        except FileNotFoundError:
            raise BadValue(f"there is no file {Path(path).name!r} to keep") from None
        except IsADirectoryError:
            raise BadValue(f"{Path(path).name!r} is a folder: put its files one by one") from None
        with source, self._writing():
            size = os.fstat(source.fileno()).st_size
            if size >= LAID_OUT_BYTES and (parts := layout.parts(source, size)):
                return self._put_parts(source, parts, size)
            source.seek(0)
            if size > WHOLE_BYTES:
                return self._put_pieces(source)
            # a data set is logged again and again: look before copying, reading is cheaper than writing
            digest = _digest_of(source)
            if self._is_kept(self._path(digest), size):
                return digest
            source.seek(0)
            return self._put_stream(source)

    def put_stream(self, file: BinaryIO) -> str:
        """Keep everything that can still be read from a binary file; the digest to ask for it by."""
        with self._writing():
            return self._put_stream(file)

    def put_as(self, digest: str, file: BinaryIO) -> int:
        """Keep what a file holds if it is what this digest says; how many bytes. `Damaged` when it is not."""
        with self._writing():
            self._put_stream(file, digest)
        return self.size(digest)

    def get(self, digest: str) -> bytes:
        """The bytes of this digest, verified; `Damaged` when they are not the ones that were put."""
        return b"".join(self._verified(digest))

    def text(self, digest: str) -> str:
        """The bytes of this digest as text."""
        return self.get(digest).decode("utf-8", "replace")

    def open(self, digest: str) -> BinaryIO:
        """The bytes of this digest as a file to read and seek in; at most `WHOLE_BYTES` of them in memory.

        Each piece is verified as it is read and before any of it is handed out, so nothing is read twice.
        """
        path = self._path(digest)
        manifest = Manifest(digest, ((digest, path.stat().st_size),)) if path.exists() else self._listed(digest)
        return opened(manifest, lambda piece: self._piece(digest, piece))

    def save(self, digest: str, path: Path) -> None:
        """Write the bytes of this digest to a file outside the trail; it appears only once they verified."""
        temp = disk.temp_name(path)
        try:
            with temp.open("xb") as file:
                for piece in self._verified(digest):
                    file.write(piece)
            os.replace(temp, path)
        finally:
            temp.unlink(missing_ok=True)

    def verify(self, digest: str) -> None:
        """Read every byte of this digest once; `Damaged`, or `NoRun` where there is no such blob."""
        from blake3 import blake3

        path = self._path(digest)
        if path.exists():
            with path.open("rb") as file:
                if _digest_of(file) != digest:
                    raise self._damaged(digest)
            return
        whole = blake3()
        for piece in self._verified(digest):
            whole.update(piece)
        if whole.hexdigest() != digest:
            raise self._damaged(digest)

    def size(self, digest: str) -> int:
        """How many bytes this digest has."""
        try:
            return self._path(digest).stat().st_size
        except FileNotFoundError:
            return self.manifest(digest).size

    def made_of(self, digest: str) -> dict[str, int]:
        """The files that hold this digest, by name, and their sizes; none where there is no such blob."""
        names = [digest] if self._path(digest).exists() else self._piece_names(digest)
        found: dict[str, int] = {}
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                found[name] = (self._folder / name[:2] / name).stat().st_size
        return found

    def touch(self, digest: str) -> bool:
        """Make a blob young again, so that no clean-up takes it; whether it is there."""
        names = [digest] if self._path(digest).exists() else self._piece_names(digest)
        return bool(names) and all(self._is_kept(self._folder / name[:2] / name) for name in names)

    def manifest(self, digest: str) -> Manifest:
        """The pieces of a large blob; `NoRun` where there is none of this digest."""
        try:
            return manifest_of(digest, self._path(digest, PIECES).read_bytes())
        except FileNotFoundError:
            raise NoRun(f"no blob {digest[:12]!r} in {self._trail.name}") from None

    def is_in_pieces(self, digest: str) -> bool:
        """Whether a blob is kept as a list of pieces."""
        return not self._path(digest).exists() and self._path(digest, PIECES).exists()

    def files(self) -> Iterator[BlobFile]:
        """Every file that holds a blob, a piece or a list of pieces; temporary and foreign ones are left out."""
        for group in _entries(self._folder):
            if len(group.name) == 2 and group.is_dir(follow_symlinks=False):
                for entry in _entries(group.path):
                    match = _NAME.fullmatch(entry.name)
                    if match and entry.name.startswith(group.name):
                        with contextlib.suppress(FileNotFoundError):
                            about = entry.stat(follow_symlinks=False)
                            is_list = match[2] is not None
                            yield BlobFile(match[1], Path(entry.path), about.st_size, about.st_mtime, is_list)

    def usage(self) -> BlobUsage:
        """How much all blobs take."""
        sizes = [file.size for file in self.files()]
        return BlobUsage(len(sizes), sum(sizes))

    def __contains__(self, digest: str) -> bool:
        return bool(_DIGEST.fullmatch(digest)) and (self._path(digest).exists() or self._path(digest, PIECES).exists())

    # writing

    @contextlib.contextmanager
    def _writing(self) -> Generator[None]:
        try:
            yield
        except StoreError:
            raise
        except OSError as error:
            raise StoreError(root.unwritable(self._trail, error)) from error

    def _keep(self, digest: str, data: bytes) -> None:
        path = f"{self._folder}{os.sep}{digest[:2]}{os.sep}{digest}"  # a `Path` for each would take longer than to look
        if not self._is_kept(path, len(data)):
            self._replace(Path(path), data)

    def _is_kept(self, path: Path | str, size: int | None = None) -> bool:
        """Whether the file is there with so many bytes, and if so, young again: a clean-up running now spares it."""
        try:
            about = os.stat(path)
            if size is not None and about.st_size != size:
                return False
            os.utime(path)
        except FileNotFoundError:
            return False
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EACCES, errno.EROFS):
                raise
            # another person's file in a shared trail: one of our own takes its place where that is possible
            return not os.access(os.path.dirname(path), os.W_OK)
        return True

    def _make_room(self, path: Path) -> None:
        if not path.parent.is_dir():
            root.establish(self._trail, comes_back=True)
            disk.make_folder(path.parent, self._trail)

    def _replace(self, path: Path, data: bytes) -> None:
        try:
            disk.replace_whole(path, data, mode=0o444)
        except FileNotFoundError:  # the first of its folder
            self._make_room(path)
            disk.replace_whole(path, data, mode=0o444)
        self._has_made(path)

    def _has_made(self, path: Path) -> None:
        """A file came by these blobs."""

    def _put_stream(self, file: BinaryIO, expected: str = "") -> str:
        from blake3 import blake3

        self._make_room(self._folder / "stream")
        temp = disk.temp_name(self._folder / "stream")
        whole, size = blake3(), 0
        try:
            fd = os.open(temp, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "w+b") as copy:
                while block := file.read(_BLOCK):
                    whole.update(block)
                    size += copy.write(block)
                copy.flush()
                if expected and whole.hexdigest() != expected:
                    raise Damaged(f"blob {expected[:12]} does not hold what its name says and was left out")
                if size > WHOLE_BYTES:
                    copy.seek(0)
                    return self._put_pieces(copy)
                os.fchmod(fd, 0o444)
                os.fsync(fd)
            path = self._path(whole.hexdigest())
            if not self._is_kept(path, size):
                self._make_room(path)
                os.replace(temp, path)
                self._has_made(path)
                disk.fsync_folder(path.parent)
            return whole.hexdigest()
        finally:
            temp.unlink(missing_ok=True)

    def _put_pieces(self, file: BinaryIO) -> str:
        from blake3 import blake3

        whole = blake3()
        found: list[tuple[str, int]] = []
        for piece in chunks.pieces(file):
            whole.update(piece)
            found.append((_digest(piece), len(piece)))
            self._keep(found[-1][0], piece)
        digest = whole.hexdigest()
        if len(found) != 1:  # else the one piece is the blob
            self._put_manifest(Manifest(digest, tuple(found)))
        return digest

    def _put_parts(self, file: BinaryIO, parts: list[Part], size: int) -> str:
        """Keep each part as pieces of its own, and all that lies between them as one."""
        from blake3 import blake3

        if size - sum(part.size for part in parts) > chunks.MOST:  # more headers than tensors
            file.seek(0)
            return self._put_pieces(file)
        whole, rest = blake3(), bytearray()
        found: list[tuple[str, int]] = []
        file.seek(0)
        for stretch, is_part in layout.stretches(parts, size):
            for piece in chunks.pieces(Section(file, stretch.size)):
                whole.update(piece)
                digest = _digest(piece) if is_part else ""
                found.append((digest, len(piece)))
                if is_part:
                    self._keep(digest, piece)
                else:
                    rest += piece
        kept = self.put(bytes(rest)) if rest else ""
        digest = whole.hexdigest()
        self._put_manifest(Manifest(digest, tuple(found), kept))
        return digest

    def _put_manifest(self, manifest: Manifest) -> None:
        data, path = manifest.encode(), self._path(manifest.digest, PIECES)
        if not (self._is_kept(path, len(data)) and path.read_bytes() == data):
            self._replace(path, data)

    # reading

    def _verified(self, digest: str) -> Iterator[bytes]:
        """The pieces of a blob in order, each verified."""
        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError:
            yield from joined(self._listed(digest), lambda piece: self._piece(digest, piece))
            return
        if _digest(data) != digest:
            raise self._damaged(digest)
        yield data

    def _listed(self, digest: str) -> Manifest:
        try:
            return self.manifest(digest)
        except Damaged as error:
            raise self._damaged(digest) from error

    def _piece(self, digest: str, piece: str) -> bytes:
        try:
            data = self._path(piece).read_bytes()
        except FileNotFoundError:
            raise self._damaged(digest, f"lacks its piece {piece[:12]}") from None
        if _digest(data) != piece:
            raise self._damaged(digest)
        return data

    def _piece_names(self, digest: str) -> list[str]:
        try:
            return [digest + PIECES, *self.manifest(digest).blobs]
        except (NoRun, Damaged):
            return []

    def _damaged(self, digest: str, what: str = "does not hold what was put into it") -> Damaged:
        return Damaged(
            f"blob {digest[:12]} {what}; celltrail doctor --repair takes it out of the way, "
            "celltrail import of a copy of the trail or recording the same bytes again brings it back"
        )

    def _path(self, digest: str, suffix: str = "") -> Path:
        if not _DIGEST.fullmatch(digest):
            raise NoRun(f"no blob {digest[:12]!r}: a digest is 64 characters of 0-9 and a-f")
        return self._folder / digest[:2] / f"{digest}{suffix}"


def _digest(data: bytes) -> str:
    from blake3 import blake3

    return blake3(data).hexdigest()


def _digest_of(file: BinaryIO) -> str:
    from blake3 import blake3

    whole = blake3()
    while block := file.read(_BLOCK):
        whole.update(block)
    return whole.hexdigest()


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
