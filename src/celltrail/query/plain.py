"""Values and tables as text: for a terminal, Markdown and LaTeX."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any

MARKS = {"running": "▶", "finished": "✓", "failed": "✗", "interrupted": "■", "killed": "†"}
_LATEX = {char: f"\\{char}" for char in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
_COLOUR = re.compile("\x1b\\[[0-9;]*m")


def number(value: float) -> str:
    """A number in four digits, integers whole.

    >>> number(0.123456), number(1e-05), number(1500), number(float("nan"))
    ('0.1235', '1e-05', '1500', 'nan')
    """
    if isinstance(value, int):
        return str(value)
    if math.isfinite(value) and value.is_integer() and abs(value) < 1e6:
        return f"{value:.0f}" if abs(value) >= 10 else f"{value:g}"
    return f"{value:.4g}"


def length(seconds: float | None) -> str:
    """A duration in its two largest units.

    >>> length(0.25), length(75), length(7260), length(None)
    ('250 ms', '1 min 15 s', '2 h 1 min', '')
    """
    if seconds is None or not math.isfinite(seconds):
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, small, name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // small
            return f"{whole // size} {unit} {rest} {name}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def moment(seconds: float) -> str:
    """A time of day and date where the reader is."""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")


def shown(value: Any) -> str:
    """Any value of a cell, on one line and without control characters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, list | tuple):
        return ", ".join(shown(each) for each in value)
    text = " ".join(str(value).split())
    # a terminal would obey what a name or an error message tells it
    return "".join(char if char.isprintable() else "·" for char in text)


def clipped(text: str, most: int) -> str:
    """The text within so many columns of a terminal.

    >>> clipped("baseline", 5)
    'base…'
    """
    if width(text) <= most:
        return text
    while text and width(text) > most - 1:
        text = text[:-1]
    return f"{text}…"


def width(text: str) -> int:
    """How many columns of a terminal the text takes; colour takes none."""
    text = _COLOUR.sub("", text)
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    """Columns two blanks apart; ``right`` says which are numbers.

    >>> print(table(["name", "acc"], [["a", "0.9"], ["bcd", "10"]], [False, True]))
    name  acc
    a     0.9
    bcd    10
    """
    lines = [list(headers), *(list(row) for row in rows)]
    widths = [max(width(line[i]) for line in lines) for i in range(len(headers))]
    return "\n".join(
        "  ".join(
            " " * (w - width(cell)) + cell if r else cell + " " * (w - width(cell))
            for cell, w, r in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def markdown(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    """A pipe table.

    >>> print(markdown(["name", "acc"], [["a|b", "0.9"]], [False, True]))
    | name | acc |
    | --- | ---: |
    | a\\|b | 0.9 |
    """

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("\\", "\\\\").replace("|", "\\|") for cell in cells) + " |"

    rule = "| " + " | ".join("---:" if r else "---" for r in right) + " |"
    return "\n".join([line(headers), rule, *(line(row) for row in rows)])


def tex(text: str) -> str:
    """Text as LaTeX prints it as it is.

    >>> print(tex("val_acc 50 %"))
    val\\_acc 50 \\%
    """
    return "".join(_LATEX.get(char, char) for char in text)


def latex(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    """A tabular in the manner of booktabs.

    >>> print(latex(["val_acc"], [["50 %"]], [True]))
    \\begin{tabular}{r}
    \\toprule
    val\\_acc \\\\
    \\midrule
    50 \\% \\\\
    \\bottomrule
    \\end{tabular}
    """

    def line(cells: Sequence[str]) -> str:
        return " & ".join(map(tex, cells)) + r" \\"

    columns = "".join("r" if r else "l" for r in right)
    top = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", line(headers), r"\midrule"]
    return "\n".join([*top, *(line(row) for row in rows), r"\bottomrule", r"\end{tabular}"])
