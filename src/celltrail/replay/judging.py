"""What a replayed run has in common with the recorded one: series point by point, values and outputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from celltrail.model import is_of_machine
from celltrail.query.stored import StoredRun

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Verdict = Literal["reproduced", "within-tolerance", "drifted", "cannot-run"]

_WORST_FIRST: tuple[Verdict, ...] = ("cannot-run", "drifted", "within-tolerance", "reproduced")
# what is measured, not computed: no two runs agree on it
_MEASURED = re.compile(
    r"(?:^|/)sys/|(?:^|[/_.])(?:time|seconds?|secs?|duration|elapsed|latency|throughput|wall|eta|memory|rss|"
    r"(?:samples|steps|tokens|it)_?(?:per|/)_?s(?:ec(?:ond)?)?)(?:$|[/_.])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SeriesVerdict:
    """One metric, recorded beside replayed; NaN equals NaN."""

    name: str
    verdict: Verdict
    n: int  # points recorded
    n_replayed: int
    n_diff: int = 0  # points that are not identical
    max_rel: float = 0.0  # the largest relative difference
    first_step: int | None = None  # of the first point that differs
    recorded: float | None = None  # its value then
    replayed: float | None = None  # and now


def compare_series(then: StoredRun, now: StoredRun, rtol: float) -> list[SeriesVerdict]:
    """Every metric of the recorded run that was computed and not measured, such as a time.

    Of a metric that either of them recorded only as often as time allowed, the steps that both have are compared.

    Args:
        then: the recorded run.
        now: the replayed one.
        rtol: the relative difference up to which a point is within tolerance.
    """
    import numpy as np

    old, new = then.store.series(then.id), now.store.series(now.id)
    sampled = {*_sampled(then), *_sampled(now)}
    found: list[SeriesVerdict] = []
    for name in sorted(old):
        if is_measured(name):
            continue
        steps, before, after = old[name].step, old[name].value, new[name].value if name in new else None
        if name in sampled and after is not None:
            steps, mine, theirs = np.intersect1d(steps, new[name].step, return_indices=True)
            before, after = before[mine], after[theirs]
        found.append(judge(name, steps, before, after, rtol))
    return found


def _sampled(run: StoredRun) -> list[str]:
    return run.record.environment.get("autolog", {}).get("sampled", [])


def measured(run: StoredRun) -> list[str]:
    """The metrics of a run that are not compared, because of their names; those of the machine aside."""
    return sorted(name for name in run.store.series(run.id) if is_measured(name) and not is_of_machine(name))


def is_measured(name: str) -> bool:
    """Whether a metric tells of the machine, so that no replay can give it again.

    >>> is_measured("sys/cpu"), is_measured("epoch_time"), is_measured("train/loss"), is_measured("timestep")
    (True, True, False, False)
    """
    return _MEASURED.search(name) is not None


def judge(
    name: str, steps: NDArray[Any], old: NDArray[np.float64], new: NDArray[np.float64] | None, rtol: float
) -> SeriesVerdict:
    """One series beside its replay.

    Args:
        name: of the metric.
        steps: where the recorded points stand, shape (n,).
        old: their values, shape (n,).
        new: the replayed values in their order, shape (m,); None where there are none.
        rtol: the relative difference up to which a point is within tolerance.

    >>> import numpy as np
    >>> steps, old = np.arange(3), np.array([1.0, 2.0, 4.0])
    >>> judge("loss", steps, old, np.array([1.0, 2.0, 5.0]), 1e-6).first_step
    2
    """
    import numpy as np

    if new is None or not len(new):
        return SeriesVerdict(name, "drifted", len(old), 0, len(old), first_step=_step(steps, 0))
    count = min(len(old), len(new))
    left, right = np.asarray(old[:count], float), np.asarray(new[:count], float)
    same = (left == right) | (np.isnan(left) & np.isnan(right))
    n_diff = int(count - same.sum()) + abs(len(old) - len(new))
    if not n_diff:
        return SeriesVerdict(name, "reproduced", len(old), len(new))
    with np.errstate(all="ignore"):
        relative = np.abs(left - right) / np.maximum(np.abs(left), np.abs(right))
    relative = np.where(same, 0.0, np.where(np.isfinite(relative), relative, np.inf))
    max_rel = float(relative.max(initial=0.0))
    is_close = len(old) == len(new) and max_rel <= rtol
    bad = np.flatnonzero(relative > (0 if is_close else rtol))
    if len(bad):
        at = int(bad[0])
        return SeriesVerdict(
            name, "within-tolerance" if is_close else "drifted", len(old), len(new), n_diff, max_rel,
            _step(steps, at), float(left[at]), float(right[at]),
        )  # fmt: skip
    return SeriesVerdict(name, "drifted", len(old), len(new), n_diff, max_rel, _step(steps, count))


def _step(steps: NDArray[Any], at: int) -> int | None:
    return int(steps[at]) if at < len(steps) else None


def differing_values(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The names whose value was another before the body, and after it.

    Only what was looked at as a whole both times is compared.

    Args:
        then: the section ``values`` of what the recorded run needed.
        now: that of the replayed one.
    """
    before: list[str] = []
    after: list[str] = []
    for name in sorted(then.keys() & now.keys()):
        old, new = then[name], now[name]
        if _differ(old, new) and old.get("type") != "module":
            (before if old.get("when") == "before" else after).append(name)
        if _differ(old.get("after"), new.get("after")):
            after.append(name)
    return before, after


def _differ(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> bool:
    if not old or not new or old.get("quality") != "full" or new.get("quality") != "full":
        return False
    return old.get("fp") != new.get("fp")


def same_text(then: StoredRun, now: StoredRun) -> bool:
    """Whether both printed the same, apart from numbers that measure time."""
    return _text(then) == _text(now)


def _text(run: StoredRun) -> str:
    return "".join(piece.text for piece in run.shown() if piece.output.kind in ("stdout", "result"))


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The one that decides.

    >>> worst(["reproduced", "within-tolerance"])
    'within-tolerance'
    """
    found = frozenset(verdicts)
    for verdict in _WORST_FIRST:
        if verdict in found:
            return verdict
    return "reproduced"
