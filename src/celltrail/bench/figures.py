"""Figures of many calls, each with a 95% interval."""

from __future__ import annotations

import math
from array import array
from typing import NamedTuple

from celltrail.bench.loops import Calls
from celltrail.stats.interval import mean_interval

LATENCIES = ("mean", "p50", "p90", "p95", "p99", "cold_start")
_Z = 1.959964
_BINS = 10


class Figure(NamedTuple):
    """One number; the ends of its interval are NaN where one call or a count stands behind it."""

    name: str
    value: float
    low: float = math.nan
    high: float = math.nan
    method: str = ""
    n: int = 0

    def __str__(self) -> str:
        spell = _bytes if self.name == "memory_peak" else _seconds if self.name in LATENCIES else "{:.4g}".format
        ends = f"  ({spell(self.low)} to {spell(self.high)})" if self.low == self.low else ""
        return f"{spell(self.value)}{ends}"


def latency_figures(values: array[float]) -> list[Figure]:
    """Mean and percentiles. A percentile lies between two of the calls, by the binomial distribution of their order;
    where there are too few calls for an end, it is the slowest one.

    >>> [figure.name for figure in latency_figures(array("d", [0.1, 0.2, 0.3]))]
    ['mean', 'p50', 'p90', 'p95', 'p99']
    """
    import numpy as np

    ordered = np.sort(np.frombuffer(values, np.float64))
    n = len(ordered)
    mean, reach = mean_interval(ordered.tolist())
    around = (mean - reach, mean + reach) if reach is not None else (math.nan, math.nan)
    found = [Figure("mean", mean, *around, "t", n)]
    for percent in (50, 90, 95, 99):
        share = percent / 100
        spread = _Z * math.sqrt(n * share * (1 - share))
        low = ordered[max(0, math.floor(n * share - spread))]
        high = ordered[min(n - 1, math.ceil(n * share + spread))]
        found.append(Figure(f"p{percent}", float(np.quantile(ordered, share)), float(low), float(high), "order", n))
    return found


def rate_figure(name: str, found: Calls, count: int) -> Figure:
    """So many a second; its interval by the rates of tenths of the time."""
    import numpy as np

    counts, _ = np.histogram(np.frombuffer(found.ended, np.float64), _BINS, (0.0, found.seconds))
    each = count / max(1, len(found.ended))
    _, reach = mean_interval((counts * each * _BINS / found.seconds).tolist())
    rate = count / found.seconds
    reach = reach or 0.0
    return Figure(name, rate, rate - reach, rate + reach, "tenths", len(found.ended))


def _seconds(value: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale:
            return f"{value / scale:.4g} {unit}"
    return f"{value * 1e9:.4g} ns"


def _bytes(value: float) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= scale:
            return f"{value / scale:.4g} {unit}"
    return f"{value:.0f} B"
