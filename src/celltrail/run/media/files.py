"""Media that come as a file or its bytes: known by how they begin. And sound from arrays."""

from __future__ import annotations

import io
import os
import re
import struct
import wave
from contextlib import suppress
from pathlib import Path
from typing import Any

from celltrail.model import Json
from celltrail.run.media.content import Content, as_array, refuse

_SVG = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|<\?xml[^>]*>|<!--.*?-->|<!DOCTYPE[^>]*>)*<svg[\s>]", re.S)
_HEAD = 2048
_MOST_WAVE = 2**32 - 100  # the sizes in a WAV file are 32 bits
_PEAK = 32767
_MANY_CHANNELS = 32
_SOUND = "a path or the bytes of a WAV, MP3, OGG or FLAC file, or (array, rate) with samples of int16 or float -1 to 1"
_FILM = "a path or the bytes of an MP4, WebM or GIF file"


def audio(key: str, value: Any) -> Content:
    """Sound: a file, its bytes, or samples and how many of them make a second."""
    if isinstance(value, tuple) and len(value) == 2:
        return _sampled(key, *value)
    found = from_file(key, value, "audio", ("audio/wav", "audio/mpeg", "audio/ogg", "audio/flac"), _SOUND)
    if found.media != "audio/wav":
        return found
    source = str(found.data) if isinstance(found.data, Path) else io.BytesIO(found.data)
    with suppress(wave.Error, EOFError, OSError, ZeroDivisionError), wave.open(source, "rb") as sound:
        return found._replace(facts=_heard(sound.getframerate(), sound.getnchannels(), sound.getnframes()))
    return found


def video(key: str, value: Any) -> Content:
    """A film: a file or its bytes."""
    return from_file(key, value, "video", ("video/mp4", "video/webm", "image/gif"), _FILM)


def from_file(key: str, value: Any, kind: str, media: tuple[str, ...], allowed: str) -> Content:
    """The content of a path or of bytes, when it is of one of these media types."""
    if isinstance(value, bytearray | memoryview):
        value = bytes(value)
    if isinstance(value, bytes):
        head, data = value[:_HEAD], value
    elif isinstance(value, str | os.PathLike):
        data = Path(value)
        head = _beginning(key, data, allowed)
    else:
        refuse(key, value, f"no {kind}", allowed, "save it to a file and log the file's path")
    found = media_type(head)
    if found not in media:
        what = f"{found}, not {kind} that can be shown" if found else f"no {kind} that is known by its first bytes"
        refuse(key, value, what, allowed, "save it in one of these formats")
    return Content(kind, found, data, _dimensions(found, head))


def media_type(head: bytes) -> str:
    """The media type of a file that begins like this, or "".

    The marks are those of https://mimesniff.spec.whatwg.org, FLAC's is in RFC 9639.

    >>> media_type(b"GIF89a..."), media_type(b"<svg xmlns='http://www.w3.org/2000/svg'>"), media_type(b"hello")
    ('image/gif', 'image/svg+xml', '')
    """
    marks = {
        b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF87a": "image/gif",
        b"GIF89a": "image/gif", b"OggS\x00": "audio/ogg", b"fLaC": "audio/flac", b"ID3": "audio/mpeg",
        b"\x1a\x45\xdf\xa3": "video/webm",
    }  # fmt: skip
    for mark, found in marks.items():
        if head.startswith(mark):
            return found
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return "video/mp4"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:  # a frame of MPEG audio, layer III
        return "audio/mpeg"
    return "image/svg+xml" if _SVG.match(head) else ""


def _beginning(key: str, path: Path, allowed: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        refuse(key, str(path), f"no file that can be read ({path.name}: {reason})", allowed, "check the path")


def _dimensions(media: str, head: bytes) -> dict[str, Json]:
    if media == "image/png" and len(head) >= 24:
        width, height = struct.unpack(">II", head[16:24])
    elif media == "image/gif" and len(head) >= 10:
        width, height = struct.unpack("<HH", head[6:10])
    else:
        return {}
    return {"width": width, "height": height}


def _sampled(key: str, samples: Any, rate: Any) -> Content:
    import numpy as np

    if isinstance(rate, bool) or not isinstance(rate, int | np.integer) or not 0 < rate < 2**31:
        refuse(key, rate, f"no rate ({rate!r:.40})", _SOUND, "say how many samples make a second, such as 16000")
    found = as_array(key, samples, _SOUND)
    if found.ndim == 1:
        found = found[:, None]
    if found.ndim != 2 or found.shape[1] > _MANY_CHANNELS:
        refuse(key, samples, "no samples x channels", _SOUND, "channels come last: transpose it with .T")
    if found.size * 2 > _MOST_WAVE:
        refuse(key, samples, "too long for a WAV file", _SOUND, "save it as FLAC and log the file's path")
    facts = _heard(int(rate), found.shape[1], found.shape[0])
    if found.dtype.kind == "f":
        wrong = ~np.isfinite(found)
        if wrong.any():
            facts["not_finite"] = int(wrong.sum())
            found = np.where(wrong, 0, found)
        if np.abs(found).max() > 1:
            refuse(key, samples, f"as loud as {np.abs(found).max():.4g}", _SOUND, "divide it by its largest value")
        found = np.rint(found * _PEAK).astype("<i2")
    if found.dtype != np.int16:
        refuse(key, samples, "neither int16 nor float", _SOUND, "convert it with .astype('int16')")
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(found.shape[1])
        sound.setsampwidth(2)
        sound.setframerate(int(rate))
        sound.writeframes(found.astype("<i2").tobytes())
    return Content("audio", "audio/wav", file.getvalue(), facts)


def _heard(rate: int, channels: int, frames: int) -> dict[str, Json]:
    return {"rate": rate, "channels": channels, "seconds": round(frames / rate, 6)}
