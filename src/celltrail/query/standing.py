"""Whether a run still holds: why not, in words that are the same wherever it is said.

It takes the notebook, the files and the packages as they are now to tell, which this floor knows nothing of:
whoever does says so with `told_by`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from celltrail.query.stored import StoredRun

Kind = Literal["edited", "upstream", "data", "module", "env", "deleted"]
State = Literal["fresh", "stale", "unknown"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a run is stale.

    Attributes:
        kind: ``edited`` or ``deleted`` (its cell), ``upstream`` (a cell it depends on, or an object that one made),
            ``data`` (a file it read), ``module`` (a local module) or ``env`` (Python, a package, the hardware).
        text: the same in words.
    """

    kind: Kind
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Staleness:
    """The reasons why a run is stale; empty, and so false, for a run that holds or of which nobody can tell.

    >>> found = Staleness("stale", (Reason("data", "data.csv has changed"),))
    >>> print(found), bool(found), [reason.kind for reason in found]
    stale: data.csv has changed
    (None, True, ['data'])
    """

    state: State
    reasons: tuple[Reason, ...] = ()

    def __bool__(self) -> bool:
        return self.state == "stale"

    def __len__(self) -> int:
        return len(self.reasons)

    def __iter__(self) -> Iterator[Reason]:
        return iter(self.reasons)

    @property
    def text(self) -> str:
        """All reasons in one line, "" where there is none."""
        return "; ".join(map(str, self.reasons))

    def __str__(self) -> str:
        return f"{self.state}: {self.text}" if self.reasons else self.state

    def __repr__(self) -> str:
        return f"<{self}>"


_teller: list[Callable[[StoredRun], Staleness]] = []


def told_by(teller: Callable[[StoredRun], Staleness], *, otherwise: bool = False) -> None:
    """From now on this tells whether a run holds; ``otherwise``: only where nobody does yet."""
    if not (otherwise and _teller):
        _teller[:] = [teller]


def standing(run: StoredRun) -> Staleness:
    """Whether this run holds; unknown where nobody is there who can tell."""
    return _teller[0](run) if _teller else Staleness("unknown")
