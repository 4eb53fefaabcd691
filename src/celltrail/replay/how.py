"""`How` a run is to be replayed, and `Progress`: how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

from celltrail.errors import BadValue
from celltrail.model import Json

Where = Literal["copy", "same"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay is; as text, in a few words.

    >>> str(Progress("replaying baseline", 1, 4, "import numpy as np"))
    'replaying baseline: cell 2 of 4'
    """

    what: str
    done: int = 0  # executions that have run
    total: int = 0
    code: str = ""  # the first line of the one that runs now

    def __str__(self) -> str:
        return f"{self.what}: cell {self.done + 1} of {self.total}" if self.total else self.what

    def payload(self) -> dict[str, Json]:
        """As JSON."""
        return asdict(self)


Tell = Callable[[Progress], object]


@dataclass(frozen=True, slots=True)
class How:
    """What was asked for."""

    rtol: float | None
    cwd: Where | None
    isolated: bool
    timeout: float | None
    tell: Tell

    def __post_init__(self) -> None:
        if self.cwd not in (None, "copy", "same"):
            raise BadValue(f"cwd is copy or same, not {self.cwd!r}")
        if self.rtol is not None and not 0 <= self.rtol < 1:
            raise BadValue(f"rtol is a relative difference from 0 to 1, not {self.rtol!r}")
        if self.timeout is not None and not self.timeout > 0:
            raise BadValue(f"timeout is a number of seconds above 0, not {self.timeout!r}")
