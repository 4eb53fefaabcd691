"""Columns of runs as axes of a chart: numbers, moments, or words in an order that a reader expects."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from celltrail.errors import BadValue, QueryError
from celltrail.model import RunRecord
from celltrail.query.across import no_metric
from celltrail.query.columns import Column, chosen_columns, is_time
from celltrail.query.evaluate import Question
from celltrail.query.plain import shown
from celltrail.store.catalogue.facts import Named

Ask = Callable[[str], Question]
_LABEL = "run"  # the column of the runs' names in every chart


@dataclass(frozen=True, slots=True)
class Axis:
    """One value for each run, None where a run has none; of the kind "N" all are texts."""

    title: str
    kind: Literal["Q", "N", "T"]
    values: tuple[Any, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The different texts, numbers in them by size.

        >>> Axis("layers", "N", ("64", "8", None, "64")).words
        ('8', '64')
        """
        return tuple(sorted({value for value in self.values if value is not None}, key=_natural))

    @property
    def is_log(self) -> bool:
        """Whether the values span two decades, as learning rates do."""
        present = [value for value in self.values if value is not None]
        return self.kind == "Q" and bool(present) and min(present) > 0 and max(present) / min(present) >= 100

    def only(self, chosen: Iterable[int]) -> Axis:
        """The same for some of the runs, by their place."""
        return replace(self, values=tuple(self.values[place] for place in chosen))


def axis_of(name: str, records: Sequence[RunRecord], ask: Ask) -> Axis:
    """A metric's best (or, where no better is known, last) value, or any column or expression.

    Raises:
        NoRun: it is neither; the sentence names the nearest metric.
    """
    column = metric_column(name, records, ask)
    values = [_drawable(column.value(record)) for record in records]
    numbers = [value for value in values if value is not None]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in numbers) and numbers:
        return Axis(column.title, "T" if is_time(name) else "Q", tuple(values))
    return Axis(column.title, "N", tuple(None if value is None else shown(value) for value in values))


def axes_of(names: Sequence[str], records: Sequence[RunRecord], ask: Ask) -> list[Axis]:
    """These axes, each with a title of its own."""
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise BadValue(f"{twice!r} is asked for twice; each axis of a chart is another column")
    found: list[Axis] = []
    used = {_LABEL}
    for name in names:
        axis = axis_of(name, records, ask)
        found.append(replace(axis, title=name) if axis.title in used else axis)
        used.add(found[-1].title)
    return found


def metric_column(name: str, records: Sequence[RunRecord], ask: Ask) -> Column:
    """The column of a metric's best or last value; else the column or expression of this name."""
    having = [record.metrics[name] for record in records if name in record.metrics]
    if having:
        family = "best" if any(metric.goal != "none" for metric in having) else "metrics"
        return chosen_columns([f"{family}.{name}"], Named.of(records), ask)[0]
    try:
        return chosen_columns([name], Named.of(records), ask)[0]
    except (BadValue, QueryError):
        if re.match(r"(params|metrics|best|summary)\.", name):
            raise
        raise no_metric(name, records) from None


def having_all(axes: Sequence[Axis]) -> list[int]:
    """The places of the runs that have a value on each axis."""
    return [
        place for place, values in enumerate(zip(*(axis.values for axis in axes), strict=True)) if None not in values
    ]


def _drawable(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _natural(text: str) -> tuple[tuple[int, float, str], ...]:
    parts = re.findall(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?|\D+", text)
    return tuple((0, float(part), "") if part[0].isdigit() else (1, 0.0, part) for part in parts)
