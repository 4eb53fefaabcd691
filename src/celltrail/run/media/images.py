"""Images: arrays become PNG, pictures of PIL and files stay what they are."""

from __future__ import annotations

import io
import os
import struct
import zlib
from typing import Any

from celltrail.model import Json
from celltrail.run.media.content import Content, as_array, refuse
from celltrail.run.media.files import from_file

_ALLOWED = (
    "an array of uint8 or of float 0 to 1, H x W or H x W x 1, 3 or 4, a picture of PIL, or a path or the bytes of a "
    "PNG, JPEG, GIF, WebP or SVG file"
)
_MEDIA = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
_COLOURS = {1: 0, 3: 2, 4: 6}  # channels to PNG's colour type: grey, truecolour, truecolour with alpha
_LARGE = 16 << 20  # bytes beyond which quick counts more than small


def image(key: str, value: Any) -> Content:
    """A picture: an array, a PIL image, a file or its bytes."""
    if isinstance(value, bytes | bytearray | memoryview | str | os.PathLike):
        return from_file(key, value, "image", _MEDIA, _ALLOWED)
    if (hasattr(value, "save") and not hasattr(value, "__array__")) or type(value).__module__.startswith("PIL."):
        return _saved(key, value)
    pixels, facts = _pixels(key, value)
    height, width = pixels.shape[:2]
    return Content("image", "image/png", png(pixels), {"width": width, "height": height, **facts})


def png(pixels: Any) -> bytes:
    """An array of uint8, H x W or H x W x 1, 3 or 4, as a PNG file.

    Chunks and filter 2, "up", as in https://www.w3.org/TR/png-3

    >>> png(np.zeros((2, 3), np.uint8))[:4]
    b'\\x89PNG'
    """
    import numpy as np

    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    rows = np.ascontiguousarray(pixels).reshape(height, width * channels)
    lines = np.empty((height, 1 + rows.shape[1]), np.uint8)
    lines[:, 0] = 2
    lines[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=lines[1:, 1:])
    head = struct.pack(">IIBBBBB", width, height, 8, _COLOURS[channels], 0, 0, 0)
    packed = zlib.compress(lines.data, 1 if lines.nbytes > _LARGE else 6)
    chunks = ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))
        for name, data in chunks
    )


def _pixels(key: str, value: Any) -> tuple[Any, dict[str, Json]]:
    """The array as uint8, and how many of its pixels were no numbers: these are black."""
    import numpy as np

    if isinstance(value, list | tuple | dict) or not hasattr(value, "__array__"):
        refuse(key, value, "no image", _ALLOWED, "np.asarray(value) makes an array of lists")
    found = as_array(key, value, _ALLOWED)
    if found.ndim not in (2, 3) or (found.ndim == 3 and found.shape[2] not in _COLOURS):
        first = found.ndim == 3 and found.shape[0] in _COLOURS
        todo = "channels come last: np.moveaxis(value, 0, -1)" if first else "log images one by one"
        refuse(key, value, "not shaped like an image", _ALLOWED, todo)
    if found.dtype == bool:
        return found.astype(np.uint8) * 255, {}
    if found.dtype == np.uint8:
        return found, {}
    if found.dtype.kind != "f":
        refuse(key, value, "neither uint8 nor float", _ALLOWED, "convert it with .astype('uint8') if it is 0 to 255")
    wrong = ~np.isfinite(found)
    facts: dict[str, Json] = {"not_finite": int(wrong.sum())} if wrong.any() else {}
    if facts:
        found = np.where(wrong, 0, found)
    low, high = float(found.min()), float(found.max())
    if low < 0 or high > 1:
        refuse(key, value, f"from {low:.4g} to {high:.4g}", _ALLOWED, "divide by 255 or rescale it")
    return np.rint(found * 255).astype(np.uint8), facts


def _saved(key: str, value: Any) -> Content:
    file = io.BytesIO()
    try:
        value.save(file, format="PNG")
    except Exception as error:  # noqa: BLE001  foreign code draws: whatever it raises, it gave no image
        refuse(key, value, f"no image that can be saved as PNG ({error})", _ALLOWED, "convert it with .convert('RGB')")
    return from_file(key, file.getvalue(), "image", _MEDIA, _ALLOWED)
