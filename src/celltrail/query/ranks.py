"""The ranks of a run beside each other: how far each came, how long its steps take, who is slow and who died."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from celltrail.model import Json, RunRecord, is_of_machine
from celltrail.query.plain import length
from celltrail.query.resources import totals
from celltrail.store.folders import run_folder
from celltrail.store.log.ranks import rank_of

if TYPE_CHECKING:
    from celltrail.store import Series, SeriesMapping, Store

SLOW = 1.2  # times the median step time of all ranks
_FEWEST = 3  # log calls without which a rank has no step time


@dataclass(frozen=True, slots=True, repr=False)
class Rank:
    """One rank of a run.

    Attributes:
        rank: its number.
        processes: how many processes logged as this rank; workers and forks of it are among them.
        step: the last step it logged; None before its first.
        step_s: the median time between two of its steps, in seconds; None with fewer than three.
        is_slow: its steps take more than 1.2 times the median of all ranks.
        has_died: it is gone without having ended; what it logged until then is in the run.
        resources: what it used of the machine, as in `StoredRun.resources`; empty where it was not measured.
    """

    rank: int
    processes: int
    step: int | None
    step_s: float | None
    is_slow: bool
    has_died: bool
    resources: dict[str, Json] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """What there is to say of it, in words; "" when all is well."""
        at = "before its first step" if self.step is None else f"after step {self.step:,}"
        return "; ".join([f"died {at}"] * self.has_died + ["slower than the others"] * self.is_slow)

    def __str__(self) -> str:
        took = "" if self.step_s is None else f", {length(self.step_s)} a step"
        many = f", {self.processes} processes" if self.processes > 1 else ""
        return f"rank {self.rank}: step {'-' if self.step is None else f'{self.step:,}'}{took}{many}" + (
            f" ({self.told})" if self.told else ""
        )

    def __repr__(self) -> str:
        return f"<{self}>"


def ranks(record: RunRecord, store: Store) -> list[Rank]:
    """The ranks of a run by number; one, the first, for a run of a single process."""
    folder = run_folder(store.root, record.id)
    writers = store.writers(record.id)
    calls = _calls(store.series(record.id))
    own = rank_of(record.writer)  # its workers may leave without a word; those of a launcher are ranks of their own
    judged = [each for each in writers if each.rank != own or each.name == record.writer]
    gone = {each.rank for each in judged if not (each.has_ended or each.is_alive(folder))}
    numbers = sorted({rank_of(name) for name in (record.writer, *calls, *(writer.name for writer in writers))})
    times = {number: _step_s([calls[name] for name in calls if rank_of(name) == number]) for number in numbers}
    known = sorted(each for each in times.values() if each is not None)
    slow = SLOW * known[(len(known) - 1) // 2] if len(known) > 1 else float("inf")  # the lower one of two medians
    used = _used(record, store.events(record.id))
    found: list[Rank] = []
    for number, step_s in times.items():
        mine = [series for name, series in calls.items() if rank_of(name) == number]
        step = max((int(series.step[-1]) for series in mine), default=None)
        processes = len({name for name in (*calls, *(each.name for each in writers)) if rank_of(name) == number}) or 1
        is_slow = step_s is not None and step_s > slow
        found.append(Rank(number, processes, step, step_s, is_slow, number in gone, used.get(number, {})))
    return found


def _used(record: RunRecord, events: Iterable[Mapping[str, Json]]) -> dict[int, dict[str, Json]]:
    """What each rank used: that of the owner is the run's, the others tell theirs in their logs."""
    told = {each["rank"]: each["totals"] for each in events if each.get("kind") == "resources"}
    return {**told, rank_of(record.writer): totals(record)}


def _calls(found: SeriesMapping) -> dict[str, Series]:
    """Of each writer the series with the most points: its log calls, as far as one series has them."""
    longest: dict[str, Series] = {}
    for name in found:
        if is_of_machine(name):
            continue
        for writer, series in found.apart(name).items():
            if len(series.step) > (len(longest[writer].step) if writer in longest else 0):
                longest[writer] = series
    return longest


def _step_s(calls: Sequence[Series]) -> float | None:
    """The median time of a step, over the processes of a rank."""
    import numpy as np

    took = [
        np.diff(each.t_us)[ahead] / np.diff(each.step)[ahead]
        for each in calls
        if (ahead := np.diff(each.step) > 0).any()
    ]
    together = np.concatenate(took) if took else np.empty(0)
    return float(np.median(together)) / 1e6 if len(together) >= _FEWEST - 1 else None
