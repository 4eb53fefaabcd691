"""Files as a trail needs them: private, whole or absent, never overwritten by two."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import threading
import time
from collections.abc import Callable, Generator, Iterable
from functools import lru_cache
from pathlib import Path

_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
_TEMP_AGE_S = 3600.0
_OWN, _count = os.urandom(4).hex(), itertools.count()  # of this process: another host may have one of its pid


class _Unsynced(threading.local):
    """What this thread wrote and did not wait for; None where it waits."""

    paths: dict[str, None] | None = None


_unsynced = _Unsynced()


@contextlib.contextmanager
def later() -> Generator[Callable[[], None]]:
    """Files written inside are whole and under their names at once, but the platter is not waited for.

    They survive the death of the process, as always. Call what is yielded, on any thread, to make them
    survive the death of the machine too: two fsyncs a file, 1 to 5 ms each, that the main thread of a
    notebook need not wait for.
    """
    paths: dict[str, None] = {}
    around = _unsynced.paths
    _unsynced.paths = paths
    try:
        yield lambda: _sync(paths)
    finally:
        _unsynced.paths = around


class Unsynced:
    """What several writers of a process wrote and did not wait for: brought to the platter together, each file once.

    One fsync takes a processor as long as all that is written of a short run; most of what hundreds of short runs
    replace again and again, and their folders, need only one.

    Args:
        ask: is called where something waits for `sync`, which somebody is to call soon.
    """

    def __init__(self, ask: Callable[[], object]) -> None:
        self._ask = ask
        self._paths: dict[str, None] = {}

    @contextlib.contextmanager
    def writing(self) -> Generator[None]:
        """Files written inside, on this thread, are whole and under their names at once, and wait for `sync`."""
        around = _unsynced.paths
        _unsynced.paths = self._paths
        try:
            yield
        finally:
            _unsynced.paths = around
            if self._paths:
                self._ask()

    def sync(self) -> None:
        """Make all that was written so far survive the death of the machine."""
        paths = list(self._paths)
        for path in paths:  # what is written again meanwhile waits for the next one
            self._paths.pop(path, None)
        _sync(paths)


def _sync(paths: Iterable[str]) -> None:
    for path in list(paths):
        with contextlib.suppress(OSError):  # replaced or removed meanwhile, or a folder that cannot
            fd = os.open(path, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)


def is_later(path: Path | str) -> bool:
    """Whether this thread does not wait for the platter just now; the path is then among those to be brought there."""
    if _unsynced.paths is None:
        return False
    _unsynced.paths[str(path)] = None
    return True


def make_folder(path: Path, top: Path) -> None:
    """Make a folder and its parents up to ``top``: 0700, plus the group bits ``top`` already has.

    A folder that exists keeps its mode. Several processes may do this at once.
    """
    _make_folder(str(path), str(top))


def _make_folder(path: str, top: str) -> None:
    try:
        os.mkdir(path, 0o700)
    except FileNotFoundError:
        above = os.path.dirname(path)
        if above == path:
            raise
        _make_folder(above, top)
        _make_folder(path, top)
        return
    except OSError:
        if os.path.isdir(path):
            return
        raise
    with contextlib.suppress(FileNotFoundError):  # what is made lies above the top
        if group := os.stat(top).st_mode & 0o2070:
            os.chmod(path, 0o700 | group)


def file_mode(folder: Path | str) -> int:
    """The mode of a new file in this folder: 0600, and readable by the group where the folder is."""
    return 0o600 | (os.stat(folder).st_mode & 0o060)


def write_new(path: Path | str, data: bytes, mode: int, *, is_synced: bool = True) -> None:
    """Write a file that must not exist yet, all of it, and fsync it."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        os.fchmod(fd, mode)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        if is_synced and not is_later(path):
            os.fsync(fd)
    finally:
        os.close(fd)


def temp_name(path: Path) -> Path:
    """A name beside ``path`` that nobody else uses; `sweep` knows it for a temporary file."""
    return Path(_temp_name(str(path)))


def _temp_name(path: str) -> str:
    return f"{path}.{os.getpid()}.{_OWN}{next(_count):x}.tmp"


def replace_whole(path: Path, data: bytes, mode: int | None = None, *, is_synced: bool = True) -> None:
    """Put ``data`` in the place of whatever ``path`` held: a reader sees the old bytes or the new ones."""
    target = str(path)  # here and below no `Path` is made: that takes as long as a call of the system
    folder, temp = os.path.dirname(target) or ".", _temp_name(target)
    try:
        waits = is_synced and not is_later(target)
        write_new(temp, data, file_mode(folder) if mode is None else mode, is_synced=waits)
        os.replace(temp, target)
    except BaseException:
        _unlink(temp)
        raise
    if is_synced:
        fsync_folder(folder)


def create_whole(path: Path, data: bytes) -> bool:
    """Create ``path`` with ``data`` unless it exists; whether it was this call that did.

    On file systems without hard links the file appears before its bytes do, so readers of such a file
    check its content.
    """
    target = str(path)
    folder, temp = os.path.dirname(target) or ".", _temp_name(target)
    mode = file_mode(folder)
    try:
        write_new(temp, data, mode, is_synced=not is_later(target))
        try:
            os.link(temp, target)
        except FileExistsError:
            # the reply to a link over NFS can be lost: two names for our own file is success
            return os.stat(temp).st_nlink == 2
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            try:
                write_new(target, data, mode)
            except FileExistsError:
                return False
    finally:
        _unlink(temp)
    fsync_folder(folder)
    return True


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def fsync_folder(folder: Path | str) -> None:
    """Make new names in a folder survive a crash of the machine, where the system can."""
    if not is_later(folder):
        _sync({str(folder): None})


def sweep(folder: Path, left: tuple[str, int] | None = None) -> None:
    """Remove temporary files that a killed process left behind more than an hour ago.

    Those for a file that only one process ever wrote, which is known to be gone, go at once: ``left`` is the name
    of the file and the pid.
    """
    known = f"{left[0]}.{left[1]}." if left else None
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if not entry.name.endswith(".tmp"):
                continue
            is_left = known is not None and entry.name.startswith(known)
            if is_left or time.time() - entry.stat().st_mtime > _TEMP_AGE_S:
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)


def now_at(folder: Path) -> float:
    """The clock of the file system this folder is on, which on a network is not this machine's."""
    return time.time() + _clock_difference(folder, int(time.monotonic() // 60))


@lru_cache(maxsize=64)
def _clock_difference(folder: Path, minute: int) -> float:
    probe = temp_name(folder / "clock")
    try:
        write_new(probe, b"", 0o600)
        return probe.stat().st_mtime - time.time()
    except OSError:
        return 0.0  # not ours to write: this machine's clock has to do
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
