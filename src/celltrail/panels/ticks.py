"""Round numbers for axes, and numbers as people read them."""

from __future__ import annotations

import math

from celltrail.contract import Real


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


def real(value: float | None) -> Real:
    """A float as the contract's `Real`: its word if it is not finite.

    >>> real(0.5), real(float("-inf")), real(None)
    (0.5, '-inf', None)
    """
    if value is None or math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def number(value: Real) -> str:
    """Four significant digits, no noise.

    >>> number(0.123456), number(12345678.0), number(3.0), number(None), number("nan")
    ('0.1235', '1.235e+07', '3', '', 'nan')
    """
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:.4g}" if value != int(value) or abs(value) >= 1e6 else str(int(value))


def duration(seconds: float | None) -> str:
    """Seconds as a person says them.

    >>> duration(0.042), duration(3.21), duration(200), duration(7260)
    ('42 ms', '3.2 s', '3 m 20 s', '2 h 1 m')
    """
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest} s"
    return f"{minutes // 60} h {minutes % 60} m"
