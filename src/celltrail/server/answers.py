"""What a server says of one trail: the same answers, by the same code, as the panels of a kernel get."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Sequence
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
    Points,
    Proposal,
    RowsPage,
    SavedPanel,
    SavedView,
    Steer,
    Take,
    Window,
    Write,
)
from celltrail.errors import BadValue, NoRun
from celltrail.model import RUN_ID
from celltrail.panels import detail
from celltrail.panels.changing import Changing
from celltrail.panels.closer import closer, marks_of, place_of
from celltrail.panels.curves import drawn, state_of
from celltrail.panels.media import taken
from celltrail.panels.table import written
from celltrail.panels.viewing import keep, views_of
from celltrail.panels.widget import answer
from celltrail.query import StoredRun, find, runs
from celltrail.query.completion import complete
from celltrail.server.shape import misfits
from celltrail.store import control

if TYPE_CHECKING:
    from celltrail.store import Store

MOST_ROWS, MOST_RUNS, MOST_PROPOSALS = 500, 50, 12
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

    def live(self) -> int:
        """How many runs go on."""
        return len(runs("status == 'running'", store=self.store))

    def rows(self, where: str = "", sort: Sequence[str] = (), offset: int = 0, limit: int = 50) -> RowsPage:
        """A page of the runs that match, newest first unless sorted."""
        found = runs(where, sort=sort, store=self.store)
        hints = [] if len(found) or not where else ["no run matches"]
        part = found[max(0, offset) : max(0, offset) + min(max(0, limit), MOST_ROWS)]
        return {"rows": part.rows(), "total": len(found), "hints": hints + found.hints}

    def cells(self, notebook: str) -> list[CellRun]:
        """The newest run of each cell of a notebook, which is named as its runs name it."""
        found: dict[str, CellRun] = {}
        for run in runs(f"notebook == {json.dumps(notebook)}", store=self.store)[:MOST_ROWS]:
            cell = run.record.cell_id
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
        states = [state_of(run, [], sum(metric.count for metric in run.record.metrics.values())) for run in found]
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

    def text(self, form: str, run_ids: Sequence[str], columns: Sequence[str]) -> str:
        """Runs as a table in text: csv, markdown or latex."""
        write = {"kind": "write", "id": "", "form": form, "runs": list(run_ids), "columns": list(columns)}
        write |= {"rows": [], "cols": [], "value": None}
        if wrong := misfits(write, Write):
            raise BadValue(f"runs cannot be written so: {wrong[0]}")
        return written(runs(store=self.store), cast("Write", write))

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
            raise BadValue(f"run {run.name!r} has already {run.status}; there is nothing to {do}")
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
