"""The words and scalars that the shapes are made of."""

from typing import Literal

VERSION = 1
MIME = "application/vnd.celltrail.panel+json"
Status = Literal["running", "finished", "failed", "interrupted", "killed"]
Goal = Literal["min", "max", "none"]
PanelKind = Literal["chart", "table", "compare", "detail", "media", "evaluation"]
MediaKind = Literal["text", "image", "figure", "audio", "video", "table", "histogram"]
# by points, by the distance between them, or a running median
Smoothing = Literal["none", "ema", "time", "median"]
# A finite number, one of the three words, or null for "never logged".
Real = float | Literal["nan", "inf", "-inf"] | None
Scalar = str | float | int | bool | None
