"""tqdm in a tracked cell: what a loop shows beside its bar by ``set_postfix``. Tested with tqdm 4.70.1.

``bar.set_postfix(loss=0.3)`` is ``train/loss``, ``val_acc`` is ``val/acc``. The step is that of the optimizer, where
one steps in the run; otherwise the turns of the bar before this one. Where a loop variable or another plug-in has that
series, the bar adds nothing.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import celltrail as ct
from celltrail.plugins.allowance import Pace
from celltrail.plugins.names import Key, Series, key_of, per_run


def on(tqdm: Any, hand: Any) -> Callable[[], None]:
    """Hear of each ``set_postfix``."""
    bars = per_run(lambda run: _Bars(run, hand))

    def around(call: Any) -> None:
        if call.name == "set_postfix" and (bar := call.owner) is not None:
            bars(call.run).shown(call, bar)

    return hand.calls(around)


class _Bars:
    """The bars of one run; in loops so quick that recording them would be felt, some values are passed over."""

    def __init__(self, run: ct.Run, hand: Any) -> None:
        self._run, self._hand = run, hand
        self._series = Series(hand, run, "tqdm")
        self._steps: weakref.WeakKeyDictionary[Any, list[int]] = (
            weakref.WeakKeyDictionary()
        )  # each bar's last, and ahead
        self._latest: tuple[Callable[[], Any], list[int]] = (lambda: None, [])  # mostly there is one bar
        self._keys: dict[str, Key] = {}
        self._shows, self._pace, self._is_sampled = 0, Pace(0.01, at_first=64), False

    def shown(self, call: Any, bar: Any) -> None:
        """A bar is about to show this."""
        found, last = self._latest
        if found() is not bar:
            last = self._steps.setdefault(bar, [-1, 0])
            self._latest = weakref.ref(bar), last
        if last[0] < 0 and bar.iterable is None and int(bar.n) == bar.initial + 1:
            last[1] = 1  # moved on by hand before it is shown
        # a bar counts only as often as it is drawn
        step, after = int(bar.n) - last[1], last[0] + 1
        step = last[0] = step if step > after else after
        show, self._shows = self._shows, self._shows + 1
        if show >= self._pace.due:
            began = time.thread_time_ns()
            self._tell(call, step)
            self._pace.looked(show, began)
        elif not self._is_sampled:
            self._is_sampled = True
            self._hand.note(self._run, sampled=self._series.names())

    def _tell(self, call: Any, step: int) -> None:
        shown = call.kwargs
        if call.args or "ordered_dict" in shown or "refresh" in shown:
            given = call.argument("ordered_dict", 0)
            named = {name: value for name, value in shown.items() if name not in ("refresh", "ordered_dict")}
            shown = {**(given if isinstance(given, Mapping) else {}), **named}
        recorded = self._hand.recorded(self._run)
        values: dict[Key, float] = {}
        for name, value in shown.items():
            number = value if type(value) is float else _number(value)
            if number is not None and name not in recorded:
                values[self._keys.get(name) or self._keys.setdefault(name, key_of(name))] = number
        if values:
            counted = self._hand.step(self._run)
            self._series.log(values, step if counted is None else counted)


def _number(value: Any) -> float | None:
    """A number, also one that was made a text to be shown."""
    if isinstance(value, bool):
        return None
    if hasattr(value, "item") and getattr(value, "shape", None) in ((), (1,)):
        value = value.item()
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
