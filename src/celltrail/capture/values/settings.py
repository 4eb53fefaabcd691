"""What cells of a session set in the modules they use: a default type, a backend, an option, a variable of the system.

No name of the notebook tells of it, yet a cell that runs again after ``torch.set_default_dtype`` gives something else.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from celltrail.capture.analyze import by_kind, dotted, root
from celltrail.capture.analyze.keys import Input, input_key
from celltrail.capture.session.executions import Session
from celltrail.capture.session.past import Past
from celltrail.parsing import parse

_SETTERS = re.compile(r"set\w*|use\w*|enable\w*|disable\w*|register\w*|patch\w*|update|rc|rcdefaults")
_MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)
_KEPT = "settings"  # in the facts of an execution


class Settings:
    """What the executions of a session set, each of them looked at once."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, Input]] = {}  # by the name that a place begins with
        self._taken = 0

    def key(self, session: Session, before: Past | None, namespace: Mapping[str, Any]) -> str:
        """The key of all that was set so far; of what was set several times, the last.

        Args:
            session: all executions.
            before: the one that is about to begin.
            namespace: the user's variables: only what is set in modules counts.
        """
        for past in session.since(self._taken):
            if past is before:
                break
            self._taken += 1
            for place, text in settings_of(past):
                self._found.setdefault(place.partition(".")[0], {})[place] = (text, "")
        modules = [inside for name, inside in self._found.items() if isinstance(namespace.get(name), ModuleType)]
        return input_key({place: what for inside in modules for place, what in inside.items()})


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
        kinds = by_kind(parse(_MAGIC.sub(r"\1pass", source)))
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
