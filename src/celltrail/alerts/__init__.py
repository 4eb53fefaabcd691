"""Rules over what runs log: they tell when something is to be looked at, and may end a run.

`rule` says what to look for, `alert` puts it to work, `Rule.replay` asks it of runs that are over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from celltrail.errors import CelltrailError
from celltrail.run import Event, Run, Started, current
from celltrail.run.alerting import alerts_by
from celltrail.run.events import Shared

if TYPE_CHECKING:
    from celltrail.alerts.rule import Rule


def stand() -> Callable[[], None]:
    """From now on apply the rules of a trail to its runs, until all who asked for it call what came back."""
    alerts_by(_alert)
    return _listening.join()


def alert(rule: str | Rule, title: str | None = None, *, keep: str | None = None, where: str = "", **how: Any) -> Rule:
    """Raise an alert, or end the run, when a rule comes true: for the current run, or for all runs to come.

    Args:
        rule: what to look for, as in `celltrail.rule`: ``"val/loss > 3"``, ``"nan()"``.
        title: what the alert says; the rule itself unless given.
        keep: a name under which the trail keeps the rule for all runs that begin from now on; without it, the rule
            is for the current run alone.
        where: with ``keep``, an expression of the query language: only for runs that match.
        how: ``stop``, ``level``, ``times``, ``until`` and ``webhook``, as in `celltrail.rule`.

    Raises:
        CelltrailError: no run is active, and ``keep`` was not given.

    >>> import celltrail as ct
    >>> with ct.start("demo") as run:
    ...     told = ct.alert("val/loss > 3")
    ...     run.log({"val/loss": 4.0})
    >>> print(*ct.run("demo").alerts)
    warn: val/loss > 3 (val/loss 4, step 0): val/loss is 4
    """
    from celltrail.alerts import rule as rules
    from celltrail.store import Store, locate

    made = rules.rule(rule, title, **how)
    if keep is not None:
        return made.keep(keep, Store(locate()), where)
    run = current()
    if run is None:
        raise CelltrailError(
            "no run is active: put %%track on the cell, or begin one with ct.start(); "
            f"ct.alert({made.text!r}, keep='a name') is for all runs that begin from now on"
        )
    _alert(run, made)
    return made


def _alert(run: Run, rule: str | Rule, title: str | None = None, **how: Any) -> None:
    from celltrail.alerts import rule as rules
    from celltrail.alerts.live import guard_of

    guard_of(run).add(rules.rule(rule, title, **how), is_asked=True)


def _hear(event: Event) -> None:
    if isinstance(event, Started) and (event.run.store.root / "actors").is_dir():
        from celltrail.alerts.live import begin

        begin(event.run)


_listening = Shared(_hear, points=False)
