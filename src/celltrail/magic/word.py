"""What a word after ``%track`` is."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from celltrail.capture import Recorder
from celltrail.errors import BadValue


@dataclass(frozen=True, slots=True)
class Asked:
    """What stands behind the word, and where it was typed."""

    shell: Any
    recorder: Recorder
    rest: str

    @property
    def parts(self) -> list[str]:
        """The rest as a shell would split it."""
        try:
            return shlex.split(self.rest)
        except ValueError as error:
            raise BadValue(f"%track ... {self.rest}: {error}; close the quote") from None


@dataclass(frozen=True, slots=True)
class Word:
    """One form of the line.

    ``do`` returns what is printed; a `CelltrailError` that it raises becomes one line under the cell.
    """

    name: str
    usage: str  # as in "restore EXECUTION [--as notebook]"
    meaning: str
    do: Callable[[Asked], str]
