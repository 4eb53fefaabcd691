"""The run table and the comparison as widgets: rows come when asked for, by the query language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from celltrail.compare import Comparison, compare
from celltrail.contract import Answer, Fetch, Hold, List, News, Proposal, Renew, RowsPage, Sum, TableOptions, Write
from celltrail.panels import saved
from celltrail.panels.changing import Changing
from celltrail.panels.curves import drawn
from celltrail.panels.media import OPTIONS as MEDIA
from celltrail.panels.media import listing, taken
from celltrail.panels.viewing import keep, opened, options_of, views_of
from celltrail.panels.widget import Panel, Reply, answer
from celltrail.query import RunSet
from celltrail.query.completion import complete
from celltrail.query.media import media_of
from celltrail.query.sheet import Sheet

MOST_PROPOSALS = 12
MOST_HELD = 500  # runs a panel holds whole; of more it holds those that are in view
FIRST = 60
MOST_FOLLOWED = 50  # runs that go on
MOST_FETCHED = 200


def page(runs: RunSet) -> RowsPage:
    """The rows of a set, of a large one the first, and how many there are."""
    hints = [] if len(runs) or not runs.question else ["no run matches"]
    shown = runs if len(runs) <= MOST_HELD else runs[:FIRST]
    return {"rows": shown.rows(), "total": len(runs), "hints": hints + runs.hints}


class Table(Panel):
    """The run table of a `RunSet`."""

    def __init__(self, runs: RunSet) -> None:
        self.runs = self._first = runs
        self._changing = Changing(runs.store)
        self._sheet = Sheet(runs)
        self._going: list[str] = []
        self._fresh = 0
        first = page(runs)
        state = saved.panel(
            "table",
            runs.store.id,
            title_of(runs),
            rows=first["rows"],
            hints=first["hints"],
            omitted=first["total"] - len(first["rows"]),
            table=options_of(runs),
        )
        super().__init__("table", state, options_of(runs))

    @property
    def answers(self) -> dict[str, Callable[[Any], Answer | None]]:
        """A table filters, compares, writes tables as text, keeps views and changes what is said of runs."""
        return {
            "query": self._answer_query,
            "list": self._answer_list,
            "fetch": self._answer_fetch,
            "sum": self._answer_sum,
            "renew": self._answer_renew,
            "hold": self._answer_hold,
            "compare": self._answer_compare,
            "edit": lambda intent: self._changed(intent, self._changing.make(intent)),
            "complete": self._answer_complete,
            "write": lambda intent: answer(intent["id"], text=written(self.runs, intent)),
            "undo": lambda intent: self._changed(intent, self._changing.undo(intent["edit"])),
            "draw": lambda intent: answer(intent["id"], drawn=drawn(self.runs.pick(intent["runs"]))),
            "views": self._answer_views,
            "open_view": self._open_view,
            "save_view": lambda intent: self._answer_views(intent, keep(self.runs, intent)),
            "drop_view": self._drop_view,
        }

    def _answer_complete(self, intent: Any) -> Answer:
        found = complete(intent["where"], intent["cursor"], self.runs.store.names)[:MOST_PROPOSALS]
        return answer(intent["id"], proposals=[Proposal(**each._asdict()) for each in found])

    def _changed(self, intent: Any, said: str) -> Answer:
        self._show(self.runs.refresh(), cast("dict[str, Any]", self.state)["table"])
        return answer(intent["id"], said=said)

    def _show(self, runs: RunSet, options: TableOptions) -> None:
        """These rows by the state, which a page that is loaded again reads too."""
        self.runs, self._sheet, self._fresh = runs, Sheet(runs), 0
        now = page(runs)
        self.state = {
            **cast("dict[str, Any]", self.state),
            "title": title_of(runs),
            "rows": now["rows"],
            "hints": now["hints"],
            "omitted": now["total"] - len(now["rows"]),
            "table": options,
        }

    def _answer_views(self, intent: Any, said: str | None = None) -> Answer:
        return answer(intent["id"], views=views_of(self.runs.store), said=said)

    def _open_view(self, intent: Any) -> Answer:
        runs = opened(intent["name"], self._first)
        self._show(runs, options_of(runs))
        return answer(intent["id"])

    def _drop_view(self, intent: Any) -> Answer:
        self.runs.store.views.delete(intent["name"])
        return self._answer_views(intent, f"removed the view {intent['name']}")

    def _answer_query(self, intent: Any) -> Answer:
        return answer(
            intent["id"], rows=page(self.runs.where(intent["where"]) if intent["where"].strip() else self.runs)
        )

    def _answer_list(self, asked: List) -> Answer:
        found = self._sheet.listing(asked["where"], asked["words"], asked["sort"], asked["group"])
        return answer(asked["id"], listing=found)

    def _answer_fetch(self, asked: Fetch) -> Answer:
        runs = asked["runs"][:MOST_FETCHED]
        rows = self._sheet.rows(runs, sparks=asked["sparks"])
        return answer(asked["id"], rows=RowsPage(rows=rows, total=len(self.runs), hints=[]))

    def _answer_sum(self, asked: Sum) -> Answer:
        found = self._sheet.sums(asked["where"], asked["words"], asked["group"], asked["sort"], asked["columns"])
        return answer(asked["id"], sums=found)

    def _answer_renew(self, asked: Renew) -> Answer:
        self._show(self.runs.refresh(), cast("dict[str, Any]", self.state)["table"])
        return answer(asked["id"])

    def _answer_hold(self, asked: Hold) -> Answer:
        found = {run.id: run.stale for run in self.runs.pick(asked["runs"][:MOST_HELD])}
        return answer(asked["id"], stale={run: told.text for run, told in found.items() if told})

    def tick(self) -> bool:
        """Tell the front end how the runs stand that go on, and how many came since; whether some go on."""
        now = self.runs.refresh()
        going = [run.id for run in now.where("status == 'running'")[:MOST_FOLLOWED]]
        rows = now.pick([*going, *(run for run in self._going if run not in going)]).rows()
        fresh = len(set(now._resolve()) - set(self.runs._resolve()))
        if rows or fresh != self._fresh:
            self.send(News(kind="news", rows=rows, fresh=fresh))
        self._going, self._fresh = going, fresh
        return bool(going)

    def _answer_compare(self, intent: Any) -> Answer:
        return answer(intent["id"], comparison=compare(*intent["runs"], store=self.runs.store).payload())


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


class Compared(Panel):
    """The comparison of a few runs; it holds all it shows but the media, which it asks for one by one."""

    def __init__(self, comparison: Comparison, trail: str) -> None:
        self._media = media_of(comparison.runs)
        media = listing(self._media) if self._media.places else None
        state = saved.panel("compare", trail, title_of(comparison), comparison=comparison.payload(), media=media)
        super().__init__("compare", state, MEDIA)

    @property
    def answers(self) -> dict[str, Callable[[Any], Answer | Reply | None]]:
        """One thing that a run kept beside numbers."""
        return {"take": lambda asked: taken(self._media, asked)}


def title_of(shown: RunSet | Comparison) -> str:
    """What a panel is of, in a few words."""
    if isinstance(shown, RunSet):
        return shown.question or "all runs"
    return " · ".join(run.name for run in shown.runs)


def table_bundle(runs: RunSet, view: str | None) -> saved.Bundle:
    """What a cell that ends in a `RunSet` shows and keeps."""
    bundle = saved.table_bundle(runs.store.id, title_of(runs), page(runs), options_of(runs), repr(runs))
    return saved.with_view(bundle, view)


def compare_bundle(comparison: Comparison, trail: str, view: str | None) -> saved.Bundle:
    """What a cell that ends in a comparison shows and keeps."""
    bundle = saved.compare_bundle(trail, title_of(comparison), comparison.payload(), repr(comparison))
    return saved.with_view(bundle, view)
