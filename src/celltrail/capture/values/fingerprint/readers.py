"""Who reads which type."""

from __future__ import annotations

from typing import Any

from celltrail.capture.values.fingerprint import arrays, definitions, frames, kinds, plain, tensors
from celltrail.capture.values.fingerprint.walk import Reader, Update, Walk, text

_EXACT = {id(kind): found for kind, found in {**plain.EXACT, **definitions.EXACT}.items()}
_DERIVED = {id(kind): found for kind, found in {**plain.DERIVED, **definitions.DERIVED}.items()}
_LIBRARY = {**arrays.LIBRARY, **frames.LIBRARY, **tensors.LIBRARY}
# by module: locks and loggers are no part of what a value is
_NO_STATE = frozenset(["_thread", "threading", "weakref", "_weakref", "logging"])
# what these keep in memory of C they hand out as they would for a copy
_PICKLED = frozenset(["sklearn", "pandas", "scipy"])
# large webs of objects that show things: seen whole they would use up the time of a cell and tell little
_DRAWINGS = frozenset(
    "altair bokeh celltrail folium IPython ipykernel ipywidgets matplotlib plotly seaborn tqdm traitlets".split()  # noqa: SIM905
)


def reader(kind: type) -> Reader:
    """Who reads values of this type."""
    found = _EXACT.get(id(kind))
    if found is not None:
        return found
    for base in kinds.mro(kind):
        known = _DERIVED.get(id(base)) or _LIBRARY.get((_top(base), kinds.qualname(base)))
        if known is not None:
            return known
    top = _top(kind)
    if top in _NO_STATE:
        return plain.nothing
    if top in _DRAWINGS:
        return unseen
    if kinds.qualname(kind) == "_lru_cache_wrapper" and top == "functools":
        return definitions.wrapped
    if kinds.qualname(kind) == "cython_function_or_method":
        return plain.by(lambda value: f"{value.__module__} {value.__qualname__}")
    return instance


def _top(kind: type) -> str:
    return kinds.module(kind).partition(".")[0]


def instance(walk: Walk, value: Any, update: Update) -> None:
    """Any other object: its class and its attributes."""
    kind = type(value)
    walk.contains(value)
    walk.objects += 1
    update(walk.token(kind))
    if kinds.hides(kind):
        if _top(kind) in _PICKLED:
            update(walk.token(value.__reduce_ex__(2)))
            return
        walk.lower("opaque")
    plain.attributes(walk, value, update)


def unseen(walk: Walk, value: Any, update: Update) -> None:
    """An object that is not looked into."""
    update(text(kinds.name(type(value))))
    walk.lower("opaque")
