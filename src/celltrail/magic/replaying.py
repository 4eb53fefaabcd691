"""``%track replay`` and ``%track slice``: a run again, and the cells it needs."""

from __future__ import annotations

from celltrail.errors import BadValue
from celltrail.magic.word import Asked, Word
from celltrail.replay import replay, slice_of


def _replay(asked: Asked) -> str:
    if len(asked.parts) != 1:
        raise BadValue(f"replay takes one run, not {asked.rest!r}; ct.replay() has options" if asked.rest else _WHICH)
    return str(replay(asked.parts[0]))


def _slice(asked: Asked) -> str:
    parts = [part for part in asked.parts if part != "--to"]
    if not 1 <= len(parts) <= 2:
        raise BadValue(f"slice takes a run and perhaps --to FILE, not {asked.rest!r}" if asked.rest else _WHICH)
    part = slice_of(parts[0])
    if len(parts) == 1:
        return repr(part)
    return f"{len(part)} executions in {part.write(parts[1]).name}"


_WHICH = "which run? give its name or id; %runs lists them"
WORDS = (
    Word("replay", "replay RUN", "execute a run again in a fresh kernel and say whether it gives the same", _replay),
    Word(
        "slice", "slice RUN [--to FILE.ipynb|FILE.py]", "list or write the cells that a run needs, as they ran", _slice
    ),
)
