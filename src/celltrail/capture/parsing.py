"""Code becomes a tree, on a thread beside the one that runs cells.

Until Python 3.12 the conversion counts its depth in one place for all threads. A collection of garbage in its
middle may let another thread run, and when that one converts too, the first ends in ``SystemError: AST constructor
recursion depth mismatch`` (seen in cells of a user while the recorder read earlier ones; 87 times in 142 parses
of a program that collects often, 0 in 329 on 3.13; python/cpython#106905).
"""

from __future__ import annotations

import ast
import gc
import sys
import threading
import time
from types import FrameType

_TRIES, _PAUSE_S = 200, 0.0005
_CONVERTING = frozenset({"ast_parse", "parse"})  # IPython's, ast's


def parse(code: str) -> ast.Module:
    """``ast.parse`` that no other thread's conversion gets in the middle of, nor the other way round.

    >>> len(parse("x = 1").body)
    1
    """
    if sys.version_info >= (3, 13) or threading.current_thread() is threading.main_thread():
        return ast.parse(code)
    for left in reversed(range(_TRIES)):
        was_on = gc.isenabled()
        gc.disable()  # without collections a conversion is one step
        try:
            if not left or not _is_converting():
                return ast.parse(code)
        finally:
            if was_on:
                gc.enable()
        time.sleep(_PAUSE_S)
    raise AssertionError("the last try parses")


def _is_converting() -> bool:
    """Whether another thread was stopped in the middle of a conversion."""
    own = threading.get_ident()
    return any(_is_in(frame) for thread, frame in sys._current_frames().items() if thread != own)


def _is_in(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name in _CONVERTING and frame.f_code.co_filename.endswith(("compilerop.py", "ast.py")):
            return True
        frame = frame.f_back
    return False
