"""How much of the machine this process may use: what a container or a job grants is its true 100 %."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

_UNLIMITED = 1 << 60  # version 1 says "no limit" by a number near 2**63


class Limits(NamedTuple):
    """Cores and bytes; None where nothing but the machine is a limit."""

    cores: float | None
    memory: int | None


def limits(proc: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> Limits:
    """The limits of this process by its control groups, of either version.

    Args:
        proc: which groups it is in, a line each.
        root: where the groups are mounted.

    >>> limits(Path("/nowhere"), Path("/nowhere"))
    Limits(cores=None, memory=None)
    """
    cores: list[float] = []
    memory: list[int] = []
    for folder, is_second in _folders(proc, root):
        cores += _cores(folder, is_second)
        memory += _bytes(folder / ("memory.max" if is_second else "memory.limit_in_bytes"))
    return Limits(min(cores, default=None), min(memory, default=None))


def machine_cores() -> int:
    """The cores that this process may run on."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _folders(proc: Path, root: Path) -> list[tuple[Path, bool]]:
    """The groups with those they stand in, whose limits hold as well; whether they are of version 2."""
    found: dict[tuple[Path, bool], None] = {}
    for line in _text(proc).splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        is_second = number == "0" and not controllers
        for base in [root] if is_second else [root / each for each in {controllers, *controllers.split(",")} if each]:
            folder = base / path.strip().lstrip("/")
            inside = [folder, *folder.parents] if folder.is_dir() else [base]  # a container sees its own as the root
            found.update({(each, is_second): None for each in inside if each.is_relative_to(base)})
    return list(found)


def _cores(folder: Path, is_second: bool) -> list[float]:
    if is_second:
        words = _text(folder / "cpu.max").split()
    else:
        words = [_text(folder / f"cpu.cfs_{each}_us").strip() for each in ("quota", "period")]
    with contextlib.suppress(ValueError, ZeroDivisionError):
        quota, period = map(int, words)
        return [quota / period] if quota > 0 else []
    return []


def _bytes(path: Path) -> list[int]:
    with contextlib.suppress(ValueError):
        granted = int(_text(path))
        return [granted] if granted < _UNLIMITED else []
    return []


def _text(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text()
    return ""
