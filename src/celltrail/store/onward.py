"""Going on with what is in the trail: with a run itself after its process ended or died, or with a fork of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue
from celltrail.model import Metric, Resumption, RunRecord, is_of_machine, now_us, trained
from celltrail.store.docs.carried import Carried, Prefix
from celltrail.store.log import writer_of
from celltrail.store.log.summary import Said, Summaries

if TYPE_CHECKING:
    from celltrail.store.docs.run_document import Tables
    from celltrail.store.log.series import SeriesMapping
    from celltrail.store.runs import RunFiles


@dataclass(frozen=True, slots=True)
class Onward:
    """What a process starts with that goes on.

    Attributes:
        record: what the run was, as its own processes wrote it.
        carried: the points from before.
        tables: the document of the run that is resumed; {} for a fork.
        declared: what was said of metrics.
        step: the last step that counts, None before the first.
        spent_s: how long the run has taken already.
    """

    record: RunRecord
    carried: Carried
    tables: Tables = field(default_factory=dict)
    declared: Mapping[str, Said] = field(default_factory=dict)
    step: int | None = None
    spent_s: float = 0.0


def resumed(files: RunFiles, step: int | None) -> Onward:
    """A run that has ended, as its next process has it; with a step it is rewound to that."""
    sizes = files.sizes()
    record, tables = files.unedited()
    series, before = files.series(), files.carried()
    declared, metrics, last = _declared(tables), record.metrics, _last(record)
    is_rewound = step is not None and step < _reach(record, series, step, "rewound")
    cuts = dict(before.cuts)
    prefix = before.prefix
    if is_rewound and step is not None:
        prefix = prefix and replace(prefix, step=min(step, prefix.step))
        metrics = _metrics(series, step, declared)
        metrics |= {name: metric for name, metric in record.metrics.items() if is_of_machine(name)}
        cuts |= {writer_of(log): min(step, cuts.get(writer_of(log), step)) for log in sizes}
        cuts |= {writer: min(step, cuts.get(writer, step)) for writer in files.sealed_writers()}
    seen = record.ended_us or record.started_us
    told = Resumption(now_us(), seen, record.status, step if is_rewound else last, is_rewound)
    return Onward(
        replace(
            record, status="running", ended_us=None, duration_s=None, error=None,
            generation=record.generation + 1, resumes=(*record.resumes, told),
        ),
        Carried(metrics, sizes, cuts, prefix), tables, declared, told.step, record.duration_s or 0.0,
    )  # fmt: skip


def forked(files: RunFiles, step: int | None) -> Onward:
    """A run as one that forks off it has it; without a step after its last."""
    record, tables = files.unedited()
    last, declared = _last(record), _declared(tables)
    if step is not None:
        _reach(record, files.series(), step, "forked")
    at = last if step is None else step
    if at is None:
        raise BadValue(f"run {record.name!r} has logged nothing yet; there is no step to fork it at")
    carried = Carried(
        _metrics(files.series(), at, declared), prefix=Prefix(record.id, at, now_us(), files.carried().cuts)
    )
    return Onward(record, carried, {}, declared, at)


def _reach(record: RunRecord, series: SeriesMapping, step: int, verb: str) -> int:
    """The largest step that was logged; `BadValue` where the run never came to this step."""
    reach = max((int(series[name].step.max()) for name in _names(series) if len(series[name].step)), default=None)
    if reach is None or step > reach:
        told = "has logged nothing" if reach is None else f"goes to step {reach:,}"
        raise BadValue(f"run {record.name!r} {told}; it cannot be {verb} at step {step:,}")
    return reach


def _last(record: RunRecord) -> int | None:
    steps = (metric.last_step for metric in trained(record).values())
    return max((step for step in steps if step is not None), default=None)


def _names(series: SeriesMapping) -> list[str]:
    return [name for name in series if not is_of_machine(name)]


def _declared(tables: Mapping[str, Any]) -> dict[str, Said]:
    return {
        name: Said(said.get("goal"), said.get("unit"), said.get("axis"))
        for name, said in tables.get("declared", {}).items()
    }


def _metrics(series: SeriesMapping, step: int, declared: Mapping[str, Said]) -> dict[str, Metric]:
    """The summaries of the points up to a step."""
    summaries = Summaries()
    for name in _names(series):
        points = series[name]
        counts = points.step <= step
        if counts.any():
            summaries.fold((name,), points.step[counts], points.value[counts, None])
    for name, said in declared.items():
        summaries.declare(name, said)
    return summaries.metrics()
