"""Which checkpoints stay and which go: so many of the best, so many of the newest, so much room."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from celltrail.errors import BadValue
from celltrail.store.files.telling import bytes_in, counted, sized

if TYPE_CHECKING:
    from celltrail.contract import Goal
    from celltrail.store.artifacts import Artifact
    from celltrail.store.blobs import Blobs


@dataclass(frozen=True, slots=True)
class Keep:
    """What is to stay; None where nothing is said of it."""

    best: int | None = None
    by: str | None = None
    last: int | None = None
    budget: int | None = None  # bytes

    @classmethod
    def of(cls, best: int | None, by: str | None, last: int | None, budget: str | float | None) -> Keep:
        """As people say it; `BadValue` where that makes no sense."""
        for name, count in (("best", best), ("last", last)):
            if count is not None and (type(count) is not int or count < 0):
                raise BadValue(f"{name}={count!r} is no number of checkpoints; it is a whole number from 0")
        if best is not None and by is None:
            raise BadValue(f"best={best} of what? say by='val/loss', or another metric of the run")
        return cls(best, by, last, None if budget is None else bytes_in(budget))


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes, what stays, and why."""

    go: tuple[Artifact, ...]
    stay: tuple[Artifact, ...]
    freed: int  # bytes that only what goes takes
    is_done: bool = False

    def done(self) -> Plan:
        """The same, carried out."""
        return replace(self, is_done=True)

    def __str__(self) -> str:
        total = len(self.go) + len(self.stay)
        if not self.go:
            return f"all {counted(total, 'checkpoint')} stay"
        verb = "went" if self.is_done else "would go"
        first = f"{len(self.go)} of {counted(total, 'checkpoint')} {verb} to the trash"
        after = f"; celltrail gc then frees {sized(self.freed)}" if self.freed else ""
        return "\n".join([first + after, *(f"  {each}" for each in self.go)])

    __repr__ = __str__


def plan(found: Sequence[Artifact], keep: Keep, goal: Callable[[str], Goal], blobs: Blobs) -> Plan:
    """What goes so that the rest is as it is to be; what was never kept takes no room and stays listed."""
    kept = [each for each in found if each.is_kept]
    rank = ranked(kept, keep.by, goal(keep.by)) if keep.by else []
    stay = list(kept)
    if keep.best is not None or keep.last is not None:
        wanted = [*rank[: keep.best or 0], *(kept[-keep.last :] if keep.last else [])]
        stay = [each for each in kept if each in wanted]
    room = _Room(blobs)
    if keep.budget is not None:
        # the best goes last, the newest before it
        order = [each for each in stay if each not in (*rank[:1], kept[-1])] + [
            each for each in (kept[-1], *rank[:1]) if each in stay
        ]
        for each in dict.fromkeys(each.id for each in order):
            if room.of(stay) <= keep.budget:
                break
            stay = [other for other in stay if other.id != each]
    go = [each for each in kept if each not in stay]
    return Plan(tuple(go), tuple(stay), room.of(kept) - room.of(stay))


def ranked(found: Iterable[Artifact], by: str, goal: Goal) -> list[Artifact]:
    """Those that have this metric, the best first; of two alike the newer one."""
    have = [each for each in reversed(list(found)) if math.isfinite(each.metrics.get(by, math.nan))]
    return sorted(have, key=lambda each: each.metrics[by], reverse=goal == "max")


class _Room:
    """How many bytes artifacts take together: what they share counts once."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._made_of: dict[str, dict[str, int]] = {}

    def of(self, found: Iterable[Artifact]) -> int:
        sizes: dict[str, int] = {}
        for each in found:
            for file in each.files:
                if file.digest not in self._made_of:
                    self._made_of[file.digest] = self._blobs.made_of(file.digest)
                sizes |= self._made_of[file.digest]
        return sum(sizes.values())
