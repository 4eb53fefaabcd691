"""What may be logged beside numbers, as bytes: text, images, figures, audio, video, tables, histograms."""

from __future__ import annotations

from celltrail.run.media.content import Content, text
from celltrail.run.media.figures import figure
from celltrail.run.media.files import audio, video
from celltrail.run.media.histograms import histogram
from celltrail.run.media.images import image
from celltrail.run.media.tables import table

__all__ = ["Content", "audio", "figure", "histogram", "image", "table", "text", "video"]
