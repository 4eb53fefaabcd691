"""What must be made anew in a forked child: locks another thread may have held, descriptors shared with the parent."""

from __future__ import annotations

import atexit
import os
import sys
import weakref
from collections.abc import Callable

_FEW = 64
_callbacks: list[weakref.WeakMethod[Callable[[], None]]] = []
_most = _FEW  # of them, before those are let go whose objects are gone


def in_child(method: Callable[[], None]) -> None:
    """Call this bound method in every forked child, as long as its object lives."""
    global _most
    if len(_callbacks) >= _most:
        _callbacks[:] = [known for known in _callbacks if known() is not None]
        _most = max(_FEW, 2 * len(_callbacks))
    _callbacks.append(weakref.WeakMethod(method))


def at_end(call: Callable[[], None]) -> None:
    """Call this as this process ends, also where it is one of multiprocessing's, which run no `atexit`."""
    atexit.register(call)
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, call, exitpriority=0)


def _call_all() -> None:
    for reference in _callbacks:
        if (method := reference()) is not None:
            method()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_call_all)
