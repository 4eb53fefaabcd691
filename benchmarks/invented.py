"""Runs made up for the rows that need many: the same each time, and what a question about them must answer."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

METRICS = ("train/loss", "val/loss", "train/acc", "val/acc", "lr")
KINDS = ("mlp", "cnn", "transformer")
MATCH = "lr < 0.01, kind mlp, lowest val/loss < 0.5; the 50 with the highest val/acc"


@dataclass(frozen=True)
class Made:
    """One made-up run: 10 params, 5 metrics, so many calls of log()."""

    number: int
    points: int

    @property
    def name(self) -> str:
        return f"run-{self.number}"

    @property
    def params(self) -> dict[str, Any]:
        dice = random.Random(self.number)
        rest = {f"option_{i}": dice.randint(0, 100) for i in range(7)}
        return {"lr": 10 ** dice.uniform(-4, -1), "kind": dice.choice(KINDS), "seed": self.number, **rest}

    def rows(self) -> Iterator[tuple[int, dict[str, float]]]:
        """Steps and values; losses fall and accuracies rise, so that the last value is the best one."""
        level = random.Random(-1 - self.number).random()
        for step in range(self.points):
            done = 1 - math.exp(-3 * (step + 1) / self.points)
            loss, accuracy = 1 - done * level, done * level
            yield step, dict(zip(METRICS, (loss, loss * 1.01, accuracy, accuracy * 0.99, 0.001), strict=True))


def runs(count: int, points: int) -> list[Made]:
    """So many runs."""
    return [Made(number, points) for number in range(count)]


def expected(made: list[Made]) -> list[str]:
    """The answer to `MATCH`, by looking at each."""
    found = []
    for run in made:
        *_, (_, last) = run.rows()
        if run.params["lr"] < 0.01 and run.params["kind"] == "mlp" and last["val/loss"] < 0.5:
            found.append((last["val/acc"], run.name))
    return [name for _, name in sorted(found, reverse=True)[:50]]
