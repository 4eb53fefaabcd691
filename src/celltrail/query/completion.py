"""What may be written next in an expression: for the filter box of a table and for ``%runs`` in a shell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from keyword import iskeyword
from typing import Literal, NamedTuple

from celltrail.model import STATUSES
from celltrail.query import words
from celltrail.store.index.fulltext import KINDS

Kind = Literal["field", "family", "function", "param", "metric", "summary", "tag", "value", "word"]
Names = Callable[[str], Mapping[str, int]]  # names of params, metrics, ... -> how many runs have each

MOST = 50
_TOKEN = re.compile(r"""`[^`]*(?:`|$)|"(?:\\.|[^"\\])*(?:"|$)|'(?:\\.|[^'\\])*(?:'|$)|[\w.]+|\s+|.""", re.DOTALL)
_KINDS: dict[str, Kind] = {"params": "param", "metrics": "metric", "summary": "summary"}
_TYPING = 2  # from so many letters on names of the trail are offered too


class Completion(NamedTuple):
    """One proposal: the characters from ``start`` to ``end`` become ``text``."""

    start: int
    end: int
    text: str
    kind: Kind
    runs: int | None = None  # that have this name


def complete(text: str, cursor: int, names: Names) -> list[Completion]:
    """What fits at the cursor, best first: what begins so before what only holds it, then by number of runs.

    >>> [each.text for each in complete('best("va', 8, lambda kind: {"val/acc": 3, "lr": 1})]
    ['val/acc"']
    """
    cursor = max(0, min(cursor, len(text)))
    tokens = [match[0] for match in _TOKEN.finditer(text[:cursor])]
    last = tokens.pop() if tokens else ""
    if last.isspace() or not (last[:1] in {"'", '"', "`"} or re.fullmatch(r"[\w.]+", last)):
        tokens.append(last)
        last = ""
    elif last[:1] in {"'", '"', "`"} and len(last) > 1 and last[-1] == last[0]:
        return []  # behind a closed quote
    before = [token for token in tokens if not token.isspace() and token]
    start = cursor - len(last)
    if last[:1] in {"'", '"', "`"}:
        found = _quoted(last[0], last[1:], text[cursor:], before, names)
        start += 1
    elif "." in last:
        family, _, typed = last.partition(".")
        found = _members(family, typed, names)
    else:
        found = _words(last, before, names)
    ranked = sorted(found, key=lambda each: each[0])
    unique = {proposal: None for _, proposal in ranked}
    return [Completion(start, cursor, *proposal) for proposal in list(unique)[:MOST]]


_Rank = tuple[int, int, str]
_Found = Iterator[tuple[_Rank, tuple[str, Kind, int | None]]]


def _matching(typed: str, kind: Kind, names: Mapping[str, int], form: Callable[[str], str], after: int = 0) -> _Found:
    """Names that begin with or hold what was typed."""
    low = typed.casefold()
    for name, runs in names.items():
        place = name.casefold().find(low)
        if place >= 0:
            yield (after + (place > 0), -runs, name), (form(name), kind, runs)


def _plain(typed: str, kind: Kind, proposals: Iterable[str], after: int = 0) -> _Found:
    for order, proposal in enumerate(proposals):
        if proposal.casefold().startswith(typed.casefold()) and proposal != typed:
            yield (after, order, proposal), (proposal, kind, None)


def _quoted(quote: str, typed: str, behind: str, before: list[str], names: Names) -> _Found:
    """Inside a quote that is open."""
    close = "" if behind.startswith(quote) else quote

    def closed(name: str) -> str:
        escaped = json.dumps(name, ensure_ascii=False)[1:-1]
        return (escaped if quote == '"' else escaped.replace('\\"', '"').replace("'", "\\'")) + close

    if quote == "`":
        kind = _KINDS.get(before[-1].rstrip("."), "metric") if before and before[-1].endswith(".") else "metric"
        fitting = {name: runs for name, runs in names(kind).items() if "`" not in name}
        yield from _matching(typed, kind, fitting, lambda name: name + close)
        return
    opener = before[-1] if before else ""
    owner = before[-2] if len(before) > 1 else ""
    if opener == "(" and owner in {*words.AGGREGATES, "at"}:
        yield from _matching(typed, "metric", names("metric"), closed)
    elif opener == "[" and owner in _KINDS:
        kind = _KINDS[owner]
        yield from _matching(typed, kind, names(kind), closed)
    elif opener == "," and "search" in before:
        yield from _plain(typed, "value", (closed(each) for each in KINDS))
    elif _field_compared(before) == "status":
        yield from _plain(typed, "value", (closed(status) for status in STATUSES))
    elif opener in {"", "(", "and", "or", "not"} and owner not in words.FUNCTIONS:
        yield from _matching(typed, "tag", names("tag"), lambda name: f"{closed(name)} in tags")


def _members(family: str, typed: str, names: Names) -> _Found:
    """Behind ``params.``."""
    kind = _KINDS.get(family)
    if kind is None:
        return
    for rank, (name, _, runs) in _matching(typed, kind, names(kind), str):
        simple = all(part.isidentifier() and not iskeyword(part) for part in name.split("."))
        yield rank, (f"{family}.{name}" if simple else f"{family}[{json.dumps(name, ensure_ascii=False)}]", kind, runs)


def _words(typed: str, before: list[str], names: Names) -> _Found:
    """Where a field, a function or a word between two conditions may stand."""
    if _ends_operand(before):
        yield from _plain(typed, "word", ("and", "or", "in", "not in", "is None", "is not None"))
        return
    yield from _plain(typed, "field", words.FIELDS, after=0)
    yield from _plain(typed, "family", (f"{family}." for family in words.FAMILIES), after=2)
    yield from _plain(typed, "function", (f"{function}(" for function in words.FUNCTIONS), after=3)
    yield from _plain(typed, "word", ("not", "True", "False"), after=4)
    if len(typed) >= _TYPING:
        for _, (name, kind, runs) in _members("params", typed, names):
            yield (5, -(runs or 0), name), (name, kind, runs)
        yield from _matching(
            typed, "metric", names("metric"), lambda name: f"last({json.dumps(name, ensure_ascii=False)})", after=6
        )


def _ends_operand(before: list[str]) -> bool:
    if not before:
        return False
    last = before[-1]
    if last in {"and", "or", "not", "in", "is"}:
        return False
    return last in {")", "]"} or last[:1] in {"'", '"', "`"} or re.fullmatch(r"[\w.]+", last) is not None


def _field_compared(before: list[str]) -> str:
    """The field that a text is compared with: ``status == `` or ``status in [``."""
    tokens = list(before)
    while tokens and (tokens[-1] in {"=", "!", "[", ",", "in", "not"} or tokens[-1][:1] in {"'", '"'}):
        tokens.pop()
    return tokens[-1] if tokens and len(tokens) < len(before) else ""
