"""A fact of a run by its name in the query language: from its record, or from the tables of its document.

The index fills its columns by these functions and the evaluator of expressions reads records by them, so
that both mean the same.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from celltrail.model import Metric, RunRecord, is_of_machine, is_seed, split_of
from celltrail.store.docs import edits, records

# ("status",), ("params", "lr"), ("metric", "last", "val/acc"): what a column of the index holds
Key = tuple[str, ...]
_TIMES = {"created": "created_us", "started": "started_us", "ended": "ended_us"}
_RENAMED = {"cell": "cell_id"}
_ENVIRONMENTS = {"env", "git", "hardware", "seeds", "state"}
_TOLD = ("goal", "last", "min", "max")  # of each metric in a table of runs
# those that stand in the table ``run`` as they are, with what they are of a run that does not say them
_PLAIN = {
    each.name: None if each.default is dataclasses.MISSING else each.default
    for each in dataclasses.fields(RunRecord)
    if each.default_factory is dataclasses.MISSING and not isinstance(each.default, tuple)
}
del _PLAIN["id"], _PLAIN["error"]
_WRITTEN = {"first", "last", "last_step", "min", "min_step", "max", "max_step", "sum"}  # in a document as they are


def fact_of(record: RunRecord, key: Key) -> Any:
    """The fact with this key, or None where the run has none.

    >>> fact_of(RunRecord("01", "a", "failed", "p", 0, 0), ("status",))
    'failed'
    """
    if key[0] != "metric":
        return field_of(record, key[0], key[1:])
    metric = record.metrics.get(key[2])
    return None if metric is None else metric.goal if key[1] == "goal" else aggregate_of(metric, key[1])


def field_of(record: RunRecord, name: str, path: tuple[str, ...] = ()) -> Any:
    """A fact of the run by its name in the language, or None where the run has none."""
    if name == "params":
        return dig({key: record.params[key].value for key in prefixes(path) if key in record.params}, path)
    if name == "summary":
        return dig(record.summary, path)
    if name in _ENVIRONMENTS:
        return dig(record.environment.get(name, {}), path)
    if name in _TIMES:
        moment = getattr(record, _TIMES[name])
        return None if moment is None else moment / 1e6
    if name == "duration":
        return duration_of(record)
    if name == "error":
        return None if record.error is None else str(record.error)
    if name == "notes":
        return "\n".join(record.notes)
    if name == "comments":
        return "\n".join(comment.text for comment in record.comments)
    if name == "tags":
        return list(record.tags)
    if name in ("data", "models"):
        return list(getattr(record, name))
    if name == "splits":
        return splits_of(record.metrics)
    if name == "seeded":
        return _is_seeded(record.environment, record.params)
    if name == "recipe":
        return next((execution.recipe for execution in reversed(record.executions) if execution.recipe), None)
    return getattr(record, _RENAMED.get(name, name))


def splits_of(metrics: Iterable[str]) -> list[str]:
    """The splits that metrics were measured on, as their names say.

    >>> splits_of(["train/loss", "val/acc", "val_loss", "lr"])
    ['train', 'val']
    """
    return list(dict.fromkeys(split for name in metrics if (split := split_of(name)) and not is_of_machine(name)))


def _is_seeded(environment: Mapping[str, Any], params: Iterable[str]) -> bool:
    """Whether its random numbers come from seeds: one was set, is a parameter, or its code seeds all that it draws."""
    if environment.get("seeds") or any(is_seed(name) for name in params):
        return True
    drawn = environment.get("randomness", {})
    return bool(drawn.get("seeded")) and not drawn.get("unseeded")


def duration_of(record: RunRecord) -> float | None:
    """Seconds from start to end; None while there is no end."""
    if record.duration_s is not None:
        return record.duration_s
    return None if record.ended_us is None else (record.ended_us - record.started_us) / 1e6


def aggregate_of(metric: Metric, aggregate: str) -> float | int | None:
    """A number from a metric's summary; None where nothing was logged under it."""
    if aggregate in {"count", "nan_count"}:
        return getattr(metric, aggregate)
    if not metric.count:
        return None
    if aggregate == "mean":
        numbers = metric.count - metric.nan_count
        return metric.sum / numbers if numbers else math.nan
    return getattr(metric, aggregate)


def prefixes(path: tuple[str, ...]) -> list[str]:
    """The names that ``a.b.c`` may begin with, longest first.

    >>> prefixes(("a", "b"))
    ['a.b', 'a']
    """
    return [".".join(path[:taken]) for taken in range(len(path), 0, -1)]


def dig(found: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """``a.b`` is the name "a.b" where there is one, else "b" inside the value of "a"."""
    for skipped, key in enumerate(prefixes(path)):
        if key in found:
            rest, value = path[len(path) - skipped :], found[key]
            if not rest:
                return value
            if isinstance(value, Mapping):
                return dig(value, rest)
    return None


class Document:
    """The tables of a run's document and what people said of it, from which facts are read one by one.

    Measured: a third of the time of making the whole record, which counts over thousands of runs.
    """

    __slots__ = ("_record", "said", "tables")

    def __init__(self, tables: Any, said: Mapping[str, Any]) -> None:
        self.tables = tables
        self.said = said
        self._record: RunRecord | None = None

    def fact(self, key: Key) -> Any:
        """The same as `fact_of` the record of the run; None also where another hand wrote something odd there."""
        try:
            return self._fact(key)
        except (TypeError, ValueError, AttributeError, KeyError, OverflowError):
            return None

    def _fact(self, key: Key) -> Any:
        family = key[0]
        if family == "metric":
            fields = self.tables.get("metrics", {}).get(key[2])
            if fields is None:
                return None
            metric = records.metrics_of({key[2]: fields})[key[2]]
            return metric.goal if key[1] == "goal" else aggregate_of(metric, key[1])
        if family in {"params", "summary"} and not self.said:
            entries, path = self.tables.get(family, {}), key[1:]
            return dig({name: entries[name].get("value") for name in prefixes(path) if name in entries}, path)
        if family in _ENVIRONMENTS:
            return dig(self.tables.get("environment", {}).get(family, {}), key[1:])
        if family == "splits":
            return splits_of(self.tables.get("metrics", {}))
        if family in {"data", "models"}:
            said = [name.partition(":")[2] for name in self.said if name.startswith(f"{family.rstrip('s')}:")]
            return list(dict.fromkeys([*self.tables.get(family, ()), *said]))
        if family == "seeded":
            return _is_seeded(self.tables.get("environment", {}), self.values("params"))
        if family == "recipe":
            found = [execution.get("recipe") for execution in self.tables.get("executions", {}).values()]
            return next((recipe for recipe in reversed(found) if recipe), None)
        return field_of(self._slim(), family, key[1:])

    def values(self, family: str) -> dict[str, Any]:
        """The params or the summary entries by name, as people corrected them."""
        if not self.said:
            return {name: entry.get("value") for name, entry in self.tables.get(family, {}).items()}
        record = self._slim()
        return record.summary if family == "summary" else {name: each.value for name, each in record.params.items()}

    @property
    def metrics(self) -> dict[str, Metric]:
        """The summaries of the metrics by name."""
        return records.metrics_of(self.tables.get("metrics", {}))

    def entries(self) -> Iterator[tuple[Key, Any]]:
        """The facts of every param, summary entry and metric: of these the goal, the last value and the extremes."""
        for family in ("params", "summary"):
            yield from (((family, name), value) for name, value in self.values(family).items())
        for name, fields in self.tables.get("metrics", {}).items():
            is_plain = fields.get("count") and fields.keys() >= {*_TOLD}
            for aggregate in _TOLD:
                key = ("metric", aggregate, name)
                yield key, fields[aggregate] if is_plain else self.fact(key)

    @property
    def run(self) -> Mapping[str, Any]:
        """The fields of the table ``run``."""
        return next(iter(self.tables["run"].values()))

    def _slim(self) -> RunRecord:
        """The record without its metrics and executions."""
        if self._record is None:
            needed = ("run", "params", "summary") if self.said else ("run",)
            record = records.record_of({table: self.tables[table] for table in needed if table in self.tables})
            self._record = edits.applied(record, self.said)
        return self._record


def reader(key: Key) -> Callable[[Document], Any]:
    """What reads the fact with this key from one document after the other, for questions over thousands of runs."""
    match key:
        case ("id",):
            return _id_of
        case (name,) if name in _TIMES or name in {"duration", "tags"} or _RENAMED.get(name, name) in _PLAIN:
            read = _of_run(name)

            def told(document: Document) -> Any:
                try:
                    return document.fact(key) if document.said else read(document.run)
                except (KeyError, TypeError):
                    return document.fact(key)

            return told
        case ("params" | "summary" as family, name):

            def value(document: Document) -> Any:
                try:
                    return document.fact(key) if document.said else document.tables[family][name]["value"]
                except (KeyError, TypeError):
                    return document.fact(key)

            return value
        case ("metric", "goal", name):

            def goal(document: Document) -> Any:
                try:
                    return document.tables["metrics"][name]["goal"]
                except (KeyError, TypeError):
                    return document.fact(key)

            return goal
        case ("metric", aggregate, name) if aggregate in _WRITTEN:

            def summary(document: Document) -> Any:
                try:
                    fields = document.tables["metrics"][name]
                    return fields[aggregate] if fields["count"] else document.fact(key)
                except (KeyError, TypeError):
                    return document.fact(key)

            return summary
        case _:
            return lambda document: document.fact(key)


def _id_of(document: Document) -> str:
    return next(iter(document.tables["run"]))


def _duration(run: Mapping[str, Any]) -> float | None:
    if run.get("duration_s") is not None:
        return run["duration_s"]
    return None if run.get("ended_us") is None else (run["ended_us"] - run["started_us"]) / 1e6


def _of_run(name: str) -> Callable[[Mapping[str, Any]], Any]:
    """Reads what `field_of` the record says, from the fields of the table ``run``."""
    if name in _TIMES:
        written = _TIMES[name]
        return lambda run: None if run.get(written) is None else run[written] / 1e6
    if name == "tags":
        return lambda run: list(run.get("tags") or ())
    if name == "duration":
        return _duration
    written = _RENAMED.get(name, name)
    default = _PLAIN[written]
    return lambda run: run.get(written, default)


@dataclass(slots=True)
class Named:
    """The names of what some runs have, in the order in which they were met."""

    params: dict[str, None] = field(default_factory=dict)
    metrics: dict[str, None] = field(default_factory=dict)
    summary: dict[str, None] = field(default_factory=dict)
    goals: dict[str, str] = field(default_factory=dict)  # of metrics, by the first run that says it

    @classmethod
    def of(cls, found: Iterable[RunRecord]) -> Named:
        """Those of these runs."""
        named = cls()
        for record in found:
            goals = {name: metric.goal for name, metric in record.metrics.items()}
            named.add(record.params, goals, record.summary)
        return named

    def add(self, params: Iterable[str], goals: Mapping[str, str], summary: Iterable[str]) -> None:
        """Those of one run more; ``goals`` has all its metrics."""
        self.params.update(dict.fromkeys(params))
        self.summary.update(dict.fromkeys(summary))
        for name, goal in goals.items():
            self.metrics[name] = None
            if goal != "none":
                self.goals.setdefault(name, goal)

    def add_document(self, document: Document) -> None:
        """Those of the run with this document."""
        tables, said = document.tables, document.said
        added: dict[str, list[str]] = {"param": [], "summary": []}
        for name, value in said.items():
            kind, _, rest = name.partition(":")
            if kind in added and value is not None:
                added[kind].append(rest)
        goals = {name: fields.get("goal", "none") for name, fields in tables.get("metrics", {}).items()}
        self.add([*tables.get("params", ()), *added["param"]], goals, [*tables.get("summary", ()), *added["summary"]])
