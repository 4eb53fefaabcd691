"""The evaluation panel: metrics with intervals, confusion, curves and residuals of runs, and the rows behind them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from celltrail import contract
from celltrail.contract import (
    Answer,
    CalibrationBin,
    EvaluatedRun,
    EvaluationCurve,
    EvaluationOptions,
    EvaluationScore,
    EvaluationShown,
    FairGroup,
    FairnessShown,
    Pick,
    SavedPanel,
)
from celltrail.errors import BadValue, NoRun
from celltrail.model import goal_of
from celltrail.panels import html, saved
from celltrail.panels.abridging import abridge, few
from celltrail.panels.figure import Line, svg
from celltrail.panels.media import empty_but
from celltrail.panels.widget import Panel, Reply, answer
from celltrail.query.evaluation import Evaluated, Evaluations
from celltrail.query.plain import shown
from celltrail.query.row import real, scalar
from celltrail.stats.evaluation import Score
from celltrail.stats.fairness import FEW

if TYPE_CHECKING:
    import pandas as pd

OPTIONS: EvaluationOptions = {"split": "", "label": "", "shares": False}
MOST_LABELS, MOST_WORST, MOST_ROWS, MOST_COLUMNS = 40, 40, 200, 16
RESIDUAL_BINS = 24


class EvaluationPanel(Panel):
    """The widget: it holds all that is drawn, and asks for the rows behind what is clicked."""

    def __init__(self, found: Evaluations) -> None:
        self._found = found
        first = found[0].run
        state = saved.panel("evaluation", first.store.id, title_of(found), evaluations=[shown_of(found)])
        super().__init__("evaluation", state, OPTIONS)

    @property
    def answers(self) -> dict[str, Callable[[Any], Answer | Reply | None]]:
        """The rows of a cell, a bin or a range."""
        return {"pick": lambda asked: picked([self._found], asked)}


def title_of(found: Evaluations) -> str:
    """What the panel is of."""
    return f"{found.split} · {', '.join(one.run.name for one in found)}"


def shown_of(found: Evaluations) -> EvaluationShown:
    """The split as the front end gets it."""
    first = found[0]
    labels = list(dict.fromkeys(label for one in found for label in one.labels))
    edges = _edges(found) if first.task == "regression" else np.empty(0)
    return {
        "split": found.split,
        "task": cast("Any", first.task),
        "labels": [str(label) for label in labels],
        "edges": edges.tolist(),
        "runs": [_run(one, labels, edges) for one in found],
        "omitted": 0,
    }


def picked(evaluations: Sequence[Evaluations], asked: Pick) -> Answer:
    """The rows behind a cell of a confusion matrix, a bin of a calibration or a range of residuals."""
    for found in evaluations:
        for one in found:
            if found.split == asked["split"] and one.run.id == asked["run"]:
                rows = one.table.loc[_mask(one, asked)]
                heads, lines = _table(rows.head(MOST_ROWS))
                return answer(
                    asked["id"], content=empty_but(heads=heads, rows=lines, more=max(0, len(rows) - MOST_ROWS))
                )
    raise BadValue(f"run {asked['run']!r} has no evaluation on {asked['split']!r} that this panel shows")


def _mask(one: Evaluated, asked: Pick) -> Any:
    table = one.table
    match asked["of"]:
        case "confusion":
            return (table["truth"].astype(str) == asked["truth"]) & (table["output"].astype(str) == asked["output"])
        case "calibration":
            label = next((each for each in one.labels if str(each) == asked["truth"]), None)
            if not one.column(label):
                raise BadValue(f"the label {asked['truth']!r} has no scores")
            values = table[one.column(label)].to_numpy()
            return ((values > asked["low"]) | (asked["low"] <= 0)) & (values <= asked["high"])
        case "residuals":
            values = table["error"].to_numpy()
            is_last = asked["high"] >= np.abs(values).max()
            return (values >= asked["low"]) & ((values < asked["high"]) | is_last)


def _run(one: Evaluated, labels: Sequence[Any], edges: Any) -> EvaluatedRun:
    heads, worst = _table(one.worst(MOST_WORST))
    counts = one.confusion.reindex(index=labels, columns=labels, fill_value=0) if one.is_classification else None
    scored = one.scored[:MOST_LABELS]
    return {
        "run": one.run.id,
        "name": one.run.name,
        "rows": len(one.table),
        "scores": [{**_score(score), "value": real(score.value)} for score in one.scores],
        "confusion": [] if counts is None else counts.to_numpy().tolist(),
        "curves": [curve for label in scored for curve in _curves(one, label)],
        "bins": [each for label in scored for each in _bins(one, label)],
        "residuals": np.histogram(one.table["error"], edges)[0].tolist() if len(edges) else [],
        "heads": heads,
        "worst": worst,
        "fairness": _fairness(one),
    }


def _fairness(one: Evaluated) -> FairnessShown | None:
    try:
        found = one.run.fairness(one.split)
    except NoRun:
        return None
    heads, slices = _table(found.slices)
    groups: dict[tuple[str, str], FairGroup] = {}
    for line in found.table.to_dict("records"):
        feature, group, name = str(line["feature"]), str(line["group"]), str(line["metric"])
        held = groups.setdefault((feature, group), FairGroup(feature=feature, group=group, rows=0, scores=[]))
        held["rows"] = max(held["rows"], int(line["n"]))
        ends = float(line["ci_low"]), float(line["ci_high"])
        held["scores"].append(_score(Score(name, float(line["value"]), *ends, str(line["ci_method"]), int(line["n"]))))
    return {
        "positive": str(found.positive),
        "few": FEW,
        "gaps": [_score(gap) for gap in found.gaps],
        "groups": list(groups.values()),
        "heads": heads,
        "slices": slices,
    }


def _score(score: Score) -> EvaluationScore:
    return {
        "name": score.name,
        "value": _short(score.value),
        "low": _short(score.low),
        "high": _short(score.high),
        "method": score.method,
        "goal": goal_of(score.name),
    }


def _short(value: float) -> contract.Real:
    return real(float(f"{value:.6g}"))


def _curves(one: Evaluated, label: Any) -> list[EvaluationCurve]:
    if not 0 < int((one.table["truth"] == label).sum()) < len(one.table):
        return []  # a label that every row has, or none, has no curve
    found = {"roc": one.roc(label), "precision_recall": one.precision_recall(label)}
    return [
        {"kind": cast("Any", kind), "label": str(label), "x": few(curve.x.tolist()), "y": few(curve.y.tolist())}
        for kind, curve in found.items()
    ]


def _bins(one: Evaluated, label: Any) -> list[CalibrationBin]:
    score = one.table[one.column(label)].to_numpy()
    if score.min() < 0 or score.max() > 1:
        return []  # no probabilities
    found = one.calibration(label)
    return [
        {
            "label": str(label),
            "low": round(float(low), 6),
            "high": round(float(high), 6),
            "predicted": round(float(predicted), 4),
            "observed": round(float(observed), 4),
            "rows": int(rows),
        }
        for low, high, predicted, observed, rows in zip(*found, strict=True)
    ]


def _edges(found: Evaluations) -> Any:
    """Of the residuals of all runs, even around 0."""
    most = max(float(np.abs(one.table["error"]).max()) for one in found) or 1.0
    return np.linspace(-most, most, RESIDUAL_BINS + 1)


def _table(frame: pd.DataFrame) -> tuple[list[str], list[list[contract.Scalar]]]:
    part = frame.iloc[:, :MOST_COLUMNS]
    heads = [str(name) for name in part.columns]
    return heads, [[_cell(value) for value in row] for row in part.itertuples(index=False)]


def _cell(value: Any) -> contract.Scalar:
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, float) and np.isfinite(plain):
        return float(f"{plain:.6g}")
    return scalar(plain) if isinstance(plain, str | bool | int | float | None) else shown(plain)


def bundle(found: Evaluations, widget: EvaluationPanel) -> saved.Bundle:
    """What a cell that ends in an evaluation shows and keeps: fewer rows and points where the file has no room."""
    payload = cast("SavedPanel", json.loads(json.dumps(widget.state)))
    made: saved.Bundle = {contract.MIME: payload, "text/plain": repr(found)[:4000]}
    (held,) = payload["evaluations"]
    made["text/html"] = _html(held)
    for steps in ((60, 30, 40), (40, 20, 30), (24, 12, 20), (16, 6, 12), (12, 4, 8)):
        if saved.size(made) <= saved.BUDGET:
            break
        abridge(held, *steps)
        made["text/html"] = _html(held)
    while saved.size(made) > saved.BUDGET and len(held["runs"]) > 1:
        held["runs"].pop()
        held["omitted"] += 1
        made["text/html"] = _html(held)
    return saved.with_view(made, widget.model_id)


def _html(held: EvaluationShown) -> str:
    """Metrics and confusion as tables, and a picture of the first curves."""
    names = [html.short(run["name"]) for run in held["runs"]]
    parts = [html.line(f"evaluation on {held['split']}, {held['task']}")]
    parts.append(html.table(["metric", *names], _metric_rows(held), [False, *(True for _ in names)]))
    if picture := _picture(held):
        source = base64.b64encode(picture.encode()).decode()
        said = escape(f"curves of {', '.join(names)}")
        parts.append(f'<img src="data:image/svg+xml;base64,{source}" alt="{said}" style="max-width:100%">')
    labels = held["labels"][:12]
    for run, name in zip(held["runs"], names, strict=True):
        if run["confusion"]:
            labels = labels[: len(run["confusion"])]
            rows = [
                [label, *map(str, line[: len(labels)])] for label, line in zip(labels, run["confusion"], strict=False)
            ]
            parts.append(html.line(f"{name}: truth down, predicted across"))
            parts.append(html.table(["", *labels], rows, [False, *(True for _ in labels)]))
        if run["fairness"]:
            parts.append(_fair_html(name, run["fairness"]))
    return "".join(parts)


def _fair_html(name: str, fair: FairnessShown) -> str:
    """Gaps and rates by group as tables."""
    gaps = [[gap["name"], shown(gap["value"]), f"{shown(gap['low'])} to {shown(gap['high'])}"] for gap in fair["gaps"]]
    heads = list(dict.fromkeys(score["name"] for group in fair["groups"] for score in group["scores"]))
    rates = [
        [
            f"{group['feature']}={group['group']}", str(group["rows"]),
            *(shown(next((each["value"] for each in group["scores"] if each["name"] == head), None)) for head in heads),
        ]
        for group in fair["groups"]
    ]  # fmt: skip
    return (
        html.line(f"{name}: fairness, a gain is {fair['positive']}")
        + html.table(["gap", "", "95% interval"], gaps, [False, True, True])
        + html.table(["group", "rows", *heads], rates, [False, *(True for _ in range(len(heads) + 1))])
    )


def _metric_rows(held: EvaluationShown) -> list[list[str]]:
    found = [{score["name"]: score for score in run["scores"]} for run in held["runs"]]
    names = list(dict.fromkeys(name for scores in found for name in scores))

    def told(score: contract.EvaluationScore | None) -> str:
        if score is None:
            return ""
        ends = f" ({shown(score['low'])} to {shown(score['high'])})" if score["low"] != "nan" else ""
        return f"{shown(score['value'])}{ends}"

    return [[name, *(told(scores.get(name)) for scores in found)] for name in names]


def _picture(held: EvaluationShown) -> str:
    """ROC and precision over recall of the first label that has them, or the residuals."""
    lines: list[Line] = []
    for run in held["runs"]:
        first = next((curve["label"] for curve in run["curves"]), None)
        drawn = [(curve["kind"], curve["x"], curve["y"]) for curve in run["curves"] if curve["label"] == first]
        if run["residuals"]:
            middles = [(low + high) / 2 for low, high in zip(held["edges"], held["edges"][1:], strict=False)]
            drawn.append(("rows by residual", middles, [float(count) for count in run["residuals"]]))
        for kind, x, y in drawn:
            title = {"roc": f"ROC of {first}", "precision_recall": f"precision over recall of {first}"}.get(kind, kind)
            points = np.array([x, x, y], float)
            lines.append(Line(run["run"], run["name"], title, points, len(x)))
    return svg(lines) if lines else ""
