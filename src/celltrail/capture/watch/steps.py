"""At which step a watched value stands: what comes seldom stands at the steps of what comes often.

Each name counts its own values. One that is bound once an epoch, beside a loss bound for every batch, would so
be drawn over 0 to 7 beside 0 to 175: it stands at the batch that it came after instead, and so does a name that is
bound under a condition. What begins something stands at the step that comes next, as an epoch does at its first
batch. Only the order in which values came counts, so that the same loop gives the same steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]


class Steps:
    """The steps of the values of some names, handed in piece by piece in the order of their times.

    Args:
        begins: whether a name is bound as something begins, such as an epoch: it stands at the step to come.

    >>> import numpy as np
    >>> steps = Steps()
    >>> found = steps.of({"loss": np.array([10, 20, 30, 50, 60, 70]), "val_loss": np.array([40, 80])})
    >>> found["loss"].tolist(), found["val_loss"].tolist()
    ([0, 1, 2, 3, 4, 5], [2, 5])
    >>> steps = Steps(begins=lambda name: name == "epoch")
    >>> found = steps.of({"epoch": np.array([10, 40]), "loss": np.array([20, 30, 50, 60])})
    >>> found["epoch"].tolist(), found["loss"].tolist()
    ([0, 2], [0, 1, 2, 3])
    """

    def __init__(self, begins: Callable[[str], bool] = lambda name: False) -> None:
        self._begins = begins
        self._counts: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def of(self, stamps: Mapping[str, Integers]) -> dict[str, Integers]:
        """One step for each value: above that of the value before, and at least the last of the busiest name.

        Args:
            stamps: by name, when its values came, rising; later than all that were handed in before.
        """
        import numpy as np

        if len(stamps) == 1 and not self._counts.keys() - stamps.keys():
            ((name, own),) = stamps.items()
            return {name: self._rising(name, np.full(len(own), -1))}
        names = list(stamps)
        sizes = [len(own) for own in stamps.values()]
        order = np.argsort(np.concatenate(list(stamps.values())), kind="stable")
        owner = np.repeat(np.arange(len(names)), sizes)[order]
        others = [count for name, count in self._counts.items() if name not in stamps]
        reached = np.full(len(order), max(others, default=0) - 1)
        for at, name in enumerate(names):
            np.maximum(reached, self._counts.get(name, 0) + np.cumsum(owner == at) - 1, out=reached)
        before = max((step for name, step in self._last.items() if not self._begins(name)), default=-1)
        stood = np.full(len(order), before)
        begins = [self._begins(name) for name in names]
        steps: dict[str, Integers] = {}
        for at in sorted(range(len(names)), key=begins.__getitem__):  # what begins looks where the others stand
            own = owner == at
            if begins[at]:
                steps[names[at]] = self._rising(names[at], np.maximum.accumulate(stood)[own] + 1)
            else:
                stood[own] = steps[names[at]] = self._rising(names[at], reached[own])
        return steps

    def _rising(self, name: str, reached: Integers) -> Integers:
        import numpy as np

        turn = np.arange(len(reached))
        first = self._last.get(name, -1) + 1
        steps = np.maximum(np.maximum.accumulate(reached - turn), first) + turn
        self._counts[name] = self._counts.get(name, 0) + len(reached)
        if len(steps):
            self._last[name] = int(steps[-1])
        return steps
