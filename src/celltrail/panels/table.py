"""The run table and the comparison as widgets: rows come when asked for, by the query language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from celltrail.compare import Comparison
from celltrail.contract import Answer, Renew, TableOptions
from celltrail.panels import browsing, saved
from celltrail.panels.browsing import Browsing
from celltrail.panels.changing import Changing
from celltrail.panels.media import OPTIONS as MEDIA
from celltrail.panels.media import listing, taken
from celltrail.panels.viewing import keep, opened, options_of, views_of
from celltrail.panels.widget import Panel, Reply, answer
from celltrail.query import RunSet
from celltrail.query.media import media_of


class Table(Panel):
    """The run table of a `RunSet`."""

    def __init__(self, runs: RunSet, title: str = "") -> None:
        self._first, self._title = runs, title
        self._browsing = Browsing(runs)
        self._changing = Changing(runs.store)
        self._going: list[str] = []
        self._fresh = 0
        super().__init__("table", browsing.panel(runs, options_of(runs), title), options_of(runs))

    @property
    def runs(self) -> RunSet:
        """Those that the table is of now."""
        return self._browsing.runs

    @property
    def answers(self) -> dict[str, Callable[[Any], Answer | None]]:
        """A table filters, compares, writes tables as text, keeps views and changes what is said of runs."""
        return {
            **self._browsing.answers,
            "renew": self._answer_renew,
            "edit": lambda intent: self._changed(intent, self._changing.make(intent)),
            "undo": lambda intent: self._changed(intent, self._changing.undo(intent["edit"])),
            "open_view": self._open_view,
            "save_view": lambda intent: self._answer_views(intent, keep(self.runs, intent)),
            "drop_view": self._drop_view,
        }

    def _changed(self, intent: Any, said: str) -> Answer:
        self._renew()
        return answer(intent["id"], said=said)

    def _renew(self) -> None:
        self._show(self.runs.refresh(), cast("Any", self.state)["table"])

    def _show(self, runs: RunSet, options: TableOptions) -> None:
        """These rows by the state, which a page that is loaded again reads too."""
        self._browsing, self._fresh = Browsing(runs), 0
        view = cast("Any", self.state)["view"]
        self.state = {**cast("dict[str, Any]", browsing.panel(runs, options, self._title)), "view": view}

    def _answer_views(self, intent: Any, said: str | None = None) -> Answer:
        return answer(intent["id"], views=views_of(self.runs.store), said=said)

    def _open_view(self, intent: Any) -> Answer:
        runs = opened(intent["name"], self._first)
        self._show(runs, options_of(runs))
        return answer(intent["id"])

    def _drop_view(self, intent: Any) -> Answer:
        self.runs.store.views.delete(intent["name"])
        return self._answer_views(intent, f"removed the view {intent['name']}")

    def _answer_renew(self, asked: Renew) -> Answer:
        self._renew()
        return answer(asked["id"])

    def tick(self) -> bool:
        """Tell the front end how the runs stand that go on, and how many came since; whether some go on."""
        now = self.runs.refresh()
        told = browsing.news(now, self._going, len(set(now._resolve()) - set(self.runs._resolve())))
        if told["rows"] or told["fresh"] != self._fresh:
            self.send(told)
        self._going = [row["id"] for row in told["rows"] if row["status"] == "running"]
        self._fresh = told["fresh"]
        return bool(self._going)


class Compared(Panel):
    """The comparison of a few runs; it holds all it shows but the media, which it asks for one by one."""

    def __init__(self, comparison: Comparison, trail: str) -> None:
        self._media = media_of(comparison.runs)
        media = listing(self._media) if self._media.places else None
        state = saved.panel("compare", trail, _title(comparison), comparison=comparison.payload(), media=media)
        super().__init__("compare", state, MEDIA)

    @property
    def answers(self) -> dict[str, Callable[[Any], Answer | Reply | None]]:
        """One thing that a run kept beside numbers."""
        return {"take": lambda asked: taken(self._media, asked)}


def table_bundle(runs: RunSet, view: str | None) -> saved.Bundle:
    """What a cell that ends in a `RunSet` shows and keeps."""
    bundle = saved.table_bundle(
        runs.store.id, browsing.title_of(runs), browsing.page(runs), options_of(runs), repr(runs)
    )
    return saved.with_view(bundle, view)


def compare_bundle(comparison: Comparison, trail: str, view: str | None) -> saved.Bundle:
    """What a cell that ends in a comparison shows and keeps."""
    bundle = saved.compare_bundle(trail, _title(comparison), comparison.payload(), repr(comparison))
    return saved.with_view(bundle, view)


def _title(comparison: Comparison) -> str:
    return " · ".join(run.name for run in comparison.runs)
