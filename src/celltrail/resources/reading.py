"""What the machine does for this process at one moment."""

from __future__ import annotations

import threading
import time
from functools import cached_property
from typing import NamedTuple

from celltrail.resources.energy import Energies, Energy, Rapl
from celltrail.resources.family import Family
from celltrail.resources.gpu import Gpu, Gpus, gpus
from celltrail.resources.limits import Limits, limits, machine_cores
from celltrail.resources.own import Used, network, peak

SCAN_S = 5.0


class Reading(NamedTuple):
    """Counters at one moment; differences of two of them are what was used in between."""

    at_s: float  # by a clock that never goes back
    used: Used
    peak: int  # bytes: the most this process itself ever held
    net_in: int  # bytes, of the whole machine or container
    net_out: int
    energy: Energy
    gpus: tuple[Gpu, ...]


class Machine:
    """Reads for all runs of this process."""

    def __init__(self) -> None:
        self._family = Family()
        self._energies = Energies(Rapl())
        self._gpus: Gpus | None = None
        self.gpu_problem = ""
        self._has_looked = False
        self._lock = threading.Lock()
        self._scanned_s = 0.0
        self.cores = machine_cores()

    @cached_property
    def limits(self) -> Limits:
        """What the process is granted; dozens of small files, which a run that begins does not wait for."""
        return limits()

    def begin(self) -> Reading:
        """The first reading after a time in which nobody asked: children that are there have no past."""
        with self._lock:
            self._family.since = time.time()
        return self.read()

    def read(self, thorough: bool = False) -> Reading:
        """A reading: 0.2 ms; a thorough one looks for new processes every 5 s, and for GPUs the first time."""
        with self._lock:
            now = time.monotonic()
            if thorough:
                self._look(now)
            used = self._family.read()
            found = tuple(self._gpus.read()) if self._gpus is not None else ()
            received, sent = network()
            energy = self._energies.read(found, now)
            return Reading(now, used, peak(), received, sent, energy, found)

    def _look(self, now_s: float) -> None:
        if not self._has_looked:
            self._has_looked = True
            self._gpus, self.gpu_problem = gpus()
        if now_s - self._scanned_s >= SCAN_S:
            self._scanned_s = now_s
            self._family.scan()
