"""Histograms: how often values fall between edges."""

from __future__ import annotations

import math
from typing import Any

from celltrail.model import Json
from celltrail.run.media.content import Content, as_array, refuse

BINS = 64
_ALLOWED = "an array or list of numbers, or a tuple of counts and edges with one edge more than counts"


def histogram(key: str, value: Any) -> Content:
    """Values counted in 64 bins from the least to the largest finite one, or counts and edges as they are.

    >>> histogram("w", [0.0, 1.0, 1.0, float("nan")]).facts
    {'values': 4, 'min': 0.0, 'max': 1.0, 'nan': 1}
    """
    if isinstance(value, tuple) and len(value) == 2 and all(hasattr(part, "__len__") for part in value):
        counts, edges, facts = _given(key, *value)
    else:
        counts, edges, facts = _counted(as_array(key, value, _ALLOWED))
    return Content("histogram", "application/json", {"counts": counts.tolist(), "edges": edges.tolist()}, facts)


def _given(key: str, counts: Any, edges: Any) -> tuple[Any, Any, dict[str, Json]]:
    import numpy as np

    counts, edges = as_array(key, counts, _ALLOWED), as_array(key, edges, _ALLOWED).astype(float)
    if counts.ndim != 1 or edges.shape != (len(counts) + 1,):
        refuse(key, edges, f"not the edges of {counts.size} counts", _ALLOWED, "np.histogram gives both")
    if not (
        np.isfinite(counts).all()
        and (counts >= 0).all()
        and np.isfinite(edges).all()
        and (edges[1:] > edges[:-1]).all()
    ):
        refuse(key, edges, "not rising and finite, or counts are negative", _ALLOWED, "np.histogram gives both")
    return counts, edges, {"values": counts.sum().item(), "min": float(edges[0]), "max": float(edges[-1])}


def _counted(found: Any) -> tuple[Any, Any, dict[str, Json]]:
    import numpy as np

    values = found.astype(np.float64, copy=False).ravel()
    finite = values[np.isfinite(values)]
    odd = {"nan": np.isnan(values).sum(), "inf": np.isposinf(values).sum(), "-inf": np.isneginf(values).sum()}
    facts: dict[str, Json] = {"values": values.size}
    if finite.size:
        facts |= {"min": float(finite.min()), "max": float(finite.max())}
    facts |= {name: int(count) for name, count in odd.items() if count}
    if not finite.size:
        return np.zeros(BINS, np.int64), np.linspace(0, 1, BINS + 1), facts
    low, high = facts["min"], facts["max"]
    # a range beyond the largest float has no width; a quarter of it has
    scale = 1.0 if math.isfinite(high - low) else 0.25
    try:
        counts, edges = np.histogram(finite * scale, BINS)
    except ValueError:  # values so near to each other that no 64 numbers lie between them
        counts, edges = np.histogram(finite, 1, (np.nextafter(low, -np.inf), np.nextafter(high, np.inf)))
    return counts, np.clip(edges / scale, *((low, high) if scale != 1 else (-np.inf, np.inf))), facts
