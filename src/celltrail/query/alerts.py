"""The alerts that a run raised and what people did to it while it went on, read back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from celltrail.model import Intervention, Json
from celltrail.query.plain import number


@dataclass(frozen=True)
class Alert:
    """Something in a run that somebody should look at.

    Attributes:
        title: what happened, in a line.
        text: more of it, "" for nothing.
        level: info, warn or error.
        metric: what it is about, if it is about one.
        step: where.
        value: what the metric was then.
        rule: the rule that fired, "" where code raised it by itself.
        time: when, UTC.
    """

    title: str
    text: str
    level: str
    metric: str | None
    step: int | None
    value: float | None
    rule: str
    time: datetime

    def __str__(self) -> str:
        """One line, as lists show it."""
        about = [self.metric or "", "" if self.value is None else number(self.value)]
        told = [" ".join(filter(None, about)), "" if self.step is None else f"step {self.step:,}"]
        place = ", ".join(filter(None, told))
        return f"{self.level}: {self.title}{f' ({place})' if place else ''}{f': {self.text}' if self.text else ''}"


def alerts(events: Iterable[Mapping[str, Json]]) -> list[Alert]:
    """The alerts among the events of a run, in the order raised."""
    return [_alert(event) for event in events if event.get("kind") == "alert"]


def interventions(events: Iterable[Mapping[str, Json]]) -> list[Intervention]:
    """What people did to a run, among its events, in order."""
    return [_intervention(event) for event in events if event.get("kind") == "intervention"]


def _intervention(event: Mapping[str, Json]) -> Intervention:
    names = {each.name for each in fields(Intervention)}
    known: dict[str, Any] = {"step": None, **{name: value for name, value in event.items() if name in names}}
    return Intervention(**known, t_us=event["t"])


def _alert(event: Mapping[str, Json]) -> Alert:
    value, metric = event.get("value"), event.get("metric")
    return Alert(
        title=str(event.get("title", "")),
        text=str(event.get("text") or ""),
        level=str(event.get("level", "warn")),
        metric=None if metric is None else str(metric),
        step=event.get("step"),
        value=None if value is None else float(value),
        rule=str(event.get("rule") or ""),
        time=datetime.fromtimestamp(event.get("t", 0) / 1e6, tz=UTC),
    )
