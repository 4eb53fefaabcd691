"""What a terminal can show: colour or none, and JSON."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from typing import Any

_COLOURS = {"running": "36", "finished": "32", "failed": "31", "interrupted": "33", "killed": "31"}
_DIM, _BOLD = "2", "1"
_PAINTED = re.compile(r"(\x1b\[[0-9;]*m)")


def has_colour() -> bool:
    """Whether to colour: only on a terminal, and not where NO_COLOR (https://no-color.org) is set."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def columns() -> int | None:
    """How wide it is; None where nobody looks at it, but a program reads on."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def status(text: str, name: str) -> str:
    """The text in the colour of a status."""
    return _paint(text, _COLOURS.get(name, ""))


def dim(text: str) -> str:
    """Text of lesser weight."""
    return _paint(text, _DIM)


def bold(text: str) -> str:
    """A heading."""
    return _paint(text, _BOLD)


def harmless(line: str) -> str:
    """A line of somebody's text, without what a terminal would obey; colours stay where there are colours.

    >>> harmless("a\x1b[2Jb")
    'a·[2Jb'
    """
    pieces = _PAINTED.split(line) if has_colour() else [line]
    return "".join(piece if _PAINTED.fullmatch(piece) else _printable(piece) for piece in pieces)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\t" else "·" for char in text)


def print_json(value: Any) -> None:
    """The value as JSON; the shapes are those of the contract, where NaN is a word."""
    print(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def _paint(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if code and has_colour() else text
