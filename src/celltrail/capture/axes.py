"""What a sweep of a cell varies, as it is written behind ``--sweep``."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Sequence
from typing import Any

_MOST_VALUES = 1000

Axis = tuple[str, tuple[Any, ...]]  # a name and its values


def axis(text: str) -> Axis:
    """One name with its values, for argparse.

    >>> axis("lr=1e-3,1e-2"), axis("seed=0..2")
    (('lr', (0.001, 0.01)), ('seed', (0, 1, 2)))
    """
    name, sign, told = text.partition("=")
    if not sign or not all(part.isidentifier() for part in name.split(".")):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not what to vary; write lr=1e-3,1e-2 or seed=0..4, and a name before --sweep"
        )
    values = _listed(told)
    if not values or len(values) > _MOST_VALUES:
        raise argparse.ArgumentTypeError(f"{name} has {len(values):,} values to try; give 1 to {_MOST_VALUES:,}")
    return name, tuple(dict.fromkeys(values)) if all(map(_is_hashable, values)) else tuple(values)


def _listed(text: str) -> list[Any]:
    """The values behind the sign: literals of Python, spans of whole numbers, and else words.

    >>> _listed("1e-3,1e-2"), _listed("0..2,9"), _listed("relu,tanh"), _listed("[64, 32],[8]")
    ([0.001, 0.01], [0, 1, 2, 9], ['relu', 'tanh'], [[64, 32], [8]])
    """
    try:
        return list(ast.literal_eval(f"[{text}]"))
    except (ValueError, SyntaxError):
        return [value for part in text.split(",") if part.strip() for value in _spanned(part.strip())]


def _spanned(text: str) -> Sequence[Any]:
    first, dots, last = text.partition("..")
    if dots and _is_number(first) and _is_number(last):
        return _span(text, first, last)
    try:
        return [ast.literal_eval(text)]
    except (ValueError, SyntaxError):
        return [text]


def _span(text: str, first: str, last: str) -> range:
    try:
        low, high = int(first), int(last)
    except ValueError:
        low, high = 0, -1
    if low > high:
        raise argparse.ArgumentTypeError(f"{text} is no span of whole numbers, such as 0..4; list the values: 0.1,0.2")
    if high - low >= _MOST_VALUES:
        raise argparse.ArgumentTypeError(f"{text} has {high - low + 1:,} values to try; give 1 to {_MOST_VALUES:,}")
    return range(low, high + 1)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_hashable(value: Any) -> bool:
    return not isinstance(value, list | dict | set)
