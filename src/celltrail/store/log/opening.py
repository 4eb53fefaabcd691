"""How a log begins: who writes it, and the clock that all its times are by."""

from __future__ import annotations

import time

from celltrail.model import Json
from celltrail.store.files import alive

_DRIFT_US = 1_000_000


class Clock:
    """Microseconds since the epoch: the wall clock at the opening of a log, plus monotonic since. Never back."""

    def __init__(self) -> None:
        self._wall_us = time.time_ns() // 1000
        self._mono_ns = time.monotonic_ns()
        self._drift_us = 0

    def now(self) -> int:
        """The time that a record of this moment has."""
        return self._wall_us + (time.monotonic_ns() - self._mono_ns) // 1000

    def drift(self) -> int | None:
        """How far the wall clock is from this one, if by a second more than when last asked: sleep, NTP."""
        drift_us = time.time_ns() // 1000 - self.now()
        if abs(drift_us - self._drift_us) <= _DRIFT_US:
            return None
        self._drift_us = drift_us
        return drift_us

    def head(self, trail: str, rank: int = 0) -> dict[str, Json]:
        """The fields of a log's first record that say where, by whom and when it was opened."""
        process = alive.myself()
        return {
            "format": 1,
            "trail": trail,
            "rank": rank,
            "pid": process.pid,
            "start": process.start,
            "boot": process.boot,
            "host": process.host,
            "wall_us": self._wall_us,
            "mono_us": self._mono_ns // 1000,
        }
