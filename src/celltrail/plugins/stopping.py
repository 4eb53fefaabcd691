"""A stop that a person or a rule asked for, where the library has a way of its own to end a training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import celltrail as ct


def stopped(tell: Callable[..., object], /, *args: Any, **kwargs: Any) -> bool:
    """Write what a library tells; whether the run is asked to stop.

    Then the library is to end the training as its own early stopping would: the call returns, the model is whole, and
    the cell goes on with what comes after.
    """
    try:
        tell(*args, **kwargs)
    except ct.StopTraining:
        return True
    return False
