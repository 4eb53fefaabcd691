"""What cells of a session set in the modules they use: a default type, a backend, an option, a variable of the system.

No name of the notebook tells of it, yet a cell that runs again after ``torch.set_default_dtype`` gives something else.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from celltrail.capture.analyze import by_kind, dotted, root
from celltrail.capture.analyze.keys import Input, input_key
from celltrail.capture.session.past import Past

_SETTERS = re.compile(r"set\w*|use\w*|enable\w*|disable\w*|register\w*|patch\w*|update|rc|rcdefaults")
_MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)
_KEPT = "settings"  # in the facts of an execution


def key_of(session: Iterable[Past], namespace: Mapping[str, Any]) -> str:
    """The key of all that was set so far; of what was set several times, the last."""
    found: dict[str, Input] = {}
    for past in session:
        for place, text in settings_of(past):
            if isinstance(namespace.get(place.partition(".")[0]), ModuleType):
                found[place] = (text, "")
    return input_key(found)


def settings_of(past: Past) -> list[tuple[str, str]]:
    """What one execution may have set: where and what; looked up once."""
    if _KEPT not in past.facts:
        past.facts[_KEPT] = _settings_in(past.source) if past.source else []
    return past.facts[_KEPT]


def _settings_in(source: str) -> list[tuple[str, str]]:
    """The places and values in the order of the code.

    >>> _settings_in("np.seterr(all='raise')\\nplt.rcParams['font.size'] = 8\\nx = np.zeros(3)")
    [('np.seterr', "np.seterr(all='raise')"), ("plt.rcParams['font.size']", '8')]
    """
    if not re.search(r"\.(?:set|use|enable|disable|register|patch|update|rc)|\]\s*=|\.\w+\s*=", source):
        return []
    try:
        kinds = by_kind(ast.parse(_MAGIC.sub(r"\1pass", source)))
    except (SyntaxError, ValueError, RecursionError):
        return []
    found: list[tuple[str, str]] = []
    for call in kinds[ast.Call]:
        called = dotted(call.func) or ""
        if "." in called and _SETTERS.fullmatch(called.rsplit(".", 1)[-1]):
            found.append((called, ast.unparse(call)))
    stored = ((target, each.value) for each in kinds[ast.Assign] for target in each.targets)
    found += [
        (ast.unparse(target), ast.unparse(value))
        for target, value in stored
        if isinstance(target, ast.Attribute | ast.Subscript) and root(target)
    ]
    return found
