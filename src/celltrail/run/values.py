"""What may be logged: names, numbers and steps, checked with sentences that name the key."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from celltrail.errors import BadValue

# Types whose every value is a float by float(). Others join once one of their values was converted, so
# that the second np.float32 costs what a float costs.
PLAIN: set[type] = {float, int, bool}

MAX_NAME = 256


def check_name(name: Any, what: str = "metric") -> str:
    """The name, normalised to NFC; raises BadValue on what no name of this kind may be.

    >>> check_name("train/loss")
    'train/loss'
    """
    if not isinstance(name, str):
        raise BadValue(f"{what} name {name!r} is {_kind(name)}; a name is text, such as 'train/loss'")
    clean = unicodedata.normalize("NFC", name)
    if not clean or len(clean) > MAX_NAME:
        shown = f"'{clean[:40]}...' has {len(clean)} characters" if clean else "'' is empty"
        raise BadValue(f"{what} name {shown}; a name has 1 to {MAX_NAME} characters")
    if clean != clean.strip() or clean.startswith("$") or any(unicodedata.category(c) == "Cc" for c in clean):
        raise BadValue(
            f"{what} name {clean!r} begins or ends with a space, begins with '$' or holds a control character; "
            "spaces, slashes, dots and any script are fine inside"
        )
    return clean


def check_step(step: Any) -> int:
    """The step as an int; raises BadValue on a fraction or something that is no number."""
    try:
        whole = int(step)
        if whole == step and -(2**63) <= whole < 2**63:
            return whole
    except (TypeError, ValueError, OverflowError):
        pass
    raise BadValue(
        f"step {step!r} is not a whole number within 64 bits; steps may repeat, go back or be left out, and a "
        "fraction belongs in a series of its own: run.log({...}, epoch=0.5)"
    )


def to_floats(values: Mapping[str, Any]) -> tuple[tuple[str, ...], list[float], BadValue | None]:
    """Names and floats of one log call, and what is wrong with the rest of it.

    None is "no value at this step" and left out. A value that is no number does not lose the others:
    they come back beside the error, which the caller raises once they are on disk.
    """
    names: list[str] = []
    floats: list[float] = []
    wrong: list[str] = []
    for name, value in values.items():
        try:
            if value is None:
                check_name(name)
                continue
            number = _to_float(name, value)
            names.append(check_name(name))
            floats.append(number)
        except BadValue as error:
            wrong.append(str(error))
    return tuple(names), floats, BadValue("; ".join(wrong)) if wrong else None


def _to_float(name: Any, value: Any) -> float:
    if not isinstance(value, (str, bytes, bytearray, complex)):
        try:
            # .item() first: float() of a one-element array is deprecated, and .item() of a larger one refuses
            number = float(value.item() if hasattr(value, "shape") and hasattr(value, "item") else value)
        except (TypeError, ValueError, OverflowError, RuntimeError):
            pass
        else:
            if not hasattr(value, "__len__"):  # an array that held one number may hold three next time
                PLAIN.add(type(value))
            return number
    raise BadValue(
        f"{name!r} was given {_kind(value)}, which is not a number; allowed are int, float, bool, None and "
        "one-element arrays or tensors (take .mean() or .item() of larger ones)"
    )


def _kind(value: Any) -> str:
    shape = getattr(value, "shape", None)
    text = f" of shape {tuple(shape)}" if shape is not None else f" {value!r}"
    return f"a {type(value).__name__}{text if len(text) <= 60 else text[:57] + '...'}"
