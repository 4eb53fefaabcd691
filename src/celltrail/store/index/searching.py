"""Searching the texts of a trail: by the index, or by reading every text where it cannot hold words."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from celltrail.store.blobs import Blobs
from celltrail.store.catalogue.listing import Listing
from celltrail.store.index import text
from celltrail.store.index.beside import beside
from celltrail.store.index.database import Session
from celltrail.store.index.fulltext import KINDS, Asked, line_of, texts_of
from celltrail.store.index.text import Covered, Hit

PATIENCE_S = 0.3  # what one search gives to reading runs that it does not know yet
_SLICE_S, _REST_S = 0.1, 0.1

_T = TypeVar("_T")


class Found(NamedTuple):
    """What was found, and in how many of the runs it was looked for."""

    hits: list[Hit]
    covered: Covered


class Searcher:
    """Answers searches in one trail; what a search does not get to is read by a thread afterwards."""

    def __init__(self, listing: Listing, blobs: Blobs) -> None:
        self.listing = listing
        self._blobs = blobs
        self._thread: threading.Thread | None = None
        self._pid = 0

    def hits(self, wanted: Asked, most: int, patience: float = PATIENCE_S) -> Found:
        """The first texts that hold what is wanted: by kind in the order of `KINDS`, then the newest runs first."""
        found, covered = self._ask(lambda session: text.hits(session.db, wanted, most), wanted, patience)
        if found is None:
            found = sorted(self._scanned(wanted), key=lambda hit: hit.run, reverse=True)
            found = sorted(found, key=lambda hit: KINDS.index(hit.kind))[:most]
        return Found(found, covered)

    def runs(self, wanted: Asked, patience: float = PATIENCE_S) -> tuple[frozenset[str], Covered]:
        """The ids of the runs that have such a text."""
        found, covered = self._ask(lambda session: text.runs_with(session.db, wanted), wanted, patience)
        return (frozenset(hit.run for hit in self._scanned(wanted)) if found is None else found), covered

    def _ask(self, answer: Callable[[Session], _T], wanted: Asked, patience: float) -> tuple[_T | None, Covered]:
        """The answer, or None where the index cannot tell."""
        if not wanted.phrases:
            return None, Covered(0, 0)

        def task(session: Session) -> tuple[_T | None, Covered]:
            if not text.is_ready(session):
                ((total,),) = session.db.execute("select count(*) from run")
                return None, Covered(total, total)
            covered = text.fill(session, self._blobs, patience)
            return answer(session), covered

        found, covered = self.listing.work(task)
        if covered.runs < covered.total:
            self._go_on()
        return found, covered

    def _scanned(self, wanted: Asked) -> Iterator[Hit]:
        """Read every text of every run."""
        for record in self.listing.records() if wanted.phrases else ():
            for kind, ref, body in texts_of(record, self._blobs):
                if wanted.kind in {None, kind} and wanted.is_in(line_of(body)):
                    yield Hit(record.id, kind, ref)

    def _go_on(self) -> None:
        if self._thread is None or self._pid != os.getpid() or not self._thread.is_alive():
            self._pid = os.getpid()
            self._thread = beside(self._fill_slowly, "celltrail-words")

    def _fill_slowly(self) -> None:
        """Take in the rest, a slice at a time, so that questions in between do not wait."""

        def task(session: Session) -> Covered:
            return text.fill(session, self._blobs, _SLICE_S) if text.is_ready(session) else Covered(0, 0)

        covered, before = self.listing.work(task), -1
        while before < covered.runs < covered.total:
            time.sleep(_REST_S)
            before, covered = covered.runs, self.listing.work(task)
