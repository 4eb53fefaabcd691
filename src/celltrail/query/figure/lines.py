"""Curves: a metric over steps, time or another metric, one line per run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue
from celltrail.query.across import no_metric
from celltrail.query.axis import place, standing
from celltrail.query.columns import labels
from celltrail.query.figure.axes import Axis
from celltrail.query.figure.style import (
    HEIGHT,
    MOST_ROWS,
    WIDTH,
    colour,
    many,
    marked,
    run_colour,
    run_dash,
    title,
    tooltip,
)
from celltrail.query.palette import PALETTE
from celltrail.query.stored import StoredRun
from celltrail.query.thin import keep

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

SECONDS = ("time", "relative")
_MOST_LINES = 500
_FADED = 0.12


def lines(runs: Sequence[StoredRun], y: str, x: str, by: Axis | None = None) -> alt.Chart:
    """A metric over an axis, at most 5,000 points in all; a click in the legend brings one line forward.

    Args:
        runs: all of them; those without the metric or the axis are left out.
        y: the metric.
        x: "step", "time" or "relative" (seconds since the start), "axis" (as the metric was declared), or a metric.
        by: what colours the lines, a value for each of the runs; without it each run has its own colour.
    """
    import altair as alt
    import pandas as pd

    having = [place for place, run in enumerate(runs) if y in run.record.metrics]
    if not having:
        raise no_metric(y, [run.record for run in runs])
    x = _declared(runs[having[0]], y) if x == "axis" else x
    plain = x == "step" or x in SECONDS
    there = [place for place in having if plain or x in runs[place].record.metrics]
    if not there:
        raise BadValue(f"no run has both {y} and {x}: there is nothing to draw")
    drawn = there[:_MOST_LINES]
    each = max(4, MOST_ROWS // len(drawn) - 2)
    names = labels([runs[place].record for place in drawn])
    frames = [_points(runs[place], label, y, x, each) for place, label in zip(drawn, names, strict=True)]
    if by is not None:
        for place, made in zip(drawn, frames, strict=True):
            made[by.title] = by.values[place]
    data = marked(pd.concat(frames, ignore_index=True))
    across = {"step": ("step", "step"), **dict.fromkeys(SECONDS, ("seconds", "time since the start, s"))}
    name, words = across.get(x, ("at", x))
    picked = alt.selection_point(fields=["run" if by is None else by.title], bind="legend")
    told = [tooltip("run", "N")]
    if plain:
        told += [tooltip("step", "Q", format=","), tooltip("seconds", "Q", format=".1f")]
    else:
        told += [tooltip("at", "Q", title=x)]
    told += [] if by is None else [tooltip(by.title, by.kind)]
    chart = (
        alt.Chart(data, title=_title(y, len(runs), len(drawn)), width=WIDTH, height=HEIGHT)
        .mark_line(clip=True)
        .encode(
            x=alt.X(
                f"{name}:Q",
                title=words,
                scale=alt.Undefined if plain else alt.Scale(zero=False),
                axis=alt.Axis(tickMinStep=1) if bool((data[name] % 1 == 0).all()) else alt.Undefined,  # no half epochs
            ),
            y=alt.Y("value:Q", title=y, scale=alt.Scale(zero=False)),
            color=colour(by) if by is not None else run_colour([runs[place].id for place in drawn], names),
            detail="run:N",
            strokeDash=run_dash(names) if by is None and len(names) > len(PALETTE) else alt.Undefined,
            opacity=alt.condition(picked, alt.value(1), alt.value(_FADED)),
            tooltip=[*told, tooltip("value", "Q", title=y)],
        )
    )
    return chart.add_params(picked) if by is None or by.kind == "N" else chart.encode(opacity=alt.value(1))


def _points(run: StoredRun, label: str, y: str, x: str, most: int) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    found = run.store.series(run.id)
    if x == "step" or x in SECONDS:
        series = found[y]
        chosen = keep(series.value, most, series.step if x == "step" else series.t_us)
        seconds = standing(series, "relative", run.record.started_us)[chosen]
        value, columns = series.value[chosen], {"step": series.step[chosen], "seconds": seconds}
    else:
        where, values = place(found, y, x, run.record)
        chosen = keep(values, most, where)
        value, columns = values[chosen], {"at": where[chosen]}
    # JSON has no infinity: drawn as a gap, like NaN
    return pd.DataFrame({"run": label, **columns, "value": np.where(np.isfinite(value), value, np.nan)})


def _declared(run: StoredRun, y: str) -> str:
    return run.record.metrics[y].axis or "step"


def _title(y: str, count: int, drawn: int) -> Any:
    import altair as alt

    return alt.Undefined if drawn == count else title(y, f"{drawn} of {many(count)}")
