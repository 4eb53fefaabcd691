"""tqdm in a tracked cell: what a loop shows beside its bar by ``set_postfix``. Tested with tqdm 4.70.1.

``bar.set_postfix(loss=0.3)`` is ``train/loss``, ``val_acc`` is ``val/acc``; the step is the bar's count, as far as it
has been drawn. Where a loop variable or another plug-in has that series, the bar adds nothing.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import celltrail as ct
from celltrail.plugins.allowance import Allowance
from celltrail.plugins.names import Series, key_of, per_run


def on(tqdm: Any, hand: Any) -> Callable[[], None]:
    """Hear of each ``set_postfix``."""
    bars = per_run(lambda run: _Bars(run, hand))

    def around(call: Any) -> None:
        if call.name == "set_postfix" and call.owner is not None:
            bars(call.run).shown(call)

    return hand.calls(around)


class _Bars:
    """The bars of one run; in loops so quick that recording them would be felt, some values are passed over."""

    def __init__(self, run: ct.Run, hand: Any) -> None:
        self._run, self._hand = run, hand
        self._series = Series(hand, run, "tqdm")
        self._steps: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()  # the last one of each bar
        self._began, self._allowance, self._is_sampled = time.process_time(), Allowance(0.015, 0.01), False

    def shown(self, call: Any) -> None:
        """A bar is about to show this."""
        began, bar = time.thread_time_ns(), call.owner
        # a bar counts only as often as it is drawn
        step = self._steps[bar] = max(int(bar.n), self._steps.get(bar, -1) + 1)
        if self._allowance.is_within(self._began):
            self._tell(call, step)
            self._allowance.spent_ns += time.thread_time_ns() - began
        elif not self._is_sampled:
            self._is_sampled = True
            self._hand.note(self._run, sampled=self._series.names())

    def _tell(self, call: Any, step: int) -> None:
        given = call.argument("ordered_dict", 0)
        shown = {**(given if isinstance(given, Mapping) else {}), **call.kwargs}
        recorded = self._hand.recorded(self._run)
        values = {
            key_of(name): number
            for name, value in shown.items()
            if name not in ("refresh", "ordered_dict") and name not in recorded
            and (number := _number(value)) is not None
        }  # fmt: skip
        if values:
            self._series.log(values, step)


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
