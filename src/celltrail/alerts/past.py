"""A rule over runs that are over: when it would have fired."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from celltrail.alerts.applied import Applied, Around, Fired
from celltrail.alerts.earlier import best_before, prices_of
from celltrail.model import Json, is_of_machine
from celltrail.query import StoredRun, runs
from celltrail.query.plain import number, table

if TYPE_CHECKING:
    import pandas as pd

    from celltrail.alerts.rule import Rule
    from celltrail.store import SeriesMapping

_SHOWN = 20


class Seen(NamedTuple):
    """A rule would have fired.

    Attributes:
        run: the run.
        fired: where, and what was so.
    """

    run: StoredRun
    fired: Fired


@dataclass(frozen=True)
class Replayed:
    """A rule over some runs; false where it would not have fired.

    Attributes:
        rule: the rule.
        runs: how many were looked at.
        seen: each time that it would have fired, run by run in order.
        calls: how many calls of ``log()`` it heard.
        seconds: processor time it took for them.
    """

    rule: Rule
    runs: int
    seen: tuple[Seen, ...]
    calls: int
    seconds: float

    def df(self) -> pd.DataFrame:
        """A row each time: ``run``, ``name``, ``step``, ``time``, ``metric``, ``value``, ``text``."""
        import pandas as pd

        columns = ["run", "name", "step", "time", "metric", "value", "text"]
        rows = [
            [run.id, run.name, fired.step, fired.t_us / 1e6, fired.metric, fired.value, fired.text]
            for run, fired in self.seen
        ]
        frame = pd.DataFrame(rows, columns=columns)
        return frame.assign(time=pd.to_datetime(frame["time"], unit="s", utc=True))

    def payload(self) -> dict[str, Json]:
        """As JSON."""
        return {
            "rule": self.rule.text, "runs": self.runs, "calls": self.calls,
            "microseconds_a_call": None if not self.calls else round(self.seconds / self.calls * 1e6, 3),
            "seen": [self.rule.letter(run.id, run.name, run.project, fired) for run, fired in self.seen],
        }  # fmt: skip

    @property
    def cost(self) -> str:
        """What hearing a call of ``log()`` cost, in words; "" where there was none."""
        return f"{self.seconds / self.calls * 1e6:.1f} µs a call of log()" if self.calls else ""

    def __iter__(self) -> Iterator[Seen]:
        return iter(self.seen)

    def __len__(self) -> int:
        return len(self.seen)

    def __repr__(self) -> str:
        among = len({run.id for run, _ in self.seen})
        often = "not have fired" if not self.seen else f"have fired {_often(len(self))}, in {among}"
        head = f"{str(self.rule)!r} would {often} {'in' if not self.seen else 'of'} {_count(self.runs, 'run')}"
        rows = [
            [run.name, "" if fired.step is None else f"step {fired.step:,}", fired.text]
            for run, fired in self.seen[:_SHOWN]
        ]
        lines = [head, *(table(["", "", ""], rows, [False] * 3).splitlines()[1:] if rows else [])]
        if len(self) > _SHOWN:
            lines.append(f"… and {len(self) - _SHOWN} more")
        return "\n".join(lines)


def replay(rule: Rule, which: Iterable[StoredRun] | StoredRun | str) -> Replayed:
    """The rule over these runs."""
    found = runs(which) if isinstance(which, str) else [which] if isinstance(which, StoredRun) else which
    seen: list[Seen] = []
    count = calls = 0
    spent = 0.0
    for run in found:
        count += 1
        around = Around(
            lambda run=run: run.record,
            lambda metric, goal, run=run: best_before(run.store, run.record, metric, goal),
            lambda run=run: prices_of(run.store, run.record),
        )
        applied = rule.apply(around, run.record.started_us)
        logged = list(_calls(run.store.series(run.id), applied))
        began = time.thread_time()
        seen += [Seen(run, fired) for fired in _heard(applied, logged, run.record.ended_us)]
        spent += time.thread_time() - began
        calls += len(logged)
    return Replayed(rule, count, tuple(seen), calls, spent)


Call = tuple[tuple[str, ...], int, int, Sequence[float]]


def _heard(applied: Applied, logged: Iterable[Call], ended_us: int | None) -> Iterator[Fired]:
    for call in logged:
        for fired in (applied.tick(call[2]), applied.hear(*call)):
            if fired is not None:
                yield fired
    if ended_us is not None and (fired := applied.tick(ended_us)) is not None:
        yield fired


def _calls(series: SeriesMapping, applied: Applied) -> Iterator[Call]:
    """The calls of ``log()`` that it would have heard, in their order; what shares moment and step is one call."""
    import numpy as np

    hears_all = applied.hears_all or applied.by_clock
    names = [name for name in series if name in applied.metrics or (hears_all and not is_of_machine(name))]
    if not names:
        return
    parts = [series[name] for name in names]
    which = np.repeat(np.arange(len(names)), [len(part.step) for part in parts])
    moments, steps, values = (np.concatenate([part[at] for part in parts]) for at in (1, 0, 2))
    order = np.lexsort((which, steps, moments))
    moments, steps, values, which = moments[order], steps[order], values[order], which[order]
    if not len(order):
        return
    edges = np.flatnonzero((np.diff(moments) != 0) | (np.diff(steps) != 0)) + 1
    known: dict[bytes, tuple[str, ...]] = {}
    for begin, end in zip([0, *edges.tolist()], [*edges.tolist(), len(order)], strict=True):
        some: Any = which[begin:end]
        told = known.setdefault(some.tobytes(), tuple(names[at] for at in some))
        yield told, int(steps[begin]), int(moments[begin]), values[begin:end].tolist()


def _count(n: int, noun: str) -> str:
    return f"{number(n)} {noun}{'s' * (n != 1)}"


def _often(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{n:,} times")
