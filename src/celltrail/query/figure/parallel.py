"""Parallel coordinates: one line per run across many axes, each axis with a brush of its own."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue
from celltrail.model import RunRecord
from celltrail.query.columns import labels
from celltrail.query.figure.axes import Axis
from celltrail.query.figure.style import FADED, HEIGHT, colour, frame, many, title, tooltip
from celltrail.query.palette import PALETTE
from celltrail.query.plain import moment, number
from celltrail.query.ticks import log_ticks, ticks

if TYPE_CHECKING:
    import altair as alt

MOST_LINES, MOST_AXES = 2_000, 12
_ROOM = 0.06  # below and above, so that a brush can begin beyond the last value
_FEW = 6  # so many different numbers are written as they are
_NEAR = 0.04  # of the height: labels nearer to each other cannot be read
_REACH = 18  # pixels to each side of an axis in which its brush begins


def parallel(records: Sequence[RunRecord], axes: Sequence[Axis], by: Axis) -> alt.LayerChart:
    """A line per run. Dragging along an axis keeps the runs within on it; a double click lets all in again."""
    import altair as alt

    if not 2 <= len(axes) <= MOST_AXES:
        raise BadValue(f"parallel coordinates have 2 to {MOST_AXES} columns and were asked for {len(axes)}")
    told = axes if by.title in {axis.title for axis in axes} else [*axes, by]
    names = labels(records)
    drawn = _drawn(axes, len(records))
    if not drawn:
        raise BadValue(
            f"no run has values in two columns beside each other of {', '.join(axis.title for axis in axes)}: there is "
            "nothing to draw"
        )
    rows = [
        {"run": names[at], **{axis.title: axis.values[at] for axis in told}, "status": records[at].status}
        for at in drawn
    ]
    measures = [_Measure.of(axis.only(drawn), place) for place, axis in enumerate(axes)]
    brushes = [_brush(measure.brush, place, len(axes)) for place, measure in enumerate(measures)]
    hover = alt.selection_point(name="hovered", fields=["run"], on="pointerover", clear="pointerout")
    x = alt.X(
        "axis:N",
        sort=[measure.key for measure in measures],
        scale=alt.Scale(type="point", padding=0.5),
        axis=alt.Axis(
            orient="top", title=None, grid=True, gridOpacity=1, gridWidth=1.5, domain=False, ticks=False, labelAngle=0,
            labelLimit=130, labelFontWeight="bold", labelPadding=10,
            labelExpr=f"{json.dumps({measure.key: measure.axis.title for measure in measures})}[datum.value]",
        ),
    )  # fmt: skip
    y = alt.Y("at:Q", axis=None, scale=alt.Scale(domain=[-_ROOM, 1 + _ROOM], nice=False))
    lit = alt.datum.out == 0
    coloured = lit & alt.expr.isValid(alt.datum[by.title])
    pointed = {"test": {"and": [{"param": "hovered", "empty": False}, "datum.out === 0"]}, "value": 3.5}
    lines = alt.Chart(frame(rows)).mark_line(interpolate="monotone", strokeJoin="round")
    for measure in measures:
        lines = lines.transform_calculate(**{measure.key: measure.place})
    lines = (
        lines.transform_fold([measure.key for measure in measures], as_=["axis", "at"])
        .transform_calculate(away=_outside(measures))
        .transform_joinaggregate(out="sum(away)", groupby=["run"])
        .encode(
            x=x,
            y=y,
            detail="run:N",
            color=alt.condition(coloured, colour(by), alt.value("#8a8a8a")),
            opacity=alt.condition(lit, alt.value(0.75 if len(drawn) < 200 else 0.35), alt.value(FADED)),
            strokeWidth=alt.StrokeWidthValue(1.5, condition=pointed),
            tooltip=[tooltip("run", "N"), *(_tip(axis) for axis in told), tooltip("status", "N")],
        )
        .add_params(*brushes, hover)
    )  # fmt: skip
    marks = [{"axis": m.key, "at": at, "label": text} for m in measures for at, text in m.ticks]
    scaled = alt.Chart(alt.Data(values=marks)).encode(x=x, y=y)
    words: dict[str, Any] = {"align": "right", "dx": -6, "fontSize": 10}
    ground = scaled.mark_text(**words, style="ground", aria=False).encode(text="label:N")  # parts lines and words
    held = _held(measures)
    bars = (
        alt.Chart(alt.Data(values=[{"axis": measure.key} for measure in measures]))
        .transform_calculate(low=held[0], high=held[1])
        .mark_bar(size=13, opacity=0.35, color=PALETTE[7], stroke=PALETTE[7], strokeOpacity=1)
        .encode(x=x, y=alt.Y("low:Q", axis=None), y2="high:Q")
    )
    chart: Any = alt.layer(
        lines,
        bars,
        scaled.mark_tick(orient="horizontal", size=7, thickness=1, color="#7a7a7a", opacity=1),
        ground,
        scaled.mark_text(**words).encode(text="label:N"),
        width=max(420, min(1000, 130 * len(axes))),
        height=HEIGHT,
        title=title(
            f"{many(len(drawn))} by {by.title}",
            *_told(axes, by, drawn, len(records)),
            "drag along an axis to choose, double click for all",
        ),
        description=f"{many(len(drawn))} across {', '.join(axis.title for axis in axes)}",
    )
    return chart


def _drawn(axes: Sequence[Axis], runs: int) -> list[int]:
    """The places of the runs that have a line: values on two axes beside each other; of very many the first."""
    has = [[axis.values[at] is not None for axis in axes] for at in range(runs)]
    return [at for at, here in enumerate(has) if any(map(all, pairwise(here)))][:MOST_LINES]


def _told(axes: Sequence[Axis], by: Axis, drawn: Sequence[int], runs: int) -> list[str]:
    """What the count of lines does not say: how many runs have none, and whose lines have gaps or no colour."""
    lines: list[str] = []
    if len(drawn) < runs:
        why = "the first are drawn" if len(drawn) == MOST_LINES else "the others lack too many values"
        lines.append(f"{len(drawn)} of {many(runs)}: {why}")
    lacking = {axis.title: sum(axis.values[at] is None for at in drawn) for axis in axes}
    torn = sum(any(axis.values[at] is None for axis in axes) for at in drawn)
    if torn:
        where = ", ".join(f"{name} in {count}" for name, count in lacking.items() if count)
        lines.append(f"{many(torn)} {'has' if torn == 1 else 'have'} gaps: no {where}")
    grey = sum(by.values[at] is None for at in drawn)
    if grey:
        lines.append(f"{many(grey)} {'is' if grey == 1 else 'are'} grey, without {by.title}")
    return lines


@dataclass(frozen=True, slots=True)
class _Measure:
    """One axis: how a value becomes a height from 0 to 1, as an expression of Vega's, and what is written beside it."""

    axis: Axis
    key: str  # of the heights in the data, and of the axis
    brush: str
    place: str
    ticks: tuple[tuple[float, str], ...]

    @classmethod
    def of(cls, axis: Axis, place: int) -> _Measure:
        value = f"datum[{json.dumps(axis.title)}]"
        if axis.kind == "N":
            words = list(axis.words)
            height = f"indexof({json.dumps(words)}, {value}) / {max(1, len(words) - 1)}"
            shown = words if len(words) <= 12 else [words[0], words[-1]]
            marks = [(words.index(word) / max(1, len(words) - 1), word) for word in shown]
        else:
            low, high = min(v for v in axis.values if v is not None), max(v for v in axis.values if v is not None)
            at = _log if axis.is_log else _linear
            wide = at(high) - at(low) or 1.0
            height = f"({'log' if axis.is_log else ''}({value}) - {at(low)!r}) / {wide!r}"
            few = sorted({v for v in axis.values if v is not None})
            round_ = few if len(few) <= _FEW else log_ticks(low, high) if axis.is_log else ticks(low, high)
            if axis.kind == "T":
                marks = [(0.0, moment(low)), (1.0, moment(high))]
            else:
                marks = _apart([((at(tick) - at(low)) / wide, number(tick)) for tick in round_])
        guarded = f"isValid({value}) ? {height} : null"
        return cls(axis, f"p{place}", f"brush{place}", guarded, tuple(marks))


def _apart(marks: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Marks, lowest first, without those that would be written over another; both ends stay.

    >>> _apart([(0.0, "1"), (0.01, "1.01"), (0.5, "50"), (0.99, "99"), (1.0, "100")])
    [(0.0, '1'), (0.5, '50'), (1.0, '100')]
    """
    kept = list(marks[:1])
    for mark in marks[1:]:
        if mark[0] - kept[-1][0] >= _NEAR:
            kept.append(mark)
        elif mark is marks[-1] and len(kept) > 1:
            kept[-1] = mark
    return kept


def _tip(axis: Axis) -> Any:
    return tooltip(axis.title, "N" if axis.kind == "T" else axis.kind)


def _linear(value: float) -> float:
    return float(value)


def _log(value: float) -> float:
    return math.log(value)


def _brush(name: str, place: int, count: int) -> Any:
    """An interval over the heights, begun near one axis only; all of them share one plot.

    What an event is asked knows no signals where expressions are interpreted, so the width comes from the group.
    """
    import altair as alt

    near = f"abs(x() - group().width * {(place + 0.5) / count!r}) < {_REACH}"
    drag: Any = {
        "type": "pointermove",
        "source": "window",
        "between": [{"type": "pointerdown", "filter": [near]}, {"type": "pointerup", "source": "window"}],
        "consume": True,
    }
    return alt.selection_interval(
        name=name,
        encodings=["y"],
        on=drag,
        translate=False,
        zoom=False,
        mark=alt.BrushConfig(fillOpacity=0, strokeOpacity=0, cursor="default"),
    )


def _outside(measures: Sequence[_Measure]) -> str:
    """1 for a point that the brush of its axis leaves out; a run that has no value there is left out too."""
    tests = [
        f"(datum.axis === '{m.key}' && isArray({m.brush}.at)"
        f" && !(isValid(datum.at) && inrange(datum.at, {m.brush}.at)))"
        for m in measures
    ]
    return f"({' || '.join(tests)}) ? 1 : 0"


def _held(measures: Sequence[_Measure]) -> tuple[str, str]:
    """The two ends of the brush of an axis, null where it has none."""
    ends = []
    for end in (0, 1):
        chosen = "null"
        for m in measures:
            chosen = f"datum.axis === '{m.key}' ? (isArray({m.brush}.at) ? {m.brush}.at[{end}] : null) : {chosen}"
        ends.append(chosen)
    return ends[0], ends[1]
