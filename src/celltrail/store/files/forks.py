"""What must be made anew in a forked child: locks another thread may have held, descriptors shared with the parent."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable

_callbacks: dict[weakref.WeakMethod[Callable[[], None]], None] = {}


def in_child(method: Callable[[], None]) -> None:
    """Call this bound method in every forked child, as long as its object lives."""
    _callbacks[weakref.WeakMethod(method, _forget)] = None


def _forget(reference: weakref.WeakMethod[Callable[[], None]]) -> None:
    _callbacks.pop(reference, None)


def _call_all() -> None:
    for reference in list(_callbacks):
        if (method := reference()) is not None:
            method()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_call_all)
