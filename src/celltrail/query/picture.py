"""How an item looks in a notebook. Nothing that was logged is ever live HTML: it is escaped or an image."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from html import escape
from typing import Any

from celltrail.query.plain import number

_CHANNELS = {0: 1, 2: 3, 6: 4}
_MOST_BYTES = 1 << 30  # of pixels, for a small file may claim any size
_WIDE, _HIGH = 320, 120


def paragraph(text: str) -> str:
    """A sentence."""
    return f"<p>{escape(text)}</p>"


def preformatted(text: str, most: int) -> str:
    """Text as it is, its beginning where it is long."""
    more = f"\n... and {len(text) - most:,} more characters" if len(text) > most else ""
    return f'<pre style="white-space:pre-wrap">{escape(text[:most])}{more}</pre>'


def embedded(kind: str, media: str, name: str, data: bytes) -> str:
    """An element that holds the bytes; "" for a media type that no element shows.

    SVG is an ``<img>`` as well: there its scripts do not run and nothing is fetched.
    """
    source = f"data:{media};base64,{base64.b64encode(data).decode()}"
    if kind == "image" and media in ("image/webp", "image/svg+xml"):
        return f'<img src="{source}" alt="{escape(name)}" style="max-width:100%">'
    if kind == "audio" and media in ("audio/wav", "audio/mpeg", "audio/ogg", "audio/flac"):
        return f'<audio controls src="{source}"></audio>'
    if kind == "video" and media in ("video/mp4", "video/webm"):
        return f'<video controls src="{source}" style="max-width:100%"></video>'
    return ""


def bars(name: str, counts: Any, edges: Any) -> str:
    """A histogram as a drawing without scripts.

    >>> bars("w", np.array([1, 3]), np.array([0.0, 1.0, 2.0])).count("<rect")
    2
    """
    width = _WIDE / max(1, len(counts))
    tall = max(1e-300, float(counts.max())) if len(counts) else 1.0
    drawn = "".join(
        f'<rect x="{i * width:.2f}" y="{_HIGH * (1 - count / tall):.2f}" width="{width:.2f}" '
        f'height="{_HIGH * count / tall:.2f}"/>'
        for i, count in enumerate(counts.astype(float).tolist())
    )
    ends = f"{number(float(edges[0]))} to {number(float(edges[-1]))}" if len(edges) else ""
    return (
        f'<svg width="{_WIDE}" height="{_HIGH}" viewBox="0 0 {_WIDE} {_HIGH}" fill="#4c78a8" role="img" '
        f'aria-label="histogram of {escape(name)}">{drawn}</svg>' + paragraph(f"{name}: {ends}")
    )


def pixels(data: bytes) -> Any:
    """A PNG as an array of uint8; the bytes where it is of a kind that only PIL reads, and there is no PIL."""
    found = _own(data)
    if found is not None:
        return found
    try:
        import numpy as np
        from PIL import Image

        return np.asarray(Image.open(io.BytesIO(data)))
    except (ImportError, OSError, ValueError, SyntaxError):
        return data


def _own(data: bytes) -> Any:
    """The array of a PNG as `Run.log_image` writes it of arrays (8 bits, one IDAT, filter "up"), else None."""
    import numpy as np

    if len(data) < 57 or data[12:16] != b"IHDR" or data[37:41] != b"IDAT":
        return None
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    channels = _CHANNELS.get(colour, 0)
    wide = width * channels + 1
    if depth != 8 or interlaced or not channels or not 0 < wide * height <= _MOST_BYTES:
        return None
    end = 41 + int.from_bytes(data[33:37], "big")
    if data[end + 8 : end + 12] != b"IEND":
        return None
    opener = zlib.decompressobj()
    try:
        raw = opener.decompress(data[41:end], wide * height)
    except zlib.error:
        return None
    if len(raw) != wide * height:
        return None
    lines = np.frombuffer(raw, np.uint8).reshape(height, wide)
    if (lines[:, 0] != 2).any():
        return None
    found = np.cumsum(lines[:, 1:], axis=0, dtype=np.uint8)
    return found.reshape(height, width) if channels == 1 else found.reshape(height, width, channels)
