"""What may be logged beside numbers, as bytes: text, images, figures, audio, video, tables, histograms.

A run that keeps only numbers loads none of their rooms.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from celltrail.run.media.content import Content, text

if TYPE_CHECKING:
    from celltrail.run.media.figures import figure
    from celltrail.run.media.files import audio, video
    from celltrail.run.media.histograms import histogram
    from celltrail.run.media.images import image
    from celltrail.run.media.tables import table

__all__ = ["Content", "audio", "figure", "histogram", "image", "table", "text", "video"]

_ROOMS = {
    "audio": "files", "figure": "figures", "histogram": "histograms", "image": "images", "table": "tables",
    "video": "files",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"{__name__} has no {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
