"""The language of rules: expressions of the query language over the live values of a run, and calls that watch it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

from celltrail.alerts import watches
from celltrail.alerts.watches import MAKERS, Watch
from celltrail.errors import nearest
from celltrail.query import words
from celltrail.query.language import Reader
from celltrail.query.source import Source
from celltrail.query.tree import Field, Metric, Node, walk

_OVER = ("at", "search", "ago", "date")  # ask of a run that is over
_NUMBER = re.compile(r".*/[\d.]+")
Read = Callable[[str | float], Any]


class Takes(NamedTuple):
    """The arguments of a call, in order; a metric is read as a name."""

    arguments: dict[str, tuple[Read | None, str]]  # what reads it (None: a metric), and what it takes in words
    required: int
    example: str
    is_open: bool = False  # any number of metrics


_COUNT, _LEAST = (watches.count, "a whole number from 1"), (watches.least, "a number from 0")
_FACTOR = (watches.factor, "more than 1")
_METRIC = (None, "the name of a metric")
_BUDGETS: dict[str, tuple[Read, str]] = {
    "s": (watches.seconds, 'seconds, or text such as "2h"'),
    "kwh": (watches.positive, "a number above 0"),
    "usd": (watches.positive, "a number above 0"),
    "bytes": (watches.size, 'bytes, or text such as "10GB"'),
}
WATCHES: dict[str, Takes] = {
    "nan": Takes({}, 0, 'nan() or nan("train/loss")', is_open=True),
    "plateau": Takes(
        {"metric": _METRIC, "patience": _COUNT, "min_delta": _LEAST}, 1, 'plateau("val/loss", patience=10)'
    ),
    "diverged": Takes({"metric": _METRIC, "factor": _FACTOR, "window": _COUNT}, 1, 'diverged("train/loss", factor=3)'),
    "stalled": Takes({"seconds": (watches.seconds, _BUDGETS["s"][1])}, 1, "stalled(60)"),
    "overfit": Takes({"times": _COUNT, "metric": _METRIC}, 0, 'overfit(3) or overfit(3, "acc")'),
    "new_best": Takes({"metric": _METRIC}, 1, 'new_best("val/acc")'),
    "budget": Takes({}, 1, 'budget(s="2h"), budget(kwh=0.5), budget(usd=3) or budget(bytes="10GB")'),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A rule that was read.

    Attributes:
        text: as it was written.
        node: its tree; a call that watches is the fact ``("watch", its text)``.
        metrics: of its thresholds, in the order written.
        makers: what makes each of its watches anew, by its text.
    """

    text: str
    node: Node
    metrics: tuple[str, ...]
    makers: dict[str, Callable[[], Watch]]

    def watches(self) -> dict[str, Watch]:
        """Watches that have heard nothing yet."""
        return {text: make() for text, make in self.makers.items()}


@lru_cache(maxsize=256)
def read(text: str) -> Condition:
    """The condition of a rule; `QueryError` points at what cannot be read.

    >>> read("val/loss - train/loss > 0.5").metrics
    ('val/loss', 'train/loss')
    """
    reader = _Reader(Source(text))
    node = reader.read()
    metrics = dict.fromkeys(part.name for part in sorted(walk(node), key=_start) if isinstance(part, Metric))
    return Condition(text, node, tuple(metrics), reader.makers)


def _start(node: Node) -> int:
    return node.start


class _Reader(Reader):
    """Reads a bare name as a metric, and knows the calls that watch."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.makers: dict[str, Callable[[], Watch]] = {}

    def name(self, node: ast.Name | ast.Attribute | ast.Subscript) -> Node:
        """A metric, unless it is a fact of the run."""
        found = self.bare(node)
        return super().name(node) if found is None else Metric(*self.source.place(node), "last", found)

    def arithmetic(self, node: ast.BinOp) -> Node:
        """``val/loss`` is the name of a metric."""
        found = self.bare(node)
        return super().arithmetic(node) if found is None else Metric(*self.source.place(node), "last", found)

    def metric_name(self, function: str, node: ast.expr) -> str:
        """In a call a name may stand without quotes too."""
        found = self.bare(node)
        return super().metric_name(function, node) if found is None else found

    def call(self, node: ast.Call) -> Node:
        """A call that watches, or one of the query language."""
        if not isinstance(node.func, ast.Name) or node.func.id not in WATCHES:
            if isinstance(node.func, ast.Name) and node.func.id in _OVER:
                raise self.wrong(
                    node, f"{node.func.id} is not for a run that goes on", f"there is {', '.join(WATCHES)}"
                )
            if isinstance(node.func, ast.Name) and node.func.id not in words.FUNCTIONS:
                known = (*WATCHES, *(name for name in words.FUNCTIONS if name not in _OVER))
                tail = nearest(node.func.id, known)
                raise self.wrong(node.func, f"no function {node.func.id!r}{tail}", f"functions: {', '.join(known)}")
            return super().call(node)
        start, end = self.source.place(node)
        text = self.source.text[start:end]
        self.makers[text] = self.watch(node, WATCHES[node.func.id])
        return Field(start, end, "watch", (text,), "bool")

    def bare(self, node: ast.expr) -> str | None:
        """The name of a metric that is written without quotes; None where it is something else."""
        start, end = self.source.place(node)
        if (start, end) in self.source.quoted:
            return None
        text = self.slashed(node)
        if text:
            return None if _NUMBER.fullmatch(text) else text
        if not isinstance(node, ast.Name | ast.Attribute):
            return None
        root, path = self.path(node)
        if root in words.FIELDS or root in words.FAMILIES or root in words.FUNCTIONS or root in WATCHES:
            return None
        return ".".join((root, *path))

    def watch(self, node: ast.Call, takes: Takes) -> Callable[[], Watch]:
        """What makes the watch that a call asks for."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if takes.is_open and not node.keywords:
            return partial(MAKERS[name], *(self.metric_name(name, each) for each in node.args))
        if name == "budget":
            return self.budget(node, takes)
        names = list(takes.arguments)
        if len(node.args) > len(names):
            raise self.wrong(node, f"{name} takes {len(names)} arguments, not {len(node.args)}", takes.example)
        given = dict(zip(names, node.args, strict=False))
        for keyword in node.keywords:
            if keyword.arg not in takes.arguments or keyword.arg in given:
                raise self.wrong(node, f"{name} takes {', '.join(names)}, each once, not {keyword.arg}", takes.example)
            given[keyword.arg] = keyword.value
        missing = [each for each in names[: takes.required] if each not in given]
        if missing:
            raise self.wrong(node, f"{name} needs {missing[0]}", f"example: {takes.example}")
        values = {each: self.value(name, each, value, *takes.arguments[each]) for each, value in given.items()}
        return partial(MAKERS[name], **values)

    def budget(self, node: ast.Call, takes: Takes) -> Callable[[], Watch]:
        """One of the things that can be used up."""
        if node.args or len(node.keywords) != 1 or node.keywords[0].arg not in _BUDGETS:
            raise self.wrong(node, f"budget takes one of {', '.join(_BUDGETS)}, by its name", takes.example)
        (keyword,) = node.keywords
        what = str(keyword.arg)
        return partial(MAKERS["budget"], what, self.value("budget", what, keyword.value, *_BUDGETS[what]))

    def value(self, function: str, name: str, node: ast.expr, read: Read | None, allowed: str) -> Any:
        """An argument, or the sentence why it cannot be."""
        if read is None:
            return self.metric_name(function, node)
        literal = node.value if isinstance(node, ast.Constant) else None
        found = read(literal) if isinstance(literal, str | int | float) and not isinstance(literal, bool) else None
        if found is None:
            start, end = self.source.place(node)
            raise self.wrong(node, f"{name} of {function} takes {allowed}, not {self.source.text[start:end]}")
        return found
