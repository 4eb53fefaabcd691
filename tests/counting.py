"""Counts work instead of time: the files a stretch of code opens, the calls it makes, all on the thread that asks."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

_listening: list[tuple[int, list[str]]] = []
_hooked: list[bool] = []


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if event == "open" and _listening and isinstance(args[0], str | bytes | os.PathLike):
        thread, paths = _listening[-1]
        if thread == threading.get_ident():
            paths.append(os.fsdecode(args[0]))


@contextlib.contextmanager
def opened() -> Iterator[list[str]]:
    """The paths of the files that are opened inside, in order."""
    if not _hooked:
        sys.addaudithook(_hear)  # can never be taken away again: hence once
        _hooked.append(True)
    paths: list[str] = []
    _listening.append((threading.get_ident(), paths))
    try:
        yield paths
    finally:
        _listening.pop()


@contextlib.contextmanager
def calls(*names: str) -> Iterator[Counter[str]]:
    """How often these functions of `os` are called inside."""
    found: Counter[str] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(os, name, _counted(name, getattr(os, name), found))
        yield found


def _counted(name: str, function: Any, found: Counter[str]) -> Any:
    asking = threading.get_ident()

    def call(*args: Any, **more: Any) -> Any:
        found[name] += threading.get_ident() == asking
        return function(*args, **more)

    return call


def steps_of(function: Any, *args: Any) -> int:
    """How many functions are called while this one runs, those of C included."""
    count = 0

    def profile(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        function(*args)
    finally:
        sys.setprofile(None)
    return count
