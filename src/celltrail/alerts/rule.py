"""`Rule`: what to look for in runs, and what to do when it is seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from celltrail.alerts.applied import Applied, Around, Fired
from celltrail.alerts.reading import Condition, read
from celltrail.errors import BadValue
from celltrail.model import LEVELS, Json, Level
from celltrail.run.values import check_text, check_title

if TYPE_CHECKING:
    from celltrail.alerts.past import Replayed
    from celltrail.query import RunSet, StoredRun
    from celltrail.store import Store
    from celltrail.store.docs.views import Rule as Document


@dataclass(frozen=True, slots=True)
class Rule:
    """A watch over runs; made by `rule`.

    Attributes:
        text: what to look for.
        title: what an alert of it says; its text where nobody gave one.
        level: info, warn or error.
        stop: whether the run is ended.
        times: points in a row that it must hold.
        until: what must come true before it fires again; "" is ten points in a row that it does not hold.
        webhook: the name of an address to tell.
        name: under which it is kept in a trail, "" for a rule of one run.
        where: of which runs, in the query language.
    """

    text: str
    title: str = ""
    level: Level = "warn"
    stop: bool = False
    times: int = 1
    until: str = ""
    webhook: str = ""
    name: str = ""
    where: str = ""

    @property
    def condition(self) -> Condition:
        """What it asks, read."""
        return read(self.text)

    def apply(self, around: Around, started_us: int) -> Applied:
        """Begin to hear a run."""
        return Applied(self.text, self.until, self.times, around, started_us)

    def replay(self, runs: RunSet | StoredRun | Iterable[StoredRun] | str = "") -> Replayed:
        """When it would have fired over runs that are over: at the same steps as while they went on.

        Args:
            runs: a set of runs, one run, or an expression; all runs of the trail unless given.

        >>> import celltrail as ct
        >>> with ct.start("demo") as run:
        ...     for step in range(5):
        ...         run.log({"val/loss": step}, step)
        >>> print(ct.rule("val/loss > 2").replay())
        'val/loss > 2' would have fired once, in 1 of 1 run
        demo  step 3  val/loss is 3
        """
        from celltrail.alerts.past import replay

        return replay(self, runs)

    def keep(self, name: str, store: Store, where: str = "") -> Rule:
        """Let it stand for all runs of a trail that begin from now on."""
        from celltrail.query.language import parse

        if where:
            parse(where)
        kept = store.rules.save(
            name, self.text, title=self.title, stop=self.stop, where=where, level=self.level, times=self.times,
            until=self.until, webhook=self.webhook,
        )  # fmt: skip
        return of_document(kept)

    def letter(self, run: str, name: str, project: str, fired: Fired) -> dict[str, Json]:
        """What a webhook is told."""
        return {
            "kind": "alert", "run": run, "name": name, "project": project, "rule": self.name or self.text,
            "title": self.title or self.text, "text": fired.text, "level": self.level, "metric": fired.metric,
            "value": None if fired.value is None else _plain(fired.value), "step": fired.step,
            "time": fired.t_us / 1e6, "stops": self.stop,
        }  # fmt: skip

    def __str__(self) -> str:
        """What it is called in a sentence."""
        return self.name or self.text


def rule(
    text: str | Rule,
    title: str | None = None,
    *,
    stop: bool = False,
    level: Level | None = None,
    times: int = 1,
    until: str | None = None,
    webhook: str | None = None,
) -> Rule:
    """An alert rule: give it to `alert`, or replay it over old runs to see when it would have fired.

    Args:
        text: an expression of the query language over the values that come in, such as ``"val/loss > 3"``, or a call:
            ``nan()``, ``plateau("val/loss", patience=10)``, ``diverged("train/loss")``, ``overfit(3)``,
            ``stalled(60)``, ``budget(s="2h")`` (or kwh, usd, bytes), ``new_best("val/acc")``; joined by ``and``,
            ``or``, ``not``.
        title: what its alerts say; the rule itself unless given.
        stop: also end the run, as the stop button does.
        level: "info", "warn" or "error"; depends on the rule unless given.
        times: fire after so many points in a row.
        until: an expression that must come true before it fires again; by default, ten points in a row for which the
            rule is not true.
        webhook: the name of an address to tell; each user lists theirs in ``CELLTRAIL_WEBHOOKS="name=https://..."``.

    Raises:
        QueryError: the text cannot be read.
        BadValue: an argument is not allowed, or no such webhook is listed.

    >>> rule("nan()", stop=True).level, rule("val/loss > 3", until="val/loss < 2").level
    ('error', 'warn')
    """
    if isinstance(text, Rule):
        return text
    condition = read(check_text("rule", text))
    if until:
        read(until)
    if level is not None and level not in LEVELS:
        raise BadValue(f"level {level!r} is not one of {', '.join(map(repr, LEVELS))}")
    if type(times) is not int or times < 1:
        raise BadValue(f"times={times!r} is no number of points in a row; give 1 or more")
    if webhook:
        from celltrail.alerts import webhooks  # loads an HTTP client

        webhooks.check(webhook)
    told = level or _level(condition, stop)
    return Rule(
        condition.text.strip(), check_title(title) if title else "", told, bool(stop), times, until or "", webhook or ""
    )


def of_document(kept: Document) -> Rule:
    """The rule that a trail keeps; raises `QueryError` where it cannot be read."""
    condition = read(kept.rule)
    if kept.until:
        read(kept.until)
    return Rule(
        kept.rule, kept.title, kept.level or _level(condition, kept.stop), kept.stop, kept.times, kept.until,
        kept.webhook, kept.name, kept.where,
    )  # fmt: skip


def _level(condition: Condition, stop: bool) -> Level:
    """The most urgent of what it watches for."""
    found = {watch.level for watch in condition.watches().values()} | ({"warn"} if condition.metrics else set[Level]())
    if stop or "error" in found:
        return "error"
    return "info" if found == {"info"} else "warn"


def _plain(value: float) -> float | str:
    return value if value - value == 0 else str(value)
