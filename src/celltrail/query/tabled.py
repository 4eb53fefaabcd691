"""`Table`: facts of one kind, as whatever shows a run gets them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from celltrail.model import Json


class Table(NamedTuple):
    """Facts of one kind, all of them."""

    tab: str
    title: str
    heads: Sequence[str]
    rows: Iterable[Sequence[Json]]
    beyond: int = 0  # of which only the number is known
