"""How much tokens look at each other: a heat-map whose layer and head are chosen in it."""

from __future__ import annotations

from typing import Any

from celltrail.errors import BadValue
from celltrail.model import Json
from celltrail.run.media.content import Content

MOST_CELLS = 40_000  # of all layers and heads together: what a notebook can hold and a person can look at
_OFF = 1e-2  # that a row may be from 1, in half precision
_CAVEAT = "where a head looks is not why the model answers as it does"


def attention(key: str, value: tuple[Any, Any]) -> Content:
    """The heat-map of tokens and weights, as Vega-Lite."""
    import numpy as np

    tokens, given = [str(token) for token in value[0]], value[1]
    parts = list(given) if isinstance(given, list | tuple) else [given]
    arrays = [np.asarray(part.detach().float().cpu() if hasattr(part, "detach") else part, float) for part in parts]
    found = np.concatenate(arrays) if isinstance(given, list | tuple) and arrays[0].ndim == 4 else np.asarray(arrays)
    found = found[0] if found.ndim == 5 else found
    n = len(tokens)
    if found.ndim != 4 or found.shape[2:] != (n, n):
        raise BadValue(
            f"{key!r} has weights of shape {found.shape} for {n} tokens; allowed is (layers, heads, {n}, {n})"
        )
    if found.size > MOST_CELLS:
        raise BadValue(
            f"{key!r} has {found.size:,} weights, {MOST_CELLS:,} can be looked at: give fewer tokens, layers or heads"
        )
    off = float(abs(found.sum(axis=3) - 1).max())
    if not off <= _OFF:
        raise BadValue(
            f"{key!r} has rows that are {off:.2g} off 1; the weights of a token sum to 1 over what it looks at"
        )
    layers, heads = found.shape[:2]
    return Content(
        "figure", "application/vnd.vegalite.v6+json", _chart(key, tokens, found),
        {"layers": layers, "heads": heads, "tokens": n},
    )  # fmt: skip


def _chart(key: str, tokens: list[str], weights: Any) -> Json:
    layers, heads, n, _ = weights.shape
    labels = [f"{at} {token}" for at, token in enumerate(tokens)]  # a token may come twice
    values = [
        {"l": layer, "h": head, "q": labels[q], "k": labels[k], "w": round(float(weights[layer, head, q, k]), 4)}
        for layer in range(layers) for head in range(heads) for q in range(n) for k in range(n)
    ]  # fmt: skip

    def choice(name: str, count: int, said: str) -> Json:
        bind = {"input": "select", "options": list(range(count)), "name": f"{said} "}
        return {"name": name, "value": 0, "bind": bind}

    axis = {"sort": labels, "type": "ordinal"}
    side = max(160, min(480, 22 * n))
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "title": {"text": key, "subtitle": _CAVEAT},
        "params": [choice("layer", layers, "layer"), choice("head", heads, "head")],
        "data": {"values": values},
        "transform": [{"filter": "datum.l == layer && datum.h == head"}],
        "mark": "rect",
        "width": side,
        "height": side,
        "encoding": {
            "x": {**axis, "field": "k", "title": "is looked at"},
            "y": {**axis, "field": "q", "title": "looks"},
            "color": {
                "field": "w", "type": "quantitative", "title": "weight", "scale": {"domain": [0, 1], "scheme": "blues"},
            },
            "tooltip": [
                {"field": "q", "title": "looks"}, {"field": "k", "title": "at"}, {"field": "w", "title": "weight"},
            ],
        },
    }  # fmt: skip
