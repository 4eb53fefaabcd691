"""Facts of many runs as columns: each document is read once, whatever turns out to be in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from celltrail.store.catalogue.facts import Document, Key, Named, reader


class Gathered:
    """Facts of runs in the order in which they were added, and the names that these have.

    Args:
        keys: what to gather of each run.
        every: also the facts of every param, metric and summary entry that any of them has.
    """

    def __init__(self, keys: Iterable[Key], *, every: bool) -> None:
        self.named = Named()
        self.count = 0
        self._asked: dict[Key, list[Any]] = {key: [] for key in keys}
        self._readers = [(reader(key), column) for key, column in self._asked.items()]
        self._met: dict[Key, list[Any]] | None = {} if every else None

    def add(self, document: Document) -> None:
        """A run more."""
        self.named.add_document(document)
        for read, column in self._readers:
            column.append(read(document))
        if self._met is not None:
            for key, value in document.entries():
                column = self._met.get(key)
                if column is None:
                    column = self._met[key] = []
                if len(column) < self.count:
                    column += [None] * (self.count - len(column))
                column.append(value)
        self.count += 1

    @property
    def columns(self) -> dict[Key, list[Any]]:
        """The facts by their keys, one value for each run, None where it has none."""
        for column in (self._met or {}).values():
            column += [None] * (self.count - len(column))
        return {**(self._met or {}), **self._asked}
