"""The words of the query language: fields, families of fields, functions, and how time is written."""

from __future__ import annotations

import re
import time
from datetime import datetime

from celltrail.query.tree import Kind

FIELDS: dict[str, Kind] = {
    "id": "text",
    "name": "text",
    "status": "text",
    "project": "text",
    "group": "text",
    "parent": "text",
    "user": "text",
    "notebook": "text",
    "cell": "text",
    "error": "text",
    "notes": "text",
    "comments": "text",
    "tags": "list",
    "data": "list",
    "models": "list",
    "splits": "list",
    "seeded": "bool",
    "complete": "bool",
    "host": "text",
    "folder": "text",
    "archived": "bool",
    "starred": "bool",
    "deleted": "bool",
    "rating": "number",
    "created": "time",
    "started": "time",
    "ended": "time",
    "duration": "duration",
}
FAMILIES = ("params", "metrics", "summary", "env", "git", "hardware", "seeds", "state")
AGGREGATES = (
    "first",
    "last",
    "min",
    "max",
    "mean",
    "sum",
    "count",
    "nan_count",
    "best",
    "best_step",
    "last_step",
)
FUNCTIONS = (*AGGREGATES, "at", "has", "matches", "search", "ago", "date", "isclose", "isnan")
ARGUMENTS = {"at": (2, 2), "matches": (2, 2), "isclose": (2, 2), "search": (1, 2)}  # the others take one

_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_PIECE = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)\s*")


def seconds_of(text: str) -> float | None:
    """The length of a duration as people write it, or None when it is not one.

    >>> seconds_of("90s"), seconds_of("1h 30m"), seconds_of("7d"), seconds_of("soon")
    (90.0, 5400.0, 604800.0, None)
    """
    total, place = 0.0, 0
    text = text.strip()
    while place < len(text):
        piece = _PIECE.match(text, place)
        if piece is None:
            return None
        total += float(piece[1]) * _SECONDS[piece[2]]
        place = piece.end()
    return total if text else None


def moment_of(text: str) -> float | None:
    """Seconds since the epoch of an ISO date or time, or None; without an offset it is local time.

    >>> moment_of("2026-11-01T12:00:00+00:00"), moment_of("tomorrow")
    (1793534400.0, None)
    """
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def now() -> float:
    """Seconds since the epoch."""
    return time.time()
