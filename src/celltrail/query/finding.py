"""What a search asks for, and the searches within an expression."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from celltrail.errors import BadValue, nearest
from celltrail.query import plain, tree

if TYPE_CHECKING:
    from celltrail.store import Store
    from celltrail.store.index.fulltext import Asked
    from celltrail.store.index.searching import Covered


def read_words(words: str, kind: str | None) -> Asked:
    """What a search asks for; `BadValue` where it asks for nothing or for no kind of text."""
    from celltrail.store.index.fulltext import KINDS, asked

    if kind is not None and kind not in KINDS:
        tail = nearest(kind, KINDS)
        raise BadValue(f"no kind of text {kind!r}{tail or ';'} one of: {', '.join(KINDS)}")
    wanted = asked(words, kind)
    if not wanted.phrases:
        raise BadValue(
            f"there is no word in {plain.shown(words)!r}: letters, digits and pictures are searched, signs are not"
        )
    return wanted


def coverage(covered: Covered) -> list[str]:
    """A sentence where a search did not see all runs yet."""
    if covered.runs >= covered.total:
        return []
    return [f"search covers {covered.runs:,} of {covered.total:,} runs so far; ask again in a moment"]


def with_hits(node: tree.Node, store: Store) -> tuple[tree.Node, list[str]]:
    """The tree with the runs that each ``search()`` in it finds, and what to say about that."""
    hints: list[str] = []

    def found(search: tree.Search) -> tree.Node:
        ids, covered = store.searcher.runs(search.wanted)
        hints.extend(coverage(covered))
        return dataclasses.replace(search, runs=ids)

    return tree.replaced(node, tree.Search, found), hints
