"""What a rule can watch for beside thresholds: each hears the points of a run, and says whether it holds."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

from celltrail.contract import Goal
from celltrail.model import Level, Prices
from celltrail.query.plain import length, number
from celltrail.query.words import seconds_of
from celltrail.store.files.telling import bytes_in

WATTS, WRITTEN = "sys/watts", "sys/disk_write_per_s"  # what is sampled of the machine once a second


class Now(Protocol):
    """A run at the moment in which a rule is asked."""

    now_us: int
    started_us: int

    def goal(self, metric: str) -> Goal:
        """The direction it is better in; `BadValue` where nobody said."""
        ...

    def earlier_best(self, metric: str) -> tuple[float, str] | None:
        """The best of the earlier runs of the project and the name of its run; None where that is not known."""
        ...

    @property
    def prices(self) -> Prices:
        """What machine time and energy cost."""
        ...


class Watch:
    """One call in a rule, such as ``plateau("val/loss", 10)``, with what it has heard so far.

    Attributes:
        metrics: those it hears.
        value: the last one of what it is about, None where that is nothing logged.
    """

    hears_all: bool = False  # every call of ``log()``
    by_clock: ClassVar[bool] = False  # it may come to hold while nothing is logged
    level: ClassVar[Level] = "warn"
    metrics: tuple[str, ...] = ()
    metric: str | None = None
    value: float | None = None

    def hear(self, now: Now, name: str, value: float) -> None:
        """One point of one of its metrics."""

    def hear_call(self, now: Now, names: Sequence[str], values: Sequence[float]) -> None:
        """A whole call, for those that hear all."""

    def holds(self, now: Now) -> bool | None:
        """Whether it is so at this moment; None where that cannot be told yet."""
        raise NotImplementedError

    def said(self) -> str:
        """What is so, in words."""
        raise NotImplementedError


class _Nan(Watch):
    """``nan()``: a value is NaN or infinite, of these metrics or of any."""

    level = "error"

    def __init__(self, *metrics: str) -> None:
        self.metrics = metrics
        self.hears_all = not metrics
        self._is_odd = False

    def hear(self, now: Now, name: str, value: float) -> None:
        self.hear_call(now, (name,), (value,))

    def hear_call(self, now: Now, names: Sequence[str], values: Sequence[float]) -> None:
        total = sum(values)
        self._is_odd = False
        if not math.isfinite(total):
            for name, value in zip(names, values, strict=True):
                if not math.isfinite(value):
                    self.metric, self.value, self._is_odd = name, value, True
                    break

    def holds(self, now: Now) -> bool:
        return self._is_odd

    def said(self) -> str:
        word = "NaN" if self.value is None or math.isnan(self.value) else "infinite"
        return f"{self.metric} is {word}"


class _OfOne(Watch):
    """A watch of one metric."""

    def __init__(self, metric: str) -> None:
        self.metrics, self.metric = (metric,), metric


class _Plateau(_OfOne):
    """``plateau(metric, patience=10, min_delta=0)``: no better by more than that for so many points."""

    def __init__(self, metric: str, patience: int = 10, min_delta: float = 0.0) -> None:
        super().__init__(metric)
        self._patience, self._delta = patience, min_delta
        self._best, self._since = math.nan, 0

    def hear(self, now: Now, name: str, value: float) -> None:
        self.value = value
        gain = self._best - value if now.goal(name) == "min" else value - self._best
        if gain > self._delta or (math.isnan(self._best) and not math.isnan(value)):
            self._best, self._since = value, 0
        else:
            self._since += 1

    def holds(self, now: Now) -> bool:
        return self._since >= self._patience

    def said(self) -> str:
        return f"{self.metric} has not become better for {self._since:,} points: the best is {number(self._best)}"


class _Diverged(_OfOne):
    """``diverged(metric, factor=3, window=100)``: so many times worse than the best of the last points."""

    level = "error"

    def __init__(self, metric: str, factor: float = 3.0, window: int = 100) -> None:
        super().__init__(metric)
        self._factor = factor
        self._last: deque[float] = deque(maxlen=window)
        self._best, self._holds = math.nan, False

    def hear(self, now: Now, name: str, value: float) -> None:
        self.value = value
        if self._last:
            is_max = now.goal(name) == "max"
            self._best = best = max(self._last) if is_max else min(self._last)
            far = abs(best) * (1 - 1 / self._factor if is_max else self._factor - 1)
            self._holds = not math.isfinite(value) or (value < best - far if is_max else value > best + far)
        if math.isfinite(value):
            self._last.append(value)

    def holds(self, now: Now) -> bool | None:
        return self._holds if self._last else None

    def said(self) -> str:
        return f"{self.metric} went from {number(self._best)} to {number(self.value or 0.0)}"


class _Overfit(Watch):
    """``overfit(times=3, metric="loss")``: val becomes worse so many times in a row while train does not."""

    def __init__(self, times: int = 3, metric: str = "loss") -> None:
        self._val, self._train = f"val/{metric}", f"train/{metric}"
        self.metrics, self.metric = (self._val, self._train), self._val
        self._times, self._streak = times, 0
        self._now = math.nan  # of train
        self._before = math.nan, math.nan  # val and train, at the point of val before

    def hear(self, now: Now, name: str, value: float) -> None:
        if name == self._train:
            self._now = value
            return
        val, train = self._before
        sign = 1 if now.goal(name) == "min" else -1
        is_worse, is_learning = sign * (value - val) > 0, sign * (self._now - train) <= 0
        self._streak = self._streak + 1 if is_worse and is_learning else 0
        self._before, self.value = (value, self._now), value

    def holds(self, now: Now) -> bool:
        return self._streak >= self._times

    def said(self) -> str:
        return f"{self._val} became worse {self._streak:,} times in a row while {self._train} did not"


class _NewBest(_OfOne):
    """``new_best(metric)``: better than all earlier runs of the project, and than this one was before."""

    level = "info"

    def __init__(self, metric: str) -> None:
        super().__init__(metric)
        self._best, self._is_first, self._beaten = math.nan, False, ""

    def hear(self, now: Now, name: str, value: float) -> None:
        self.value = value
        sign = -1 if now.goal(name) == "min" else 1
        self._is_first = math.isnan(self._best) or sign * (value - self._best) > 0
        if self._is_first and not math.isnan(value):
            self._best = value

    def holds(self, now: Now) -> bool | None:
        assert self.metric is not None
        earlier = now.earlier_best(self.metric)
        if earlier is None or self.value is None:
            return None
        best, run = earlier
        sign = -1 if now.goal(self.metric) == "min" else 1
        self._beaten = f"{number(best)} of {run}"
        return self._is_first and sign * (self.value - best) > 0

    def said(self) -> str:
        return f"{self.metric} is {number(self.value or 0.0)}, better than the {self._beaten}"


class _Stalled(Watch):
    """``stalled(60)`` or ``stalled("5m")``: nothing was logged for so long."""

    hears_all, by_clock = True, True

    def __init__(self, seconds: float) -> None:
        self._seconds, self._last_us = seconds, -1

    def hear_call(self, now: Now, names: Sequence[str], values: Sequence[float]) -> None:
        self._last_us = now.now_us

    def holds(self, now: Now) -> bool:
        last_us = now.started_us if self._last_us < 0 else self._last_us
        return now.now_us - last_us >= self._seconds * 1e6

    def said(self) -> str:
        return f"nothing was logged for {length(self._seconds)}"


class _Budget(Watch):
    """``budget(s="2h")``, ``budget(kwh=0.5)``, ``budget(usd=3)``, ``budget(bytes="10GB")``: so much was used."""

    by_clock = True

    def __init__(self, what: str, most: float) -> None:
        self._what, self._most = what, most
        self.metrics = {"kwh": (WATTS,), "usd": (WATTS,), "bytes": (WRITTEN,)}.get(what, ())
        self._sum, self._heard_us = 0.0, -1  # watts or bytes a second, times seconds
        self.value = 0.0

    def hear(self, now: Now, name: str, value: float) -> None:
        since_us = now.started_us if self._heard_us < 0 else self._heard_us
        if math.isfinite(value):
            self._sum += value * max(0, now.now_us - since_us) / 1e6
        self._heard_us = now.now_us

    def holds(self, now: Now) -> bool | None:
        used = self._used(now)
        self.value = used
        return None if used is None else used >= self._most

    def _used(self, now: Now) -> float | None:
        seconds = max(0, now.now_us - now.started_us) / 1e6
        if self._what == "s":
            return seconds
        if self._what == "usd":
            return now.prices.of(self._sum / 3.6e6, seconds)["cost/usd"]
        return self._sum / 3.6e6 if self._what == "kwh" else self._sum

    def said(self) -> str:
        used = self.value or 0.0
        if self._what == "s":
            return f"it has run for {length(used)}"
        unit = {"kwh": "kWh", "usd": "USD", "bytes": "bytes written"}[self._what]
        return f"it has come to {number(used) if self._what != 'bytes' else f'{used:,.0f}'} {unit}"


MAKERS: dict[str, Callable[..., Watch]] = {
    "nan": _Nan,
    "plateau": _Plateau,
    "diverged": _Diverged,
    "overfit": _Overfit,
    "new_best": _NewBest,
    "stalled": _Stalled,
    "budget": _Budget,
}


def seconds(value: str | float) -> float | None:
    """A length of time: seconds, or text such as "2h"; None where it is none.

    >>> seconds("1h 30m"), seconds(60), seconds("soon")
    (5400.0, 60.0, None)
    """
    found = seconds_of(value) if isinstance(value, str) else float(value)
    return found if found is not None and 0 < found < math.inf else None


def size(value: str | float) -> float | None:
    """A number of bytes, or text such as "10GB"; None where it is none."""
    if not isinstance(value, str):
        return positive(value)
    try:
        return positive(bytes_in(value))
    except ValueError:
        return None


def positive(value: str | float) -> float | None:
    """A number above 0."""
    return float(value) if not isinstance(value, str) and 0 < value < math.inf else None


def count(value: str | float) -> int | None:
    """A whole number from 1."""
    return int(value) if not isinstance(value, str) and value >= 1 and value == int(value) else None


def factor(value: str | float) -> float | None:
    """A number above 1."""
    return float(value) if not isinstance(value, str) and 1 < value < math.inf else None


def least(value: str | float) -> float | None:
    """A number from 0."""
    return float(value) if not isinstance(value, str) and 0 <= value < math.inf else None
