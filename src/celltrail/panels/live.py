"""Which charts live in this kernel, and the one thread that feeds them.

Jupyter Server drops messages above 1,000 a second without a word, so there is one publisher for all
charts together and it sends at most one message a tick.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict, deque
from contextlib import suppress
from pathlib import Path
from typing import Any

from celltrail.capture.outputs import SAYING
from celltrail.capture.shield import shield
from celltrail.errors import NoRun
from celltrail.model import is_of_machine, new_id
from celltrail.panels.chart import LiveChart
from celltrail.panels.closer import flag_of, flag_of_deed
from celltrail.panels.following import Followed
from celltrail.panels.livemedia import LiveMedia, is_shown
from celltrail.panels.notice import ALERT, alert_bundle, alert_said
from celltrail.panels.others import Others
from celltrail.run import Alerted, Ended, Event, Intervened, Kept, Logged, LoggedBlock, Results, Run, Started, listen
from celltrail.store import Store, present

TICK_S = 0.1
MOST_SAID = 20  # alerts of one run that are a line each
_MOST_BEGUN = 1000
_MOST_RESTING = 30  # charts at rest that can still be marked; each holds its points


class Live:
    """The live charts of one IPython shell."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._charts: deque[LiveChart] = deque()
        self._pictures: deque[LiveChart] = deque()  # charts whose saved form lacks its PNG
        self._of_run: dict[str, LiveChart] = {}
        self._media: dict[LiveChart, LiveMedia] = {}  # what the runs of a chart keep beside its numbers
        self._resting_media: deque[LiveMedia] = deque()
        self._resting: OrderedDict[str, LiveChart] = OrderedDict()  # by run, the newest
        self._of_cell: dict[str, LiveChart] = {}
        self._begun_in: OrderedDict[str, str] = OrderedDict()  # by run without a chart so far: the request it began in
        self._depth: dict[str, int] = {}  # cells that run just now, one within the other, by request
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._said: dict[str, int] = {}  # alerts of each run
        self._others = Others(self._look)
        self._place: Path | None = None  # where other processes leave the runs they begin
        self._taking = threading.Lock()  # what they left belongs to the cell that is at work until it is taken in
        self._key = ""  # of the cell that began last
        self._unlisten = lambda: None
        self._pid = os.getpid()

    def on(self) -> None:
        """Begin to listen."""
        self._unlisten = listen(self._hear)
        self._place = present.listen()
        self._shell.events.register("pre_run_cell", self._cell_begins)
        self._shell.events.register("post_run_cell", self._cell_over)

    def off(self) -> None:
        """Stop listening and leave every chart in its saved form."""
        self._unlisten()
        self._shell.events.unregister("pre_run_cell", self._cell_begins)
        self._shell.events.unregister("post_run_cell", self._cell_over)
        for chart in list(self._charts):
            shield(self._retire, chart)
        self._add_pictures()
        for chart in self._resting.values():
            chart.close()
        self._resting.clear()
        for media in self._resting_media:
            media.close()
        self._resting_media.clear()

    def show(self, run: Run) -> None:
        """Show the chart of this run now, before its first point."""
        if chart := self._of_run.get(run.id):
            self._show(chart)

    def mark(self, run: str, text: str) -> None:
        """Say above the chart of a run that is over why it no longer holds; an empty text takes that away."""
        with self._lock:
            if chart := self._resting.get(run):
                chart.mark(text)

    def mute(self, run: Run) -> None:
        """This run gets no chart."""
        self._begun_in.pop(run.id, None)
        if chart := self._of_run.pop(run.id, None):
            chart.is_muted = True

    def _hear(self, event: Event) -> None:
        if os.getpid() != self._pid:
            return  # a forked child shares the sockets of the kernel and must not speak on them
        if isinstance(event, Results):
            return
        if isinstance(event, Logged | LoggedBlock):
            chart = self._of_run.get(event.run.id)
            if chart is None and not event.run.is_running:
                chart = shield(self._late, event)
            if chart:
                chart.heard_at = time.monotonic()
                chart.own[event.run.id].put(event)
                if chart.widget is None and not is_of_machine(event.names[0]):
                    self._show(chart)
        elif isinstance(event, Kept):
            shield(self._keep, event)
        elif isinstance(event, Alerted):
            shield(self._say, event)
            if chart := self._of_run.get(event.run.id):
                chart.own[event.run.id].flag(flag_of(event.run.id, event))
        elif isinstance(event, Intervened):
            if chart := self._of_run.get(event.run.id):
                chart.own[event.run.id].flag(flag_of_deed(event.run.id, event.deed))
        elif isinstance(event, Started):
            self._begin(event.run)
        elif isinstance(event, Ended):
            self._said.pop(event.run.id, None)
            chart = self._of_run.get(event.run.id)
            if chart and chart.is_cell_over and chart.has_ended:
                shield(self._retire, chart)

    def _say(self, alert: Alerted) -> None:
        """One line in the cell; celltrail's extension makes a notification of it."""
        said = self._said[alert.run.id] = self._said.get(alert.run.id, 0) + 1
        if said <= MOST_SAID:
            bundle = alert_bundle(alert, is_last=said == MOST_SAID)
            metadata = {SAYING: ALERT, "level": alert.level, "said": alert_said(alert)}
            self._shell.display_pub.publish(data=bundle, metadata=metadata)

    def _show(self, chart: LiveChart) -> None:
        with self._lock:  # two threads may log the first point at once
            chart.show()
            self._feed()

    def _keep(self, kept: Kept) -> None:
        """A cell shows what its runs keep beside numbers as it comes, below the chart where there is one."""
        chart = self._of_run.get(kept.run.id)
        if chart is None or not is_shown(kept):
            return
        if media := self._media.get(chart):
            media.add(kept.run)  # with no lock: the cell need not wait for a look at the trail
            return
        with self._lock:
            media = self._media.setdefault(chart, LiveMedia(self._display, f"celltrail-{new_id()}"))
            media.add(kept.run)
            media.show()
            self._feed()

    def _feed(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._publish, name="celltrail-panels", daemon=True)
            self._thread.start()

    def _begin(self, run: Run) -> None:
        with self._lock:
            key = self._begun_in[run.id] = self.execution()
            if len(self._begun_in) > _MOST_BEGUN:
                self._begun_in.popitem(last=False)
            chart = self._of_run[run.id] = self._chart_of(key)
            chart.add(run)

    def _late(self, event: Logged | LoggedBlock) -> LiveChart | None:
        """A chart for what outlives its cell and logs its first number now, as a task does.

        Below that cell, and so only where what is said now is said there: a thread may speak in a later cell.
        """
        run = event.run
        if is_of_machine(event.names[0]) or self._begun_in.pop(run.id, None) != self.execution():
            return None
        with self._lock:
            chart = self._of_run[run.id] = LiveChart(self._display)
            chart.is_cell_over = chart.is_late = True
            chart.add(run)
            self._charts.append(chart)
        self._others.wake()
        return chart

    def _chart_of(self, cell: str) -> LiveChart:
        if cell not in self._of_cell:
            self._of_cell[cell] = LiveChart(self._display)
            self._charts.append(self._of_cell[cell])
        return self._of_cell[cell]

    def _cell_begins(self, *_: Any, **__: Any) -> None:
        key = self._key = self.execution()
        self._depth[key] = self._depth.get(key, 0) + 1
        self._others.wake()

    def _cell_over(self, *_: Any, **__: Any) -> None:
        key = self.execution()
        left = self._depth.get(key, 1) - 1
        if left > 0:  # it ran within another cell, as a trial does, whose chart goes on
            self._depth[key] = left
            return
        shield(self._look_last)
        with self._taking:
            self._depth.pop(key, None)
        for key, chart in list(self._of_cell.items()):
            chart.is_cell_over = True
            del self._of_cell[key]
            if chart.has_ended:
                shield(self._retire, chart)

    def _look(self) -> bool:
        """Look at what other processes do for the cells that are at work; whether to look again."""
        if os.getpid() != self._pid:
            return False
        shield(self._take_in)
        for chart in list(self._charts):
            shield(self._look_at, chart)
            if chart.is_cell_over and chart.has_ended:
                shield(self._retire, chart)
        return bool(self._depth or self._charts)

    def _look_at(self, chart: LiveChart) -> None:
        if chart.look() and chart.widget is None and not chart.is_muted:
            self._show(chart)

    def _look_last(self) -> None:
        """The cell is about to end: what it began since the last look is shown now, for nothing later gets below it."""
        self._take_in()
        for chart in list(self._of_cell.values()):
            if chart.widget is None:
                shield(self._look_at, chart)

    def _take_in(self) -> None:
        """Runs that other processes begin for a cell are shown in it; where none is at work they wait for the next."""
        with self._taking:
            if self._place is None or not self._depth:
                return
            if not self._place.is_dir():  # somebody emptied the user's caches
                self._place = present.listen()
                return
            for told in present.left(self._place):
                shield(self._follow, told)

    def _follow(self, told: present.Told) -> None:
        with suppress(NoRun):  # it is gone again already
            followed = Followed(Store(told.root), told.run)
            with self._lock:
                self._chart_of(self._key).follow(followed)

    def _retire(self, chart: LiveChart) -> None:
        with self._lock:
            chart.swap()
            if chart.widget is not None:  # one that nobody saw has nothing to add to, and would wait here for ever
                self._pictures.append(chart)
            if chart in self._charts:
                self._charts.remove(chart)
            if media := self._media.pop(chart, None):
                self._rest(media)
            for run_id in chart.feeds:
                self._of_run.pop(run_id, None)
                if chart.widget is not None:
                    self._begun_in.pop(run_id, None)
                    self._resting[run_id] = chart
            while len(self._resting) > _MOST_RESTING:
                _, oldest = self._resting.popitem(last=False)
                if oldest not in self._resting.values():
                    oldest.close()

    def _rest(self, media: LiveMedia) -> None:
        media.end()
        self._resting_media.append(media)
        if len(self._resting_media) > _MOST_RESTING:
            self._resting_media.popleft().close()

    def _publish(self) -> None:
        while True:
            time.sleep(TICK_S)
            self._add_pictures()
            with self._lock:
                if not self._charts and not self._pictures:
                    self._thread = None
                    return
                # what a run keeps comes seldom; then the charts, round robin: the first with news goes to the back
                media = next((media for media in self._media.values() if media.is_due), None)
                chart = None if media else next((chart for chart in self._charts if chart.has_news), None)
                if media:
                    shield(media.tick)
                for other in self._charts:
                    if other is not chart:
                        other.skip()
                if chart is not None:
                    self._charts.remove(chart)
                    self._charts.append(chart)
                    chart.tick()

    def _add_pictures(self) -> None:
        while self._pictures:
            self._pictures.popleft().add_picture()

    def execution(self) -> str:
        """What tells this execution of a cell from all others: the id of the request for it."""
        parent = self._shell.kernel.get_parent("shell") or {}
        return parent.get("header", {}).get("msg_id") or f"execution {self._shell.execution_count}"

    def _display(self, bundle: dict[str, Any], display_id: str, *, update: bool) -> None:
        transient = {"display_id": display_id}
        # marked as celltrail's own word: the record of the cell would hold a picture of itself
        metadata = {"celltrail": "chart"}
        self._shell.display_pub.publish(data=bundle, metadata=metadata, transient=transient, update=update)
