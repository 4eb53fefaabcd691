"""A metric over two numbers: its surface in steps, as far as the runs tell it, with the runs on it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue
from celltrail.model import RunRecord
from celltrail.query.columns import labels
from celltrail.query.figure.axes import Axis, having_all
from celltrail.query.figure.style import HEIGHT, RAMP, WIDTH, frame, many, place, title, tooltip
from celltrail.query.plain import number
from celltrail.stats import surface

if TYPE_CHECKING:
    import altair as alt

    from celltrail.stats.coded import Floats

_COLUMNS, _ROWS, _STEPS = 72, 44, 9
_MOST_RUNS = 2_000


def contour(records: Sequence[RunRecord], x: Axis, y: Axis, z: Axis) -> alt.LayerChart:
    """The smoothed metric as filled contours, blank where no run is near, and a point per run."""
    import altair as alt
    import numpy as np

    for axis in (x, y, z):
        if axis.kind != "Q":
            what = f"holds words such as {axis.words[0]!r}" if axis.words else "is no number in any run"
            raise BadValue(f"a contour needs numbers, and {axis.title} {what}; draw it with color= instead")
    there = having_all([x, y, z])[:_MOST_RUNS]
    if not there:
        raise BadValue(f"no run has {x.title}, {y.title} and {z.title}: there is nothing to draw")
    across, up, heights = (axis.only(there) for axis in (x, y, z))
    columns, rows = _Grid(across, _COLUMNS), _Grid(up, _ROWS)
    z_values = np.array(heights.values, dtype=np.float64)
    made = surface(columns.unit(across), rows.unit(up), z_values, _COLUMNS, _ROWS)
    cells = list(_bands(made.height, columns, rows, _ends(z_values)))
    names = labels(records)
    runs = [
        {"run": names[at], "x": x.values[at], "y": y.values[at], "z": z.values[at], "status": records[at].status}
        for at in there
    ]
    scale = alt.Scale(type="quantize", range=_ramp(_STEPS), domain=_ends(z_values), nice=False)
    a, b = Axis("x", "Q", across.values), Axis("y", "Q", up.values)
    at_x: dict[str, Any] = {"title": x.title, "axis": alt.Axis(grid=False), "scale": columns.scale()}
    at_y: dict[str, Any] = {"title": y.title, "axis": alt.Axis(grid=False), "scale": rows.scale()}
    fill = alt.Chart(frame(cells)).mark_rect(strokeWidth=0.7, opacity=1)
    dots = alt.Chart(frame(runs)).mark_circle(size=70, opacity=1, stroke="#ffffff", strokeWidth=1.2)
    told = [tooltip("run", "N"), tooltip("x", "Q", title=x.title), tooltip("y", "Q", title=y.title)]
    said = f"smoothed; typically off by {number(made.error)} at a run it was not told of"
    plain = f"the mean of all runs is off by {number(made.spread)}"
    drawn: Any = alt.layer(
        fill.encode(
            x=place(a, alt.X, **at_x),
            x2="x2:Q",
            y=place(b, alt.Y, **at_y),
            y2="y2:Q",
            color=alt.Color("height:Q", title=z.title, scale=scale),
            stroke=alt.Stroke("height:Q", scale=scale, legend=None),  # closes the seams between them
        ),
        dots.encode(
            x=place(a, alt.X, **at_x),
            y=place(b, alt.Y, **at_y),
            color=alt.Color("z:Q", title=z.title, scale=scale),
            tooltip=[*told, tooltip("z", "Q", title=z.title), tooltip("status", "N")],
        ),
        width=WIDTH,
        height=HEIGHT,
        title=title(f"{z.title} of {many(len(there))}", said, plain),
    )
    return drawn


class _Grid:
    """Cells of equal width along one axis, on its own scale, as wide as the runs are apart and a little more."""

    def __init__(self, axis: Axis, count: int) -> None:
        self._log = axis.is_log
        low, high = self._at(min(axis.values)), self._at(max(axis.values))
        room = (high - low) * 0.04 or abs(low) * 0.04 or 1.0
        self._low, self._wide = low - room, high - low + 2 * room
        edges = [self._low + self._wide * i / count for i in range(count + 1)]
        self.edges = [float(f"{math.exp(edge) if self._log else edge:.6g}") for edge in edges]

    def unit(self, axis: Axis) -> Floats:
        """Where each run stands, from 0 to 1."""
        import numpy as np

        return (np.array([self._at(value) for value in axis.values]) - self._low) / self._wide

    def scale(self) -> alt.Scale:
        """The axis from the first edge to the last."""
        import altair as alt

        return alt.Scale(
            domain=[self.edges[0], self.edges[-1]], nice=False, zero=False, type="log" if self._log else "linear"
        )

    def _at(self, value: float) -> float:
        return math.log(value) if self._log else float(value)


def _bands(height: Floats, columns: _Grid, rows: _Grid, ends: Sequence[float]) -> Iterable[dict[str, float]]:
    """The cells of each row that are of one step, as one rectangle: a tenth of the data, the same picture."""
    import numpy as np

    low, high = ends
    step = np.floor((height - low) / (high - low) * _STEPS).clip(0, _STEPS - 1)
    for j, line in enumerate(np.where(np.isfinite(step), step, -1).tolist()):
        begun = 0
        for i in range(1, len(line) + 1):
            if i < len(line) and line[i] == line[begun]:
                continue
            if line[begun] >= 0:
                across = {"x": columns.edges[begun], "x2": columns.edges[i]}
                middle = low + (line[begun] + 0.5) / _STEPS * (high - low)
                yield {**across, "y": rows.edges[j], "y2": rows.edges[j + 1], "height": float(f"{middle:.5g}")}
            begun = i


def _ends(values: Floats) -> list[float]:
    low, high = float(values.min()), float(values.max())
    return [low, high] if high > low else [low - 0.5, high + 0.5]


def _ramp(steps: int) -> list[str]:
    """So many colours along the ramp, evenly."""
    corners = [[int(hue[i : i + 2], 16) for i in (1, 3, 5)] for hue in RAMP]
    found: list[str] = []
    for step in range(steps):
        at = step / (steps - 1) * (len(corners) - 1)
        left = min(int(at), len(corners) - 2)
        mixed = [a + (b - a) * (at - left) for a, b in zip(corners[left], corners[left + 1], strict=True)]
        found.append("#" + "".join(f"{round(part):02x}" for part in mixed))
    return found
