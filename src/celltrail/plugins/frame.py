"""Variables of the code that trains, read where it stands: by their names, without keeping or changing any."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any

_INSTALLED = ("site-packages", "dist-packages", "contextlib.py", "<frozen ")
_STORES = ("STORE_NAME", "STORE_FAST", "STORE_GLOBAL", "STORE_DEREF")
_IS_COPY = sys.version_info < (3, 13)  # there the variables of a function come as a copy that the frame keeps
_OWN_REFERENCES = 3  # to such a copy: the frame's, the variable's, and that of the count itself
_MOST_CODES = 4096
_codes: dict[int, tuple[CodeType, dict[str, int]]] = {}


def user_frames(frame: FrameType | None) -> Iterator[FrameType]:
    """The frames from here outward whose code is no installed package's, up to the cell or script."""
    while frame is not None:
        if not _is_installed(frame.f_code.co_filename):
            yield frame
            if frame.f_code.co_name == "<module>":
                return
        frame = frame.f_back


def variables(frame: FrameType, names: Iterable[str]) -> dict[str, Any]:
    """Those of these names that the code binds, and not only further down: that would be of an earlier turn."""
    bound, here = first_binding(frame.f_code), frame.f_lasti
    wanted = [name for name in names if bound.get(name, sys.maxsize) <= here]
    return _read(frame, lambda held: {name: held[name] for name in wanted if name in held}) if wanted else {}


def of_type(frame: FrameType, kind: type) -> dict[str, Any]:
    """What the code has of this type, by the names it uses."""
    used = (*frame.f_code.co_varnames, *frame.f_code.co_names, *frame.f_code.co_freevars)
    return _read(frame, lambda held: {name: held[name] for name in used if isinstance(held.get(name), kind)})


def first_binding(code: CodeType) -> dict[str, int]:
    """Each variable that the code binds, with the first place where it does; parameters are there from the start."""
    known = _codes.get(id(code))  # by identity: the hash of code is made anew each time
    if known is None:
        if len(_codes) >= _MOST_CODES:
            _codes.clear()
        known = _codes[id(code)] = code, _first_binding(code)
    return known[1]


def _first_binding(code: CodeType) -> dict[str, int]:
    found = dict.fromkeys(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount], -1)
    for instruction in dis.get_instructions(code):
        if instruction.opname in _STORES:
            found.setdefault(instruction.argval, instruction.offset)
    return found


def _read(frame: FrameType, read: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    held = frame.f_locals
    found = read(held)
    # where nobody else asked for the copy, what it holds must not outlive the user's own variables
    if _IS_COPY and held is not frame.f_globals and sys.getrefcount(held) <= _OWN_REFERENCES:
        held.clear()
    return found


@lru_cache(maxsize=4096)
def _is_installed(path: str) -> bool:
    return any(part in path for part in _INSTALLED)
