"""Prints what both sides must agree on: ``python js/print_golden.py > js/test/golden.json``."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from celltrail.panels.figure import parts_of, standing
from celltrail.panels.pools import mean
from celltrail.panels.smooth import smooth
from celltrail.stats import welch

NAMES = (
    "loss", "train/loss", "val/loss", "val_loss", "Validation.acc", "loss/train", "eval/f1", "sys/gpu0/mem",
    "train/grad/norm", "training", "trainer/lr", "values/a", "test_time", "epoch", "lr", "grad_norm_applied",
    "samples_per_s", "opt1_lr", "acc", "steps", "sys/step", "train/weight_norm/head.0.bias", "update_ratio/a",
)  # fmt: skip


def cases() -> list[dict[str, Any]]:
    """Lines with gaps, uneven places and fewer points than were logged, each smoothed in every way."""
    places = np.cumsum(1 + np.arange(25) % 4).astype(float)
    values = np.sin(np.arange(25) * 0.7) + np.arange(25) / 10
    values[[3, 4, 17]] = math.nan
    return [
        {"x": places.tolist(), "y": plain(values), "how": how, "weight": weight, "logged": logged, "out": plain(found)}
        for how in ("ema", "time", "median")
        for weight, logged in ((0.0, 25), (0.6, 25), (0.95, 25), (0.95, 100))
        for found in [smooth(places, values, how, weight, logged)]
    ]


def pools() -> list[dict[str, Any]]:
    """Lines of unequal length and places, one with a gap, one with a place twice, as their mean and its band."""
    curves = [
        np.array([[0.0, 1.0, 2.0, 4.0], [1.0, 2.0, 4.0, 3.0]]),
        np.array([[1.0, 2.0, 2.0, 3.0], [0.0, 1.0, 5.0, 2.0]]),
        np.array([[0.0, 2.0, 3.0], [3.0, math.nan, 6.0]]),
    ]
    found = [(how, mean(curves, how)) for how in ("interval", "range")]
    lines = [{"x": curve[0].tolist(), "y": plain(curve[1])} for curve in curves]
    return [
        {"lines": lines, "how": how, "x": x.tolist(), "y": plain(y), "low": plain(band[0]), "high": plain(band[1])}
        for how, (x, y, band) in found
    ]


def gaps() -> list[dict[str, Any]]:
    """Two groups of numbers, the goal, and what is said of the second."""
    rng = np.random.default_rng(1)
    found: list[dict[str, Any]] = []
    cases = ((3, 3, 0.0, "max"), (5, 3, 3.0, "max"), (5, 5, 3.0, "min"), (40, 2, 1.0, "none"), (60, 70, 3.0, "none"))
    for n, m, by, goal in cases:
        first, second = rng.normal(0, 1, n), rng.normal(by, 2, m)
        gap = welch(first.tolist(), second.tolist())
        assert gap is not None
        told = {"by": gap.by, "low": gap.low, "high": gap.high, "count": gap.count, "word": gap.word(goal)}
        found.append({"first": first.tolist(), "second": second.tolist(), "goal": goal, **told})
    return found


def plain(values: Any) -> list[float | None]:
    """As JSON has it: null is NaN."""
    return [None if math.isnan(value) else value for value in values.tolist()]


def printed() -> str:
    """The whole of golden.json."""
    names = [[name, *parts_of(name), standing(name)] for name in NAMES]
    return json.dumps({"smooth": cases(), "pools": pools(), "names": names, "gaps": gaps()}) + "\n"


if __name__ == "__main__":
    print(printed(), end="")  # noqa: T201
