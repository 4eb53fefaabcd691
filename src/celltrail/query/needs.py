"""What every run of a project must have, as expressions: the word ``complete`` of the query language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from celltrail.errors import BadValue, QueryError, nearest
from celltrail.query import tree
from celltrail.query.finding import with_hits
from celltrail.query.language import parse

if TYPE_CHECKING:
    from celltrail.store import Store

WORDS = {
    "seed": "seeded",
    "data": "data",
    "model": "models",
    "note": "notes",
    "comment": "comments",
    "tag": "tags",
    "folder": "has(folder)",
    "group": "has(group)",
    "commit": "has(git.commit)",
}
_METRIC = re.compile(r"(train|val|test|eval)\d* metric")


def expression_of(need: str) -> str:
    """What a need asks of a run, in the query language.

    >>> expression_of("seed"), expression_of("val metric"), expression_of("has(params.owner)")
    ('seeded', '"val" in splits', 'has(params.owner)')
    """
    if _METRIC.fullmatch(need):
        return f'"{need.partition(" ")[0]}" in splits'
    return WORDS.get(need, need)


def is_word(need: str) -> bool:
    """Whether a need is one of the words, and no expression."""
    return need in WORDS or bool(_METRIC.fullmatch(need))


def check(need: str) -> str:
    """The need, if it can be read.

    Raises:
        BadValue: it is neither a word that needs know nor an expression.
        QueryError: it is an expression that cannot be read.
    """
    try:
        node = parse(expression_of(need))
    except QueryError as problem:
        if re.fullmatch(r"[\w ]*", need):
            known = nearest(need, WORDS) or f"; words are {', '.join(WORDS)} and 'val metric'"
            raise BadValue(f"no word {need!r} for what a run must have{known}") from None
        raise problem
    if _asks_complete(node):
        raise BadValue(f"{need!r} asks for itself: a run is complete when it has what the template names")
    return need


def resolved(node: tree.Node, store: Store) -> tuple[tree.Node, list[str]]:
    """The tree as it is asked of this trail: ``complete`` by its templates, each ``search()`` with what it finds.

    Returns:
        The tree, and what to say about the searches.
    """
    made: list[tree.Node] = []

    def change(field: tree.Field) -> tree.Node:
        if field.name != "complete":
            return field
        if not made:
            made.append(_complete(store))
        return made[0]

    return with_hits(tree.replaced(node, tree.Field, change) if _asks_complete(node) else node, store)


def _asks_complete(node: tree.Node) -> bool:
    return any(isinstance(part, tree.Field) and part.name == "complete" for part in tree.walk(node))


def _complete(store: Store) -> tree.Node:
    """True of a run that has all, false of one that lacks something, unknown where nothing is asked of its project."""
    templates = store.templates.list()
    each = [tree.And(0, 0, (_of(one.name), *_met(one.needs))) for one in templates]
    names = tree.ListOf(0, 0, tuple(_text(one.name) for one in templates))
    others = tree.Not(0, 0, tree.Member(0, 0, _project(), names))
    return tree.Or(0, 0, (*each, tree.And(0, 0, (others, tree.Unknown(0, 0)))))


def _met(needs: Iterable[str]) -> list[tree.Node]:
    """What nobody can tell of a run is not there: each is true or false."""
    found: list[tree.Node] = []
    for need in needs:
        try:
            node = parse(expression_of(need))
        except QueryError:  # of a later celltrail; nothing has it
            node = tree.Unknown(0, 0)
        found.append(tree.And(0, 0, (node, tree.Not(0, 0, tree.IsMissing(0, 0, _truth(node))))))
    return sorted(found, key=tree.is_costly)


def _truth(node: tree.Node) -> tree.Node:
    """Its yes or no: also a value such as a text is one."""
    return tree.Not(0, 0, node)


def _of(project: str) -> tree.Node:
    return tree.Compare(0, 0, "==", _project(), _text(project))


def _project() -> tree.Node:
    return tree.Field(0, 0, "project", (), "text")


def _text(text: str) -> tree.Node:
    return tree.Literal(0, 0, text, "text")
