"""What the names of a cell stood for: type, shape and fingerprint of what it reads and of what it leaves behind.

Looked at on the main thread, since the body may change a value the moment it begins; bounded in time by a
`Budget`, in number by `MOST`. Nothing here holds a value: a name bound anew would keep the old array alive.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from types import FunctionType, ModuleType
from typing import Any

from celltrail.capture.analyze import Names
from celltrail.capture.redact import Redactor, is_secret_name
from celltrail.capture.shield import attempt
from celltrail.capture.values.fingerprint import Budget, Print, fingerprint, kinds
from celltrail.capture.values.reach import reach
from celltrail.capture.values.variables import OF_THE_SHELL, Variables
from celltrail.model import Json

MOST = 200  # names
_BEFORE_S, _AFTER_S = 0.03, 0.02
_LONGEST = 1000  # characters of a text that may be a secret
# what cannot change without being bound anew; a function's globals are names of their own
_SETTLED = frozenset(
    id(kind) for kind in (bool, int, float, complex, str, bytes, type(None), range, FunctionType, ModuleType, type)
)

Facts = dict[str, Json]


class Values:
    """The values of one execution, looked at in two steps: `before` its body and `after`.

    Args:
        names: what its code says.
        namespace: the user's variables.
        redactor: knows the secrets.
        allowed: of so many seconds wanted, how many may be used.
        variables: of the session, which knows most of them already.
    """

    def __init__(
        self,
        names: Names,
        namespace: dict[str, Any],
        redactor: Redactor,
        allowed: Callable[[float], float] = float,
        variables: Variables | None = None,
    ) -> None:
        self._names, self._namespace, self._redactor = names, namespace, redactor
        self._ids: dict[str, int] = {}
        self._variables = variables or Variables()
        self._allowed = allowed
        self._budget = Budget(allowed(_BEFORE_S))
        self.told: dict[str, Facts] = {}  # the section `values`
        self.left_out = 0  # names beyond the first so many
        self.read: dict[str, Print] = {}  # prints of what it reads, at the start
        self.left: dict[str, Print] = {}  # prints of what it read or bound, at the end
        self.bound: set[str] = set()  # names that stand for another object than before, however that came
        self.spent_ns = 0

    def before(self, reached: Iterable[str] | None = None) -> None:
        """Look at what the body is going to read.

        Args:
            reached: the names it reads, those of its functions included; found here unless given.
        """
        begun = time.perf_counter_ns()
        wanted = reach(self._names.reads, self._namespace) if reached is None else reached
        self._ids = self._identities()
        for name in self._chosen(wanted):
            facts = self._facts(name, self._namespace[name], self.read)
            self.told[name] = {**facts, "when": "before"}
        self.spent_ns += time.perf_counter_ns() - begun

    def after(self) -> None:
        """Look at what the body bound, and whether what it read is still the same."""
        begun = time.perf_counter_ns()
        self._budget.seconds += self._allowed(_AFTER_S)
        now = self._identities()
        self.bound = {name for name, address in now.items() if self._ids.get(name) != address}
        for name in self.told:
            self._again(name)
        for name in self._chosen(self.bound | (self._names.writes & now.keys())):
            facts = self._facts(name, self._namespace[name], self.left)
            self.told[name] = {**facts, "when": "after"}
        self.spent_ns += time.perf_counter_ns() - begun

    def _identities(self) -> dict[str, int]:
        return {name: id(value) for name, value in self._variables.now(self._namespace)}

    def _again(self, name: str) -> None:
        """A value that was read, at the end: what it is now, where that is something else."""
        facts = self.told[name]
        value = self._namespace.get(name, self)
        if value is self:
            facts["after"] = None
            return
        old = self.read.get(name)
        if old is None:
            return  # a secret
        if id(value) == self._ids.get(name) and id(type(value)) in _SETTLED:
            self.left[name] = old
            return
        new = self._facts(name, value, self.left)
        if any(facts.get(key) != new.get(key) for key in new):
            facts["after"] = new

    @property
    def is_cut_short(self) -> bool:
        """Whether the time was over before all was looked at: what came then is opaque."""
        return self._budget.spent >= self._budget.seconds

    def _chosen(self, names: Iterable[str]) -> list[str]:
        known = self.told.keys() | OF_THE_SHELL
        found = sorted(name for name in names if name in self._namespace and name not in known)
        room = max(0, MOST - len(self.told))
        self.left_out += len(found[room:])
        return found[:room]

    def _facts(self, name: str, value: Any, prints: dict[str, Print]) -> Facts:
        if self._is_secret(name, value):
            return {"set": True}
        found = prints[name] = fingerprint(value, self._budget)
        return {**describe(value), "fp": found.digest, "quality": found.quality}

    def _is_secret(self, name: str, value: Any) -> bool:
        if is_secret_name(name):
            return True
        return type(value) is str and len(value) <= _LONGEST and self._redactor.text(value) != value


def describe(value: object) -> Facts:
    """What is said of a value at a glance, without running its code.

    >>> describe([1, 2]), describe(len)
    ({'type': 'list', 'len': 2}, {'type': 'builtin_function_or_method'})
    """
    kind = type(value)
    # a module that loads its parts late is of a class of its own, as this package is
    facts: Facts = {"type": "module" if ModuleType in kinds.mro(kind) else kinds.qualname(kind)}
    tell = _teller(kind)
    if tell is not None:
        attempt(_tell, facts, tell, value)
    return facts


def _tell(facts: Facts, tell: Callable[[Any], Facts], value: object) -> None:
    facts |= tell(value)


def _sized(of: type) -> Callable[[Any], Facts]:
    length = of.__dict__["__len__"]
    return lambda value: {"len": length(value)}


def _array(value: Any) -> Facts:
    import numpy as np

    plain = np.ndarray.view(value, np.ndarray)
    return {"shape": list(plain.shape), "dtype": str(plain.dtype)}


def _frame(value: Any) -> Facts:
    manager = dict(kinds.attributes(value))["_mgr"]
    return {"shape": [len(axis) for axis in reversed(manager.axes)]}


def _series(value: Any) -> Facts:
    manager = dict(kinds.attributes(value))["_mgr"]
    return {"shape": [len(manager.axes[0])], "dtype": str(manager.internal_values().dtype)}


def _shaped(value: Any) -> Facts:
    return {"shape": list(value.shape), **({"dtype": str(value.dtype)} if hasattr(value, "dtype") else {})}


def _tensor(value: Any) -> Facts:
    if not kinds.module(type(value)).startswith("torch"):
        return {}  # a class of its own may do anything when asked
    return {"shape": list(value.shape), "dtype": str(value.dtype).removeprefix("torch."), "device": str(value.device)}


_SIZED = (list, tuple, dict, set, frozenset, str, bytes, bytearray, deque)
_TOLD: dict[tuple[str, str], Callable[[Any], Facts]] = {
    **{(kind.__module__, kind.__qualname__): _sized(kind) for kind in _SIZED},
    ("numpy", "ndarray"): _array,
    ("pandas", "DataFrame"): _frame,
    ("pandas", "Series"): _series,
    ("pandas", "Index"): lambda value: {"len": len(value)},
    ("polars", "DataFrame"): _shaped,
    ("polars", "Series"): _shaped,
    ("pyarrow", "Table"): _shaped,
    ("scipy", "_spbase"): _shaped,
    ("scipy", "spmatrix"): _shaped,
    ("torch", "Tensor"): _tensor,
    ("jaxlib", "ArrayImpl"): _shaped,
}


def _find_teller(kind: type) -> Callable[[Any], Facts] | None:
    keys = ((kinds.module(base).partition(".")[0], kinds.qualname(base)) for base in kinds.mro(kind))
    return next((_TOLD[key] for key in keys if key in _TOLD), None)


_teller = kinds.PerKind(_find_teller)
