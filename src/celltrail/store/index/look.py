"""One look at the index: every answer is of the same moment."""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from celltrail.model import RunRecord
from celltrail.store.catalogue import parts
from celltrail.store.catalogue.facts import Document, Key
from celltrail.store.catalogue.gathered import Gathered
from celltrail.store.catalogue.seen import record_of
from celltrail.store.index import reading
from celltrail.store.index.cells import Column
from celltrail.store.index.paramtexts import ParamTexts
from celltrail.store.index.reading import MARKS

if TYPE_CHECKING:
    from celltrail.contract import Goal

_KEPT = 2_000
_AT_ONCE = 1_000  # documents in memory
# the rows of ``hot`` of some runs, whose ids are a JSON list, by their ``place`` in it
CHOSEN = (
    "(select run.rid, chosen.key as place from json_each({ids}) as chosen cross join run on run.id = chosen.value)"
    " as chosen cross join hot on hot.rid = chosen.rid"
)
Kept = OrderedDict[str, tuple[int, RunRecord]]


class Look:
    """A view of the runs as of one moment, for selecting from the table ``hot`` and for reading records.

    ``columns`` are those that were asked for; ``hot`` also has ``rid`` and the columns of `schema.FIXED`.
    """

    def __init__(self, db: sqlite3.Connection, columns: Mapping[Key, Column], kept: Kept) -> None:
        self.columns = columns
        self._db = db
        self._kept = kept

    def select(self, query: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Any]:
        """The rows a select statement gives."""
        return self._db.execute(query, values).fetchall()

    def select_of(self, query: str, ids: Sequence[str]) -> list[Any]:
        """The rows a select gives for these runs, in any order; ``{ids}`` in it is where they go."""
        found: list[Any] = []
        for start in range(0, len(ids), MARKS):
            some = ids[start : start + MARKS]
            found += self._db.execute(query.replace("{ids}", ", ".join("?" * len(some))), some).fetchall()
        return found

    def cells(self, ids: Sequence[str], columns: Iterable[str]) -> list[Any]:
        """These columns of these runs, in their order; a run that is gone is left out."""
        query = f"select {', '.join(columns)} from {CHOSEN.format(ids='?')} order by place"
        return self._db.execute(query, (json.dumps(ids),)).fetchall()

    @property
    def revision(self) -> tuple[int, float]:
        """Another one after every change of any run."""
        ((count, turns),) = self.select("select count(*), total(turn) from run")
        return count, turns

    def param_texts(self, ids: Sequence[str]) -> ParamTexts:
        """The params of these runs, to look for words in them."""
        return ParamTexts(self._db, ids)

    def names(self, kind: str) -> dict[str, int]:
        """The names of all params, metrics, summary entries or tags, and how many runs have each."""
        return dict(self.select("select name, sum(runs) from name where kind = ? group by name", (kind,)))

    def goal(self, metric: str) -> Goal | None:
        """The direction a metric was declared to be better in, by the newest run that says so; None if none does."""
        ask = "select goal from name where kind = 'metric' and name = ? and goal in ('min', 'max')"
        goals = [goal for (goal,) in self.select(ask, (metric,))]
        if len(goals) < 2:
            return goals[0] if goals else None
        # runs disagree, which is rare: only then their documents are asked, from the newest on
        ids = newest_first(self)
        for start in range(0, len(ids), _AT_ONCE):
            key = ("metric", "goal", metric)
            for (said,) in self.facts(ids[start : start + _AT_ONCE], [key]).values():
                if said in goals:
                    return said
        return None

    def records(self, ids: Sequence[str]) -> dict[str, RunRecord]:
        """These runs; one that is gone is missing."""
        found: dict[str, RunRecord] = {}
        wanted: list[str] = []
        for run_id, turn in self.select_of("select id, turn from run where id in ({ids})", ids):
            known = self._kept.get(run_id)
            if known is not None and known[0] == turn:
                found[run_id] = known[1]
            else:
                wanted.append(run_id)
        for start in range(0, len(wanted), MARKS):
            some = wanted[start : start + MARKS]
            for run_id, turn, document, more in reading.whole(self._db, _among(some), some):
                record = record_of(document, more)
                if record is None:
                    raise sqlite3.DatabaseError(f"the row of {run_id} does not verify")
                found[run_id] = record
                self._keep(run_id, turn, record)
        return found

    def facts(self, ids: Sequence[str], keys: Sequence[Key]) -> dict[str, list[Any]]:
        """These facts of these runs, in the order of the keys; a run that is gone is missing."""
        found = self.documents(ids, parts.needed(keys))
        return {run_id: [document.fact(key) for key in keys] for run_id, document in found}

    def gathered(self, ids: Sequence[str], keys: Sequence[Key], *, every: bool) -> Gathered:
        """These facts of these runs, or also ``every`` other; a run that is gone is left out."""
        found = Gathered(keys, every=every)
        for _, document in self.documents(ids, parts.PARTS):
            found.add(document)
        return found

    def count(self, ids: Sequence[str]) -> int:
        """How many of these runs there are."""
        return sum(found for (found,) in self.select_of("select count(*) from run where id in ({ids})", ids))

    def documents(self, ids: Sequence[str], needed: Iterable[str]) -> Iterator[tuple[str, Document]]:
        """These runs, each with what the needed parts of its document tell; one that is gone is left out."""
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            found = {
                run_id: document for _, run_id, document in reading.documents(self._db, _among(some), some, needed)
            }
            yield from ((run_id, found[run_id]) for run_id in some if run_id in found)

    def _keep(self, run_id: str, turn: int, record: RunRecord) -> None:
        self._kept[run_id] = turn, record
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


def _among(ids: Sequence[str]) -> str:
    return f"where run.id in ({', '.join('?' * len(ids))})"


def newest_first(look: Look) -> list[str]:
    """The ids of all runs."""
    return [run_id for (run_id,) in look.select("select id from hot order by created desc, id desc")]


def all_names(look: Look) -> Mapping[str, Iterable[str]]:
    """Every name by its kind, those of most runs first."""
    found: dict[str, list[str]] = {}
    ask = "select kind, name from name group by kind, name order by sum(runs) desc, name"
    for kind, name in look.select(ask):
        found.setdefault(kind, []).append(name)
    return found
