"""Expressions as SQL over the columns of the index, three-valued as the evaluator is.

What SQL cannot answer exactly is left to the evaluator: a whole condition (points, patterns, ``%``), or single
rows (those whose cell is a list, a dict or a huge integer). Traps, all of SQLite: text is above every number, so
``lr > 0.1`` would match "auto"; ``3/2`` is 1; integer sums beyond 64 bits become real; NaN cannot be kept.
Values are bound, never written into the text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from celltrail.model import goal_of
from celltrail.query import tree
from celltrail.query.evaluate import undirected
from celltrail.store.catalogue.facts import Key
from celltrail.store.index.cells import BIG, BOOL, NAN, NAN_CELL, NUMBER, ODD, TEXT, Column

if TYPE_CHECKING:
    from celltrail.contract import Goal

_NUMBERS = NUMBER | BOOL | BIG
_EXACT = 2**53  # integers up to here are exact as real
_LARGEST = 2**63 - 1
_NAN_SQL = f"x'{NAN_CELL.hex()}'"
_UNKNOWN = "null"


class NotExact(Exception):
    """Nothing is wrong: the evaluator has to answer this part."""


@dataclass(frozen=True, slots=True)
class Value:
    """A part of an expression as SQL: which kinds of cells it can be, and how large an integer."""

    sql: str
    has: int
    bound: int = 0
    is_short: bool = False  # may be written down more than once

    @property
    def number(self) -> str:
        """It where it is a number, else NULL."""
        if not self.has & _NUMBERS:
            return _UNKNOWN
        if not self.has & ~_NUMBERS:
            return self.sql
        return f"(case when typeof({self.sql}) in ('integer', 'real') then {self.sql} end)"

    @property
    def clean(self) -> str:
        """It where it is a number or text, else NULL."""
        if not self.has & (TEXT | _NUMBERS):
            return _UNKNOWN
        if not self.has & (NAN | ODD):
            return self.sql
        return f"(case when typeof({self.sql}) <> 'blob' then {self.sql} end)"


@dataclass(slots=True)
class Condition:
    """Something that must be true of a run."""

    node: tree.Node
    sql: str = ""  # "" when only the evaluator can tell
    doubt: str = ""  # where this is true the evaluator has to tell, although there is SQL


@dataclass(slots=True)
class Compiler:
    """Compiles the expressions of one statement, whose bound values it collects.

    ``goal`` tells the direction of a metric as some run declared it, and ``is_metric`` whether any run has it.
    """

    columns: Mapping[Key, Column]
    goal: Callable[[str], Goal | None]
    is_metric: Callable[[str], bool]
    text: str = ""  # of the expression, for errors
    values: dict[str, Any] = field(default_factory=dict)
    _odd: set[str] = field(default_factory=set)

    def conditions(self, node: tree.Node) -> list[Condition]:
        """The expression as conditions that must all be true."""
        if isinstance(node, tree.And):
            return [condition for item in node.items for condition in self.conditions(item)]
        self._odd.clear()
        try:
            sql = self.truth(node)
        except NotExact:
            return [Condition(node)]
        doubt = " or ".join(f"(typeof({col}) = 'blob' and {col} <> {_NAN_SQL})" for col in sorted(self._odd))
        return [Condition(node, sql, doubt)]

    def order(self, node: tree.Node) -> str:
        """What to sort by; what a run does not have is NULL. Raises `NotExact`."""
        self._odd.clear()
        value = self.value(node)
        if self._odd or value.has & ODD:  # a huge integer in it: 2**70 > 1 is known to Python only
            raise NotExact
        return f"nullif({value.sql}, {_NAN_SQL})" if value.has & NAN else value.sql

    def bind(self, value: Any) -> str:
        """A place for a value."""
        if isinstance(value, bool):
            value = int(value)
        if isinstance(value, int) and not -_LARGEST <= value <= _LARGEST:
            raise NotExact
        if isinstance(value, str) and not _is_utf8(value):
            raise NotExact
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    # values

    def value(self, node: tree.Node) -> Value:
        """The SQL of a value."""
        match node:
            case tree.Literal(value=value):
                return self._literal(value)
            case tree.Unknown():
                return Value(_UNKNOWN, 0, is_short=True)
            case tree.Field(name=name, path=path):
                return self._column((name, *path))
            case tree.Metric():
                return self._metric(node)
            case tree.Arithmetic(sign=sign, left=left, right=right):
                return self._arithmetic(sign, self.value(left), self.value(right))
            case tree.Negative(operand=operand):
                value = self.value(operand)
                return Value(f"(-{value.number})", NUMBER, value.bound)
            case tree.ListOf() | tree.At() | tree.Matches() | tree.IsClose():
                raise NotExact
            case _:
                return Value(self.truth(node), BOOL, 1)

    def _literal(self, value: str | float | int | bool) -> Value:
        kind = TEXT if isinstance(value, str) else NUMBER
        bound = abs(value) if isinstance(value, int) else 0
        return Value(self.bind(value), kind, bound, is_short=True)

    def _column(self, key: Key) -> Value:
        column = self.columns[key]
        if column.has & ODD:
            self._odd.add(column.sql)
        bound = _LARGEST if column.has & BIG else 2**31
        return Value(column.sql, column.has, bound, is_short=True)

    def _metric(self, node: tree.Metric) -> Value:
        if node.aggregate not in {"best", "best_step"}:
            return self._column(("metric", node.aggregate, node.name))
        default = self.goal(node.name) or goal_of(node.name)
        if default == "none":
            if self.is_metric(node.name):
                raise undirected(self.text, node)
            return Value(_UNKNOWN, 0, is_short=True)
        suffix = "_step" if node.aggregate == "best_step" else ""
        low, high = (self._column(("metric", f"{goal}{suffix}", node.name)) for goal in ("min", "max"))
        goal = self.columns["metric", "goal", node.name].sql
        other = low if default == "min" else high
        sql = f"(case {goal} when 'min' then {low.sql} when 'max' then {high.sql} else {other.sql} end)"
        return Value(sql, low.has | high.has, max(low.bound, high.bound), is_short=True)

    def _arithmetic(self, sign: tree.Sign, left: Value, right: Value) -> Value:
        if sign == "%":
            raise NotExact
        if sign == "/":
            if max(left.bound, right.bound) > _EXACT:
                raise NotExact
            return Value(f"(cast({left.number} as real) / {right.number})", NUMBER)
        bound = left.bound * right.bound if sign == "*" else left.bound + right.bound
        if bound > _LARGEST:
            raise NotExact
        return Value(f"({left.number} {sign} {right.number})", NUMBER, bound)

    # conditions

    def truth(self, node: tree.Node) -> str:
        """The SQL of a yes or no: 1, 0 or NULL."""
        match node:
            case tree.Not(operand=operand):
                return f"(not {self.truth(operand)})"
            case tree.And(items=items):
                return f"({' and '.join(self.truth(item) for item in items)})"
            case tree.Or(items=items):
                return f"({' or '.join(self.truth(item) for item in items)})"
            case tree.Compare(order=order, left=left, right=right):
                return self._compare(order, self.value(left), self.value(right))
            case tree.Member(item=item, container=container):
                return self._member(item, container)
            case tree.IsMissing(operand=operand):
                return self._missing(operand)
            case tree.IsNan(operand=operand):
                return self._nan(operand)
            case tree.Search(runs=runs) if runs is not None:
                return f"(hot.id in (select value from json_each({self.bind(json.dumps(sorted(runs)))})))"
            case _:
                return self._yes(self.value(node))

    def _yes(self, value: Value) -> str:
        if not value.has & TEXT:
            return f"({value.number} <> 0)"
        sql = value.sql
        return f"(case typeof({sql}) when 'text' then {sql} <> '' when 'blob' then null else {sql} <> 0 end)"

    def _compare(self, order: tree.Order, left: Value, right: Value) -> str:
        if order in {"==", "!="}:
            return f"({left.clean} {'=' if order == '==' else '<>'} {right.clean})"
        if not left.has & TEXT and not right.has & TEXT:
            return f"({left.number} {order} {right.number})"
        if left.has == TEXT and right.has == TEXT:
            return f"({left.sql} {order} {right.sql})"
        if left.has & TEXT and right.has & TEXT:
            same = f"(typeof({left.sql}) = 'text') = (typeof({right.sql}) = 'text')"
            return f"(case when {same} then {left.clean} {order} {right.clean} end)"
        return f"({left.number} {order} {right.number})"

    def _member(self, item: tree.Node, container: tree.Node) -> str:
        if isinstance(container, tree.Field) and container.name == "tags" and isinstance(item, tree.Literal):
            if not isinstance(item.value, str):
                return "0"
            return f"exists (select 1 from tag where tag.rid = hot.rid and tag.tag = {self.bind(item.value)})"
        found = self.value(item)
        if isinstance(container, tree.ListOf):
            return self._listed(found, container.items)
        inside = self.value(container)
        if not (found.is_short and inside.is_short):
            raise NotExact
        part, whole = found.clean, inside.clean
        texts = f"typeof({found.sql}) = 'text' and typeof({inside.sql}) = 'text'"
        unknown = f"{part} is null or {whole} is null"
        return f"(case when {unknown} then null when {texts} then instr({whole}, {part}) > 0 else 0 end)"

    def _listed(self, found: Value, items: Iterable[tree.Node]) -> str:
        items = tuple(items)
        if not items:
            return "0"
        if all(isinstance(item, tree.Literal) for item in items):
            return f"({found.clean} in ({', '.join(self.value(item).sql for item in items)}))"
        if not found.is_short:
            raise NotExact
        return f"({' or '.join(f'{found.clean} = {self.value(item).clean}' for item in items)})"

    def _missing(self, operand: tree.Node) -> str:
        if isinstance(operand, tree.Literal | tree.ListOf):
            return "0"
        if isinstance(operand, tree.Arithmetic | tree.Negative):
            raise NotExact  # NaN is not missing, and SQLite has none
        odd = set(self._odd)
        sql = f"({self.value(operand).sql} is null)"
        if isinstance(operand, tree.Field | tree.Metric):
            self._odd = odd  # whatever the cell is, it is there
        return sql

    def _nan(self, operand: tree.Node) -> str:
        if isinstance(operand, tree.Literal):
            return "0"
        if isinstance(operand, tree.Arithmetic | tree.Negative | tree.ListOf):
            raise NotExact
        odd = set(self._odd)
        value = self.value(operand)
        if isinstance(operand, tree.Field | tree.Metric):
            self._odd = odd
            return f"({value.sql} = {_NAN_SQL})"
        return f"(case when {value.sql} is null then null else 0 end)"


def keys_of(node: tree.Node) -> set[Key]:
    """The facts an expression is about."""
    keys: set[Key] = set()
    for part in tree.walk(node):
        match part:
            case tree.Field(name=name, path=path):
                keys.add((name, *path))
            case tree.Metric(aggregate="best" | "best_step" as best, name=name):
                suffix = best.removeprefix("best")
                keys |= {("metric", f"min{suffix}", name), ("metric", f"max{suffix}", name), ("metric", "goal", name)}
            case tree.Metric(aggregate=aggregate, name=name):
                keys.add(("metric", aggregate, name))
            case tree.At(name=name):
                keys.add(("metric", "count", name))
            case _:
                pass
    return keys


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
