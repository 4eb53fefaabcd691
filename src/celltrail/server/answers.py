"""What a server says of one trail: the same answers, by the same code, as the panels of a kernel get."""

from __future__ import annotations

import contextlib
import json
import math
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from celltrail.capture.already.saying import result
from celltrail.compare import compare
from celltrail.contract import (
    Answer,
    Asked,
    CellRun,
    Comparison,
    Content,
    Drawn,
    Edit,
    News,
    Points,
    Proposal,
    Question,
    RowsPage,
    SavedPanel,
    SavedView,
    Steer,
    Take,
    TrailRows,
    Window,
)
from celltrail.contract.shape import misfits
from celltrail.errors import BadValue, NoRun, StoreError, nearest
from celltrail.model import RUN_ID
from celltrail.panels import browsing, detail
from celltrail.panels.browsing import Browsing
from celltrail.panels.changing import Changing
from celltrail.panels.closer import closer, comment_of, marks_of, place_of
from celltrail.panels.curves import drawn, state_of
from celltrail.panels.executions import executed
from celltrail.panels.media import taken
from celltrail.panels.picking import picked
from celltrail.panels.viewing import keep, options_of, views_of
from celltrail.panels.widget import answer
from celltrail.panels.wished import knobs
from celltrail.query import RunSet, StoredRun, find, runs
from celltrail.query.completion import complete
from celltrail.query.detail import comments
from celltrail.run.steering import Knob
from celltrail.store import control

if TYPE_CHECKING:
    from celltrail.store import Store

MOST_ROWS, MOST_RUNS, MOST_PROPOSALS = 500, 50, 12
MOST_TABLES = 8  # whose runs are held, of one trail: one for each saved view that is looked at
Series = tuple[Points, bytes]


class Answers:
    """Answers about one trail; every method may be called on any thread, and none on the server's loop.

    Args:
        store: the trail.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._changing = Changing(store)
        self._lock = threading.Lock()
        self._tables: dict[str, Browsing] = {}  # by saved view, that which was asked for last at the end
        self._reading = threading.Lock()

    def live(self) -> int:
        """How many runs go on."""
        return len(runs("status == 'running'", store=self.store))

    def rows(self, where: str = "", sort: Sequence[str] = (), offset: int = 0, limit: int = 50) -> RowsPage:
        """A page of the runs that match, newest first unless sorted."""
        found = runs(where, sort=sort, store=self.store)
        hints = [] if len(found) or not where else ["no run matches"]
        part = found[max(0, offset) : max(0, offset) + min(max(0, limit), MOST_ROWS)]
        return {"rows": part.rows(), "total": len(found), "hints": hints + found.hints}

    def table(self, view: str = "") -> SavedPanel:
        """The table of a saved view, "" of all runs, as it is now; questions are about its runs from here on."""
        found = self._runs_of(view)
        with self._reading:
            self._keep(view, Browsing(found))
        return browsing.panel(found, options_of(found))

    def news(self, view: str, since: str, followed: Sequence[str]) -> News:
        """How the runs of a table stand that go on or did, and how many came after the run of this id."""
        now = self._runs_of(view)
        return browsing.news(now, followed, sum(run_id > since for run_id in now._resolve()))

    def ask(self, intent: object, view: str = "") -> Answer:
        """What a page asks without changing anything, of the table of a view where it is about one."""
        if wrong := misfits(intent, Question):
            raise BadValue(f"this is no question that a server knows: {wrong[0]}")
        asked = cast("Question", intent)
        if asked["kind"] == "pick":
            return picked(detail.evaluations(self._find(asked["run"])), asked)
        if asked["kind"] == "hold":  # of any run, also one that no table has met
            return Browsing(runs(store=self.store)).answers["hold"](asked)
        if asked["kind"] == "trace":
            return answer(asked["id"], executions=executed(self._find(asked["run"])))
        with self._reading:  # a table keeps what it has found
            table = self._tables.get(view) or Browsing(self._runs_of(view))
            self._keep(view, table)
            return table.answers[asked["kind"]](asked)

    def _runs_of(self, view: str) -> RunSet:
        return runs(view=view, store=self.store) if view else runs(store=self.store)

    def _keep(self, view: str, table: Browsing) -> None:
        self._tables.pop(view, None)
        self._tables[view] = table
        for least in list(self._tables)[:-MOST_TABLES]:
            del self._tables[least]

    def cells(self, notebook: str) -> list[CellRun]:
        """The newest run of each cell of a notebook, which is named as its runs name it.

        Of a cell whose run has children, such as the trials of a sweep, that is the run and not the last child.
        """
        found: dict[str, CellRun] = {}
        newest = runs(f"notebook == {json.dumps(notebook)}", store=self.store)[:MOST_ROWS]
        cell_of = {run.id: run.record.cell_id for run in newest}
        for run in newest:
            cell = run.record.cell_id
            if cell_of.get(run.record.parent or "") == cell:
                continue
            if cell is not None and cell not in found:
                found[cell] = _cell_run(run, cell)
            elif cell is not None and found[cell]["previous"] is None:
                found[cell]["previous"] = run.id
        return list(found.values())

    def run(self, run_id: str) -> SavedPanel:
        """Everything of one run, as its panel holds it."""
        run = self._find(run_id)
        return detail.payload(run, run.media())

    def compare(self, run_ids: Sequence[str]) -> Comparison:
        """Runs fact by fact."""
        return compare(*map(self._find, _some(run_ids, 2)), store=self.store).payload()

    def draw(self, run_ids: Sequence[str]) -> Drawn:
        """The curves of runs."""
        return drawn(runs(store=self.store).pick(_some(run_ids)))

    def series(
        self, run_ids: Sequence[str], metrics: Sequence[str], x: str, low: float, high: float, points: int
    ) -> Series:
        """A stretch of some series, thinned to so many points each, with how their runs are; no metrics means all."""
        found = [self._find(run_id) for run_id in _some(run_ids)]
        names = list(metrics) or list(dict.fromkeys(name for run in found for name in run.record.metrics))
        window: Window = {
            "kind": "window",
            "id": "",
            "runs": [run.id for run in found],
            "metrics": names,
            "x": x,
            "low": low,
            "high": high,
            "points": points,
        }
        said, blocks = closer(self.store, [run.record for run in found], window)
        states = [state_of(run, []) for run in found]
        is_whole = low == -math.inf and high == math.inf
        return {"kind": "points", "seq": 0, "full": is_whole, "parts": said["parts"] or [], "runs": states}, blocks[0]

    def item(self, run_id: str, number: int) -> tuple[Content, bytes]:
        """One of the items that a run kept beside its numbers, with its bytes."""
        take: Take = {"kind": "take", "id": "", "run": run_id, "number": number}
        said, blocks = taken(self._find(run_id).media(), take)
        content = said["content"]
        assert content is not None
        return content, blocks[0]

    def complete(self, where: str, cursor: int) -> list[Proposal]:
        """What may be written next in an expression."""
        found = complete(where, cursor, self.store.names)[:MOST_PROPOSALS]
        return [Proposal(**each._asdict()) for each in found]

    def views(self) -> list[SavedView]:
        """The saved views."""
        return views_of(self.store)

    def change(self, intent: object) -> Answer:
        """Do what a page asks for, if it is one of the contract's intents for a server."""
        if wrong := misfits(intent, Asked):
            raise BadValue(f"this is no intent that a server knows: {wrong[0]}")
        asked = cast("Asked", intent)
        with self._lock:
            return self._change(asked)

    def _change(self, asked: Asked) -> Answer:
        match asked["kind"]:
            case "note":
                text, step = place_of(asked)
                self._find(asked["run"]).note(text, metric=asked["metric"], step=step)
                return answer(asked["id"], marks=marks_of(self.store, [asked["run"]]))
            case "comment":
                run = self._find(asked["run"]).comment(comment_of(asked))
                return answer(asked["id"], comments=comments(run.record))
            case "steer":
                return answer(asked["id"], said=self._steer(asked))
            case "edit":
                return answer(asked["id"], said=self._edit(asked))
            case "undo":
                return answer(asked["id"], said=self._changing.undo(asked["edit"]))
            case "save_view":
                said = keep(runs(store=self.store), asked)
                return answer(asked["id"], views=views_of(self.store), said=said)
            case "drop_view":
                self.store.views.delete(asked["name"])
                said = f"removed the view {asked['name']}"
                return answer(asked["id"], views=views_of(self.store), said=said)

    def _steer(self, asked: Steer) -> str:
        """Left in the trail, where the process of the run looks for it a few times a second."""
        run, do = self._find(asked["run"]), asked["do"]
        if run.status != "running":
            said = f"run {run.name!r} has already {run.status}; there is nothing to {do}"
            if do == "stop":  # a page asks the kernel too, which may just have done it
                return said
            raise BadValue(said)
        if do == "turn":
            _check(run, asked)
        wish = {"id": asked["id"], "do": do, "by": "panel", "knob": asked["knob"], "value": asked["value"]}
        control.post(self.store.root, run.id, wish)
        return f"{run.name} hears of it within a moment"

    def _edit(self, asked: Edit) -> str:
        for run_id in asked["runs"]:
            self._find(run_id)
        return self._changing.make(asked)

    def _find(self, run_id: str) -> StoredRun:
        if not RUN_ID.fullmatch(run_id):
            raise NoRun(f"{run_id[:40]!r} is no id of a run, which has 26 characters")
        return find(run_id, self.store)


def _check(run: StoredRun, asked: Steer) -> None:
    """Refuse what the knob would not take; its process would only note that."""
    known = {knob["name"]: knob for knob in knobs(run)}
    knob = known.get(asked["knob"])
    if knob is None:
        there_is = ", ".join(known) or "none: its code declares one with ct.knob()"
        raise BadValue(f"no knob is called {asked['knob']!r}{nearest(asked['knob'], known) or ';'} there is {there_is}")
    value = int(knob["value"]) if knob["whole"] else knob["value"]
    Knob(knob["name"], value, knob["low"], knob["high"]).check(asked["value"])


def _cell_run(run: StoredRun, cell: str) -> CellRun:
    again = run.record.environment.get("already", {})
    already = ""
    if again.get("kind") == "repeat":
        already = f"repeat {again.get('number')} of the same with other random numbers"
    elif again:
        already = "the same code and inputs ran before"
    said = result(run.record)
    return {
        "cell": cell, "run": run.id, "name": run.name, "status": run.status, "said": said, "already": already,
        "previous": None,
    }  # fmt: skip


def _some(run_ids: Sequence[str], least: int = 1) -> list[str]:
    found = [run_id for run_id in dict.fromkeys(run_ids) if run_id]
    if not least <= len(found) <= MOST_RUNS:
        raise BadValue(f"{len(found)} runs were named; name {least} to {MOST_RUNS}, by their ids with commas between")
    return found


def newest(trails: Mapping[str, Answers], where: str, limit: int) -> TrailRows:
    """The newest runs of several trails that match, each with the trail it is in."""
    limit = min(max(0, limit), MOST_ROWS)
    found: list[tuple[int, str, str]] = []
    total = 0
    for trail_id, answers in trails.items():
        with contextlib.suppress(StoreError, NoRun):  # that one is gone, or cannot be read
            matching = runs(where, store=answers.store)
            found += [(record.created_us, trail_id, record.id) for record in matching[:limit].records]
            total += len(matching)
    found = sorted(found, reverse=True)[:limit]
    chosen = {trail_id: [run for _, at, run in found if at == trail_id] for trail_id in trails}
    rows = {
        (trail_id, row["id"]): row
        for trail_id, ids in chosen.items()
        for row in runs(store=trails[trail_id].store).pick(ids).rows()
    }
    shown = [(trail_id, run) for _, trail_id, run in found if (trail_id, run) in rows]
    return {"rows": [rows[each] for each in shown], "trails": [trail_id for trail_id, _ in shown], "total": total}
