"""The trash of a trail: what is deleted goes there first, dated, and can be brought back.

``trash/<YYYY-MM-DD>/<path it had in the trail>``; beside it each process keeps a file of lines that say
what it moved there and why. The date is that of UTC, so that all hosts of a trail agree on it.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import orjson

from celltrail.errors import BadValue, NoRun, StoreError, nearest
from celltrail.model import now_us
from celltrail.store import root
from celltrail.store.docs.settings import KEEP_DAYS
from celltrail.store.files import alive, disk
from celltrail.store.files.encoding import encode

FOLDER = "trash"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Trashed:
    """One thing in the trash."""

    path: str  # where it was, relative to the trail
    why: str
    at_us: int
    size: int  # bytes
    place: Path  # where it is now

    @property
    def date(self) -> str:
        """The day it was thrown away."""
        return time.strftime("%Y-%m-%d", time.gmtime(self.at_us / 1e6))


class Trash:
    """The trash of one trail. Nothing is created before something is thrown away."""

    def __init__(self, trail: Path) -> None:
        self._trail = trail
        self._folder = trail / FOLDER

    def put(self, path: Path, why: str) -> Trashed | None:
        """Move a file or folder of the trail into the trash; None when it is no longer there.

        Killed half way, the thing is whole in its old place, or in the trash, or in both.

        Raises:
            StoreError: the move is not possible; the thing is still where it was.
        """
        return next(self.put_all([(path, why)]))

    def put_all(self, things: Iterable[tuple[Path, str]]) -> Iterator[Trashed | None]:
        """`put` each of these, as they are asked for."""
        for path, why in things:
            name = self._name_of(path)
            try:
                yield self._put(path, name, why)
            except FileNotFoundError:
                yield None
            except OSError as error:
                raise StoreError(root.unwritable(self._trail, error)) from error

    def put_copy(self, path: Path, why: str) -> Trashed:
        """Put a copy of a file into the trash, so that the file itself can be replaced; all or nothing."""
        name = self._name_of(path)
        try:
            return self._put(path, name, why, _copy)
        except OSError as error:
            raise StoreError(root.unwritable(self._trail, error)) from error

    def entries(self) -> list[Trashed]:
        """What is in the trash, newest first."""
        found: dict[Path, Trashed] = {}
        for date in self._dates():
            for lines in sorted(date.glob("*.jsonl")):
                for entry in _lines_of(lines, date):
                    known = found.get(entry.place)
                    if (known is None or known.at_us <= entry.at_us) and os.path.lexists(entry.place):
                        found[entry.place] = entry
        return sorted(found.values(), key=lambda entry: (entry.at_us, entry.path), reverse=True)

    def restore(self, thing: Trashed | str) -> Path:
        """Put something back where it was: an entry, or by the path it had the newest thing of that path.

        Raises:
            NoRun: there is no such thing in the trash.
            StoreError: something else is there now; it is never overwritten.
        """
        entry = self._find(thing) if isinstance(thing, str) else thing
        path = self._trail / entry.path
        if os.path.lexists(path):
            raise StoreError(f"{entry.path} is there again: move it away first, then restore the one from {entry.date}")
        try:
            disk.make_folder(path.parent, self._trail)
            _move(entry.place, path)
        except FileNotFoundError:
            raise NoRun(f"{entry.path} is no longer in the trash") from None
        except OSError as error:
            raise StoreError(root.unwritable(self._trail, error)) from error
        return path

    def empty(self, older_than_days: float = KEEP_DAYS) -> int:
        """Delete for good what has been in the trash longer than this; the bytes that gave."""
        limit = time.strftime("%Y-%m-%d", time.gmtime(time.time() - older_than_days * 86400))
        freed = 0
        for date in self._dates():
            # what is thrown away just now goes into today's folder, which stays unless all is to go
            if date.name < limit or (older_than_days <= 0 and date.name == limit):
                freed += size_of(date)
                _delete(date)
        return freed

    def discard(self, entry: Trashed) -> int:
        """Delete one thing in the trash for good; the bytes that gave."""
        _delete(entry.place)
        return entry.size

    def _put(self, path: Path, name: str, why: str, move: Callable[[Path, Path], None] | None = None) -> Trashed:
        now = now_us()
        date = self._folder / time.strftime("%Y-%m-%d", time.gmtime(now / 1e6))
        entry = Trashed(name, why, now, size_of(path), _free(date / name))
        disk.make_folder(entry.place.parent, self._trail)
        # the line first: without its thing it says nothing, a thing without its line could not be explained
        _note(date, entry)
        (move or _move)(path, entry.place)
        return entry

    def _name_of(self, path: Path) -> str:
        try:
            name = path.relative_to(self._trail)
        except ValueError:
            name = Path("..")
        if not name.parts or ".." in name.parts or name.parts[0] == FOLDER:
            raise BadValue(f"{path.name!r} is not a file or folder of the trail {self._trail.name!r}")
        return name.as_posix()

    def _dates(self) -> list[Path]:
        try:
            return sorted(date for date in self._folder.iterdir() if _DATE.fullmatch(date.name) and date.is_dir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _find(self, path: str) -> Trashed:
        entries = self.entries()
        for entry in entries:
            if entry.path == path:
                return entry
        for date in reversed(self._dates()):  # the line about it may be lost
            if ".." not in Path(path).parts and path and os.path.lexists(date / path):
                at = date.stat().st_mtime_ns // 1000
                return Trashed(path, "", at, size_of(date / path), date / path)
        raise NoRun(f"no {path!r} in the trash of {self._trail.name}{nearest(path, (entry.path for entry in entries))}")


def size_of(path: Path) -> int:
    """The bytes in a file, or in all files below a folder; nothing for what is gone."""
    try:
        about = path.lstat()
    except FileNotFoundError:
        return 0
    if not stat.S_ISDIR(about.st_mode):
        return about.st_size
    total, folders = 0, [os.fspath(path)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except (FileNotFoundError, PermissionError):
            continue
    return total


def _lines_of(path: Path, date: Path) -> Iterator[Trashed]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        try:
            fields = orjson.loads(line)
            place = date / fields["as"]
            if ".." not in place.parts:
                yield Trashed(fields["path"], fields["why"], fields["at"], fields["size"], place)
        except (ValueError, KeyError, TypeError):
            continue  # torn by a kill; its thing was not moved yet


def _note(date: Path, entry: Trashed) -> None:
    fields = {"path": entry.path, "as": entry.place.relative_to(date).as_posix(), "why": entry.why}
    line = encode({**fields, "at": entry.at_us, "size": entry.size}) + b"\n"
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    fd = os.open(date / f"{_notebook(os.getpid())}.jsonl", flags, disk.file_mode(date))
    try:
        if os.write(fd, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(fd)


@lru_cache(maxsize=1)
def _notebook(pid: int) -> str:
    # a fork is another process: hence the argument
    return alive.writer_name()


def _free(place: Path) -> Path:
    """This name, or the first of ``name~2``, ``name~3`` ... that is free."""
    found, number = place, 1
    while os.path.lexists(found):
        number += 1
        found = place.with_name(f"{place.name}~{number}")
    return found


def _move(source: Path, target: Path) -> None:
    """Rename, or across file systems copy all of it before any of it is removed."""
    try:
        os.rename(source, target)
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    temp = disk.temp_name(target)
    try:
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, temp, symlinks=True)
        else:
            shutil.copy2(source, temp, follow_symlinks=False)
        os.rename(temp, target)
    except BaseException:
        _delete(temp)
        raise
    disk.fsync_folder(target.parent)
    # aside first: a folder half removed must not look like one that is whole
    aside = disk.temp_name(source)
    os.rename(source, aside)
    _delete(aside)


def _copy(source: Path, target: Path) -> None:
    """A second name of the file, which must be replaced and not changed from now on; where there are none, a copy."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
