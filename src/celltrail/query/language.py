"""The query language: ``parse(text)`` makes the typed tree of an expression.

Python's own grammar, read by `ast` and then restricted to a list of allowed forms; nothing is ever
evaluated as Python. ``status == "finished" and params.lr < 1e-2 and best("val/loss") < 0.3``
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterable

from celltrail.errors import BadValue, QueryError, nearest
from celltrail.model import STATUSES
from celltrail.query import words
from celltrail.query.finding import read_words
from celltrail.query.pattern import PatternProblem, compile_pattern
from celltrail.query.source import MAX_DEPTH, Source
from celltrail.query.tree import (
    And,
    Arithmetic,
    At,
    Compare,
    Field,
    IsClose,
    IsMissing,
    IsNan,
    Kind,
    ListOf,
    Literal,
    Matches,
    Member,
    Metric,
    Negative,
    Node,
    Not,
    Or,
    Order,
    Search,
    Sign,
    is_costly,
)

_ORDERS: dict[type[ast.cmpop], Order] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_SIGNS: dict[type[ast.operator], Sign] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%"}
_QUOTES_NEEDED = "a metric name with a slash needs quotes: "


def parse(text: str) -> Node:
    """The tree of an expression; `QueryError` points at what cannot be read.

    >>> parse("params.lr < 0.01").order
    '<'
    """
    return _Reader(Source(text)).read()


def parse_column(name: str) -> Node | None:
    """The tree of a column as `RunSet.df` names it (``best.val/acc``), or None when it is not one.

    >>> parse_column("best.val/acc").name
    'val/acc'
    """
    family, dot, rest = name.partition(".")
    if not dot or not rest:
        return None
    if family in {"metrics", "best"}:
        return Metric(0, len(name), "last" if family == "metrics" else "best", rest)
    if family in {"params", "summary"}:
        return Field(0, len(name), family, (rest,), "any")
    return None


class _Reader:
    """From Python's tree to ours; a method for each form that is allowed."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.depth = 0

    def read(self) -> Node:
        return self.expression(self.source.parse())

    def expression(self, node: ast.expr) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.wrong(node, f"the expression is nested deeper than {MAX_DEPTH}")
        try:
            return self.form(node)
        finally:
            self.depth -= 1

    def form(self, node: ast.expr) -> Node:
        start, end = self.source.place(node)
        match node:
            case ast.BoolOp(op=op, values=values):
                # what needs the points or a pattern is asked last, of what the rest leaves over
                items = tuple(sorted((self.expression(value) for value in values), key=is_costly))
                return And(start, end, items) if isinstance(op, ast.And) else Or(start, end, items)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(start, end, self.expression(operand))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.negative(node, self.expression(operand))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.expression(operand)
            case ast.Compare():
                return self.comparison(node)
            case ast.BinOp():
                return self.arithmetic(node)
            case ast.Constant(value=value):
                return self.literal(node, value)
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return ListOf(start, end, tuple(self.expression(item) for item in items))
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return self.name(node)
            case ast.Call():
                return self.call(node)
            case _:
                raise self.wrong(node, "this form is not part of the query language", _instead(node))

    # names

    def name(self, node: ast.Name | ast.Attribute | ast.Subscript) -> Node:
        start, end = self.source.place(node)
        if (start, end) in self.source.quoted:
            return Metric(start, end, "last", _nfc(self.source.quoted[start, end]))
        root, path = self.path(node)
        if root in words.FIELDS and not path:
            return Field(start, end, root, (), words.FIELDS[root])
        if root not in words.FAMILIES:
            raise self.unknown(node, root, path)
        if not path:
            raise self.wrong(node, f"{root} holds many values", f'name one: {root}.x or {root}["any name"]')
        if root == "metrics":
            return Metric(start, end, "last", ".".join(path))
        return Field(start, end, root, path, "any")

    def path(self, node: ast.expr) -> tuple[str, tuple[str, ...]]:
        match node:
            case ast.Name():
                start, end = self.source.place(node)
                return self.source.plain[start:end], ()
            case ast.Attribute(value=value):
                root, path = self.path(value)
                return root, (*path, self.attribute(node))
            case ast.Subscript(value=value, slice=ast.Constant(value=str(key))):
                root, path = self.path(value)
                return root, (*path, _nfc(key))
            case ast.Subscript(slice=key):
                raise self.wrong(key, "a name in brackets needs quotes", 'example: params["drop out"]')
            case _:
                raise self.wrong(node, "only a family of values has parts", "example: params.lr")

    def attribute(self, node: ast.Attribute) -> str:
        # the text itself and not node.attr, which Python has brought into a compatibility form
        _, begin = self.source.place(node.value)
        _, end = self.source.place(node)
        segment = self.source.plain[begin:end]
        word = segment.lstrip(" ).")
        quoted = self.source.quoted.get((end - len(word), end))
        return _nfc(quoted if quoted is not None else word)

    def unknown(self, node: ast.expr, root: str, path: tuple[str, ...]) -> QueryError:
        known = (*words.FIELDS, *words.FAMILIES)
        if root in words.FIELDS:
            return self.wrong(node, f"{root} is one value and has no parts", "a parameter is params.lr")
        if root in words.FUNCTIONS:
            return self.wrong(node, f"{root} is a function", f"example: {_example(root)}")
        if root in {"true", "false"}:
            return self.wrong(node, f"{root} is not known here", f"write {root.capitalize()}")
        if root in {"null", "none", "nil"}:
            return self.wrong(node, f"{root} is not known here", "write is None")
        found = nearest(root, known)
        if found and not path:
            return self.wrong(node, f"no field {root!r}{found}")
        shown = ".".join((root, *path))
        hint = f'a parameter is params.{shown}, a metric is last("{shown}"), text needs quotes: "{shown}"'
        if self.source.plain.strip() == shown:  # nothing but a word
            hint = f'runs of a name are name == "{shown}"; with it in their text: search("{shown}")'
        return self.wrong(node, f"no field {root!r}{found}", hint)

    # values

    def literal(self, node: ast.Constant, value: object) -> Node:
        start, end = self.source.place(node)
        if value is None:
            raise self.wrong(node, "None is no value", "ask with is None, is not None or has(...)")
        if isinstance(value, bool):
            return Literal(start, end, value, "bool")
        if isinstance(value, int | float):
            return Literal(start, end, value, "number")
        if isinstance(value, str):
            return Literal(start, end, _nfc(value), "text")
        raise self.wrong(node, f"{value!r} is not a kind of value celltrail compares")

    def negative(self, node: ast.expr, operand: Node) -> Node:
        start, end = self.source.place(node)
        if isinstance(operand, Literal) and operand.of == "number" and not isinstance(operand.value, str):
            return Literal(start, end, -operand.value, "number")
        return Negative(start, end, operand)

    def arithmetic(self, node: ast.BinOp) -> Node:
        start, end = self.source.place(node)
        sign = _SIGNS.get(type(node.op))
        if sign is None:
            raise self.wrong(node, "this operator is not part of the query language", _instead(node))
        name = self.slashed(node)
        if name:
            raise self.wrong(node, f"{name} is not a field", f'{_QUOTES_NEEDED}last("{name}") or `{name}`')
        left, right = self.expression(node.left), self.expression(node.right)
        left, right = _typed(left, right, adding=True), _typed(right, left, adding=True)
        return Arithmetic(start, end, sign, left, right)

    def slashed(self, node: ast.expr) -> str:
        """The text of ``val/loss`` or ``val/a.b``, when that is what the user seems to have meant."""
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)):
            return ""
        start, end = self.source.place(node)
        text = self.source.plain[start:end]
        if not re.fullmatch(r"\w[\w.]*(/\w[\w.]*)+", text) or (start, end) in self.source.quoted:
            return ""
        first = text.partition("/")[0]
        known = first.partition(".")[0] in {*words.FIELDS, *words.FAMILIES} or first.isdigit()
        return "" if known or any(a <= start < b for a, b in self.source.quoted) else text

    # comparisons

    def comparison(self, node: ast.Compare) -> Node:
        operands = [node.left, *node.comparators]
        pairs = zip(operands, node.ops, operands[1:], strict=False)
        parts = tuple(self.pair(left, op, right) for left, op, right in pairs)
        start, end = self.source.place(node)
        return parts[0] if len(parts) == 1 else And(start, end, parts)

    def pair(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Node:
        start, end = self.source.place(left)[0], self.source.place(right)[1]
        if isinstance(op, ast.Is | ast.IsNot):
            return self.missing(left, op, right)
        if _is_none(left) or _is_none(right):
            hint = "write is not None" if isinstance(op, ast.NotEq) else "write is None"
            raise self.source.error(start, end, "nothing equals None, also where a value is missing", hint)
        one, other = self.expression(left), self.expression(right)
        if isinstance(op, ast.In | ast.NotIn):
            member = self.member(start, end, one, other)
            return Not(start, end, member) if isinstance(op, ast.NotIn) else member
        one, other = _typed(one, other), _typed(other, one)
        for timed, literal in ((one, other), (other, one)):
            self.check_time(timed, literal)
            if isinstance(op, ast.Eq | ast.NotEq):
                self.check_status(timed, [literal])
            self.check_list(timed, literal)
        return Compare(start, end, _ORDERS[type(op)], one, other)

    def missing(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Node:
        start, end = self.source.place(left)[0], self.source.place(right)[1]
        if not _is_none(right):
            raise self.source.error(
                start, end, "'is' can only ask for None", "write == to compare, and put text in quotes"
            )
        asked = IsMissing(start, end, self.expression(left))
        return Not(start, end, asked) if isinstance(op, ast.IsNot) else asked

    def member(self, start: int, end: int, item: Node, container: Node) -> Node:
        if isinstance(container, ListOf):
            typed = tuple(_typed(each, item) for each in container.items)
            self.check_status(item, typed)
            container = ListOf(container.start, container.end, typed)
        elif container.kind in {"number", "bool", "time", "duration"}:
            raise self.source.error(
                container.start, container.end, "in needs a list or a text here", 'example: name in ["a", "b"]'
            )
        return Member(start, end, item, container)

    def check_status(self, field: Node, literals: Iterable[Node]) -> None:
        """A run has one of five statuses: a sixth is a slip, not a question without an answer."""
        if not (isinstance(field, Field) and field.name == "status"):
            return
        for literal in literals:
            if isinstance(literal, Literal) and literal.value not in STATUSES:
                tail = nearest(str(literal.value), STATUSES)
                message = f"no status {literal.value!r}{tail}"
                raise self.source.error(literal.start, literal.end, message, f"one of: {', '.join(STATUSES)}")

    def check_list(self, field: Node, literal: Node) -> None:
        """A run has many tags: that all of them are one text is no question."""
        if isinstance(field, Field) and field.kind == "list" and isinstance(literal, Literal):
            hint = f"{str(literal.value)!r} in {field.name}"
            raise self.source.error(field.start, literal.end, f"{field.name} holds many values", f"write {hint}")

    def check_time(self, timed: Node, literal: Node) -> None:
        """Text beside a time or a duration that was not understood as one."""
        if timed.kind not in {"time", "duration"} or not isinstance(literal, Literal) or literal.of != "text":
            return
        hint = '"2026-11-01", "2026-11-01T12:00" or ago("7d")' if timed.kind == "time" else '"90s", "2h" or "1h 30m"'
        raise self.source.error(literal.start, literal.end, f"{literal.value!r} is not a {timed.kind}", hint)

    # functions

    def call(self, node: ast.Call) -> Node:
        if not isinstance(node.func, ast.Name):
            raise self.wrong(node.func, "only the functions of the query language can be called", _functions())
        start, end = self.source.place(node)
        name = node.func.id
        if name not in words.FUNCTIONS:
            tail = nearest(name, words.FUNCTIONS)
            raise self.wrong(node.func, f"no function {name!r}{tail}", "" if tail else _functions())
        if node.keywords:
            raise self.wrong(node, f"{name} takes no named arguments", f"example: {_example(name)}")
        least, most = words.ARGUMENTS.get(name, (1, 1))
        if not least <= len(node.args) <= most:
            many = f"{least} argument{'s' * (least > 1)}" if least == most else f"{least} or {most} arguments"
            raise self.wrong(node, f"{name} takes {many}, not {len(node.args)}", f"example: {_example(name)}")
        if name in words.AGGREGATES:
            return Metric(start, end, name, self.metric_name(name, node.args[0]))
        return getattr(self, f"call_{name}")(start, end, *node.args)

    def metric_name(self, function: str, node: ast.expr) -> str:
        place = self.source.place(node)
        if place in self.source.quoted:
            return _nfc(self.source.quoted[place])
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return _nfc(node.value)
        text = self.source.plain[place[0] : place[1]]
        if "/" in text:
            raise self.wrong(node, f"{text} is not a name", f'{_QUOTES_NEEDED}{function}("{text}")')
        raise self.wrong(node, f"{function} takes the name of a metric in quotes", f'{function}("{text}")')

    def call_at(self, start: int, end: int, name: ast.expr, step: ast.expr) -> Node:
        return At(start, end, self.metric_name("at", name), self.expression(step))

    def call_has(self, start: int, end: int, operand: ast.expr) -> Node:
        return Not(start, end, IsMissing(start, end, self.expression(operand)))

    def call_isnan(self, start: int, end: int, operand: ast.expr) -> Node:
        return IsNan(start, end, self.expression(operand))

    def call_isclose(self, start: int, end: int, left: ast.expr, right: ast.expr) -> Node:
        return IsClose(start, end, self.expression(left), self.expression(right))

    def call_matches(self, start: int, end: int, operand: ast.expr, pattern: ast.expr) -> Node:
        text = self.text_of(pattern, "matches", "a pattern")
        try:
            return Matches(start, end, self.expression(operand), compile_pattern(text))
        except PatternProblem as problem:
            raise self.wrong(pattern, str(problem), problem.hint) from None

    def call_search(self, start: int, end: int, asked: ast.expr, kind: ast.expr | None = None) -> Node:
        text = self.text_of(asked, "search", "words")
        of = None if kind is None else self.text_of(kind, "search", "a kind of text")
        try:
            return Search(start, end, read_words(text, of))
        except BadValue as problem:
            raise self.wrong(asked if kind is None or "kind" not in str(problem) else kind, str(problem)) from None

    def call_ago(self, start: int, end: int, length: ast.expr) -> Node:
        seconds = words.seconds_of(text := self.text_of(length, "ago", "a duration"))
        if seconds is None:
            raise self.wrong(length, f"{text!r} is not a duration", '"90s", "2h", "7d" or "1h 30m"')
        return Literal(start, end, words.now() - seconds, "time")

    def call_date(self, start: int, end: int, day: ast.expr) -> Node:
        moment = words.moment_of(text := self.text_of(day, "date", "a date"))
        if moment is None:
            raise self.wrong(day, f"{text!r} is not a date", 'date("2026-11-01") or date("2026-11-01T12:00")')
        return Literal(start, end, moment, "time")

    def text_of(self, node: ast.expr, function: str, what: str) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        raise self.wrong(node, f"{function} takes {what} in quotes", f"example: {_example(function)}")

    def wrong(self, node: ast.expr, message: str, hint: str = "") -> QueryError:
        return self.source.error(*self.source.place(node), message, hint)


Reader = _Reader  # from which a language of more words is made, such as that of rules


def _typed(node: Node, beside: Node, *, adding: bool = False) -> Node:
    """Text beside a time or a duration, read as one."""
    if not (isinstance(node, Literal) and isinstance(node.value, str)):
        return node
    kind: Kind = beside.kind
    if kind == "time" and not adding:
        value = words.moment_of(node.value)
    elif kind in {"time", "duration"}:
        value, kind = words.seconds_of(node.value), "duration"
    else:
        return node
    return node if value is None else Literal(node.start, node.end, value, kind)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _functions() -> str:
    return f"functions: {', '.join(words.FUNCTIONS)}"


def _example(function: str) -> str:
    return {
        "at": 'at("train/loss", 1000) < 0.5',
        "has": "has(params.lr)",
        "matches": r'matches(name, r"^resnet\d+")',
        "search": 'search("OneCycleLR", "code")',
        "ago": 'created > ago("7d")',
        "date": 'created > date("2026-11-01")',
        "isclose": "isclose(params.lr, 0.1)",
        "isnan": 'isnan(last("train/loss"))',
    }.get(function, f'{function}("val/loss") < 0.3')


def _instead(node: ast.expr) -> str:
    match node:
        case ast.BinOp(op=ast.BitAnd()):
            return "write and"
        case ast.BinOp(op=ast.BitOr()):
            return "write or"
        case ast.UnaryOp(op=ast.Invert()):
            return "write not"
        case ast.IfExp() | ast.ListComp() | ast.GeneratorExp() | ast.Lambda() | ast.NamedExpr():
            return "it has and, or, not, comparisons, in, is None, + - * / % and functions"
        case _:
            return ""
