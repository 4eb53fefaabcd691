"""What this process itself has used.

On Linux from the kernel's own files: psutil, which reads the same ones, costs a short script more to load than all
readings it will ever take. Elsewhere it is the one to ask.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import psutil

_IS_LINUX = sys.platform.startswith("linux")
_THREADS, _PAGES = 17, 21  # places in /proc/self/stat behind the name of the program
_PAGE = os.sysconf("SC_PAGE_SIZE") if _IS_LINUX else 0
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
_LOOPBACK = ("lo", "Loopback")
_ONCE = 1 << 16  # bytes


class Used(NamedTuple):
    """Counters of processes, and what they hold at this moment."""

    cpu_s: float = 0.0
    disk_read: int = 0  # bytes, as asked of the system and not of the page cache
    disk_write: int = 0
    rss: int = 0
    threads: int = 0

    def plus(self, other: Used, sign: int = 1) -> Used:
        """The sum; with ``sign=-1`` the difference."""
        return Used(
            self.cpu_s + sign * other.cpu_s,
            self.disk_read + sign * other.disk_read,
            self.disk_write + sign * other.disk_write,
            self.rss + sign * other.rss,
            self.threads + sign * other.threads,
        )

    @property
    def counters(self) -> Used:
        """Without what is only held."""
        return self._replace(rss=0, threads=0)


def own() -> Used:
    """What this process uses, without its children: about 50 us on Linux."""
    cpu_s = time.process_time()  # the system counts in hundredths of a second
    with contextlib.suppress(OSError, ValueError, IndexError):
        if _IS_LINUX:
            words = _told("/proc/self/stat", at_once=True).rpartition(b")")[2].split()
            read, written = _asked_of_files()
            return Used(cpu_s, read, written, int(words[_PAGES]) * _PAGE, int(words[_THREADS]))
    import psutil

    return of_process(psutil.Process())._replace(cpu_s=cpu_s)


def of_process(process: psutil.Process) -> Used:
    """What another process uses; raises psutil.Error once it has ended."""
    import psutil

    with process.oneshot():
        times, memory = process.cpu_times(), process.memory_info()
        told: Any = None
        with contextlib.suppress(psutil.Error, AttributeError):  # not on macOS, and not of another user's process
            told = process.io_counters()
        read = getattr(told, "read_chars", getattr(told, "read_bytes", 0))
        written = getattr(told, "write_chars", getattr(told, "write_bytes", 0))
        return Used(times.user + times.system, read, written, memory.rss, process.num_threads())


def peak() -> int:
    """The most memory this process ever held, in bytes; 0 where the system does not say."""
    with contextlib.suppress(ImportError):  # not on Windows
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _PEAK_UNIT
    return 0


def network() -> tuple[int, int]:
    """Bytes that the machine, or the container, has received and sent, without what it said to itself."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        if _IS_LINUX:
            received = sent = 0
            for line in _told("/proc/self/net/dev").splitlines()[2:]:
                name, _, counts = line.partition(b":")
                if not name.strip().startswith(b"lo"):
                    words = counts.split(None, 9)
                    received, sent = received + int(words[0]), sent + int(words[8])
            return received, sent
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        cards = [card for name, card in psutil.net_io_counters(pernic=True).items() if not name.startswith(_LOOPBACK)]
        return sum(card.bytes_recv for card in cards), sum(card.bytes_sent for card in cards)
    return 0, 0


def _asked_of_files() -> tuple[int, int]:
    with contextlib.suppress(OSError, ValueError, IndexError):  # some containers hide it
        words = _told("/proc/self/io", at_once=True).split(None, 4)
        return int(words[1]), int(words[3])
    return 0, 0


def _told(file: str, *, at_once: bool = False) -> bytes:
    """What the kernel tells in one of its files: a third of the time that Python's own way to read a file takes.

    Args:
        file: its path.
        at_once: it is shorter than a page, and comes whole with the first call.
    """
    fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        told = os.read(fd, _ONCE) if at_once else b""
        while not at_once and (more := os.read(fd, _ONCE)):
            told += more
        return told
    finally:
        os.close(fd)
