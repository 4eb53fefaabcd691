"""The parts of a comparison, each as lines: facts, params, data, metrics, environment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from celltrail.compare.line import Line
from celltrail.contract import Goal
from celltrail.errors import NoRun, StoreError
from celltrail.model import Json, RunRecord, trained
from celltrail.query import StoredRun, inputs
from celltrail.query.data import version_of
from celltrail.query.datasets import short
from celltrail.query.evaluate import aggregate_of, duration_of

_MOST_COLUMNS = 20  # of one version, where they differ
_OF_THE_TIME = ("rng.", "randomness.", "overhead.", "resources.", "prices.")


def facts(records: Sequence[RunRecord]) -> list[Line]:
    """Status, duration, notebook and the like."""
    told: dict[str, Callable[[RunRecord], Json]] = {
        "status": lambda record: record.status,
        "error": lambda record: None if record.error is None else str(record.error),
        "duration": duration_of,
        "created": lambda record: _utc(record.created_us),
        "project": lambda record: record.project,
        "group": lambda record: record.group,
        "notebook": lambda record: record.notebook,
        "cell": lambda record: record.cell_id,
        "user": lambda record: record.user or None,
        "tags": lambda record: ", ".join(sorted(record.tags)) or None,
        "notes": lambda record: "\n".join(record.notes) or None,
    }
    lines = [Line(name, tuple(tell(record) for record in records)) for name, tell in told.items()]
    return [line for line in lines if any(value is not None for value in line.values)]


def metrics(records: Sequence[RunRecord]) -> list[Line]:
    """The last value of each metric, then the best of several; first those whose direction is known."""
    lines: list[Line] = []
    for name in _names(map(trained, records)):
        found = [record.metrics.get(name) for record in records]
        goals: list[Goal] = [metric.goal for metric in found if metric is not None and metric.goal != "none"]
        goal: Goal = goals[0] if goals else "none"
        lines.append(Line(name, tuple(value_of(record, name) for record in records), goal))
        if goal != "none" and any(metric.count > 1 for metric in found if metric is not None):
            lines.append(Line(f"best {name}", tuple(value_of(record, name, goal) for record in records), goal, True))
    return sorted(lines, key=lambda line: line.goal == "none")


def value_of(record: RunRecord, name: str, goal: Goal = "none") -> float | int | None:
    """The last value of a metric, or the best one in a direction; None where the run has none."""
    metric = record.metrics.get(name)
    return None if metric is None else aggregate_of(metric, "last" if goal == "none" else goal)


def family(found: Sequence[Mapping[str, Json]]) -> list[Line]:
    """A line for each name that any of the runs has."""
    return [Line(name, tuple(each.get(name) for each in found)) for name in _names(found)]


def data(runs: Sequence[StoredRun]) -> list[Line]:
    """What was named as data, by its columns where it differs; then the files and the values that were read.

    Of files and values nothing where one of the runs did not record them.
    """
    return [*_versions(runs), *_files(runs), *_values(runs)]


def _values(runs: Sequence[StoredRun]) -> list[Line]:
    recorded = [inputs.values_of(run) for run in runs]
    if not all(recorded):
        return []
    codes = {name for told in recorded for name, facts in told.items() if inputs.is_code(facts)}
    lines = family([inputs.data(run) for run in runs])
    # a function or class that only one of them uses is told of by the difference of the code
    return [line for line in lines if line.name not in codes or None not in line.values]


def _versions(runs: Sequence[StoredRun]) -> list[Line]:
    lines: list[Line] = []
    told = [run.record.data for run in runs]
    for line in family([{key: _version(each) for key, each in one.items()} for one in told]):
        lines.append(line)
        having = [(run, run.record.data[line.name]) for run in runs if line.name in run.record.data]
        if line.differs and len(having) == len(runs):
            columns = [version_of(each, run.store.blobs).columns for run, each in having]
            inner = family([{column.name: f"{column.kind} {column.hex[:12]}" for column in one} for one in columns])
            differing = [Line(f"{line.name}: {each.name}", each.values) for each in inner if each.differs]
            lines += differing[:_MOST_COLUMNS]
    return lines


def _version(told: Mapping[str, Json]) -> str:
    rows = f"{told['rows']:,} rows · " if told.get("rows") is not None else ""
    source = told.get("source") or {}
    return f"{rows}{short(told.get('digest')) or source.get('reference')}"


def _files(runs: Sequence[StoredRun]) -> list[Line]:
    found = [files_of(run) for run in runs]
    return [] if None in found else family([each for each in found if each is not None])


def files_of(run: StoredRun) -> dict[str, Json] | None:
    """The files of a run with the beginnings of their digests; None where it did not record any.

    One that was written stands for itself, beside one of its name that was read.
    """
    if not run.record.executions or not run.record.executions[-1].needs:
        return None
    try:
        files = run.files
    except (StoreError, NoRun):
        return {"files": "not readable"}
    held: dict[str, Json] = {}
    for file in files:
        name = f"{file.path} (written)" if file.mode == "write" else file.path
        held[name] = (file.before or file.hash)[:12] or f"{file.how}, {file.size} bytes"
        if file.mode == "both":
            held[f"{file.path} (written)"] = file.hash[:12]
    return held


def surroundings(runs: Sequence[StoredRun]) -> list[Line]:
    """Python, system, git, hardware and seeds; of the packages, which are hundreds, those that differ.

    Where a run has no list of packages, that is the difference and not each package.
    """
    found: list[dict[str, Json]] = []
    listings: list[dict[str, Json] | None] = []
    for run in runs:
        flat: dict[str, Json] = {}
        for part, facts in run.record.environment.items():
            _flatten("" if part == "env" else part, facts, flat)
        # a generator's state is a digest: two runs always differ in it, and it says nothing to a reader;
        # what recording cost is never the same twice either
        flat = {name: value for name, value in flat.items() if not name.startswith(_OF_THE_TIME)}
        if isinstance(flat.get("git.diff"), str):
            flat["git.diff"] = flat["git.diff"][:12]  # says whether uncommitted changes are the same
        listings.append(_packages(run, flat))
        found.append(flat)
    for flat, listing in zip(found, listings, strict=True):
        if listing is not None and None in listings:
            flat["packages"] = f"{len(listing)} recorded"
            continue
        for name, version in (listing or {}).items():
            flat.pop(name, None)
            flat[f"packages.{name}"] = version
    return [line for line in family(found) if line.differs or not line.name.startswith("packages.")]


def _packages(run: StoredRun, flat: dict[str, Json]) -> dict[str, Json] | None:
    """Takes out the reference to the list of packages and returns the list; None where there is none."""
    listing = flat.pop("packages", None)
    if not isinstance(listing, str):
        return None
    try:
        return json.loads(run.store.blobs.get(listing))
    except (StoreError, NoRun, ValueError):
        return {"list": "not readable"}


def _flatten(name: str, value: Json, into: dict[str, Json]) -> None:
    if not isinstance(value, Mapping):
        into[name] = value
        return
    for key, part in value.items():
        _flatten(f"{name}.{key}" if name else str(key), part, into)


def _names(families: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for family in families for name in family))


def _utc(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds // 1_000_000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
