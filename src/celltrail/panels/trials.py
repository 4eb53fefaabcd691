"""The table of a sweep, under the cell that runs it: trials come into it as they begin."""

from __future__ import annotations

from collections.abc import Callable

from celltrail.capture.outputs import SAYING
from celltrail.model import new_id
from celltrail.panels import saved
from celltrail.panels.browsing import page
from celltrail.panels.table import Table
from celltrail.panels.viewing import options_of
from celltrail.panels.widget import hosts_widgets_only
from celltrail.sweep import Sweep

WIDGET = "application/vnd.jupyter.widget-view+json"


class Trials(Table):
    """The run table of a sweep, trials of one point together with the mean over their repeats."""

    def __init__(self, found: Sweep) -> None:
        super().__init__(found.runs, title(found))

    def tick(self) -> bool:
        """Take in the trials that began since; the others as every table does."""
        if len(self.runs.refresh()) != len(self.runs):
            self._renew()
        return super().tick()


def title(found: Sweep) -> str:
    """What the table is of."""
    return f"sweep {found.name}"


def bundle(found: Sweep, view: str | None) -> saved.Bundle:
    """What a cell shows and keeps of a sweep."""
    runs = found.runs
    shown = saved.table_bundle(runs.store.id, title(found), page(runs), options_of(runs), repr(found))
    return saved.with_view(shown, view)


class Growing:
    """One table on its way from an empty to a whole one.

    Args:
        found: the sweep.
        publish: puts a bundle into the output of the cell.
    """

    def __init__(self, found: Sweep, publish: Callable[..., object]) -> None:
        self._found, self._publish, self._id = found, publish, new_id()
        self.table = Trials(found)
        self._put(update=False)

    def end(self) -> None:
        """The sweep is over: the table has all of it, in the saved notebook too."""
        self.table.tick()
        self._put(update=True)

    def _put(self, *, update: bool) -> None:
        shown = bundle(self._found, self.table.model_id)
        if hosts_widgets_only():
            shown[WIDGET] = {"version_major": 2, "version_minor": 0, "model_id": self.table.model_id}
        self._publish(data=shown, metadata={SAYING: "sweep"}, transient={"display_id": self._id}, update=update)
