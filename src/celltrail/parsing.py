"""Code and expressions become trees, also on threads beside the one that runs cells.

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
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import compress
from operator import call
from types import FrameType
from typing import Any

_TRIES, _PAUSE_S = 200, 0.0005
# of code that is wrong Python looks for the line in the file, and gives way meanwhile; this is no file's name
_NO_FILE = "\ud800"
_CONVERTING = frozenset({"ast_parse", "parse"})  # IPython's, ast's


def parse(code: str) -> ast.Module:
    """``ast.parse`` that no other thread's conversion gets in the middle of, nor the other way round.

    >>> len(parse("x = 1").body)
    1
    """
    return _parsed(code, "exec")


def parse_expression(code: str) -> ast.expr:
    """The same of an expression.

    >>> parse_expression("loss < 1").__class__.__name__
    'Compare'
    """
    return _parsed(code, "eval").body


def _parsed(code: str, mode: str) -> Any:
    if sys.version_info >= (3, 13) or threading.current_thread() is threading.main_thread():
        return ast.parse(code, mode=mode)
    for left in reversed(range(_TRIES)):
        if not left or not _is_converting():
            return _in_one_step(code, mode)
        time.sleep(_PAUSE_S)
    raise AssertionError("the last try parses")


def _in_one_step(code: str, mode: str) -> Any:
    """Convert without collections, and without a moment in which another thread could see that they are off.

    A thread gives way between calls of Python only. So that they are off, the conversion, and that they are on again
    where they were, is one call from C to C; after an exception nothing is called before they are on.
    """
    was_on: list[bool] = []
    found: list[Any] = []
    convert: Callable[[], Any] = partial(compile, code, _NO_FILE, mode, ast.PyCF_ONLY_AST)
    steps = (
        partial(was_on.extend, map(call, (gc.isenabled,))),
        gc.disable,
        partial(found.extend, map(call, (convert,))),
        partial(deque, map(call, compress((gc.enable,), was_on)), 0),
    )
    walked = map(call, steps)
    try:
        deque(walked, 0)
    except BaseException as error:
        if was_on and was_on[0]:
            gc.enable()
        if isinstance(error, SyntaxError):
            error.filename = "<unknown>"
        raise
    return found[0]


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
