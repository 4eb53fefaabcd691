"""What all charts of runs have in common: their size, their colours, and the mark by which they are known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from celltrail.query.palette import PALETTE, run_colours

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from celltrail.query.figure.axes import Axis

MOST_ROWS = 5_000
WIDTH, HEIGHT = 560, 320
RAMP = ("#2f8fd0", "#8f84a6", "#d55e00")  # low to high; each 3:1 on white and on #111111
FADED = 0.08
_DASHES = ([1, 0], [6, 4], [2, 3], [9, 3, 2, 3])
_MADE = "celltrail"


def frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Rows as the data of a chart that is known as celltrail's."""
    import pandas as pd

    return marked(pd.DataFrame(rows))


def marked(data: pd.DataFrame) -> pd.DataFrame:
    """The frame, known as celltrail's whatever is restyled later."""
    data.attrs[_MADE] = True
    return data


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


def field(name: str) -> str:
    """A column's name as Vega-Lite reads it: dots and brackets in it are no path.

    >>> field("best val.acc")
    'best val\\\\.acc'
    """
    return re.sub(r"([\\.\[\]'\"])", r"\\\1", name)


def tooltip(name: str, kind: str, **more: Any) -> alt.Tooltip:
    """One line of what is told under the pointer."""
    import altair as alt

    numbers: dict[str, Any] = {"format": ".5~g"} if kind == "Q" else {}
    told: dict[str, Any] = {"title": name, **numbers, **more}
    return alt.Tooltip(field(name), type=_TYPES[kind], **told)


_TYPES: dict[str, Any] = {"Q": "quantitative", "N": "nominal", "T": "temporal"}


def place(column: Axis, channel: Any, **more: Any) -> Any:
    """An axis of the chart, on the channel x or y."""
    import altair as alt

    sort: dict[str, Any] = {"sort": column.words} if column.kind == "N" else {}
    scale = alt.Scale(type="log") if column.is_log else alt.Scale(zero=False) if column.kind == "Q" else alt.Undefined
    told: dict[str, Any] = {"title": column.title, "scale": scale, **sort, **more}
    if column.kind == "Q" and len(present := {value for value in column.values if value is not None}) == 1:
        told.setdefault("axis", alt.Axis(values=list(present), format=".4~g"))  # else Vega writes 4.000000
    return channel(field(column.title), type=_TYPES[column.kind], **told)


def colour(axis: Axis) -> alt.Color:
    """Colour by an axis: a ramp for numbers, distinct hues for words."""
    import altair as alt

    if axis.kind == "N":
        hues = [PALETTE[place % len(PALETTE)] for place in range(len(axis.words))]
        scale = alt.Scale(domain=list(axis.words), range=hues)
    else:
        scale = alt.Scale(range=list(RAMP), type="log" if axis.is_log else alt.Undefined)
    return alt.Color(field(axis.title), type=_TYPES[axis.kind], title=axis.title, scale=scale)


def run_colour(ids: Sequence[str], names: Sequence[str]) -> alt.Color:
    """Colour by run, each the one that it has in the panels."""
    import altair as alt

    chosen = run_colours(ids)
    scale = alt.Scale(domain=list(names), range=[PALETTE[chosen[run]] for run in ids])
    return alt.Color("run:N", title="run", scale=scale)


def run_dash(names: Sequence[str]) -> alt.StrokeDash:
    """Dashes that tell apart the runs of one colour."""
    import altair as alt

    dashes = [_DASHES[place // len(PALETTE) % len(_DASHES)] for place in range(len(names))]
    return alt.StrokeDash("run:N", title="run", scale=alt.Scale(domain=list(names), range=dashes))


def many(count: int) -> str:
    """So many runs.

    >>> many(1), many(3)
    ('1 run', '3 runs')
    """
    return f"{count} run{'s' * (count != 1)}"


def title(text: str, *more: str) -> alt.TitleParams:
    """A title, and below it what there is to say of the data."""
    import altair as alt

    said = [line for line in more if line]
    return alt.TitleParams(text, subtitle=said if said else alt.Undefined, anchor="start")
