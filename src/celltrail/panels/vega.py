"""Altair charts where there is no network: the Vega-Lite itself under a name that a notebook file may hold.

Altair's own renderer writes a page that loads its library from the web. celltrail's extension brings the
library along, so it takes the bare specification; other readers of the file get a picture or a table, without
scripts.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import numpy as np

from celltrail.panels import html
from celltrail.panels.columns import Floats
from celltrail.panels.figure import Line, Look, svg
from celltrail.panels.saved import Bundle
from celltrail.query.figure import drawn_from_runs
from celltrail.query.plain import shown

MIME = "application/vnd.vegalite.v6+json"
TOP = ("altair.vegalite.v6.api", "TopLevelMixin")  # the class all of Altair's charts have in common
MOST_ROWS = 20

Spec = dict[str, Any]


class Charts:
    """Shows the charts made by celltrail in one shell, and leaves those of the user to the user's renderer."""

    def __init__(self, shell: Any) -> None:
        self._formatter = shell.display_formatter.mimebundle_formatter
        self._before: Any = None
        self._is_on = False

    def on(self) -> None:
        """Begin to show them; Altair itself is loaded by the first chart, not by this."""
        # popped because a formatter that was already used is kept elsewhere, and would win over ours
        self._before = self._formatter.pop(".".join(TOP), None)
        self._formatter.for_type_by_name(*TOP, self._show)
        self._is_on = True

    def off(self) -> None:
        """Leave the shell as it was found."""
        if not self._is_on:
            return
        self._is_on = False
        self._formatter.pop(".".join(TOP), None)
        if self._before is not None:
            self._formatter.for_type_by_name(*TOP, self._before)

    def _show(self, chart: Any, **_: Any) -> Any:
        import altair as alt

        chosen = alt.renderers.active != "default" or alt.data_transformers.active.startswith("vegafusion")
        if chosen or not drawn_from_runs(chart):
            return self._before(chart) if self._before is not None else chart._repr_mimebundle_()
        return renderer(chart.to_dict(context={"pre_transform": False}), **alt.renderers.options)


def renderer(spec: Spec, **options: Any) -> tuple[Bundle, Bundle]:
    """Altair's renderer named ``celltrail``: ``alt.renderers.enable("celltrail")`` shows all charts by it."""
    sentence = _sentence(spec)
    bundle: Bundle = {MIME: {"description": sentence, **spec}, "text/plain": sentence}
    if picture := _png(spec):
        bundle["image/png"] = picture
    else:
        bundle["text/html"] = _still(spec, sentence)
    return bundle, ({MIME: options} if options else {})


def _png(spec: Spec) -> bytes | None:
    from altair.vegalite.v6.display import png_renderer

    try:
        made: Any = png_renderer(spec)
    except (RuntimeError, ValueError):
        return None  # vl-convert, with which Altair makes pictures, is not installed or too old
    return made[0]["image/png"]


def _still(spec: Spec, sentence: str) -> str:
    """What readers without the extension see: curves as a picture, anything else as a table of its data."""
    if lines := _lines(spec):
        source = base64.b64encode(svg(lines, Look(x="number")).encode()).decode()
        image = f'<img src="data:image/svg+xml;base64,{source}" alt="{escape(sentence)}" style="max-width:100%">'
        return f'<figure style="margin:0">{image}</figure>'
    return f"<p>{escape(html.short(sentence, 200))}</p>{_data_table(spec)}"


def _lines(spec: Spec) -> list[Line]:
    """The curves of the first part that draws lines of numbers over numbers."""
    for part in _parts(spec):
        mark, encoding = part.get("mark"), part.get("encoding", {})
        rows = _rows(part, spec) or _rows(spec, spec)
        x, y, colour = (encoding.get(channel, {}) for channel in ("x", "y", "color"))
        plain = all(axis.get("type") == "quantitative" and "field" in axis for axis in (x, y))
        if (mark.get("type") if isinstance(mark, dict) else mark) != "line" or not plain or not rows:
            continue
        curves: dict[str, list[Spec]] = {}
        for row in rows:
            curves.setdefault(str(row.get(colour.get("field"), "")), []).append(row)
        name = _text(y.get("title")) or y["field"]
        return [Line(label, label, name, _points(own, x["field"], y["field"])) for label, own in curves.items()]
    return []


def _points(rows: list[Spec], x: str, y: str) -> Floats:
    across, up = (np.array([row.get(name) for row in rows], dtype=np.float64) for name in (x, y))
    return np.stack((across, across, up))


def _sentence(spec: Spec) -> str:
    """The chart in words, for screen readers and terminals."""
    if spec.get("description"):
        return str(spec["description"])
    encoding = _encoding(spec)
    y, x = (_text(encoding.get(side, {}).get("title")) or encoding.get(side, {}).get("field", "") for side in "yx")
    axes = f"{y} over {x}" if x and y else ""
    return ": ".join(filter(None, (_text(spec.get("title")), axes))) or "chart"


def _encoding(spec: Spec) -> Mapping[str, Any]:
    """The encoding of the chart or of the first part of it that has one."""
    return next((part["encoding"] for part in _parts(spec) if "encoding" in part), {})


def _parts(spec: Spec) -> Iterable[Spec]:
    yield spec
    for name in ("layer", "hconcat", "vconcat", "concat"):
        for part in spec.get(name, ()):
            yield from _parts(part)
    if isinstance(spec.get("spec"), dict):
        yield from _parts(spec["spec"])


def _text(title: Any) -> str:
    text = title.get("text", "") if isinstance(title, dict) else title or ""
    return " ".join(text) if isinstance(text, list) else str(text)


def _data_table(spec: Spec) -> str:
    """The first rows of the first data in the chart."""
    rows = next((rows for part in _parts(spec) if (rows := _rows(part, spec))), [])
    names = list(rows[0]) if rows else []
    lines = [[html.short(shown(row.get(name))) for name in names] for row in rows[:MOST_ROWS]]
    numeric = [isinstance(value, int | float) for value in rows[0].values()] if rows else []
    more = f"<p>and {len(rows) - MOST_ROWS} more rows</p>" if len(rows) > MOST_ROWS else ""
    return html.table(names, lines, numeric) + more if rows else ""


def _rows(part: Spec, spec: Spec) -> list[Spec]:
    data = part.get("data") or {}
    values = data.get("values") or spec.get("datasets", {}).get(data.get("name"))
    return values if isinstance(values, list) and values and isinstance(values[0], dict) else []
