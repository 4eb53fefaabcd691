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
    SavedPanel,
    ScatterBin,
    ThresholdDot,
)
from celltrail.errors import NoRun
from celltrail.model import goal_of
from celltrail.panels import html, saved
from celltrail.panels.abridging import abridge, few
from celltrail.panels.figure import Line, Look, svg
from celltrail.panels.picking import picked, rows_of
from celltrail.panels.widget import Panel, Reply
from celltrail.query.evaluation import Evaluated, Evaluations
from celltrail.query.plain import shown
from celltrail.query.row import real
from celltrail.stats.evaluation import Score
from celltrail.stats.fairness import FEW

if TYPE_CHECKING:
    pass

OPTIONS: EvaluationOptions = {"split": "", "label": "", "shares": False}
MOST_LABELS, MOST_WORST = 40, 40
RESIDUAL_BINS, SCATTER_BINS, MOST_DOTS = 24, 16, 9


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
    is_regression = first.task == "regression"
    edges = _edges(found) if is_regression else np.empty(0)
    span = span_of(found) if is_regression else []
    return {
        "split": found.split,
        "task": cast("Any", first.task),
        "labels": [str(label) for label in labels],
        "edges": edges.tolist(),
        "span": span,
        "runs": [_run(one, labels, edges, span) for one in found],
        "omitted": 0,
    }


def _run(one: Evaluated, labels: Sequence[Any], edges: Any, span: Sequence[float]) -> EvaluatedRun:
    heads, worst = rows_of(one.worst(MOST_WORST))
    counts = one.confusion.reindex(index=labels, columns=labels, fill_value=0) if one.is_classification else None
    scored = one.scored[:MOST_LABELS]
    return {
        "run": one.run.id,
        "name": one.run.name,
        "rows": len(one.table),
        "scores": [{**_score(score), "value": real(score.value)} for score in one.scores],
        "confusion": [] if counts is None else counts.to_numpy().tolist(),
        "curves": [curve for label in scored for curve in _curves(one, label)],
        "dots": [dot for label in scored for dot in _dots(one, label)],
        "bins": [each for label in scored for each in _bins(one, label)],
        "residuals": np.histogram(one.table["error"], edges)[0].tolist() if len(edges) else [],
        "scatter": _scatter(one, span) if span else [],
        "heads": heads,
        "worst": worst,
        "fairness": _fairness(one),
    }


def _fairness(one: Evaluated) -> FairnessShown | None:
    try:
        found = one.run.fairness(one.split)
    except NoRun:
        return None
    heads, slices = rows_of(found.slices)
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


def _dots(one: Evaluated, label: Any) -> list[ThresholdDot]:
    """A few thresholds of a label, evenly among its scores; each stands on the ROC and on precision over recall."""
    mark = (one.table["truth"] == label).to_numpy()
    positive = int(mark.sum())
    if not 0 < positive < len(mark):
        return []
    score = one.table[one.column(label)].to_numpy()
    scores = np.unique(score[np.isfinite(score)])
    places = sorted({round(at) for at in np.linspace(0, len(scores) - 1, MOST_DOTS)}) if len(scores) else []
    found: list[ThresholdDot] = []
    for threshold in scores[places]:
        counted = score >= threshold
        right = int((counted & mark).sum())
        found.append(
            {
                "label": str(label),
                "threshold": float(threshold),
                "fpr": round(int((counted & ~mark).sum()) / (len(mark) - positive), 4),
                "recall": round(right / positive, 4),
                "precision": round(right / int(counted.sum()), 4),
            }
        )
    return found


def span_of(found: Evaluations) -> list[float]:
    """The least and the largest of what was true and predicted, the same for all runs; empty where nothing is."""
    values = np.concatenate([one.table[name].to_numpy(float) for one in found for name in ("truth", "output")])
    values = values[np.isfinite(values)]
    return [float(values.min()), float(values.max())] if len(values) and values.min() < values.max() else []


def _scatter(one: Evaluated, span: Sequence[float]) -> list[ScatterBin]:
    edges = np.linspace(span[0], span[1], SCATTER_BINS + 1)
    pairs = one.table[["truth", "output"]].to_numpy(float)
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    places = np.clip(np.searchsorted(edges, pairs, side="right") - 1, 0, SCATTER_BINS - 1)
    cells, which, rows = np.unique(places, axis=0, return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(which.ravel(), pairs[:, side], len(cells)) for side in (0, 1)], axis=1)
    found: list[ScatterBin] = [
        {
            "low": float(edges[across]),
            "high": float(edges[across + 1]),
            "output_low": float(edges[up]),
            "output_high": float(edges[up + 1]),
            "truth": float(f"{truth / count:.6g}"),
            "output": float(f"{output / count:.6g}"),
            "rows": int(count),
        }
        for (across, up), (truth, output), count in zip(cells, sums, rows, strict=True)
    ]
    return sorted(found, key=lambda each: -each["rows"])


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
    return svg(lines, Look(x="number")) if lines else ""
