"""Panels: what celltrail shows in a notebook. `install` makes a shell show them, `uninstall` undoes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celltrail.capture.stale.holding import holds
from celltrail.compare import Comparison
from celltrail.panels import detail, evaluation, media, trials
from celltrail.panels.live import Live
from celltrail.panels.saved import Bundle
from celltrail.panels.table import Compared, Table, compare_bundle, table_bundle
from celltrail.panels.vega import Charts
from celltrail.panels.watching import Watching
from celltrail.panels.widget import Panel, hosts_widgets_only
from celltrail.query import RunSet, StoredRun
from celltrail.query.evaluation import Evaluated, Evaluations
from celltrail.query.media import Media
from celltrail.query.standing import told_by
from celltrail.sweep import Sweep
from celltrail.sweep.live import shown_by


class Shown:
    """Everything celltrail put into one shell so that its objects are shown as panels."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.live = Live(shell)
        self._charts = Charts(shell)
        self._watching = Watching()
        self._widgets: list[Panel] = []
        self._unshow = lambda: None
        self._grown: tuple[Sweep | None, str] = (None, "")  # the sweep shown last while it went on, and in which cell

    def on(self) -> None:
        """Begin to show."""
        told_by(holds, otherwise=True)
        formatter = self._formatter()
        formatter.for_type(RunSet, self._table)
        formatter.for_type(Comparison, self._comparison)
        formatter.for_type(StoredRun, self._run)
        formatter.for_type(Sweep, self._sweep)
        formatter.for_type(Media, self._media)
        formatter.for_type(Evaluations, self._evaluations)
        formatter.for_type(Evaluated, self._evaluated)
        if not hosts_widgets_only():  # those draw Altair's charts by themselves
            self._charts.on()
        self.live.on()
        self._watching.on()
        self._unshow = shown_by(self._growing)

    def off(self) -> None:
        """Leave the shell as it was found."""
        self._unshow()
        self._watching.off()
        self.live.off()
        self._charts.off()
        formatter = self._formatter()
        for kind in (RunSet, Comparison, StoredRun, Sweep, Media, Evaluations, Evaluated):
            formatter.pop(kind, None)

    def _formatter(self) -> Any:
        return self.shell.display_formatter.mimebundle_formatter

    def _table(self, runs: RunSet, **_: Any) -> Bundle:
        widget = Table(runs)
        self._watching.add(widget)
        return self._kept(widget, table_bundle(runs, widget.model_id))

    def _comparison(self, comparison: Comparison, **_: Any) -> Bundle:
        trail = comparison.runs[0].store.id
        widget = Compared(comparison, trail)
        return self._kept(widget, compare_bundle(comparison, trail, widget.model_id))

    def _run(self, run: StoredRun, **_: Any) -> Bundle:
        widget = detail.Details(run)
        return self._kept(widget, detail.bundle(run, widget))

    def _sweep(self, found: Sweep, **_: Any) -> Bundle:
        if self._grown == (found, self.live.execution()):
            return {"text/plain": repr(found)}  # its table stands above
        widget = trials.Trials(found)
        self._watching.add(widget)
        return self._kept(widget, trials.bundle(found, widget.model_id))

    def _growing(self, found: Sweep) -> Callable[[], None]:
        self._grown = found, self.live.execution()
        growing = trials.Growing(found, self.shell.display_pub.publish)
        self._watching.add(growing.table)
        self._widgets.append(growing.table)
        return growing.end

    def _media(self, found: Media, **_: Any) -> Bundle:
        widget = media.MediaPanel(found)
        return self._kept(widget, media.bundle(found, widget.model_id))

    def _evaluations(self, found: Evaluations, **_: Any) -> Bundle:
        widget = evaluation.EvaluationPanel(found)
        return self._kept(widget, evaluation.bundle(found, widget))

    def _evaluated(self, found: Evaluated, **_: Any) -> Bundle:
        return self._evaluations(Evaluations(found.split, [found]))

    def _kept(self, widget: Panel, bundle: Bundle) -> Bundle:
        self._widgets.append(widget)  # the front end speaks to it for as long as the kernel lives
        if hosts_widgets_only():
            bundle["application/vnd.jupyter.widget-view+json"] = {
                "version_major": 2,
                "version_minor": 0,
                "model_id": widget.model_id,
            }
        return bundle


_installed: dict[int, Shown] = {}


def install(shell: Any) -> Shown | None:
    """Show celltrail's objects as panels in this shell; None where there is no front end to show them."""
    if not hasattr(shell, "kernel"):
        return None
    if id(shell) not in _installed:
        _installed[id(shell)] = Shown(shell)
        _installed[id(shell)].on()
    return _installed[id(shell)]


def uninstall(shell: Any) -> None:
    """Undo `install`."""
    if shown := _installed.pop(id(shell), None):
        shown.off()
