"""Columns of a table of runs: by the names of `RunSet.df`, or by any expression."""

from __future__ import annotations

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from celltrail.errors import BadValue, QueryError, nearest
from celltrail.model import RunRecord, is_of_machine, trained
from celltrail.query import words
from celltrail.query.asking import Row, cell_of
from celltrail.query.evaluate import Question
from celltrail.query.language import parse, parse_column
from celltrail.query.plain import MARKS, length, moment, shown
from celltrail.query.sql import keys_of
from celltrail.store.catalogue.facts import Key, Named, fact_of

FACTS = (
    "id",
    "name",
    "status",
    "created",
    "duration",
    "tags",
    "notes",
    "error",
    "project",
    "group",
    "folder",
    "starred",
    "rating",
    "host",
    "parent",
    "notebook",
    "cell",
)


class _Called(Protocol):
    """Whatever has the name and the id of a run."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, the facts of a run it needs, and what it makes of them."""

    name: str
    keys: tuple[Key, ...]
    of: Callable[..., Any]
    numeric: bool = False  # float64 also where nothing is missing

    def value(self, record: RunRecord) -> Any:
        """The cell of a run."""
        return self.of(*(fact_of(record, key) for key in self.keys))

    @property
    def title(self) -> str:
        """The name as a reader of a small table wants it."""
        family, _, rest = self.name.partition(".")
        return {"params": rest, "metrics": rest, "summary": rest, "best": f"best {rest}"}.get(family, self.name)

    def text(self, record: RunRecord) -> str:
        """The cell as text."""
        value = self.value(record)
        if self.name == "status":
            return f"{MARKS[record.status]} {record.status}"
        if self.name in {"created", "started", "ended"} and value is not None:
            return moment(value)
        return length(value) if self.name == "duration" else shown(value)


def every_column(named: Named) -> list[Column]:
    """The facts, then each param, each metric's last and best value and each summary entry of any run."""
    names = [*FACTS, *(f"params.{name}" for name in named.params)]
    metrics = [name for name in named.metrics if not is_of_machine(name)]
    names += [f"metrics.{name}" for name in metrics]
    names += [f"best.{name}" for name in metrics if name in named.goals]
    names += [f"summary.{name}" for name in named.summary]
    return [known_column(name, named.goals) for name in names]


def keys_for(names: Iterable[str]) -> list[Key]:
    """All the facts that columns of these names may need, whatever the runs turn out to have."""
    keys: dict[Key, None] = {("id",): None}
    for name in names:
        family, _, rest = name.partition(".")
        goals = {rest: "none"} if family == "best" else {}
        keys |= dict.fromkeys(known_column(name, goals).keys)
        with contextlib.suppress(QueryError):
            node, _ = read_key(name)
            keys |= dict.fromkeys(sorted(keys_of(node)))
    return list(keys)


def chosen_columns(
    names: Iterable[str],
    named: Named,
    ask: Callable[[str], Question],
    asked: Mapping[str, Callable[[str], Any]] = {},
) -> list[Column]:
    """These columns; what is no column's name is read as an expression.

    Args:
        names: the columns.
        named: what the runs have.
        ask: reads an expression.
        asked: columns that stand in no index: by name, what tells one of a run by its id.
    """
    known = {column.name: column for column in every_column(named)}
    known |= {name: Column(name, (("id",),), tell) for name, tell in asked.items()}
    chosen: list[Column] = []
    for name in names:
        if name in known:
            chosen.append(known[name])
            continue
        try:
            question = ask(name)
        except QueryError as problem:
            tail = nearest(name, known)
            raise BadValue(f"no column {name!r}{tail or f', and no expression: {problem.message}'}") from None
        chosen.append(_answering(name, question))
    return chosen


def short_columns(records: Sequence[RunRecord]) -> list[Column]:
    """The few columns that tell these runs apart: for a terminal or a paper."""
    names = ["name", "status", "created", "duration"]
    names += [f"params.{name}" for name in varying(records)][:5]
    names += telling_metrics(records)
    if any(record.tags for record in records):
        names.append("tags")
    goals = _goals(records)
    return [known_column(name, goals) for name in names]


def read_key(text: str) -> tuple[Any, bool]:
    """A sort key: its tree, and whether it begins with "-" and so goes from high to low."""
    falling = text.lstrip().startswith("-")
    bare = text.lstrip()[1:] if falling else text
    try:
        return parse(bare), falling
    except QueryError as problem:
        column = parse_column(bare.strip())
        if column is None:
            raise problem
        return column, falling


def known_column(name: str, goals: Mapping[str, str]) -> Column:
    """The column of this name; ``goals`` say which way a metric without a word of its own is better."""
    family, _, rest = name.partition(".")
    match family:
        case "metrics" if rest:
            return Column(name, (("metric", "last", rest),), _itself, numeric=True)
        case "best" if rest:
            goal = goals[rest]

            def best(said: str | None, low: float | None, high: float | None) -> float | None:
                """A run that does not say what is better goes by what another run said."""
                return low if (goal if said in {None, "none"} else said) == "min" else high

            keys = tuple(("metric", each, rest) for each in ("goal", "min", "max"))
            return Column(name, keys, best, numeric=True)
        case "params" | "summary" if rest:
            return Column(name, ((family, rest),), _itself)
        case _:
            return Column(name, ((name,),), _itself, numeric=name == "duration")


def _itself(fact: Any) -> Any:
    return fact


def _answering(name: str, question: Question) -> Column:
    """The column of what an expression is for each run."""
    keys = (("id",), *sorted(keys_of(question.node)))
    asked = dataclasses.replace(question, facts=cell_of)
    return Column(name, keys, lambda *facts: asked.value(Row(facts[0], dict(zip(keys, facts, strict=True)))))


def _names(families: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for family in families for name in family))


def _goals(records: Iterable[RunRecord]) -> dict[str, str]:
    found: dict[str, str] = {}
    for record in records:
        for name, metric in record.metrics.items():
            if metric.goal != "none":
                found.setdefault(name, metric.goal)
    return found


def varying(records: Sequence[RunRecord]) -> list[str]:
    """The params that are not the same in all of these runs; of a single run, all it has."""
    return [name for name in _names(record.params for record in records) if _varies(name, records)]


def _varies(name: str, records: Sequence[RunRecord]) -> bool:
    seen = {repr(record.params[name].value) if name in record.params else None for record in records}
    return len(seen) > 1 or len(records) == 1


def telling_metrics(records: Sequence[RunRecord], most: int = 3) -> list[str]:
    """The metrics most runs have; those with a direction and of held-out data first."""
    goals = _goals(records)
    counts = {name: sum(name in record.metrics for record in records) for name in _names(map(trained, records))}

    def rank(name: str) -> tuple[bool, bool, int]:
        return (name not in goals, not name.startswith(("val", "test", "eval")), -counts[name])

    return [f"best.{name}" if name in goals else f"metrics.{name}" for name in sorted(counts, key=rank)[:most]]


def is_time(name: str) -> bool:
    """Whether a column holds moments."""
    return words.FIELDS.get(name) == "time"


def labels(runs: Sequence[_Called]) -> list[str]:
    """The runs' names, with the end of the id where a name occurs twice."""
    counts = Counter(run.name for run in runs)
    return [run.name if counts[run.name] == 1 else f"{run.name} ({run.id[-6:]})" for run in runs]
