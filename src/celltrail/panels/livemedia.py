"""What the runs of one cell keep beside numbers, in the output of the cell while it comes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from celltrail.panels.curves import state_of
from celltrail.panels.media import MediaPanel, bundle
from celltrail.panels.saved import Bundle
from celltrail.panels.widget import hosts_widgets_only
from celltrail.query import find
from celltrail.query.media import ABOUT, EVALUATION, Media, media_of
from celltrail.run import Kept, Run

LEAST_S = 1.0  # between two looks at the trail
SHARE = 20  # a look takes at most one part in so many of the time
LAYERS = ("weights/", "grads/")  # histograms of `Run.watch`, by the hundred
APART = (EVALUATION, "explanation/", "fairness/")  # what is shown by a call of its own
VIEW = "application/vnd.jupyter.widget-view+json"


def is_shown(kept: Kept) -> bool:
    """Whether a cell shows this unasked."""
    is_apart = kept.name.startswith(APART) or kept.name.endswith(ABOUT)
    return not is_apart and not (kept.kind == "histogram" and kept.name.startswith(LAYERS))


class LiveMedia:
    """One media panel in one output, swapped for its saved form when the runs are over.

    Args:
        publish: puts a bundle into the output of the cell.
        display_id: the name under which that can be changed.
    """

    def __init__(self, publish: Callable[..., None], display_id: str) -> None:
        self._publish, self._display_id = publish, display_id
        self._runs: dict[str, Run] = {}  # the newest last
        self._widget: MediaPanel | None = None
        self._is_behind = False
        self._due = 0.0

    def add(self, run: Run) -> None:
        """This run kept something."""
        self._runs[run.id] = run
        self._is_behind = True

    def show(self) -> None:
        """Put the panel into the output of the cell, if it is not there yet."""
        if self._widget is None:
            self.tick()
            self._put(is_live=True, update=False)

    @property
    def is_due(self) -> bool:
        """Whether something was kept since the last look, and that is long enough ago."""
        return self._is_behind and time.monotonic() >= self._due

    def tick(self) -> None:
        """Look again what there is, and tell the panel."""
        began = time.monotonic()
        self._is_behind = False
        media = self._read()
        if self._widget is None:
            self._widget = MediaPanel(media)
        else:
            self._widget.renew(media)
        ended = time.monotonic()
        self._due = ended + max(LEAST_S, SHARE * (ended - began))

    def end(self) -> None:
        """Everything there is, in the form that outlives the kernel; the panel goes on to answer while it lives."""
        self.tick()
        self._put(is_live=hosts_widgets_only(), update=True)

    def close(self) -> None:
        """The panel answers no longer; its saved form stays."""
        if self._widget is not None:
            self._widget.close()

    def _read(self) -> Media:
        return media_of([find(run.id, run.store) for run in reversed(list(self._runs.values()))])

    def _put(self, *, is_live: bool, update: bool) -> None:
        if self._widget is None:
            return
        media = self._widget.media
        # by these a notebook that is saved after its kernel died gets what else the runs kept
        states = [state_of(run, []) for run in media.runs]
        shown: Bundle = bundle(media, self._widget.model_id, states)
        if is_live:
            view: dict[str, Any] = {"version_major": 2, "version_minor": 0, "model_id": self._widget.model_id}
            shown[VIEW] = view
        self._publish(shown, self._display_id, update=update)
