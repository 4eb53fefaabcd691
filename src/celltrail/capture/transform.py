"""The first lines of a cell: ``%%track`` and ``%%scratch`` become comments, so that the cell runs as itself.

A magic that ran its body would answer "ok" for a cell that raised, break top-level ``await`` and shift
every line of a traceback. A comment in the same place does none of that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from celltrail.capture.arguments import Arguments, parse
from celltrail.errors import BadValue

_OURS = re.compile(r"(\s*)%%(track|scratch)(?:\s+(.*?))?\s*$", re.DOTALL)
_MAGIC = re.compile(r"\s*%%(\w+|!)")
# what follows these is a text of its own: a line of ours inside belongs to it
_TEXTS = frozenset("html HTML javascript js latex markdown svg SVG".split())  # noqa: SIM905
_FILES = frozenset(["cmd", "file", "writefile"])
# what follows these is run by somebody else, to whom "%%track" means nothing
_PROGRAMS = frozenset("! bash perl pypy python python2 python3 ruby script sh sx system".split())  # noqa: SIM905
# their bodies are Python, so a comment keeps the place of our line
PYTHON = frozenset(
    "capture debug heat lprun memit mprun prun pyinstrument scalene snakeviz time timeit".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Mark:
    """The ``%%track`` or ``%%scratch`` line of one cell."""

    kind: Literal["track", "scratch"]
    index: int  # of its line in the cell, from 0
    arguments: Arguments


def cleanup(lines: list[str]) -> list[str]:
    """The input transformer: a pure function of the cell's lines.

    Bad arguments become one line that raises ``UsageError``, so that the body does not run and
    "Run all" stops. (Raising here instead would hang a console: its completeness request would
    never be answered.)

    >>> cleanup(["%%track baseline", "x = 1"])
    ['# %%track baseline', 'x = 1']
    """
    try:
        mark = _find(lines)
    except BadValue as problem:
        return [f'raise __import__("IPython.core.error", fromlist=["error"]).UsageError({str(problem)!r})\n']
    if mark is None:
        return lines
    before, line, after = lines[: mark.index], lines[mark.index], lines[mark.index + 1 :]
    following = next((text for text in after if text.strip()), "")
    above = next((magic[1] for text in reversed(before) if (magic := _MAGIC.match(text))), None)
    if _MAGIC.match(following) or (above is not None and above not in PYTHON):
        # a cell magic must come first, so ours makes room; and in SQL or R our comment would be none
        return before + after
    indent = line[: len(line) - len(line.lstrip())]
    return [*before, f"{indent}# {line.lstrip()}", *after]


# Completeness checks skip transformers with this flag: IPython then treats "%%track" like any cell magic
# and a terminal waits for the body.
cleanup.has_side_effects = True  # pyright: ignore[reportFunctionMemberAccess]


def read(cell: str) -> Mark | None:
    """The mark of a raw cell, or None when it has none or a bad one.

    >>> read("%%time\\n%%track a -t b\\nx").arguments.tags
    ('b',)
    """
    if "%%track" not in cell and "%%scratch" not in cell:
        return None
    try:
        return _find(cell.splitlines(keepends=True))
    except BadValue:
        return None


def _find(lines: list[str]) -> Mark | None:
    found: Mark | None = None
    for index, line in enumerate(lines):
        if not line.strip():
            continue
        ours, magic = _OURS.match(line), _MAGIC.match(line)
        if ours is not None:
            mark = Mark(ours[2], index, _arguments(ours[2], ours[3] or ""))  # pyright: ignore[reportArgumentType]
            if found is not None:
                raise BadValue(f"%%{found.kind} and %%{mark.kind} in one cell: keep one of the two lines")
            found = mark
        elif magic is None or magic[1] in _FILES:
            break
        elif magic[1] in _PROGRAMS:
            _refuse_inside(f"would be run by {magic[1]}", magic[1], lines[index + 1 :])
            break
        elif magic[1] in _TEXTS:
            _refuse_inside(f"would be part of the text that {magic[1]} shows", magic[1], lines[index + 1 :])
            break
    return found


def runs_in_magic(cell: str) -> bool:
    """Whether a magic of its own runs the cell's body as Python.

    >>> runs_in_magic("%%track\\n%%time\\nx = 1"), runs_in_magic("%%track\\nx = 1"), runs_in_magic("%%bash\\nls")
    (True, False, False)
    """
    leading = takewhile(lambda line: not line.strip() or line.lstrip().startswith("%%"), cell.splitlines())
    return any((magic := _MAGIC.match(line)) is not None and magic[1] in PYTHON for line in leading)


def _refuse_inside(why: str, magic: str, body: list[str]) -> None:
    first = next((line for line in body if line.strip()), "")
    if ours := _OURS.match(first):
        raise BadValue(f"%%{ours[2]} below %%{magic} {why}: put it above")


def _arguments(kind: str, line: str) -> Arguments:
    if kind == "track":
        return parse(line)
    if line.strip():
        raise BadValue(f"%%scratch takes no arguments, but got {line.strip()!r}")
    return Arguments(off=True)


def body_is_empty(cell: str) -> bool:
    """Whether a cell holds nothing to run besides its leading magics.

    >>> body_is_empty("%%track a\\n\\n# later"), body_is_empty("%%track\\nx")
    (True, False)
    """
    lines = (line.strip() for line in cell.splitlines())
    return all(not line or line.startswith(("%%", "#")) for line in lines)


def leading_blank_lines(cell: str) -> int:
    """How many lines IPython takes away before it counts.

    >>> leading_blank_lines("\\n  \\nx")
    2
    """
    lines = cell.splitlines()
    return next((index for index, line in enumerate(lines) if line.strip()), 0)


_NOISE = re.compile(r"!|%|-\*-|noqa|type:|pyright|ruff|pylint|fmt:|mypy|isort|In\[|TODO|FIXME|XXX", re.IGNORECASE)


def first_comment(cell: str) -> str | None:
    """The first comment that stands alone in a cell, as a name for the run.

    >>> first_comment("%%track\\n# --- Small network ---\\nx = 1")
    'Small network'
    """
    for line in cell.splitlines():
        if line.startswith("#"):
            text = line.lstrip("# \t-=").rstrip("#-= \t.:")
            if re.search(r"\w", text) and not _NOISE.match(line.lstrip("# \t")):
                return text if len(text) <= 60 else text[:57].rstrip() + "..."
    return None
