"""The live chart: one for the runs of one cell execution, growing in place, swapped for its saved form."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from celltrail import contract
from celltrail.capture.shield import shield
from celltrail.contract import Answer, Band, ChartOptions, Flag, Grouping, Note, Points, Steer, Window
from celltrail.errors import NoRun
from celltrail.model import is_of_machine, new_id, parts_of
from celltrail.panels import saved
from celltrail.panels.closer import closer, marks_of, place_of
from celltrail.panels.columns import MOST_LINES
from celltrail.panels.earlier import earlier_runs
from celltrail.panels.feed import Feed
from celltrail.panels.figure import Line
from celltrail.panels.following import Followed
from celltrail.panels.pools import groupings
from celltrail.panels.widget import Panel, Reply, answer, hosts_widgets_only
from celltrail.run import Run, Wish

OPTIONS: ChartOptions = {
    "x": "step", "y": "linear", "hidden": [], "smooth": "none", "weight": 0.9, "folded": ["sys"],
    "group": "", "spread": "interval",
}  # fmt: skip
LOOK_BACK_TICKS = 10
QUIET_S = 20.0  # after so long it is not expected that a task goes on; a cell that is tracked meanwhile looks itself


class Chart(Panel):
    """The widget: what it shows comes as `contract.Points` messages, at most one for each tick."""

    def __init__(self, trail: str, title: str, feeds: Mapping[str, Feed | Followed] | None = None) -> None:
        self.seq = 0
        self._feeds = {} if feeds is None else feeds
        self.is_behind = True  # the panel must be sent everything
        self._over: set[str] = set()  # runs of which nothing new comes: of a thousand, one or two go on
        self.is_at_rest = False  # nothing comes any more; what is asked is answered
        self.noted: Callable[[], None] = lambda: None
        super().__init__("chart", saved.panel("chart", trail, title, chart=OPTIONS), OPTIONS)

    @property
    def answers(self) -> dict[str, Callable[[Any], Answer | Reply | None]]:
        """A chart sends everything again, or a stretch of it closer, keeps notes on points, and steers its runs."""
        return {
            "sync": self._answer_sync,
            "window": self._answer_window,
            "note": self._answer_note,
            "steer": self._answer_steer,
        }

    def _answer_steer(self, asked: Steer) -> Answer:
        """Only sets what the run looks at as it logs: this may be another thread than the cell's."""
        wish = Wish(asked["id"], asked["do"], "panel", asked["knob"], asked["value"])
        return answer(asked["id"], said=self._feed(asked["run"]).run.steer(wish))

    def _answer_window(self, asked: Window) -> Reply:
        runs = [feed.run for feed in self._feeds.values()]
        return closer(runs[0].store, [run.record() for run in runs], asked)

    def _answer_note(self, asked: Note) -> Answer:
        text, step = place_of(asked)
        feed = self._feed(asked["run"])
        feed.run.note(text, metric=asked["metric"], step=step)
        marks = marks_of(feed.run.store, list(self._feeds))
        self.change(marks=marks)
        self.noted()
        return answer(asked["id"], marks=marks)

    def _feed(self, run: str) -> Feed | Followed:
        feed = self._feeds.get(run)
        if feed is None:
            raise NoRun(f"this chart shows no run {run!r}; click on one that it shows")
        return feed

    def _answer_sync(self, _: Any) -> None:
        if self.is_at_rest:
            self.tell(list(self._feeds.values()), full=True)
        else:
            self.is_behind = True  # answered by the publisher's next tick, which alone sends points then

    def change(self, **facts: Any) -> None:
        """Tell the panel what else is known beside the points."""
        self.state = dict(self.state, **facts)

    def tell(self, feeds: Sequence[Feed | Followed], full: bool) -> int:
        """Send what is new, or everything; returns the bytes of it."""
        full, self.is_behind = full or self.is_behind, False
        parts: list[contract.Part] = []
        blocks: list[np.ndarray] = []
        states: list[contract.RunState] = []
        for feed in feeds:
            some, columns = feed.parts(full)
            parts += some
            blocks += columns
            if full or some or feed.run.id not in self._over:
                states.append(feed.state())
                if states[-1]["status"] != "running":
                    self._over.add(feed.run.id)
        message: Points = {
            "kind": "points",
            "seq": self.seq,
            "full": full,
            "parts": parts,
            "runs": states,
        }
        self.seq += 1
        data = np.concatenate([block.ravel() for block in blocks]) if blocks else np.empty(0)
        self.send(message, [np.ascontiguousarray(data, dtype="<f8").tobytes()])
        return data.nbytes


class LiveChart:
    """One chart in one output: which runs it shows, when it was displayed, whether it is still live."""

    def __init__(self, publish: Callable[..., None]) -> None:
        self._publish = publish
        self._display_id = f"celltrail-{new_id()}"
        self.own: dict[str, Feed] = {}  # the runs of this process
        self.feeds: dict[str, Feed | Followed] = {}  # all of them
        self.widget: Chart | None = None
        self.is_cell_over = False
        self.is_over = False
        self.is_late = False  # its run had ended when it logged its first number
        self.heard_at = 0.0  # by the monotonic clock, when something was logged last
        self.is_muted = False  # not shown for what other processes do
        self._mark = ""
        self._looked = False
        self._earlier: list[Band] = []
        self._told_of_others: tuple[list[Band], list[str]] = [], []
        self._fulls = 0
        self._ticks = 0
        self._is_new = False  # a run came since the panel was told which belong together

    def add(self, run: Run) -> None:
        """Show this run too."""
        self.feeds[run.id] = self.own[run.id] = Feed(run)
        self._is_new = True

    def follow(self, run: Followed) -> None:
        """Show a run of another process too."""
        self.feeds[run.run.id] = run
        self._is_new = True

    def look(self) -> bool:
        """Look at what other processes write of its runs; whether there is something to show of it."""
        feeds = list(self.feeds.values())
        for feed in feeds:
            feed.look()
        return any(feed.is_shown for feed in feeds)

    @property
    def has_ended(self) -> bool:
        """Whether no run of it goes on; of those that tasks outlive, whether they were quiet for a while."""
        if self.is_late:
            is_quiet = time.monotonic() - self.heard_at > QUIET_S
            return is_quiet or not any(run.is_open for run in [feed.run for feed in self.own.values()])
        return not any(feed.run.is_running for feed in list(self.feeds.values()))

    @property
    def has_news(self) -> bool:
        """Whether the next tick has something to send."""
        behind = self.widget is not None and self.widget.is_behind
        return not self.is_over and (behind or self._is_full_due or any(feed.has_news for feed in self.feeds.values()))

    @property
    def _is_full_due(self) -> bool:
        # A front end still loading the panel misses the first messages and, with the kernel busy, may not be
        # able to ask for them. So everything is sent again after 0.2, 0.4, 0.8 ... 51 s; that costs little.
        return self.widget is not None and self._ticks >= 2 << self._fulls and self._fulls < 9

    def show(self) -> None:
        """Put the chart into the output of the cell, if it is not there yet."""
        if self.widget is None and not self.is_over:
            run = next(iter(self.feeds.values())).run
            self.widget = Chart(run.store.id, run.name, self.feeds)
            self.widget.noted = self._noted
            view = {"application/vnd.jupyter.widget-view+json": _view(self.widget.model_id)}
            bundle = self._at_rest(self.widget.model_id)
            bundle.pop("image/png", None)
            self._publish({**bundle, **view}, self._display_id, update=False)

    def tick(self) -> None:
        """Send the panel what is new."""
        self._ticks += 1
        if self.widget is not None and not self.is_over:
            full = self._is_full_due
            self._fulls += full
            for feed in self.feeds.values():
                feed.drain()
            self.widget.tell(list(self.feeds.values()), full)
            if full or self._is_new:
                self._regroup()
            told = [feed.new_flags() for feed in self.feeds.values()]
            if any(told):
                self.widget.change(flags=self._flags())
            self._tell_of_others()
            self.look_back()

    def _tell_of_others(self) -> None:
        """Tell the panel of the ranks: their bands, and which of them are slow or died."""
        found = self._bands, self._said
        if self.widget is not None and found != self._told_of_others:
            self._told_of_others = found
            self.widget.change(bands=found[0], hints=found[1])

    @property
    def _bands(self) -> list[Band]:
        """Of the ranks of its runs; where there are none, of earlier runs of the cell."""
        return [band for feed in list(self.feeds.values()) for band in feed.bands] or self._earlier

    @property
    def _said(self) -> list[str]:
        return [said for feed in list(self.feeds.values()) for said in feed.said]

    def _regroup(self) -> None:
        """Tell the panel which runs belong together; params may come after a run has begun.

        Only on a tick: a cell that starts a thousand runs would look through all of them at each.
        """
        self._is_new = False
        found = self._groupings()
        if self.widget is not None and found != self.widget.state["groupings"]:
            self.widget.change(groupings=found)

    def _groupings(self) -> list[Grouping]:
        return groupings([feed.run.record() for feed in self.feeds.values()])

    def look_back(self) -> None:
        """Read, on a thread of its own, what earlier runs of the cell came to; once, and not for a cell of a moment."""
        if not self._looked and self._ticks >= LOOK_BACK_TICKS and self.widget is not None:
            self._looked = True
            threading.Thread(target=shield, args=(self._read_earlier,), name="celltrail-earlier", daemon=True).start()

    def _read_earlier(self) -> None:
        feeds = list(self.feeds.values())
        began_us = min((feed.run.record().started_us for feed in feeds), default=0)
        for feed in feeds:
            feed.earlier = earlier_runs(feed.run.store, feed.run.record(), feed.trained, began_us)
            self._earlier = self._earlier or feed.earlier.bands()
        if not self.is_over:
            self._tell_of_others()

    def skip(self) -> None:
        """A tick in which another chart had its turn."""
        self._ticks += 1

    def _flags(self) -> list[Flag]:
        return [flag for feed in self.feeds.values() for flag in feed.flags]

    def swap(self) -> None:
        """Replace the live view by the saved form, beside which the panel goes on to answer while the kernel lives."""
        for feed in self.feeds.values():
            shield(feed.look)
            feed.drain()
        if self.widget is not None and not self.is_over:
            self.widget.tell(list(self.feeds.values()), full=True)
            self.widget.change(groupings=self._groupings(), flags=self._flags(), bands=self._bands, hints=self._said)
            self.widget.is_at_rest = True
            self._publish(self._at_rest(self._view), self._display_id, update=True)
            if hosts_widgets_only():
                self.close()
        self.is_over = True

    def close(self) -> None:
        """The panel answers no longer; its saved form stays."""
        if self.widget is not None:
            self.widget.close()

    @property
    def _view(self) -> str | None:
        """The panel by which celltrail's extension shows the saved form alive."""
        return self.widget.model_id if self.widget is not None and not hosts_widgets_only() else None

    def _noted(self) -> None:
        if self.is_over:
            self.add_picture()

    def add_picture(self) -> None:
        """The saved form once more, now with a PNG; that takes time which the cell should not wait for."""
        if self.widget is not None:
            lines, _ = self._lines()
            bundle = saved.with_png(self._at_rest(self._view), lines, self._options)
            self._publish(bundle, self._display_id, update=True)

    def mark(self, text: str) -> None:
        """Say above the saved form why it no longer holds."""
        if text != self._mark and self.is_over:
            self._mark = text
            if self.widget is not None:
                self.widget.change(hints=self._hints)
            self.add_picture()

    @property
    def _hints(self) -> list[str]:
        return [*([self._mark] if self._mark else []), *self._said]

    def _at_rest(self, view: str | None) -> saved.Bundle:
        lines, totals = self._lines()
        feeds = list(self.feeds.values())
        states = [feed.state() for feed in feeds]
        run = feeds[0].run
        marks = marks_of(run.store, list(self.feeds))
        facts = saved.Facts(states, marks, self._flags(), self._bands, self._groupings())
        bundle = saved.chart_bundle(run.store.id, run.name, lines, totals, self._options, facts)
        return saved.with_view(saved.marked(bundle, " · ".join(self._hints)), view)

    @property
    def _options(self) -> ChartOptions:
        return cast("ChartOptions", {**OPTIONS, **(self.widget.options if self.widget else {})})

    def _lines(self) -> tuple[list[Line], list[int]]:
        """The curves that are not switched off, the axis among them, and how many points each has in the trail."""
        hidden, x = self._options["hidden"], self._options["x"]
        found = [
            (
                Line(feed.run.id, label_of(feed.run.name, name, len(self.feeds)), name, column.points(), column.total),
                column.total,
            )
            for name in self._metrics(x)
            for feed in list(self.feeds.values())[: saved.MOST_RUNS]
            if (column := feed.columns.get(name)) and (f"{feed.run.id}/{name}" not in hidden or name == x)
        ][:MOST_LINES]
        return [line for line, _ in found], [total for _, total in found]

    def _metrics(self, x: str) -> list[str]:
        """All names, the axis first, the machine last: where room is short, the lines of one metric stay together."""
        names = dict.fromkeys(name for feed in self.feeds.values() for name in feed.columns)
        return sorted(names, key=lambda name: (name != x, is_of_machine(name)))


def _view(model_id: str) -> dict[str, Any]:
    return {"version_major": 2, "version_minor": 0, "model_id": model_id}


def label_of(run: str, metric: str, runs: int) -> str:
    """What a line is called in the picture, beside so many runs."""
    _, split = parts_of(metric)
    return " ".join(part for part in (run if runs > 1 else "", split) if part) or run
