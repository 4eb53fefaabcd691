"""tqdm in a tracked cell: what a loop shows beside its bar by ``set_postfix``. Tested with tqdm 4.70.1.

``bar.set_postfix(loss=0.3)`` is ``train/loss``, ``val_acc`` is ``val/acc``; the step is the bar's count, as far as it
has been drawn. Where a loop variable or another plug-in has that series, the bar adds nothing.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Any

import celltrail as ct
from celltrail.plugins.names import Series, key_of, per_run


def on(tqdm: Any, hand: Any) -> Callable[[], None]:
    """Hear of each ``set_postfix``."""
    series: Callable[[ct.Run], Series] = per_run(lambda run: Series(hand, run, "tqdm"))
    steps: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()  # the last one of each bar

    def around(call: Any) -> None:
        if call.name != "set_postfix" or call.owner is None:
            return
        given = call.argument("ordered_dict", 0)
        shown = {**(given if isinstance(given, Mapping) else {}), **call.kwargs}
        recorded = hand.recorded(call.run)
        values = {
            key_of(name): number
            for name, value in shown.items()
            if name not in ("refresh", "ordered_dict") and name not in recorded
            and (number := _number(value)) is not None
        }  # fmt: skip
        if values:
            # a bar counts only as often as it is drawn
            step = steps[call.owner] = max(int(call.owner.n), steps.get(call.owner, -1) + 1)
            series(call.run).log(values, step)

    return hand.calls(around)


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
