"""How much more memory a call holds at its highest point than before it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

_SELF = Path("/proc/self")


def peak_of(call: Callable[[], object]) -> tuple[int | None, str]:
    """The bytes, and how they were found; None where the system does not say.

    On Linux the highest resident size since the call began, as the kernel counts it: nothing is missed between two
    looks. What was freed before and is used again by the allocator does not show.
    """
    before = _begin()
    call()
    if before is None:
        return None, "unknown"
    highest = _field("VmHWM")
    return (None, "unknown") if highest is None else (max(0, highest - before), "VmHWM")


def _begin() -> int | None:
    """Let the kernel count the highest size from now on; the size now."""
    with contextlib.suppress(OSError):
        (_SELF / "clear_refs").write_text("5")
        return _field("VmRSS")
    return None


def _field(name: str) -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in (_SELF / "status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return None
