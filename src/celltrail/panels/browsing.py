"""Looking through runs in a table: what may be asked of it, by the widget of a kernel or by a server, the same way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from celltrail.compare import compare
from celltrail.contract import (
    Answer,
    Complete,
    Fetch,
    Hold,
    Learn,
    List,
    News,
    Proposal,
    Query,
    RowsPage,
    SavedPanel,
    Sum,
    TableOptions,
    Write,
)
from celltrail.contract import Compare as CompareAsked
from celltrail.contract import Draw as DrawAsked
from celltrail.panels import saved
from celltrail.panels.curves import drawn
from celltrail.panels.viewing import views_of
from celltrail.panels.widget import answer
from celltrail.query import RunSet
from celltrail.query.completion import complete
from celltrail.query.sheet import Sheet

MOST_PROPOSALS = 12
MOST_HELD = 500  # runs a panel holds whole; of more it holds those that are in view
FIRST = 30
MOST_FOLLOWED = 50  # runs that go on
MOST_FETCHED = 200


def page(runs: RunSet) -> RowsPage:
    """The rows of a set, of a large one the first, and how many there are."""
    hints = [] if len(runs) or not runs.question else ["no run matches"]
    shown = runs if len(runs) <= MOST_HELD else runs[:FIRST]
    return {"rows": shown.rows(), "total": len(runs), "hints": hints + runs.hints}


def title_of(runs: RunSet) -> str:
    """What a table is of, in a few words."""
    return runs.question or "all runs"


def panel(runs: RunSet, options: TableOptions, title: str = "") -> SavedPanel:
    """The payload of a table of these runs, under a title or their question."""
    first = page(runs)
    return saved.panel(
        "table",
        runs.store.id,
        title or title_of(runs),
        rows=first["rows"],
        hints=first["hints"],
        omitted=first["total"] - len(first["rows"]),
        table=options,
    )


def news(now: RunSet, followed: Collection[str], fresh: int) -> News:
    """How the runs stand that go on, and those that went on when it was asked last; and how many came since."""
    going = [run.id for run in now.where("status == 'running'")[:MOST_FOLLOWED]]
    rows = now.pick([*going, *(run for run in followed if run not in going)]).rows()
    return News(kind="news", rows=rows, fresh=fresh)


class Browsing:
    """The answers about the runs of one table; none of them changes anything.

    Args:
        runs: the runs, as they were found once.
    """

    def __init__(self, runs: RunSet) -> None:
        self.runs = runs
        self._sheet = Sheet(runs)

    @property
    def answers(self) -> dict[str, Callable[[Any], Answer]]:
        """By kind of intent."""
        return {
            "query": self._query,
            "list": self._list,
            "fetch": self._fetch,
            "learn": self._learn,
            "sum": self._sum,
            "hold": self._hold,
            "compare": self._compare,
            "complete": self._complete,
            "write": lambda asked: answer(asked["id"], text=written(self.runs, asked)),
            "draw": self._draw,
            "views": lambda asked: answer(asked["id"], views=views_of(self.runs.store)),
        }

    def _query(self, asked: Query) -> Answer:
        found = self.runs.where(asked["where"]) if asked["where"].strip() else self.runs
        return answer(asked["id"], rows=page(found))

    def _list(self, asked: List) -> Answer:
        question = asked["where"], asked["words"]
        order, shown = (asked["sort"], asked["group"]), asked["shown"]
        found = self._sheet.listing(*question, *order, asked["stamp"], shown)
        first = self._sheet.first(*question, *order, max(0, asked["first"]))
        rows = self._rows(first, shown, sparks=False) if first else None
        columns = asked["columns"]
        sums = self._sheet.sums(*question, asked["group"], asked["sort"], columns) if columns else None
        return answer(asked["id"], listing=found, rows=rows, sums=sums)

    def _fetch(self, asked: Fetch) -> Answer:
        return answer(asked["id"], rows=self._rows(asked["runs"], asked["columns"], sparks=asked["sparks"]))

    def _learn(self, asked: Learn) -> Answer:
        self._sheet.learn()
        return answer(asked["id"])

    def _rows(self, runs: Sequence[str], columns: Sequence[str], *, sparks: bool) -> RowsPage:
        rows = self._sheet.rows(runs[:MOST_FETCHED], sparks=sparks, columns=columns)
        return RowsPage(rows=rows, total=len(self.runs), hints=[])

    def _sum(self, asked: Sum) -> Answer:
        found = self._sheet.sums(asked["where"], asked["words"], asked["group"], asked["sort"], asked["columns"])
        return answer(asked["id"], sums=found)

    def _hold(self, asked: Hold) -> Answer:
        found = {run.id: run.stale for run in self.runs.pick(asked["runs"][:MOST_HELD])}
        return answer(asked["id"], stale={run: told.text for run, told in found.items() if told})

    def _compare(self, asked: CompareAsked) -> Answer:
        return answer(asked["id"], comparison=compare(*asked["runs"], store=self.runs.store).payload())

    def _complete(self, asked: Complete) -> Answer:
        found = complete(asked["where"], asked["cursor"], self.runs.store.names)[:MOST_PROPOSALS]
        return answer(asked["id"], proposals=[Proposal(**each._asdict()) for each in found])

    def _draw(self, asked: DrawAsked) -> Answer:
        return answer(asked["id"], drawn=drawn(self.runs.pick(asked["runs"])))


def written(runs: RunSet, asked: Write) -> str:
    """Some of the runs as text, by the same code as ``ct.runs().to_latex()``."""
    picked = runs.pick(asked["runs"])
    over: dict[str, Any] = {"rows": asked["rows"], "cols": asked["cols"], "value": asked["value"]}
    if asked["value"] is None:
        over = {"columns": asked["columns"]}
    match asked["form"]:
        case "csv" | "tsv" as form:
            return picked.to_csv(**over, sep="," if form == "csv" else "\t") or ""
        case "markdown":
            return picked.to_markdown(**over)
        case "latex":
            return picked.to_latex(**over)
