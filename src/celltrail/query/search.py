"""Full text: the places where words stand in code, names, notes, params, errors and outputs of runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, overload

from celltrail.query import plain
from celltrail.query.finding import coverage, read_words
from celltrail.query.opening import open_store
from celltrail.query.stored import StoredRun

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from celltrail.store import Store

_BEFORE, _AFTER = 40, 80  # characters of a snippet around the first place
_SHOWN = 20

_LEFT = "style='text-align:left'"  # tables of a notebook are set for numbers


@dataclasses.dataclass(frozen=True, slots=True)
class Hit:
    """A text of a run that matches the search."""

    run: StoredRun
    kind: str  # name, note, code, params, error or output
    text: str  # all of it
    marks: tuple[tuple[int, int], ...]  # where the words stand in it

    @property
    def snippet(self) -> str:
        """The line or lines around the first of the words, on one line."""
        return "".join(part for part, _ in self.pieces)

    @property
    def pieces(self) -> list[tuple[str, bool]]:
        """The snippet in pieces, each with whether it is one of the words."""
        first = self.marks[0][0] if self.marks else 0
        start, end = max(0, first - _BEFORE), min(len(self.text), first + _AFTER)
        pieces: list[tuple[str, bool]] = [("…", False)] if start else []
        place = start
        for begin, stop in self.marks:
            if begin >= place and begin < end:
                pieces += [(self.text[place:begin], False), (self.text[begin : min(stop, end)], True)]
                place = min(stop, end)
        pieces.append((self.text[place:end], False))
        if end < len(self.text):
            pieces.append(("…", False))
        return [(_on_a_line(piece), marked) for piece, marked in pieces if piece]

    def __repr__(self) -> str:
        return f"<{self.kind} of run {self.run.name!r}: {self.snippet}>"


class Hits(Sequence[Hit]):
    """What a search found: by kind (names first, outputs last), then the newest runs first."""

    def __init__(self, words: str, hits: Sequence[Hit], hints: Sequence[str]) -> None:
        self.words = words
        self.hints = list(hints)
        self._hits = list(hits)

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Hit]: ...

    def __getitem__(self, index: int | slice) -> Hit | Sequence[Hit]:
        return self._hits[index]

    def __len__(self) -> int:
        return len(self._hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self._hits)

    @property
    def runs(self) -> list[StoredRun]:
        """The runs, each once."""
        return list({hit.run.id: hit.run for hit in self._hits}.values())

    def df(self) -> pd.DataFrame:
        """A pandas frame: run (its id), name, kind, snippet."""
        import pandas as pd

        rows = [(hit.run.id, hit.run.name, hit.kind, hit.snippet) for hit in self._hits]
        return pd.DataFrame(rows, columns=["run", "name", "kind", "snippet"])

    @property
    def _texts(self) -> list[list[Hit]]:
        """The hits by what they say: the trials of a search have the code of one cell, and it is shown once."""
        found: dict[tuple[str, str], list[Hit]] = {}
        for hit in self._hits:
            found.setdefault((hit.kind, hit.text), []).append(hit)
        return list(found.values())

    def __repr__(self) -> str:
        if not self._hits:
            return "\n".join([f"nothing found for {self.words!r}", *self.hints])
        texts = self._texts
        rows = [[_named(hits, 30), hits[0].kind, hits[0].snippet] for hits in texts[:_SHOWN]]
        lines = [plain.table(["run", "kind", "text"], rows, [False] * 3)]
        if len(texts) > _SHOWN:
            lines.append(f"… and {len(texts) - _SHOWN} more")
        return "\n".join([*lines, *self.hints])

    def _repr_html_(self) -> str:
        """A table; whatever a run holds is shown as text."""
        if not self._hits:
            return f"<pre>{escape(repr(self))}</pre>"
        rows = "".join(
            f"<tr><td {_LEFT}>{escape(_named(hits))}</td><td {_LEFT}>{hits[0].kind}</td>"
            f"<td {_LEFT}><code style='white-space:normal'>{_marked(hits[0])}</code></td></tr>"
            for hits in self._texts
        )
        hints = "".join(f"<p>{escape(hint)}</p>" for hint in self.hints)
        return (
            f"<table><thead><tr><th {_LEFT}>run</th><th {_LEFT}>kind</th><th {_LEFT}>text</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>{hints}"
        )


def search(
    words: str,
    kind: str | None = None,
    *,
    limit: int = 50,
    wait: bool = False,
    store: Store | Path | str | None = None,
) -> Hits:
    """Find words in the code, names, notes, params, errors and outputs of all runs.

    Args:
        words: all of them must be in one text, in any order. Case and accents do not matter, and an identifier is
            found by its parts (``step`` and ``StepLR`` find ``nextStepLR``). ``"learning rate"`` and ``val-loss`` are
            phrases; ``sched*`` is the beginning of a word.
        kind: only "name", "note", "code", "params", "error" or "output".
        limit: at most so many texts.
        wait: read all runs first. Otherwise a search answers in a moment: the first one in a large trail may not
            cover all runs yet, and `Hits.hints` then says so.
        store: another trail; that of the working folder unless given.

    >>> search("OneCycleLR", "code")  # doctest: +SKIP
    run       kind  text
    baseline  code  schedule = OneCycleLR(optimizer, max_lr=0.1)
    """
    from celltrail.store.index.fulltext import places, text_of

    wanted = read_words(words, kind)
    store = open_store(store)
    if not store.id:
        return Hits(words, [], [])
    searcher = store.searcher
    # some may be of runs that are out of sight
    found, covered = searcher.hits(wanted, 2 * limit + 50, *([float("inf")] if wait else []))
    seen = _in_sight(store, dict.fromkeys(hit.run for hit in found))
    shown = [hit for hit in found if hit.run in seen][:limit]
    records = store.fetch(list(dict.fromkeys(hit.run for hit in shown)))
    hits: list[Hit] = []
    for run_id, of, ref in (hit for hit in shown if hit.run in records):
        text = text_of(records[run_id], of, ref, store.blobs)
        hits.append(Hit(StoredRun(records[run_id], store), of, text, tuple(places(text, wanted))))
    return Hits(words, hits, coverage(covered))


def _named(hits: Sequence[Hit], most: int | None = None) -> str:
    """The run of a text, and how many others have it too."""
    name = plain.shown(hits[0].run.name)
    name = name if most is None else plain.clipped(name, most)
    return f"{name} and {len(hits) - 1} more" if len(hits) > 1 else name


def _in_sight(store: Store, ids: Iterable[str]) -> set[str]:
    """Those of the runs that nobody archived or deleted."""
    rows = store.look((), lambda look: look.cells(list(ids), ["id", "archived", "deleted"]))
    return {run_id for run_id, archived, deleted in rows if not archived and not deleted}


def _on_a_line(text: str) -> str:
    """Line ends and what a terminal would obey become blanks; the blanks at both ends stay."""
    return "".join(char if char.isprintable() else " " for char in text)


def _marked(hit: Hit) -> str:
    return "".join(f"<mark>{escape(piece)}</mark>" if marked else escape(piece) for piece, marked in hit.pieces)
