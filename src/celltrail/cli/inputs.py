"""The block of ``celltrail show`` that tells what a run read and left behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from celltrail.query import StoredRun
from celltrail.query.inputs import at_a_glance, is_code, randomness_of, values_of, with_print
from celltrail.query.plain import clipped, shown

_MOST = 20
_WIDE = 100


def told(run: StoredRun) -> str:
    """Lines of what was read, changed and bound; what is only a number stands with the params."""
    values = {name: facts for name, facts in values_of(run).items() if not is_code(facts)}
    params = run.record.params
    read = {name: facts for name, facts in values.items() if facts.get("when") == "before"}
    changed = {name: facts["after"] for name, facts in read.items() if facts.get("after")}
    bound = {name: facts for name, facts in values.items() if facts.get("when") == "after" and not _is_number(facts)}
    lines = [
        *_lines("read", {name: facts for name, facts in read.items() if name not in params}),
        *_lines("changed", changed),
        *_lines("made", {name: facts for name, facts in bound.items() if name not in params}, prints=False),
    ]
    if randomness := _randomness(run):
        lines.append(randomness)
    return "\n".join(lines)


def _lines(title: str, values: Mapping[str, Mapping[str, Any]], *, prints: bool = True) -> Iterable[str]:
    tell = with_print if prints else at_a_glance
    for name, facts in list(values.items())[:_MOST]:
        yield clipped(f"{title}  {shown(name)}  {shown(tell(facts))}", _WIDE)
    if len(values) > _MOST:
        yield f"{title}  {len(values) - _MOST:,} more"


def _is_number(facts: Mapping[str, Any]) -> bool:
    return facts.get("type") in ("int", "float", "bool", "NoneType", "complex")


def _randomness(run: StoredRun) -> str:
    found = randomness_of(run)
    moved, unseeded = found.get("moved") or [], found.get("unseeded") or []
    if not moved:
        return "random numbers  none used" if found else ""
    return f"random numbers  {', '.join(moved)}" + (f"; without a seed: {', '.join(unseeded)}" if unseeded else "")
