"""The rows behind a part of an evaluation: a cell, a bin, a threshold, a range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from celltrail import contract
from celltrail.contract import Answer, Pick
from celltrail.errors import BadValue
from celltrail.panels.media import empty_but
from celltrail.panels.widget import answer
from celltrail.query.evaluation import Evaluated, Evaluations
from celltrail.query.plain import shown
from celltrail.query.row import scalar

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS, MOST_COLUMNS = 200, 16


def picked(evaluations: Sequence[Evaluations], asked: Pick) -> Answer:
    """The rows behind what is asked for, or the sentence why there are none."""
    for found in evaluations:
        for one in found:
            if found.split == asked["split"] and one.run.id == asked["run"]:
                rows, said = _behind(one, asked)
                heads, lines = rows_of(rows.head(MOST_ROWS))
                more = max(0, len(rows) - MOST_ROWS)
                return answer(asked["id"], content=empty_but(heads=heads, rows=lines, more=more, said=said))
    raise BadValue(f"run {asked['run']!r} has no evaluation on {asked['split']!r} that this panel shows")


def rows_of(frame: pd.DataFrame) -> tuple[list[str], list[list[contract.Scalar]]]:
    """A table as the front end gets it: its heads and its rows."""
    part = frame.iloc[:, :MOST_COLUMNS]
    heads = [str(name) for name in part.columns]
    return heads, [[_cell(value) for value in row] for row in part.itertuples(index=False)]


def _behind(one: Evaluated, asked: Pick) -> tuple[pd.DataFrame, str]:
    table = one.table
    if asked["of"] == "threshold":
        return _wrong(one, asked)
    return table.loc[_mask(one, asked)], ""


def _wrong(one: Evaluated, asked: Pick) -> tuple[pd.DataFrame, str]:
    """What a threshold takes for the label and is not, or is and it misses; the furthest from it first."""
    label, scores = _scores(one, asked["truth"])
    mark = (one.table["truth"] == label).to_numpy()
    counted = scores >= asked["low"]
    wrong = np.flatnonzero(mark != counted)
    order = wrong[np.argsort(-np.abs(scores[wrong] - asked["low"]), kind="stable")]
    found, missed, alarms = int((mark & counted).sum()), int((mark & ~counted).sum()), int((counted & ~mark).sum())
    said = f"{found} of {found + missed} found, {missed} missed, {alarms} wrongly taken for it"
    return one.table.iloc[order], said


def _scores(one: Evaluated, name: str) -> tuple[Any, Any]:
    label = next((each for each in one.labels if str(each) == name), None)
    if label is None or not one.column(label):
        raise BadValue(f"the label {name!r} has no scores")
    return label, one.table[one.column(label)].to_numpy()


def _mask(one: Evaluated, asked: Pick) -> Any:
    table = one.table
    if asked["of"] == "confusion":
        return (table["truth"].astype(str) == asked["truth"]) & (table["output"].astype(str) == asked["output"])
    if asked["of"] == "calibration":
        _, values = _scores(one, asked["truth"])
        return ((values > asked["low"]) | (asked["low"] <= 0)) & (values <= asked["high"])
    if asked["of"] == "residuals":
        values = table["error"].to_numpy()
        return _between(values, asked["low"], asked["high"], np.abs(values).max())
    truth, output = (table[name].to_numpy(float) for name in ("truth", "output"))
    most = max(truth.max(), output.max())
    inside = _between(truth, asked["low"], asked["high"], most)
    return inside & _between(output, asked["output_low"], asked["output_high"], most)


def _between(values: Any, low: float, high: float, most: float) -> Any:
    """From ``low`` to below ``high``; the last range has its end in it."""
    return (values >= low) & ((values < high) | (high >= most))


def _cell(value: Any) -> contract.Scalar:
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, float) and np.isfinite(plain):
        return float(f"{plain:.6g}")
    return scalar(plain) if isinstance(plain, str | bool | int | float | None) else shown(plain)
