"""What an execution touched: its effects, read in the light of what the notebook's names are at that time.

Identities of the objects before and after show what code alone does not: which branch was taken, what a
failed cell had bound, which names are one object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from celltrail.capture.analyze.effects import Change, Effects
from celltrail.capture.analyze.known import Known, Sure

Ids = Mapping[str, int]  # name -> id of its object, negative for values that cannot change


@dataclass(slots=True)
class Touched:
    """What one execution did to names, everything considered."""

    reads: set[str] = field(default_factory=set)
    pours: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)  # may have bound or deleted
    kills: set[str] = field(default_factory=set)  # surely did, so the old value plays no part from here on
    changes: dict[str, Sure] = field(default_factory=dict)
    deletes: set[str] = field(default_factory=set)
    holes: set[str] = field(default_factory=set)


def touched(
    effects: Effects,
    known: Known,
    *,
    is_ok: bool = True,
    before: Ids | None = None,
    after: Ids | None = None,
    proved: Mapping[str, bool] = {},
) -> Touched:
    """What an execution with these effects touched.

    Args:
        effects: of its code.
        known: what the names were when it began.
        is_ok: whether it came to its end.
        before: the identities of the notebook's objects when it began.
        after: those when it ended.
        proved: names whose value is known to have changed (True) or to be the same (False).
    """
    found = Touched(
        set(effects.reads), set(effects.pours), effects.binds | effects.weak, set(), {}, set(effects.deletes),
        set(effects.holes),
    )  # fmt: skip
    changes = [(each, known.certainty(each, effects.functions)) for each in effects.changes]
    _call(effects, known, found, changes)
    rebound = None if before is None or after is None else {n for n, _ in before.items() ^ after.items()}
    found.kills = effects.binds | effects.deletes if is_ok else set()
    if rebound is None:
        found.reads |= effects.maybe
    else:
        found.reads |= {name for name in effects.maybe if name not in rebound}
        found.kills |= found.writes & rebound
        if effects.holes or not effects.binds >= rebound:
            found.writes |= {name for name in rebound if name not in found.deletes}
    for change, sure in changes:
        if sure is not None and not _is_fixed(change.name, before, after):
            found.changes[change.name] = max(sure, found.changes.get(change.name, sure))
    _spread(found, known, before, after)
    for name, is_changed in proved.items():
        if is_changed:
            found.changes[name] = Sure.PROVED
        else:
            found.changes.pop(name, None)
    found.pours -= found.reads
    return found


def _call(effects: Effects, known: Known, found: Touched, changes: list[tuple[Change, Sure | None]]) -> None:
    """Add what the functions that are used here do when they are called."""
    waiting = [(name, bound) for name, bound in effects.loads.items()]
    seen: set[str] = set()
    while waiting:
        name, bound = waiting.pop()
        function = effects.functions.get(name) or known.functions.get(name)
        if name in seen or function is None or (name in bound and name not in effects.functions):
            continue
        seen.add(name)
        found.reads |= (function.reads | function.maybe) - bound
        found.pours |= function.pours - bound
        found.writes |= function.weak
        found.deletes |= function.deletes
        found.holes |= function.holes
        own = {*function.parameters, *bound}
        changes += [
            (each, known.certainty(each, effects.functions)) for each in function.changes if each.name not in own
        ]
        waiting += [(inner, bound) for inner in function.loads if inner not in bound or inner in effects.functions]


def _spread(found: Touched, known: Known, before: Ids | None, after: Ids | None) -> None:
    """A change of one name is a change of every name of the same object, and of what holds it or is held by it."""
    tables = [ids for ids in (before, after) if ids is not None]
    for name, sure in list(found.changes.items()):
        for other in known.related(name):
            if not _is_fixed(other, before, after):
                found.changes.setdefault(other, sure)
    objects: dict[int, Sure] = {}
    for name, sure in found.changes.items():
        for number in {ids.get(name, 0) for ids in tables}:
            if number > 0:
                objects[number] = max(sure, objects.get(number, sure))
    for name, number in {pair for ids in tables for pair in ids.items()} if objects else ():
        if number in objects and name not in found.changes:
            found.changes[name] = objects[number]


def _is_fixed(name: str, before: Ids | None, after: Ids | None) -> bool:
    """Whether a name stood for a value that cannot change all the while: a number stays what it is in a list, too.

    >>> _is_fixed("n", {"n": -7}, {"n": -7}), _is_fixed("n", {"n": 7}, {"n": -7}), _is_fixed("n", None, {})
    (True, False, False)
    """
    seen = [ids[name] for ids in (before, after) if ids is not None and name in ids]
    return bool(seen) and all(number < 0 for number in seen)
