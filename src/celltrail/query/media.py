"""What runs kept beside numbers, by key and step: side by side in a notebook's panel, as items in code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from celltrail.errors import NoRun, nearest
from celltrail.query.items import Item

if TYPE_CHECKING:
    from celltrail.query.stored import StoredRun

MOST_RUNS = 24
EVALUATION = "evaluation/"
ABOUT = ".artifact"  # ends the name of a text in which celltrail.wandb keeps, for itself, what an artifact consists of
_SHOWN = 12


class Place(NamedTuple):
    """One item and where it comes from: the run and its place among the items of that run."""

    run: StoredRun
    number: int
    item: Item


@dataclass(frozen=True)
class Media:
    """The media of some runs; in a notebook, the media panel.

    Attributes:
        runs: those that kept something, at most 24.
        places: the items, run by run in the order logged.
    """

    runs: tuple[StoredRun, ...]
    places: tuple[Place, ...]

    @property
    def keys(self) -> list[str]:
        """The names of the items, in the order first logged."""
        return list(dict.fromkeys(place.item.name for place in self.places))

    @property
    def items(self) -> list[Item]:
        """The items themselves."""
        return [place.item for place in self.places]

    def __repr__(self) -> str:
        kept = f"{_count(len(self.places), 'item')} of {_count(len(self.runs), 'run')}"
        lines = [f"{place.run.name}: {place.item!r}" for place in self.places[:_SHOWN]]
        more = [f"… and {len(self.places) - _SHOWN} more"] if len(self.places) > _SHOWN else []
        return "\n".join([kept, *lines, *more])


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'s' * (n != 1)}"


def media_of(runs: Sequence[StoredRun], key: str | None = None) -> Media:
    """The media of these runs, of one key or of all.

    Raises:
        NoRun: no run kept anything under this key; the sentence names the nearest.
    """
    held = [
        Place(run, number, item)
        for run in runs
        for number, item in enumerate(run.items())
        if not item.name.startswith(EVALUATION)  # those have a panel of their own
        and not item.name.endswith(ABOUT)
    ]
    found = [place for place in held if key in (None, place.item.name)]
    if key is not None and not found:
        names = list(dict.fromkeys(place.item.name for place in held))
        tail = nearest(key, names) or f"; there is {', '.join(names[:8]) or 'none'}"
        raise NoRun(f"no run kept media under {key!r}{tail}")
    shown = tuple(run for run in runs if any(place.run.id == run.id for place in found))[:MOST_RUNS]
    ids = {run.id for run in shown}
    return Media(shown, tuple(place for place in found if place.run.id in ids))
