"""What was tried below a run and is over by the time it is written down: trials of a study, candidates of a search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue
from celltrail.model import RunRecord, new_id, now_us
from celltrail.run.facts import as_params, as_tags
from celltrail.run.part import Part
from celltrail.run.values import check_name

if TYPE_CHECKING:
    from celltrail.run.recording import Run

# of the environment: as true of what was tried as of the run that tried it
_WHERE = ("env", "hardware", "git")
_NEEDED = {"env", "hardware"}


class Tries(Part):
    """A run below which others are written down that are over."""

    def trial(
        self,
        name: str,
        params: Mapping[str, Any] | None = None,
        *,
        tags: str | Iterable[str] = (),
        seconds: float,
    ) -> Run:
        """Write down something that was tried and is over, as a run below this one.

        For what tries by itself and tells afterwards, as libraries do that search. It never becomes the current run,
        and nothing of the machine is measured for it. One that nobody ends is finished when this run ends. What still
        goes on is begun by `start` instead.

        Args:
            name: what it is called.
            params: what was tried: name -> value.
            tags: short labels to find it by; one alone needs no list.
            seconds: how long it took.

        Raises:
            BadValue: a value is not allowed.
            CelltrailError: this run has ended.

        >>> from celltrail.run import start
        >>> with start("search") as run:
        ...     with run.trial("trial 0", {"depth": 3}, tags="trial", seconds=12.5) as trial:
        ...         trial.log({"objective": 0.91})
        >>> trial.seconds, trial.record().parent == run.id
        (12.5, True)
        """
        if not self.is_running:
            self._refuse()
        if isinstance(seconds, bool) or not isinstance(seconds, Real) or not 0 <= seconds < float("inf"):
            raise BadValue(f"seconds={seconds!r} is not how long a trial took: a number of seconds, such as 12.5")
        took = float(seconds)  # of numpy's numbers too, as libraries measure
        now, above = now_us(), self.described
        record = RunRecord(
            id=new_id(),
            name=check_name(name, "run"),
            status="running",
            project=above.project,
            created_us=now,
            started_us=now - round(1e6 * took),
            duration_s=took,
            parent=self.id,
            group=above.name,
            user=above.user,
            host=above.host,
            cell_id=above.cell_id,
            notebook=above.notebook,
            tags=as_tags(tags),
            params=as_params(params or {}),
            **self._surroundings(above),
        )
        return self._begin_below(record)

    def _surroundings(self, above: RunRecord) -> dict[str, Any]:
        """The code and where it runs, once all of that is known here; until then somebody gathers it for the trial."""
        known = {name: told for name in _WHERE if (told := above.environment.get(name))}
        return {"code": above.code, "environment": known} if above.code and known.keys() >= _NEEDED else {}
