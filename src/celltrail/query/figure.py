"""Altair charts over runs: plain `alt.Chart` objects with small data inside, for the user to restyle."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from celltrail.errors import BadValue, QueryError
from celltrail.model import RunRecord
from celltrail.query.across import no_metric
from celltrail.query.columns import Column, chosen_columns, is_time, labels
from celltrail.query.evaluate import Question, duration_of
from celltrail.query.plain import length, shown
from celltrail.query.stored import StoredRun
from celltrail.query.thin import keep
from celltrail.store.catalogue.facts import Named

if TYPE_CHECKING:
    import altair as alt

MOST_ROWS = 5_000
_MOST_LINES = 500
_WIDTH, _HEIGHT = 560, 320
_MADE = "celltrail"


def lines(runs: Sequence[StoredRun], y: str, x: Literal["step", "time"]) -> alt.Chart:
    """A metric over steps or seconds, one line per run, at most 5,000 points in all."""
    import altair as alt
    import numpy as np
    import pandas as pd

    having = [run for run in runs if y in run.record.metrics]
    if not having:
        raise no_metric(y, [run.record for run in runs])
    drawn = having[:_MOST_LINES]
    each = max(4, MOST_ROWS // len(drawn) - 2)
    names = labels([run.record for run in drawn])
    frames: list[Any] = []
    for run, label in zip(drawn, names, strict=True):
        series = run.store.series(run.id)[y]
        chosen = keep(series.value, each, series.step if x == "step" else series.t_us)
        value = series.value[chosen]
        # JSON has no infinity: drawn as a gap, like NaN
        frames.append(
            pd.DataFrame(
                {
                    "run": label,
                    "step": series.step[chosen],
                    "seconds": (series.t_us[chosen] - run.record.started_us) / 1e6,
                    "value": np.where(np.isfinite(value), value, np.nan),
                }
            )
        )
    data = pd.concat(frames, ignore_index=True)
    data.attrs[_MADE] = True
    axis = alt.X("step:Q", title="step") if x == "step" else alt.X("seconds:Q", title="time since the start, s")
    subtitle = f"{len(drawn)} of {len(having)} runs" if len(drawn) < len(having) else ""
    return (
        alt.Chart(
            data,
            title=alt.TitleParams(f"{y} of {_many(len(having))}", subtitle=subtitle) if subtitle else alt.Undefined,
            width=_WIDTH,
            height=_HEIGHT,
        )
        .mark_line(clip=True)
        .encode(
            x=axis,
            y=alt.Y("value:Q", title=y, scale=alt.Scale(zero=False)),
            color=alt.Color("run:N", title="run", sort=names, scale=_colours(len(drawn))),
            tooltip=[
                alt.Tooltip("run:N", title="run"),
                alt.Tooltip("step:Q", title="step", format=","),
                alt.Tooltip("seconds:Q", title="seconds", format=".1f"),
                alt.Tooltip("value:Q", title=y, format=".5~g"),
            ],
        )
    )


def points(records: Sequence[RunRecord], x: str, y: str, ask: Callable[[str], Question]) -> alt.Chart:
    """A point per run: a metric's best value, or an expression, over a parameter or any other column."""
    import altair as alt
    import pandas as pd

    across = chosen_columns([x], Named.of(records), ask)[0]
    up, y_title = _height(records, y, ask)
    rows: list[dict[str, Any]] = []
    for record, label in zip(records, labels(records), strict=True):
        left, height = _drawable(across.value(record)), _drawable(up.value(record))
        if left is not None and isinstance(height, int | float):
            rows.append({"x": left, "y": height, "run": label, "status": record.status, "duration": _long(record)})
    if not rows:
        raise BadValue(f"no run has both {x} and {y}: there is nothing to draw")
    rows = rows[:MOST_ROWS]
    values = [row["x"] for row in rows]
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        for row in rows:
            row["x"] = shown(row["x"])
        kind, scale = "N", alt.Undefined
    elif is_time(x):
        for row in rows:
            row["x"] = pd.Timestamp(row["x"], unit="s", tz="UTC")
        kind, scale = "T", alt.Undefined
    else:
        kind, scale = "Q", _scale(values)
    data = pd.DataFrame(rows)
    data.attrs[_MADE] = True
    return (
        alt.Chart(data, width=_WIDTH, height=_HEIGHT)
        .mark_circle(size=70, opacity=0.8)
        .encode(
            x=alt.X(f"x:{kind}", title=across.title, scale=scale),
            y=alt.Y("y:Q", title=y_title, scale=alt.Scale(zero=False)),
            tooltip=[
                alt.Tooltip("run:N", title="run"),
                alt.Tooltip(f"x:{kind}", title=across.title),
                alt.Tooltip("y:Q", title=y_title, format=".5~g"),
                alt.Tooltip("status:N", title="status"),
                alt.Tooltip("duration:N", title="duration"),
            ],
        )
    )


def drawn_from_runs(chart: Any) -> bool:
    """Whether a chart, or a part of it, was made here: its data says so, whatever was restyled since."""
    data: Any = getattr(chart, "data", None)
    attrs = getattr(data, "attrs", None)
    if isinstance(attrs, dict) and _MADE in attrs:
        return True
    inner = [getattr(chart, name, None) for name in ("layer", "hconcat", "vconcat", "concat")]
    parts = [part for group in inner if isinstance(group, list) for part in group]
    within = getattr(chart, "spec", None)
    return any(drawn_from_runs(part) for part in [*parts, *([] if within is None else [within])])


def _height(records: Sequence[RunRecord], y: str, ask: Callable[[str], Question]) -> tuple[Column, str]:
    having = [record.metrics[y] for record in records if y in record.metrics]
    if having:
        directed = any(metric.goal != "none" for metric in having)
        name = f"best.{y}" if directed else f"metrics.{y}"
        return chosen_columns([name], Named.of(records), ask)[0], f"best {y}" if directed else f"last {y}"
    try:
        return chosen_columns([y], Named.of(records), ask)[0], y
    except (BadValue, QueryError):
        raise no_metric(y, records) from None


def _drawable(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _scale(values: Sequence[float]) -> alt.Scale:
    """Logarithmic where the values span two decades, as learning rates do."""
    import altair as alt

    wide = min(values) > 0 and max(values) / min(values) >= 100
    return alt.Scale(type="log") if wide else alt.Scale(zero=False)


def _colours(count: int) -> Any:
    import altair as alt

    return alt.Scale(scheme="tableau10" if count <= 10 else "tableau20")


def _many(count: int) -> str:
    return f"{count} run{'s' * (count != 1)}"


def _long(record: RunRecord) -> str:
    return length(duration_of(record))
