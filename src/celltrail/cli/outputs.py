"""What a run showed, as blocks of lines for a terminal: the first and last lines of each piece, or all of them."""

from __future__ import annotations

from celltrail.cli import terminal
from celltrail.errors import NoRun, StoreError
from celltrail.query.items import size
from celltrail.query.plain import clipped
from celltrail.query.shown import Piece, Shown

_FIRST, _LAST = 6, 6  # lines of a piece
_PIECES = 12
_WIDE = 160


def told(shown: Shown, *, whole: bool) -> str:
    """Each piece under a line that says what it is; "" where nothing was shown.

    Args:
        shown: what the run showed.
        whole: all pieces and all their lines, instead of some.
    """
    pieces = list(shown)
    left_out = 0 if whole else max(0, len(pieces) - _PIECES)
    head = pieces[: _PIECES // 2] if left_out else pieces
    tail = pieces[-(_PIECES - _PIECES // 2) :] if left_out else []
    blocks = [_piece(piece, whole) for piece in head]
    if left_out:
        blocks.append(terminal.dim(f"… {left_out:,} more; --outputs all shows them"))
    return "\n".join([*blocks, *(_piece(piece, whole) for piece in tail)])


def _piece(piece: Piece, whole: bool) -> str:
    facts = [piece.kind, piece.forms() or size(piece.output.size)]
    if piece.truncated:
        facts.append(f"not all kept of {piece.output.size:,} bytes" if piece.forms() else "not all kept")
    head = terminal.dim(" · ".join(facts))
    try:
        lines = piece.folded(colour=terminal.has_colour()).splitlines()
    except (StoreError, NoRun) as problem:  # the rest is still worth showing
        lines = [f"({problem})"]
    while lines and not lines[-1].strip():
        lines.pop()
    return "\n".join([head, *(f"  {line}" for line in _some(lines, whole))])


def _some(lines: list[str], whole: bool) -> list[str]:
    if whole:
        return list(map(terminal.harmless, lines))
    shown = [clipped(line.expandtabs(), _WIDE) if len(line) > _WIDE else line for line in lines]
    between = len(lines) - _FIRST - _LAST
    if between > 1:
        marker = terminal.dim(f"… {between:,} lines more; --outputs all shows them")
        return [*map(terminal.harmless, shown[:_FIRST]), marker, *map(terminal.harmless, shown[-_LAST:])]
    return list(map(terminal.harmless, shown))
