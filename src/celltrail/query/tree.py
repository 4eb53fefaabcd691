"""The typed tree of a query expression: what `language.parse` makes and `evaluate` reads.

A compiler to SQL reads the same tree; nothing here knows how an answer is found. Every node keeps its
place in the text, so that any later stage can still point at it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar
from typing import Literal as Words

from celltrail.query.pattern import Pattern

if TYPE_CHECKING:
    from celltrail.store.index.fulltext import Asked

Kind = Words["number", "text", "bool", "time", "duration", "list", "any"]
Aggregate = Words["first", "last", "min", "max", "mean", "sum", "count", "nan_count", "best", "best_step", "last_step"]
Order = Words["==", "!=", "<", "<=", ">", ">="]
Sign = Words["+", "-", "*", "/", "%"]


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression, at characters ``start`` to ``end`` of its text."""

    start: int
    end: int

    @property
    def kind(self) -> Kind:
        """What the value is, as far as the text alone tells."""
        return "bool"

    @property
    def parts(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        found: list[Node] = []
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, Node):
                found.append(value)
            elif isinstance(value, tuple):
                found += [part for part in value if isinstance(part, Node)]
        return tuple(found)


_Node = TypeVar("_Node", bound=Node)


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A value written in the text; times and durations are already seconds."""

    value: str | float | int | bool
    of: Kind

    @property
    def kind(self) -> Kind:
        """The kind of the literal."""
        return self.of


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    """``[a, b]``."""

    items: tuple[Node, ...]

    @property
    def kind(self) -> Kind:
        """Always a list."""
        return "list"


@dataclass(frozen=True, slots=True)
class Field(Node):
    """A fact of the run: ``status``, or one of a family: ``params.lr`` is ``Field("params", ("lr",))``."""

    name: str
    path: tuple[str, ...]
    of: Kind

    @property
    def kind(self) -> Kind:
        """The kind of the fact."""
        return self.of


@dataclass(frozen=True, slots=True)
class Metric(Node):
    """A number from the summary of a metric: ``best("val/acc")``."""

    aggregate: Aggregate
    name: str

    @property
    def kind(self) -> Kind:
        """Always a number."""
        return "number"


@dataclass(frozen=True, slots=True)
class At(Node):
    """``at("val/acc", 100)``: read from the points, not from the summary."""

    name: str
    step: Node

    @property
    def kind(self) -> Kind:
        """Always a number."""
        return "number"


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """``left sign right``."""

    sign: Sign
    left: Node
    right: Node

    @property
    def kind(self) -> Kind:
        """A number; the distance of two times is a duration."""
        kinds = (self.left.kind, self.right.kind)
        if kinds == ("time", "time") or kinds == ("duration", "duration"):
            return "duration"
        return "time" if "time" in kinds else "number"


@dataclass(frozen=True, slots=True)
class Negative(Node):
    """``-operand``."""

    operand: Node

    @property
    def kind(self) -> Kind:
        """Always a number."""
        return "number"


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """``left order right``; a chain is an `And` of these."""

    order: Order
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Member(Node):
    """``item in container``."""

    item: Node
    container: Node


@dataclass(frozen=True, slots=True)
class IsMissing(Node):
    """``operand is None``: never unknown."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Unknown(Node):
    """What no run tells."""


@dataclass(frozen=True, slots=True)
class IsNan(Node):
    """``isnan(operand)``."""

    operand: Node


@dataclass(frozen=True, slots=True)
class IsClose(Node):
    """``isclose(left, right)``: equal to nine digits."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Matches(Node):
    """``matches(text, r"...")``: the pattern occurs anywhere in the text."""

    operand: Node
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Search(Node):
    """``search("words", "code")``: a text of the run holds the words; which runs do is asked once, before."""

    wanted: Asked
    runs: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Not(Node):
    """``not operand``."""

    operand: Node


@dataclass(frozen=True, slots=True)
class And(Node):
    """``a and b``."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    """``a or b``."""

    items: tuple[Node, ...]


def replaced(node: Node, kind: type[_Node], change: Callable[[_Node], Node]) -> Node:
    """The tree with every part of a kind changed."""
    if isinstance(node, kind):
        return change(node)
    if not any(isinstance(part, kind) for part in walk(node)):
        return node
    changes: dict[str, Any] = {}
    for item in fields(node):
        value = getattr(node, item.name)
        if isinstance(value, Node):
            changes[item.name] = replaced(value, kind, change)
        elif isinstance(value, tuple) and any(isinstance(part, Node) for part in value):
            changes[item.name] = tuple(replaced(part, kind, change) for part in value)
    return replace(node, **changes)


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for part in node.parts:
        yield from walk(part)


def is_costly(node: Node) -> bool:
    """Whether answering needs more than the summary: to be asked last, of the runs still in question."""
    return any(isinstance(part, At | Matches) for part in walk(node))
