"""Figures: matplotlib's as PNG, those of Altair and Plotly as the JSON that draws them."""

from __future__ import annotations

import io
import re
from typing import Any

from celltrail.model import Json
from celltrail.run.media.content import Content, refuse
from celltrail.run.media.files import from_file
from celltrail.store.files.encoding import decode

_ALLOWED = "a figure of matplotlib, a chart of Altair or a figure of Plotly"
_TODO = "log_image takes pictures and files"
_VEGA = re.compile(r"/vega(-lite)?/v(\d+)")


def figure(key: str, value: Any) -> Content:
    """A figure, as something that notebooks show."""
    if not hasattr(value, "savefig") and hasattr(value, "figure"):  # axes of matplotlib
        value = value.figure
    try:
        if hasattr(value, "savefig"):
            file = io.BytesIO()
            value.savefig(file, format="png", bbox_inches="tight")  # as a notebook shows it: no label is cut
            return from_file(key, file.getvalue(), "image", ("image/png",), _ALLOWED)._replace(kind="figure")
        made = value.to_json() if hasattr(value, "to_json") and not hasattr(value, "columns") else None
    except Exception as error:  # noqa: BLE001  foreign code draws: whatever it raises, it gave no figure
        refuse(key, value, f"a figure that cannot be drawn ({error})", _ALLOWED, "show it first to see why")
    drawn = decode(made.encode(), f"the figure {key!r}") if isinstance(made, str) else None
    media = _media(drawn)
    if not media:
        refuse(key, value, "no figure", _ALLOWED, _TODO)
    return Content("figure", media, drawn, {})


def _media(drawn: Json) -> str:
    if not isinstance(drawn, dict):
        return ""
    schema = _VEGA.search(str(drawn.get("$schema", "")))
    if schema:
        return f"application/vnd.vega{'lite' if schema[1] else ''}.v{schema[2]}+json"
    return "application/vnd.plotly.v1+json" if {"data", "layout"} <= drawn.keys() else ""
