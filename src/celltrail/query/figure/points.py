"""Points: one for each run, over one column or over many pairs of columns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue
from celltrail.model import RunRecord
from celltrail.query.columns import labels
from celltrail.query.evaluate import duration_of
from celltrail.query.figure.axes import Axis, having_all
from celltrail.query.figure.style import (
    FADED,
    HEIGHT,
    MOST_ROWS,
    WIDTH,
    colour,
    frame,
    many,
    place,
    title,
    tooltip,
)
from celltrail.query.palette import PALETTE
from celltrail.query.plain import length

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

MOST_AXES = 6
_SMALL = 132  # pixels of one chart of a matrix


def points(records: Sequence[RunRecord], x: Axis, y: Axis, by: Axis | None = None) -> alt.Chart:
    """A point per run. The data calls its axes x and y, whatever their titles are."""
    import altair as alt

    if y.kind == "N":
        raise BadValue(f"{y.title} holds words such as {y.words[0]!r}: a chart has a number upwards" if y.words else
                       f"no run has {y.title}: there is nothing to draw")  # fmt: skip
    data, there = _data(records, [Axis("x", x.kind, x.values), Axis("y", y.kind, y.values)], by, [x, y])
    told = [tooltip("run", "N"), tooltip("x", x.kind, title=x.title), tooltip("y", y.kind, title=y.title)]
    told += [] if by is None else [tooltip(by.title, by.kind)]
    return (
        alt.Chart(data, width=WIDTH, height=HEIGHT, **_title(there, len(records)))
        .mark_circle(size=70, opacity=0.8, color=PALETTE[0])
        .encode(
            x=place(Axis("x", x.kind, x.values), alt.X, title=x.title),
            y=place(Axis("y", y.kind, y.values), alt.Y, title=y.title),
            color=alt.Undefined if by is None else colour(by),
            tooltip=[*told, tooltip("status", "N"), tooltip("duration", "N")],
        )
    )


def scatter(records: Sequence[RunRecord], axes: Sequence[Axis], by: Axis | None = None) -> alt.Chart | alt.VConcatChart:
    """Two axes: a chart. More: one for each pair; each has a brush, and what is in all of them stands out in all."""
    import altair as alt

    if not 2 <= len(axes) <= MOST_AXES:
        raise BadValue(f"a scatter has 2 to {MOST_AXES} columns and was asked for {len(axes)}")
    data, there = _data(records, axes, by, axes)
    count = len(axes) * (len(axes) - 1) // 2
    brushes = [alt.selection_interval(name=f"brush{place}") for place in range(count)]
    lit_all: Any = reduce(and_, brushes)
    told = [tooltip("run", "N"), *(tooltip(axis.title, axis.kind) for axis in axes)]
    told += [] if by is None else [tooltip(by.title, by.kind)]
    told += [tooltip("status", "N"), tooltip("duration", "N")]
    lit: Any = alt.value(PALETTE[0]) if by is None else colour(by)

    small: dict[str, Any] = {} if len(axes) == 2 else {"tickCount": 4, "grid": False, "labelLimit": 70}

    def one(x: Axis, y: Axis, is_last: bool = True, is_first: bool = True) -> alt.Chart:
        below = alt.Axis(labels=is_last, title=x.title if is_last else None, **small)
        beside = alt.Axis(labels=is_first, title=y.title if is_first else None, **small)
        drawn = alt.Chart(data).mark_circle(size=60 if len(axes) == 2 else 32)
        return drawn.encode(
            x=place(x, alt.X, axis=below),
            y=place(y, alt.Y, axis=beside),
            color=lit,
            opacity=alt.condition(lit_all, alt.value(0.85), alt.value(FADED)),
            tooltip=told,
        )

    said = _title(there, len(records))
    if len(axes) == 2:
        return one(axes[0], axes[1]).properties(width=WIDTH, height=HEIGHT, **said).add_params(*brushes)
    lines: list[Any] = []
    free = iter(brushes)
    for row, up in enumerate(axes[1:], 1):
        parts = [
            one(across, up, up is axes[-1], not column).add_params(next(free))
            for column, across in enumerate(axes[:row])
        ]
        lines.append(alt.hconcat(*(part.properties(width=_SMALL, height=_SMALL) for part in parts), spacing=10))
    return alt.vconcat(*lines, spacing=10, **said)


def _data(
    records: Sequence[RunRecord], axes: Sequence[Axis], by: Axis | None, asked: Sequence[Axis]
) -> tuple[pd.DataFrame, int]:
    """A row for each run that has a value on every axis."""
    there = having_all(axes)
    if not there:
        titles = [axis.title for axis in asked]
        raise BadValue(f"no run has both {' and '.join(titles)}: there is nothing to draw")
    names, told = labels(records), [*axes, *([] if by is None else [by])]
    drawn = there[:MOST_ROWS]
    return frame([_row(records[at], names[at], at, told) for at in drawn]), len(drawn)


def _row(record: RunRecord, name: str, at: int, axes: Sequence[Axis]) -> dict[str, Any]:
    import pandas as pd

    told = {axis.title: pd.Timestamp(axis.values[at], unit="s", tz="UTC") if axis.kind == "T" else axis.values[at]
            for axis in axes}  # fmt: skip
    return {"run": name, "status": record.status, "duration": length(duration_of(record)), **told}


def _title(there: int, count: int) -> dict[str, Any]:
    return {} if there == count else {"title": title(f"{there} of {many(count)}")}
