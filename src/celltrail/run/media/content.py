"""`Content`: a value on its way into the trail, and how a wrong one is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from celltrail.errors import BadValue
from celltrail.model import Json


class Content(NamedTuple):
    """One value to keep: its kind, media type, and bytes, JSON or a file that holds them."""

    kind: str
    media: str
    data: bytes | Path | Json
    facts: dict[str, Json]


def text(key: str, value: Any) -> Content:
    """Plain text.

    >>> text("sample", "once upon a time").facts
    {'characters': 16, 'lines': 1}
    """
    if not isinstance(value, str):
        refuse(key, value, "not text", "a str", "str(value) or repr(value) makes one")
    return Content("text", "text/plain", value, {"characters": len(value), "lines": value.count("\n") + 1})


def refuse(key: str, value: Any, what: str, allowed: str, todo: str) -> NoReturn:
    """Raise `BadValue`: what this value is, what is allowed, what to do."""
    raise BadValue(f"{key!r} was given {told(value)}, which is {what}; allowed is {allowed}; {todo}")


def told(value: Any) -> str:
    """What somebody handed in, shortly; never its content, which may be large."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    kind = type(value).__name__
    kind = f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"
    if isinstance(shape, tuple):
        return f"{kind} of shape {shape}" + (f" and dtype {dtype}" if dtype is not None else "")
    if isinstance(value, bytes | bytearray | str | list | tuple | dict):
        return f"{kind} of length {len(value)}"
    return kind


def as_array(key: str, value: Any, allowed: str) -> Any:
    """Anything that is an array, or turns into one of numbers; `BadValue` otherwise."""
    import numpy as np

    if hasattr(value, "detach"):  # a tensor of PyTorch that needs its gradient refuses to be an array
        value = value.detach()
    if hasattr(value, "cpu"):
        value = value.cpu()
    try:
        found = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        refuse(key, value, f"no array ({error})", allowed, "np.asarray(value) has to work")
    if found.dtype.kind not in "biuf":
        refuse(key, found, "not made of real numbers", allowed, "convert it with .astype(float)")
    if not found.size:
        refuse(key, found, "empty", allowed, "log it once there is something in it")
    return found
