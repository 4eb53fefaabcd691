"""An evaluation with less in it: a notebook file has little room."""

from __future__ import annotations

import json
from collections.abc import Sequence

from celltrail.contract import EvaluationShown

MOST_POINTS = 120
SHARE = 16_000  # bytes of the evaluations in the saved form of a run


def few(values: Sequence[float], most: int = MOST_POINTS) -> list[float]:
    """So many of them, evenly, both ends among them, in four digits."""
    kept = min(most, len(values))
    places = sorted({round(at * (len(values) - 1) / max(kept - 1, 1)) for at in range(kept)})
    return [round(float(values[at]), 4) for at in places]


def abridge(held: EvaluationShown, points: int, rows: int, labels: int) -> None:
    """At most so many points of each curve, so many rows, and the curves and confusion of the first labels only."""
    names = set(held["labels"][-1:] if len(held["labels"]) == 2 else held["labels"][:labels])
    for run in held["runs"]:
        run["worst"] = run["worst"][:rows]
        if run["fairness"]:
            run["fairness"]["slices"] = run["fairness"]["slices"][:rows]
            run["fairness"]["groups"] = run["fairness"]["groups"][: max(rows, labels)]
        run["confusion"] = [line[:labels] for line in run["confusion"][:labels]]
        run["dots"] = [dot for dot in run["dots"] if dot["label"] in names] if points >= 40 else []
        run["scatter"] = run["scatter"][: 2 * points]
        run["bins"] = [each for each in run["bins"] if each["label"] in names]
        run["curves"] = [curve for curve in run["curves"] if curve["label"] in names]
        for curve in run["curves"]:
            curve["x"], curve["y"] = few(curve["x"], points), few(curve["y"], points)


def within_share(shown: list[EvaluationShown]) -> list[EvaluationShown]:
    """As much of them as the saved form of a run has room for; none rather than too much."""
    for steps in ((40, 12, 12), (16, 4, 6)):
        if _size(shown) > SHARE:
            for held in shown:
                abridge(held, *steps)
    return shown if _size(shown) <= SHARE else []


def _size(shown: list[EvaluationShown]) -> int:
    return len(json.dumps(shown, indent=1))
