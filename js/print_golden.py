"""Prints what both sides must agree on: ``python js/print_golden.py > js/test/golden.json``."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from celltrail.panels.figure import parts_of
from celltrail.panels.smooth import smooth

NAMES = (
    "loss", "train/loss", "val/loss", "val_loss", "Validation.acc", "loss/train", "eval/f1", "sys/gpu0/mem",
    "train/grad/norm", "training", "trainer/lr", "values/a", "test_time",
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


def plain(values: Any) -> list[float | None]:
    """As JSON has it: null is NaN."""
    return [None if math.isnan(value) else value for value in values.tolist()]


def printed() -> str:
    """The whole of golden.json."""
    return json.dumps({"smooth": cases(), "names": [[name, *parts_of(name)] for name in NAMES]}) + "\n"


if __name__ == "__main__":
    print(printed(), end="")  # noqa: T201
