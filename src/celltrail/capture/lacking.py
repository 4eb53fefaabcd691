"""What a run that is over lacks of what its project asks, said below its cell."""

from __future__ import annotations

from collections.abc import Callable

from celltrail.capture.notice import Notice
from celltrail.query.template import Needed
from celltrail.run import Run
from celltrail.store.docs.actors import AsTheyAre

_asks = AsTheyAre(lambda store: bool(store.templates.list()))


class Lacking:
    """Says it once the cell is over, and again where what was found out later made it another answer.

    Args:
        notify: is told.
    """

    def __init__(self, notify: Callable[[Notice], None]) -> None:
        self._notify = notify
        self._said: dict[str, str] = {}  # of runs that are still being written down

    def say(self, run: Run) -> None:
        """The cell is over: say what is missing, and nothing where nothing is."""
        found = Needed(run.store).of(run.store.record(run.id)) if _asks.of(run.store) else None
        if found is not None and not found:
            self._tell(run, str(found), is_new=True)

    def renew(self, run: Run) -> None:
        """All of the run is written down."""
        before = self._said.pop(run.id, "")
        if before and (found := Needed(run.store).of(run.store.record(run.id))) is not None and str(found) != before:
            self._tell(run, str(found), is_new=False)
            del self._said[run.id]

    def _tell(self, run: Run, text: str, *, is_new: bool) -> None:
        self._said[run.id] = text
        self._notify(Notice("complete", "info", text, {"run": run.id, "is_new": is_new}))
