"""Values as cells of the index, and back.

Numbers and text are cells as they are; true and false are 1 and 0, as they are for the query language. What
SQLite would change (it binds NaN as NULL and has no integers beyond 64 bits) or does not know (lists, dicts) is
a blob. What kinds of cells a column holds is kept with the column, so that a question over numbers only needs no
guards against text, which SQLite orders above all numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from celltrail.store.catalogue.facts import Key
from celltrail.store.files.encoding import decode, encode

TEXT, NUMBER, BOOL, NAN, ODD, BIG = 1, 2, 4, 8, 16, 32
NAN_CELL = b"nan"
_BIG = 2**31  # products of two smaller integers are exact in SQLite


@dataclass(frozen=True, slots=True)
class Column:
    """A column of ``hot``: what it holds, and which kinds of cells (a sum of the constants above)."""

    key: Key
    sql: str
    has: int


def to_cell(value: Any) -> tuple[Any, int]:
    """The cell of a value, and its kind.

    >>> to_cell(0.5), to_cell(True), to_cell(float("nan")), to_cell([1])
    ((0.5, 2), (1, 4), (b'nan', 8), (b'[1]', 16))
    """
    kind = type(value)
    if value is None:
        return None, 0
    if kind is float:
        return (value, NUMBER) if value == value else (NAN_CELL, NAN)
    if kind is str:
        return value, TEXT
    if kind is bool:
        return int(value), BOOL
    if kind is int:
        if -_BIG <= value <= _BIG:
            return value, NUMBER
        return (value, NUMBER | BIG) if -(2**63) <= value < 2**63 else (encode(value), ODD)
    return encode(value), ODD


def to_value(cell: Any, has: int) -> Any:
    """The value of a cell in a column that has such cells.

    >>> to_value(b"[1]", ODD), to_value(1, BOOL)
    ([1], True)
    """
    if type(cell) is bytes:
        return float("nan") if cell == NAN_CELL else decode(cell, "index")
    if type(cell) is int and has & BOOL and is_plain(has):  # among numbers 1 stays 1, which compares as true does
        return bool(cell)
    return cell


def to_values(cells: Sequence[Any], has: int) -> list[Any]:
    """The values of a whole column that has such cells.

    >>> to_values([0.5, None], NUMBER), to_values([1, 0], BOOL)
    ([0.5, None], [True, False])
    """
    if not has & (BOOL | NAN | ODD):
        return list(cells)
    if has & (BOOL | NAN | BIG) or not has & ODD:
        return [to_value(cell, has) for cell in cells]
    known: dict[bytes, Any] = {}  # tags and lists of many runs are mostly the same few
    return [cell if type(cell) is not bytes else _known(cell, known) for cell in cells]


def _known(cell: bytes, known: dict[bytes, Any]) -> Any:
    if cell not in known:
        known[cell] = decode(cell, "index")
    return known[cell]


def is_plain(has: int) -> bool:
    """Whether `to_value` can tell true from 1 in a column with these kinds."""
    return not (has & BOOL and has & NUMBER)
