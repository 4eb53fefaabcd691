"""`Run.alert`: rules over what a run logs, by whoever knows their language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celltrail.errors import CelltrailError
from celltrail.run.part import Part

_by: Callable[..., None] | None = None


def alerts_by(alert: Callable[..., None]) -> None:
    """From now on rules are taken by this function: ``alert(run, rule, title, **how)``."""
    global _by
    _by = alert


class Alerting(Part):
    """A run that rules can stand over."""

    def alert(
        self,
        rule: str,
        title: str | None = None,
        *,
        stop: bool = False,
        level: Any = None,
        times: int = 1,
        until: str | None = None,
        webhook: str | None = None,
    ) -> None:
        """Raise an alert, or end the run, when a rule comes true; from now on, as the run logs.

        Args:
            rule: what to look for: ``"val/loss > 3"``, ``"nan()"``, ``'plateau("val/loss", 10)'`` and more, see
                `celltrail.rule`.
            title: what the alert says; the rule itself unless given.
            stop: also end the run as ``finished``, as the stop button does.
            level: "info", "warn" or "error"; depends on the rule unless given.
            times: fire after so many points in a row.
            until: an expression that must come true before it fires again.
            webhook: the name of an address to tell, see `celltrail.rule`.

        Raises:
            QueryError: the rule cannot be read.

        >>> import celltrail as ct
        >>> with ct.start("demo") as run:
        ...     run.alert("train/loss > 3", times=2)
        ...     for step, loss in enumerate([4.0, 2.0, 5.0, 6.0]):
        ...         run.log({"train/loss": loss}, step)
        >>> [alert.step for alert in ct.run("demo").alerts]
        [3]
        """
        if _by is None:
            raise CelltrailError("nobody knows rules here: begin the run by ct.start() or %%track")
        _by(self, rule, title, stop=stop, level=level, times=times, until=until, webhook=webhook)
