"""What a run read and left behind, in words: the values of its `needs`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from celltrail.errors import NoRun, StoreError

if TYPE_CHECKING:
    from celltrail.query.stored import StoredRun

# things a reader takes for part of the code
_CODE = frozenset(["function", "module", "type", "builtin_function_or_method", "ABCMeta", "EnumType", "method"])


def values_of(run: StoredRun) -> Mapping[str, Mapping[str, Any]]:
    """What the names of a run stood for; nothing where it was not recorded or cannot be read."""
    return {name: facts for name, facts in _section(run, "values").items() if isinstance(facts, Mapping)}


def randomness_of(run: StoredRun) -> Mapping[str, list[str]]:
    """Which generators it ``moved``, and which of them were ``unseeded``; nothing where it was not recorded."""
    return _section(run, "randomness")


def _section(run: StoredRun, name: str) -> Mapping[str, Any]:
    try:
        found = run.needs.get(name)
    except (StoreError, NoRun):  # damaged or gone; the rest of the run is still there
        return {}
    return found if isinstance(found, Mapping) else {}


def data(run: StoredRun) -> dict[str, str]:
    """What the run read, by name, with the beginning of its fingerprint: equal texts mean equal data.

    Modules are part of the environment, and what is a parameter stands there.
    """
    params = run.record.params
    return {
        name: with_print(facts)
        for name, facts in values_of(run).items()
        if facts.get("when") == "before" and facts.get("type") != "module" and name not in params
    }


def is_code(facts: Mapping[str, Any]) -> bool:
    """Whether a value is a function, a class or a module."""
    return facts.get("type") in _CODE


def at_a_glance(facts: Mapping[str, Any]) -> str:
    """Type, shape and the rest of it.

    >>> at_a_glance({"type": "ndarray", "shape": [1797, 64], "dtype": "float64"})
    'ndarray (1797, 64) float64'
    >>> at_a_glance({"type": "list", "len": 3}), at_a_glance({"set": True})
    ('list of 3', 'set, not shown')
    """
    if facts.get("set"):
        return "set, not shown"
    words = [str(facts.get("type", ""))]
    if isinstance(facts.get("shape"), list):
        words.append(str(tuple(facts["shape"])))
    if "len" in facts:
        words.append(f"of {facts['len']:,}" if facts["type"] != "str" else f"of {facts['len']:,} characters")
    words += [str(facts[key]) for key in ("dtype", "device") if facts.get(key) and facts[key] != "cpu"]
    return " ".join(words)


def with_print(facts: Mapping[str, Any]) -> str:
    """As `at_a_glance`, with the first digits of the fingerprint; ``~`` before those of a sample.

    >>> with_print({"type": "int", "fp": "4f37fcf57a6b23f8", "quality": "full"})
    'int · 4f37fcf5'
    """
    mark = {"full": "", "sampled": "~", "opaque": "?"}.get(str(facts.get("quality")), "")
    digest = str(facts.get("fp") or "")[:8]
    return f"{at_a_glance(facts)} · {mark}{digest}" if digest else at_a_glance(facts)
