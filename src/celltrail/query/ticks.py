"""Round numbers for axes."""

from __future__ import annotations

import math


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round values within [low, high], 1-2-5 apart.

    >>> ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if not high > low:
        return [low]
    raw = (high - low) / about
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * unit for unit in (1, 2, 5, 10) if power * unit >= raw * 0.75)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten within [low, high], both positive; thinned to at most six."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    stride = max(1, math.ceil((last - first + 1) / 6))
    return [10.0**power for power in range(first, last + 1, stride)] or [low, high]


def symlog_ticks(low: float, high: float, near: float) -> list[float]:
    """Zero and powers of ten on both sides of it, within [low, high]; ``near`` is where they stop on the way to zero.

    >>> symlog_ticks(-20.0, 1000.0, 0.1)
    [-10.0, -1.0, 0.0, 10.0, 1000.0]
    """
    first = math.ceil(math.log10(near) + 1)

    def side(end: float) -> list[float]:
        last = math.floor(math.log10(end) + 1e-9) if end > near else first - 1
        powers = [10.0**power for power in range(first, last + 1)]
        return powers[::-1][:: 2 if len(powers) > 3 else 1][::-1]

    marks = [*(-value for value in reversed(side(-low))), 0.0, *side(high)]
    return [value for value in marks if low <= value <= high]
