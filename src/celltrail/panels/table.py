"""The run table and the comparison as widgets: rows come when asked for, by the query language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celltrail.compare import Comparison, compare
from celltrail.contract import Answer, RowsPage, TableOptions
from celltrail.panels import saved
from celltrail.panels.widget import Panel, answer
from celltrail.query import RunSet

OPTIONS: TableOptions = {
    "sort": [],
    "filter": "",
    "selected": [],
    "columns": None,
    "differing": None,
    "pinned": [],
    "widths": {},
    "group": [],
    "folded": [],
    "baseline": None,
}
PAGE = 500  # rows a panel holds at once; the filter reaches the others


def page(runs: RunSet) -> RowsPage:
    """The first rows of a set and how many there are."""
    hints = [] if len(runs) or not runs.question else ["no run matches"]
    return {"rows": runs[:PAGE].rows(), "total": len(runs), "hints": hints + runs.hints}


class Table(Panel):
    """The run table of a `RunSet`."""

    def __init__(self, runs: RunSet) -> None:
        self.runs = runs
        first = page(runs)
        state = saved.panel(
            "table",
            runs.store.id,
            title_of(runs),
            rows=first["rows"],
            hints=first["hints"],
            omitted=first["total"] - len(first["rows"]),
            table=OPTIONS,
        )
        super().__init__("table", state, OPTIONS)

    @property
    def answers(self) -> dict[str, Callable[[Any], Answer | None]]:
        """A table filters and compares."""
        return {"query": self._answer_query, "compare": self._answer_compare}

    def _answer_query(self, intent: Any) -> Answer:
        return answer(
            intent["id"], rows=page(self.runs.where(intent["where"]) if intent["where"].strip() else self.runs)
        )

    def _answer_compare(self, intent: Any) -> Answer:
        return answer(intent["id"], comparison=compare(*intent["runs"], store=self.runs.store).payload())


class Compared(Panel):
    """The comparison of a few runs; it holds all it shows and asks for nothing."""

    def __init__(self, comparison: Comparison, trail: str) -> None:
        state = saved.panel("compare", trail, title_of(comparison), comparison=comparison.payload())
        super().__init__("compare", state, {})


def title_of(shown: RunSet | Comparison) -> str:
    """What a panel is of, in a few words."""
    if isinstance(shown, RunSet):
        return shown.question or "all runs"
    return " · ".join(row["name"] for row in shown.payload()["runs"])


def table_bundle(runs: RunSet, view: str | None) -> saved.Bundle:
    """What a cell that ends in a `RunSet` shows and keeps."""
    bundle = saved.table_bundle(runs.store.id, title_of(runs), page(runs), OPTIONS, repr(runs))
    return saved.with_view(bundle, view)


def compare_bundle(comparison: Comparison, trail: str, view: str | None) -> saved.Bundle:
    """What a cell that ends in a comparison shows and keeps."""
    bundle = saved.compare_bundle(trail, title_of(comparison), comparison.payload(), repr(comparison))
    return saved.with_view(bundle, view)
