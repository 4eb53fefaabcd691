"""Whether a value has exactly the shape a hint of the contract says: nothing else is taken from a page."""

from __future__ import annotations

import types
import typing
from typing import Any, Literal, Union, get_args, get_origin


def misfits(value: Any, hint: Any, at: str = "it") -> list[str]:
    """What is wrong with the value, as sentences; empty when it fits.

    Unknown and missing keys are wrong, a bool is no number, and no float may be NaN or infinite.
    """
    if typing.is_typeddict(hint):
        return _dict_misfits(value, typing.get_type_hints(hint), at)
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return [] if value in args else [f"{at} is {value!r}, not one of {args}"]
    if origin in (Union, types.UnionType):
        tried = [misfits(value, arg, at) for arg in args]
        return [] if any(not wrong for wrong in tried) else min(tried, key=len)
    if origin is list:
        if not isinstance(value, list):
            return [f"{at} is {type(value).__name__}, not a list"]
        return [wrong for i, inner in enumerate(value) for wrong in misfits(inner, args[0], f"{at}[{i}]")]
    if origin is dict:
        if not isinstance(value, dict):
            return [f"{at} is {type(value).__name__}, not a dict"]
        return [wrong for key, inner in value.items() for wrong in misfits(inner, args[1], f"{at}[{key!r}]")]
    if hint is float:
        finite = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf")
        return [] if finite else [f"{at} is {value!r}, not a finite number"]
    if hint is int:
        return [] if type(value) is int else [f"{at} is {value!r}, not an int"]
    return [] if type(value) is hint else [f"{at} is {value!r}, not {hint.__name__}"]


def _dict_misfits(value: Any, hints: dict[str, Any], at: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at} is {type(value).__name__}, not a dict"]
    wrong = [f"{at} lacks {name!r}" for name in hints.keys() - value.keys()]
    wrong += [f"{at} has {name!r}, which the contract does not know" for name in value.keys() - hints.keys()]
    for name in hints.keys() & value.keys():
        wrong += misfits(value[name], hints[name], f"{at}.{name}")
    return wrong
