"""Energy by the best there is: counters of the GPU, its power over time, counters of the processor, an estimate."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from celltrail.resources.gpu import Gpu

POWERCAP = Path("/sys/class/powercap")
_LONGEST_S = 30.0  # between two samples; beyond it nobody knows what the power was


class Rapl:
    """The energy counters of the processor's packages: of the whole processor, whoever used it.

    Args:
        root: the folder of the kernel's interface; its counters are root's to read on most systems.

    >>> Rapl(Path("/nowhere")).is_there
    False
    """

    def __init__(self, root: Path = POWERCAP) -> None:
        packages = sorted(root.glob("intel-rapl:*")) if root.is_dir() else []
        self._places = [
            path for path in packages if path.name.count(":") == 1 and _number(path / "energy_uj") is not None
        ]
        self._ranges = [_number(path / "max_energy_range_uj") or 0 for path in self._places]
        self._last = [_number(path / "energy_uj") or 0 for path in self._places]
        self._joules = 0.0

    @property
    def is_there(self) -> bool:
        """Whether there is a counter that this process may read."""
        return bool(self._places)

    def joules(self) -> float:
        """What was used since this object was made, also past the point where a counter begins anew."""
        for at, path in enumerate(self._places):
            now = _number(path / "energy_uj")
            if now is not None:
                passed = now - self._last[at]
                self._joules += (passed if passed >= 0 else passed + self._ranges[at]) / 1e6
                self._last[at] = now
        return self._joules


class Energy(NamedTuple):
    """Joules since measuring began, and how they are known: "" where nothing counts them."""

    joules: float
    method: str

    def since(self, begin: Energy, cpu_s: float, core_watts: float) -> Energy:
        """What was used in between; the part of the processor is estimated where no counter tells it.

        >>> Energy(150.0, "nvml_counter").since(Energy(50.0, "nvml_counter"), cpu_s=2.0, core_watts=10.0)
        Energy(joules=120.0, method='nvml_counter+tdp_estimate')
        """
        joules, methods = self.joules - begin.joules, list(filter(None, [self.method]))
        if "rapl" not in self.method:
            joules, methods = joules + cpu_s * core_watts, [*methods, "tdp_estimate"]
        return Energy(joules, "+".join(methods))


class Energies:
    """What the GPUs use up, and the processor where it counts that.

    Args:
        rapl: the counters of the processor.
    """

    def __init__(self, rapl: Rapl) -> None:
        self._rapl = rapl
        self._first: list[Gpu] | None = None
        self._integral = self._watts = 0.0
        self._at_s: float | None = None

    def read(self, gpus: Sequence[Gpu], now_s: float) -> Energy:
        """The energy used so far.

        Args:
            gpus: as they are now.
            now_s: a clock that never goes back.
        """
        parts = [self._of_gpus(list(gpus), now_s)] if gpus else []
        if self._rapl.is_there:
            parts.append(Energy(self._rapl.joules(), "rapl"))
        methods = filter(None, (part.method for part in parts))
        return Energy(sum(part.joules for part in parts), "+".join(methods))

    def _of_gpus(self, gpus: list[Gpu], now_s: float) -> Energy:
        self._first = self._first or gpus
        begun, now = [each.joules for each in self._first], [each.joules for each in gpus]
        if len(begun) == len(now) and None not in begun and None not in now:
            return Energy(
                sum(b - a for a, b in zip(begun, now, strict=True) if a is not None and b is not None), "nvml_counter"
            )
        if all(each.watts is None for each in gpus):
            return Energy(0.0, "")
        watts = sum(each.watts or 0.0 for each in gpus)
        if self._at_s is not None and now_s - self._at_s <= _LONGEST_S:
            self._integral += (watts + self._watts) / 2 * (now_s - self._at_s)
        self._watts, self._at_s = watts, now_s
        return Energy(self._integral, "nvml_power_integral")


def _number(path: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int(path.read_text())
    return None
