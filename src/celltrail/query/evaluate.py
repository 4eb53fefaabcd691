"""Answers an expression for one run: True, False, or None where the run does not tell.

Three-valued as in SQL: what is missing compares as unknown, so a run without ``params.lr`` matches neither
``params.lr > 1`` nor ``not params.lr > 1``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any

from celltrail.errors import QueryError
from celltrail.model import goal_of
from celltrail.query import tree
from celltrail.store.catalogue.facts import Key, aggregate_of, duration_of, fact_of, field_of

if TYPE_CHECKING:
    from celltrail.contract import Goal

__all__ = ["Points", "Question", "Truth", "aggregate_of", "duration_of", "equal", "field_of", "truth", "undirected"]

Truth = bool | None
Points = tuple[Any, Any]  # steps and values, two arrays of one length, as logged
_NUMBER = (int, float)
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def _no_points(run_id: str, metric: str) -> Points | None:
    return None


@dataclass(slots=True)
class Question:
    """A tree with what is needed to answer it."""

    node: tree.Node
    text: str = ""
    points: Callable[[str, str], Points | None] = _no_points
    goals: Mapping[str, Goal] = field(default_factory=dict)  # declared by any run of the trail
    facts: Callable[[Any, Key], Any] = fact_of  # of what is asked: a record, or a row of the index

    def matches(self, record: Any) -> bool:
        """Whether the run is among the answers."""
        return truth(self.value(record)) is True

    def value(self, record: Any) -> Any:
        """What the expression is for this run; None when unknown or missing."""
        return _VALUES[type(self.node)](self, self.node, record)

    def of(self, node: tree.Node, record: Any) -> Any:
        """The value of a part."""
        return _VALUES[type(node)](self, node, record)


def truth(value: Any) -> Truth:
    """A value where a yes or no is wanted: as in Python, but missing and NaN are unknown."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, float) and math.isnan(value):
        return None
    return bool(value)


def equal(left: Any, right: Any) -> Truth:
    """Equality; across kinds it is false, with something missing it is unknown."""
    if _unknown(left) or _unknown(right):
        return None
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        if len(left) != len(right):
            return False
        return _all(equal(one, other) for one, other in zip(left, right, strict=True))
    if _kind(left) != _kind(right):
        return False
    return bool(left == right)


def _unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _kind(value: Any) -> str:
    return "number" if isinstance(value, _NUMBER) else type(value).__name__


def _all(answers: Any) -> Truth:
    found: Truth = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            found = None
    return found


def _any(answers: Any) -> Truth:
    found: Truth = False
    for answer in answers:
        if answer is True:
            return True
        if answer is None:
            found = None
    return found


def _opposite(answer: Truth) -> Truth:
    return None if answer is None else not answer


def _none(ask: Question, node: tree.Unknown, record: Any) -> None:
    return None


def _literal(ask: Question, node: tree.Literal, record: Any) -> Any:
    return node.value


def _list(ask: Question, node: tree.ListOf, record: Any) -> list[Any]:
    return [ask.of(item, record) for item in node.items]


def _field(ask: Question, node: tree.Field, record: Any) -> Any:
    return ask.facts(record, (node.name, *node.path))


def _metric(ask: Question, node: tree.Metric, record: Any) -> Any:
    if node.aggregate in {"best", "best_step"}:
        return _best(ask, node, record)
    return ask.facts(record, ("metric", node.aggregate, node.name))


def _best(ask: Question, node: tree.Metric, record: Any) -> Any:
    goal = ask.facts(record, ("metric", "goal", node.name))
    if goal is None:
        return None
    if goal == "none":
        goal = ask.goals.get(node.name, goal_of(node.name))
    if goal == "none":
        raise undirected(ask.text, node)
    return ask.facts(record, ("metric", f"{goal}_step" if node.aggregate == "best_step" else goal, node.name))


def undirected(text: str, node: tree.Metric) -> QueryError:
    """The error of asking for the best of a metric of which nobody said what is better."""
    return QueryError(
        text,
        node.start,
        node.end,
        f"whether less or more of {node.name!r} is better is not known",
        f'ask max("{node.name}") or min("{node.name}"), or declare it: run.define_metric("{node.name}", goal="max")',
    )


def _at(ask: Question, node: tree.At, record: Any) -> Any:
    step = ask.of(node.step, record)
    is_there = ask.facts(record, ("metric", "count", node.name)) is not None
    if not is_there or not isinstance(step, _NUMBER) or _unknown(step):
        return None
    points = ask.points(record.id, node.name)
    if points is None:
        return None
    steps, values = points
    chosen = (steps <= step).nonzero()[0]
    if not len(chosen):
        return None
    # steps may repeat or go back: the highest one counts, and of its points the one logged last
    highest = steps[chosen].max()
    return float(values[chosen[(steps[chosen] == highest).nonzero()[0][-1]]])


def _arithmetic(ask: Question, node: tree.Arithmetic, record: Any) -> Any:
    left, right = ask.of(node.left, record), ask.of(node.right, record)
    if not isinstance(left, _NUMBER) or not isinstance(right, _NUMBER):
        return None
    try:
        match node.sign:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                return left / right
            case "%":
                return left % right
    except (ZeroDivisionError, OverflowError):
        return None


def _negative(ask: Question, node: tree.Negative, record: Any) -> Any:
    value = ask.of(node.operand, record)
    return -value if isinstance(value, _NUMBER) else None


def _compare(ask: Question, node: tree.Compare, record: Any) -> Truth:
    left, right = ask.of(node.left, record), ask.of(node.right, record)
    if node.order == "==":
        return equal(left, right)
    if node.order == "!=":
        return _opposite(equal(left, right))
    numbers = isinstance(left, _NUMBER) and isinstance(right, _NUMBER)
    texts = isinstance(left, str) and isinstance(right, str)
    if not (numbers or texts) or _unknown(left) or _unknown(right):
        return None
    return _ORDERS[node.order](left, right)


def _member(ask: Question, node: tree.Member, record: Any) -> Truth:
    item, container = ask.of(node.item, record), ask.of(node.container, record)
    if isinstance(container, list | tuple):
        return _any(equal(item, each) for each in container)
    if _unknown(item) or _unknown(container):
        return None
    if isinstance(container, str):
        return isinstance(item, str) and item in container
    return isinstance(container, Mapping) and item in container


def _missing(ask: Question, node: tree.IsMissing, record: Any) -> bool:
    return ask.of(node.operand, record) is None


def _nan(ask: Question, node: tree.IsNan, record: Any) -> Truth:
    value = ask.of(node.operand, record)
    return None if value is None else isinstance(value, float) and math.isnan(value)


def _close(ask: Question, node: tree.IsClose, record: Any) -> Truth:
    left, right = ask.of(node.left, record), ask.of(node.right, record)
    if _unknown(left) or _unknown(right) or not isinstance(left, _NUMBER) or not isinstance(right, _NUMBER):
        return None
    try:
        return math.isclose(left, right)
    except OverflowError:
        return False


def _matches(ask: Question, node: tree.Matches, record: Any) -> Truth:
    value = ask.of(node.operand, record)
    return node.pattern.is_in(value) if isinstance(value, str) else None


def _search(ask: Question, node: tree.Search, record: Any) -> Truth:
    return None if node.runs is None else record.id in node.runs


def _not(ask: Question, node: tree.Not, record: Any) -> Truth:
    return _opposite(truth(ask.of(node.operand, record)))


def _and(ask: Question, node: tree.And, record: Any) -> Truth:
    return _all(truth(ask.of(item, record)) for item in node.items)


def _or(ask: Question, node: tree.Or, record: Any) -> Truth:
    return _any(truth(ask.of(item, record)) for item in node.items)


_VALUES: dict[type[tree.Node], Callable[[Question, Any, Any], Any]] = {
    tree.Unknown: _none,
    tree.Literal: _literal,
    tree.ListOf: _list,
    tree.Field: _field,
    tree.Metric: _metric,
    tree.At: _at,
    tree.Arithmetic: _arithmetic,
    tree.Negative: _negative,
    tree.Compare: _compare,
    tree.Member: _member,
    tree.IsMissing: _missing,
    tree.IsNan: _nan,
    tree.IsClose: _close,
    tree.Matches: _matches,
    tree.Search: _search,
    tree.Not: _not,
    tree.And: _and,
    tree.Or: _or,
}
