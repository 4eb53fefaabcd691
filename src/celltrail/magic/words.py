"""The words after ``%track``. A file with words lists them in ``WORDS``; this one puts the lists together."""

from __future__ import annotations

from typing import Any

from celltrail.capture import Recorder
from celltrail.errors import BadValue, nearest
from celltrail.magic import replaying, restoring, telling
from celltrail.magic.word import Asked, Word

WORDS: dict[str, Word] = {word.name: word for word in (*telling.WORDS, *restoring.WORDS, *replaying.WORDS)}


def answer(line: str, shell: Any, recorder: Recorder) -> str:
    """Do what the line asks for; what is to be printed."""
    name, _, rest = line.strip().partition(" ")
    name = name or "status"
    if name not in WORDS:
        raise BadValue(f"no word {name!r}{nearest(name, WORDS) or ';'} use one of: {', '.join(WORDS)}")
    return WORDS[name].do(Asked(shell, recorder, rest.strip()))


def usage() -> str:
    """The help of the line."""
    lines = [f"  %track {word.usage}\n      {word.meaning}" for word in WORDS.values()]
    return "\n".join(["%track WORD: ask about recording in this notebook, and change it.", "", *lines])
