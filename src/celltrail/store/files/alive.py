"""Who writes, and whether that process still lives."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

SILENT_S = 60.0
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Process:
    """One process of one boot of one machine; the same pid later is another process."""

    pid: int
    start: str  # when the process started, as the system tells it; only compared for equality
    boot: str  # boot id and pid namespace: where the pid means something
    host: str  # readable label


def myself() -> Process:
    """The process that asks."""
    return _mine(os.getpid())


def told() -> dict[str, str | int]:
    """The process that asks, as it stands in a document."""
    mine = myself()
    return {"pid": mine.pid, "start": mine.start, "boot": mine.boot, "host": mine.host}


def writer_name(rank: int = 0) -> str:
    """A name for a log that no other process, container or moment has."""
    from blake3 import blake3

    host = blake3(f"{platform.node()} {_machine()} {_boot()}".encode()).hexdigest()[:8]
    return f"{host}-{os.getpid()}-{_base36(time.time_ns() // 1_000_000)}-{rank}-{os.urandom(2).hex()}"


def process(pid: int) -> Process:
    """The process of this machine that has this pid now; its start is "" where there is none."""
    return Process(pid, _start(pid) or "", _boot(), platform.node())


_mine = lru_cache(maxsize=2)(process)


def is_alive(process: Process) -> bool | None:
    """Whether this process runs; None when it belongs to another machine, container or boot."""
    if process.boot != _boot() or not process.boot:
        return None
    start = _start(process.pid)
    return start is not None and start == process.start


def parent_of(pid: int) -> int:
    """The pid of the process that made the one with this pid; 0 where that is not known."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()[1])
    except (OSError, IndexError):
        if Path("/proc/self/stat").exists():
            return 0
    import psutil

    try:
        return psutil.Process(pid).ppid()
    except psutil.Error:
        return 0


@lru_cache(maxsize=1)
def _boot() -> str:
    # containers of one machine share its boot id but count pids of their own
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        import psutil

        return f"{_machine()} {platform.node()} {psutil.boot_time():.0f}"


@lru_cache(maxsize=1)
def _machine() -> str:
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        with contextlib.suppress(OSError):
            return Path(path).read_text().strip()
    return ""


def _start(pid: int) -> str | None:
    """When the process with this pid started; None when there is none, or only its remains."""
    try:
        # the name in parentheses may hold spaces and parentheses of its own
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()
        return None if fields[0] in (b"Z", b"X") else fields[19].decode()
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").exists():
            return None
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.Error:
        return None


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _BASE36[rest] + digits
    return digits or "0"
