"""How an object came about: the key of the execution that touched it last, over the keys of what that one read.

Of something too large to look at as a whole the sample alone misses one changed element in 100 MB; the recipe does
not. It holds as far as names tell, so what has the same one is only probably the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from celltrail.capture.analyze.keys import input_key, recipe
from celltrail.capture.session.past import Past
from celltrail.capture.stale import source_key
from celltrail.capture.values.fingerprint import fingerprint

_KEPT = "recipe"  # in the facts of an execution
_DEEPEST = 200


def recipe_of(
    name: str, before: Sequence[Past], namespace: Mapping[str, Any], depth: int = 0, upto: int | None = None
) -> str:
    """The recipe of what a name stands for after these executions; "" where some of them cannot be read.

    Args:
        name: the name.
        before: the executions of the session so far, oldest first.
        namespace: the user's variables, for what was there before anything ran.
        depth: how many executions this one lies behind.
        upto: only the first so many of the executions.
    """
    for at in reversed(range(len(before) if upto is None else upto)):
        past = before[at]
        if past.names is None or past.names.star:
            return ""
        if name in past.names.writes or name in past.names.mutates or name in past.names.deletes:
            return _recipe(past, before, at, namespace, depth)
    if name not in namespace:
        return ""
    found = fingerprint(namespace[name])
    return found.digest if found.quality == "full" else ""


def _recipe(past: Past, before: Sequence[Past], at: int, namespace: Mapping[str, Any], depth: int) -> str:
    if _KEPT not in past.facts:
        past.facts[_KEPT] = _made(past, before, at, namespace, depth) if depth < _DEEPEST else ""
    return past.facts[_KEPT]


def _made(past: Past, before: Sequence[Past], at: int, namespace: Mapping[str, Any], depth: int) -> str:
    if past.source is None or past.names is None or past.status != "ok":
        return ""
    inputs = {f"state {library}": (digest, "") for library, digest in past.rng.items()}
    for name in sorted(past.names.reads | past.names.mutates):
        found = recipe_of(name, before, namespace, depth + 1, at)
        if not found and name not in past.names.writes:
            return ""
        inputs[f"name {name}"] = (found, "")
    return recipe(source_key(past.source), input_key(inputs))
