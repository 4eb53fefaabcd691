"""An earlier run that was the same, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from celltrail.capture.already.match import Match
from celltrail.capture.notice import Notice
from celltrail.model import Json, Metric, RunRecord, now_us, trained
from celltrail.query.evaluate import aggregate_of
from celltrail.query.plain import clipped, length, number, shown

_METRICS = 2
_NAME = 40


@dataclass(frozen=True, slots=True)
class Same:
    """The earlier run in the sense that says most, and the how-manieth the present one is."""

    match: Match
    number: int


def told(found: Same) -> dict[str, Json]:
    """What is kept of it with the run: an edge to the earlier one."""
    made = found.match
    return {
        "kind": made.kind,
        "run": made.earlier.id,
        "number": found.number,
        "is_exact": made.is_exact,
        "differs": list(made.differs),
    }


def notice(found: Same, *, skipped: bool = False, unset: list[str] | None = None) -> Notice:
    """What to show before the body runs."""
    earlier = found.match.earlier
    data: dict[str, Any] = {
        **told(found),
        "name": earlier.name,
        "age": age(earlier),
        "result": result(earlier),
        "skipped": skipped,
        "unset": unset or [],
    }
    return Notice("already", "info", _skipped(found, unset or []) if skipped else sentence(found), data)


def sentence(found: Same) -> str:
    """The whole of it in one sentence."""
    made, earlier = found.match, found.match.earlier
    run = f"run {clipped(shown(earlier.name), _NAME)!r}"
    if made.kind == "repeat":
        return f"repeat {found.number} of {run}: {' and '.join(made.differs)}"
    of = "; ".join(part for part in (result(earlier), link(earlier)) if part)
    if made.kind == "environment":
        how = "the same" if made.is_exact else "probably the same"
        return f"{how} code and inputs as {run} {age(earlier)}, but {', '.join(made.differs)}; {of}"
    if made.is_exact:
        return f"this exact code already ran on the same inputs in the same environment {age(earlier)}: {run}; {of}"
    return f"this code probably already ran on the same inputs {age(earlier)}: {run}; {of}"


def link(record: RunRecord) -> str:
    """What to type to look at the run."""
    return f'ct.run("{record.id}")'


def age(record: RunRecord) -> str:
    """How long ago it began, in its largest units.

    >>> age(RunRecord("01", "a", "finished", "p", 0, now_us() - 7_200_000_000))
    '2 h ago'
    """
    seconds = max(0, (now_us() - record.started_us) // 1_000_000)
    return "just now" if seconds < 1 else f"{seconds} s ago" if seconds < 60 else f"{length(seconds)} ago"


def result(record: RunRecord) -> str:
    """What came of it, by its main metrics: those that have a direction first, of the validation before all.

    >>> from celltrail.model import Metric
    >>> metrics = {name: Metric(name, count=1, last=0.5) for name in ("sys/rss", "note")}
    >>> result(RunRecord("01", "a", "finished", "p", 0, 0, metrics=metrics))
    'last note 0.5'
    """
    found = sorted(trained(record).values(), key=_weight)[:_METRICS]
    return ", ".join(text for metric in found if (text := _told(metric)))


def _weight(metric: Metric) -> tuple[bool, bool, str]:
    return metric.goal == "none", not metric.name.startswith(("val", "test", "eval")), metric.name


def _told(metric: Metric) -> str:
    which = "last" if metric.goal == "none" else "best"
    value = aggregate_of(metric, which)
    return "" if value is None else f"{which} {shown(metric.name)} {number(value)}"


def _skipped(found: Same, unset: list[str]) -> str:
    earlier = found.match.earlier
    run = f"run {clipped(shown(earlier.name), _NAME)!r}"
    names = f"; not set: {', '.join(unset)}" if unset else ""
    of = "; ".join(part for part in (result(earlier), link(earlier)) if part)
    return f"not run again: this is what {run} showed {age(earlier)}{names}; {of}"
