"""A question to the trail, step by step: filters, orders and cuts, answered by the index as far as it can be exact."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from celltrail.errors import nearest
from celltrail.query import tree
from celltrail.query.evaluate import Points, Question
from celltrail.query.needs import resolved
from celltrail.query.sql import Compiler, Condition, NotExact, keys_of
from celltrail.store.index.cells import to_value
from celltrail.store.index.look import CHOSEN

if TYPE_CHECKING:
    from celltrail.contract import Goal
    from celltrail.store import Store
    from celltrail.store.catalogue.facts import Key
    from celltrail.store.index import Look

_HIDING = ("archived", "deleted")
_NEWEST = "created desc, id desc"


@dataclass(frozen=True, slots=True)
class Where:
    """Only runs that match an expression."""

    text: str
    node: tree.Node


@dataclass(frozen=True, slots=True)
class InProject:
    """Only runs of a project."""

    name: str


@dataclass(frozen=True, slots=True)
class Sorted:
    """By some keys, each a text, its tree, and whether it goes from high to low."""

    keys: tuple[tuple[str, tree.Node, bool], ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """Only a part of the runs."""

    part: slice


Step = Where | InProject | Sorted | Cut


@dataclass(slots=True)
class Row:
    """A run as its cells in the index tell it, for the evaluator."""

    id: str
    values: Mapping[Key, Any]


@dataclass(slots=True)
class _Stage:
    """Steps up to a cut."""

    projects: list[str] = field(default_factory=list)
    wheres: list[Where] = field(default_factory=list)
    orders: list[tuple[str, tree.Node, bool]] = field(default_factory=list)  # what counts most comes first
    part: slice = field(default_factory=lambda: slice(None))

    @property
    def asked(self) -> list[tuple[str, tree.Node]]:
        return [(where.text, where.node) for where in self.wheres] + [(text, node) for text, node, _ in self.orders]


@dataclass(slots=True)
class _Found:
    """What the index gave: runs, of which the evaluator may have to leave some out or to order them."""

    ids: list[str]
    rows: list[Row]  # of the same runs, where the evaluator needs more of them
    in_doubt: list[bool]
    conditions: list[tuple[str, Condition]]  # those that are left to it
    goals: dict[str, Goal]
    is_sorted: bool
    is_cut: bool
    hints: list[str]


def answer(store: Store, steps: Iterable[Step], shown: Iterable[str] = ()) -> tuple[list[str], list[str]]:
    """The ids of the runs, newest first unless sorted, and what is odd about the question.

    Archived and deleted runs come only to a question that names these words, or where they are to be ``shown``.
    """
    searched, hints = _searched(store, steps)
    stages, named = _stages(searched)
    named |= set(shown)
    ids: list[str] | None = None
    for stage in stages:
        keys = {key for _, node in stage.asked for key in keys_of(node)} | {(name,) for name in _HIDING}
        found = store.look(keys, _asking(stage, named, ids))
        hints += found.hints
        ids = _judged(store, stage, found)
    return ids or [], list(dict.fromkeys(hints))


def _searched(store: Store, steps: Iterable[Step]) -> tuple[list[Step], list[str]]:
    """The steps with the runs that their searches find."""
    found: list[Step] = []
    hints: list[str] = []

    def with_runs(node: tree.Node) -> tree.Node:
        node, told = resolved(node, store)
        hints.extend(told)
        return node

    for step in steps:
        match step:
            case Where(text, node):
                found.append(Where(text, with_runs(node)))
            case Sorted(keys):
                found.append(Sorted(tuple((text, with_runs(node), falling) for text, node, falling in keys)))
            case _:
                found.append(step)
    return found, hints


def goals_of(look: Look, nodes: Iterable[tree.Node]) -> dict[str, Goal]:
    """The direction of the metrics in these expressions, as the newest run says that says it."""
    names = {part.name for node in nodes for part in tree.walk(node) if isinstance(part, tree.Metric)}
    return {name: goal for name in names if (goal := look.goal(name))}


def points_of(store: Store) -> Callable[[str, str], Points | None]:
    """Reads series for `at`; the last run's are kept, as an expression asks for several of one run."""
    kept: dict[str, Any] = {}

    def points(run_id: str, metric: str) -> Points | None:
        if run_id not in kept:
            kept.clear()
            kept[run_id] = store.series(run_id)
        found = kept[run_id]
        return (found[metric].step, found[metric].value) if metric in found else None

    return points


def _stages(steps: Iterable[Step]) -> tuple[list[_Stage], set[str]]:
    stages = [_Stage()]
    named: set[str] = set()
    for step in steps:
        match step:
            case InProject(name):
                stages[-1].projects.append(name)
            case Where(node=node):
                stages[-1].wheres.append(step)
                named |= {part.name for part in tree.walk(node) if isinstance(part, tree.Field)}
            case Sorted(keys):
                stages[-1].orders[:0] = keys
            case Cut(part):
                stages[-1].part = part
                stages.append(_Stage())
    if len(stages) > 1 and stages[-1] == _Stage():
        stages.pop()
    return stages, named


def _asking(stage: _Stage, named: set[str], ids: Sequence[str] | None) -> Callable[[Look], _Found]:
    """How to ask the index for one stage: all runs, or those an earlier stage left."""

    def ask(look: Look) -> _Found:
        nodes = [node for _, node in stage.asked]
        goals = goals_of(look, nodes)
        metrics = look.names("metric") if nodes else {}
        compiler = Compiler(look.columns, goals.get, metrics.__contains__)
        conditions: list[tuple[str, Condition]] = []
        for where in stage.wheres:
            compiler.text = where.text
            conditions += [(where.text, condition) for condition in compiler.conditions(where.node)]
        parts = [_part(condition) for _, condition in conditions if condition.sql]
        parts += [f"project = {compiler.bind(name)}" for name in stage.projects]
        if ids is None:
            source, ties = "hot", _NEWEST
            hidden = [tree.Field(0, 0, name, (), "bool") for name in _HIDING if name not in named]
            parts += [f"not coalesce({compiler.truth(field)}, 0)" for field in hidden]
        else:
            source, ties = CHOSEN.format(ids=compiler.bind(json.dumps(ids))), "place"
        order = _order(compiler, stage, ties)
        conditions = [(text, condition) for text, condition in conditions if not condition.sql or condition.doubt]
        asked = [condition.node for _, condition in conditions] + ([] if order else [o[1] for o in stage.orders])
        needed = sorted({key for node in asked for key in keys_of(node)})
        doubt = " or ".join(condition.doubt for _, condition in conditions if condition.doubt) or "0"
        query = f"select id, {', '.join([doubt, *(look.columns[key].sql for key in needed)])} from {source}"
        query += f" where {' and '.join(parts)}" if parts else ""
        query += f" order by {order or ties}"
        limit = "" if conditions or not order else _limit(stage.part)
        found = look.select(query + limit, compiler.values)
        rows = _rows(look, needed, found) if asked else []
        doubts, found_ids = [bool(line[1]) for line in found if asked], [line[0] for line in found]
        hints = _hints(look, nodes, metrics)
        return _Found(found_ids, rows, doubts, conditions, goals, bool(order), bool(limit), hints)

    return ask


def _judged(store: Store, stage: _Stage, found: _Found) -> list[str]:
    """What the evaluator makes of what the index left to it."""
    if not found.conditions and found.is_sorted:
        return found.ids if found.is_cut else found.ids[stage.part]
    points = points_of(store)
    left = [
        (Question(condition.node, text, points, found.goals, cell_of), bool(condition.sql))
        for text, condition in found.conditions
    ]
    rows = [
        row
        for row, in_doubt in zip(found.rows, found.in_doubt, strict=True)
        if all((is_sure and not in_doubt) or question.matches(row) for question, is_sure in left)
    ]
    if not found.is_sorted:
        for text, node, falling in reversed(stage.orders):
            rows = in_order(rows, Question(node, text, points, found.goals, cell_of), falling)
    return [row.id for row in rows][stage.part]


def in_order(rows: list[Row], question: Question, falling: bool) -> list[Row]:
    """Stable; numbers before text before the rest, unknown last in both directions."""
    present: list[tuple[tuple[int, Any], Row]] = []
    absent: list[Row] = []
    for row in rows:
        value = question.value(row)
        if value is None or value != value:  # NaN is the only value that differs from itself
            absent.append(row)
        elif isinstance(value, int | float):
            present.append(((0, value), row))
        else:
            present.append(((1, value) if isinstance(value, str) else (2, repr(value)), row))
    present.sort(key=lambda pair: pair[0], reverse=falling)
    return [row for _, row in present] + absent


def _order(compiler: Compiler, stage: _Stage, ties: str) -> str:
    """The order as SQL, or "" where SQL cannot sort so; equal ones by ``ties``."""
    terms: list[str] = []
    for text, node, falling in stage.orders:
        compiler.text = text
        try:
            terms.append(f"{compiler.order(node)} {'desc' if falling else 'asc'} nulls last")
        except NotExact:
            return ""
    return ", ".join([*terms, ties])


def _part(condition: Condition) -> str:
    return f"({condition.sql} or {condition.doubt})" if condition.doubt else condition.sql


def _limit(part: slice) -> str:
    start, stop, step = part.start or 0, part.stop, part.step or 1
    if stop is None or start < 0 or stop < 0 or step != 1:
        return ""
    return f" limit {max(0, stop - start)} offset {start}"


def _rows(look: Look, keys: Sequence[Key], found: Iterable[Sequence[Any]]) -> list[Row]:
    """The rows with these cells, behind the id and the doubt of each."""
    kinds = [(key, look.columns[key].has) for key in keys]
    return [
        Row(run_id, {key: to_value(cell, has) for (key, has), cell in zip(kinds, cells, strict=True)})
        for run_id, _, *cells in found
    ]


def cell_of(row: Row, key: Key) -> Any:
    """The fact with this key of a run in the index."""
    return row.values[key]


def _hints(look: Look, nodes: Iterable[tree.Node], metrics: Mapping[str, int]) -> list[str]:
    """A sentence for each param or metric that no run has: a slip of the pen, more often than not."""
    if not nodes or not look.select("select 1 from hot limit 1"):
        return []
    params = look.names("param")
    hints: list[str] = []
    for part in (part for node in nodes for part in tree.walk(node)):
        if isinstance(part, tree.Metric | tree.At) and part.name not in metrics:
            hints.append(f"no run has the metric {part.name!r}{nearest(part.name, metrics)}")
        elif isinstance(part, tree.Field) and part.name == "params":
            name = ".".join(part.path)
            if not any(".".join(part.path[:taken]) in params for taken in range(1, len(part.path) + 1)):
                hints.append(f"no run has params.{name}{nearest(name, params)}")
    return hints
