"""Which of a cell's values are parameters, by five rules; each parameter says which rule and which line.

1 ``assign``  a name bound once to a literal         2 ``config``  fields of a configuration object
3 ``read``    a scalar made by an earlier cell       4 ``kwarg``   keyword arguments of constructors and fits
5 ``scalar``  a computed scalar that a call uses
"""

from __future__ import annotations

import ast
import weakref
from collections.abc import Iterator, Mapping
from functools import cached_property
from types import FunctionType, ModuleType
from typing import Any

from celltrail.capture.analyze import Names, bound_names, by_kind, dotted, root
from celltrail.capture.params.config import fields, is_scalar, literal
from celltrail.capture.params.literals import is_settled, literals, pairs
from celltrail.capture.values.reach import reach
from celltrail.capture.watch.names import is_metric_name
from celltrail.model import Json, Param, ParamRule
from celltrail.run import Run

# functions of the field that are told how to do it by keywords; all others mostly get data, columns and formats
_VERBS = frozenset(
    "chat compile complete create create_study cross_val_score curve_fit default_rng fit generate invoke learn make"  # noqa: SIM905
    " minimize optimize pipeline resample sample train train_test_split".split()
)
# how much is said on the way, and texts for people
_TALK = frozenset(["verbose", "verbosity", "desc", "description", "help", "title", "label", "name", "silent"])
_NO_MODELS = frozenset(
    "ArgumentParser Audio DataFrame Decimal HTML Image JSON Latex Markdown Path Process SVG Series Table Thread UTC"  # noqa: SIM905
    " ThreadPoolExecutor ProcessPoolExecutor Video".split()
)
_DRAWING = frozenset(
    [
        "plt",
        "sns",
        "alt",
        "px",
        "go",
        "ax",
        "axes",
        "axs",
        "fig",
        "figure",
        "chart",
        "mpl",
        "matplotlib",
        "seaborn",
        "altair",
        "plotly",
    ]
)
_SHOWING = frozenset(["print", "display", "log", "format", "write", "info", "debug", "warning"])
_CLOCKS = frozenset(
    ["time", "perf_counter", "perf_counter_ns", "time_ns", "monotonic", "now", "utcnow", "process_time"]
)
_PROCESSES = frozenset(["fork", "forkpty", "getpid", "getppid", "get_ident", "get_native_id"])  # numbers of no meaning
_SHELL = frozenset(["In", "Out", "exit", "quit", "get_ipython", "open"])
_found: weakref.WeakKeyDictionary[Run, Found] = weakref.WeakKeyDictionary()


class Found:
    """The parameters of one execution, gathered in two steps: `before` its body and `after`."""

    def __init__(self, tree: ast.Module, names: Names, namespace: Mapping[str, Any], offset: int = 0) -> None:
        self.tree, self.names, self.namespace, self.offset = tree, names, namespace, offset
        self.params: dict[str, Param] = {}
        self.kinds = by_kind(tree)
        loops = (*self.kinds[ast.For], *self.kinds[ast.AsyncFor])
        self.loops = {name for loop in loops for name in bound_names(loop.target)}
        self.functions = {node.name for node in self.kinds[ast.FunctionDef]}
        self._reached: set[str] | None = None

    def before(self) -> dict[str, Param]:
        """Rules 1 to 3: what the code itself and the earlier cells say."""
        for name, value, place in literals(self.tree, self.names):
            self._add(name, value, "config" if "." in name else "assign", place.lineno)
        for name in sorted(self.reachable()):
            if name not in self.names.writes and name not in _SHELL and not name.startswith("_"):
                self._read(name)
        return self.params

    def given(self, names: tuple[str, ...]) -> None:
        """What whoever executes the notebook set from outside, also where only an earlier cell read it.

        Args:
            names: of variables; one that this cell sets itself is its own.
        """
        for param in declared(names, self.namespace):
            known = self.params.get(param.name)
            if known is None or known.rule == "read":
                self.params[param.name] = param

    def after(self) -> dict[str, Param]:
        """Rules 2, 4 and 5 for what exists only once the body ran; returns what is new."""
        known = dict(self.params)
        for statement in self.tree.body:
            self._computed(statement)
        for call in self.kinds[ast.Call]:
            self._keywords(call)
        return {name: param for name, param in self.params.items() if name not in known}

    def _add(self, name: str, value: Json, rule: ParamRule, line: int | None) -> None:
        if name not in self.params:
            self.params[name] = Param(name, value, rule, None if line is None else line + self.offset)

    # before

    def _read(self, name: str) -> None:
        value = self.namespace.get(name, ...)
        if is_scalar(value):
            self._add(name, value, "read", None)
        elif not issubclass(type(value), dict) or name not in self.names.mutates:
            for key, inner in fields(value):
                self._add(f"{name}.{key}", inner, "config", None)

    def reachable(self) -> set[str]:
        """The names read by the cell and by the notebook's functions and classes that it reaches."""
        if self._reached is None:
            self._reached = reach(self.names.reads, self.namespace)
        return self._reached

    # after

    def _computed(self, statement: ast.stmt) -> None:
        for name, value in pairs(statement):
            if not is_settled(name, self.names) or name not in self.namespace:
                continue
            result = self.namespace[name]
            if isinstance(value, ast.Call) and not issubclass(type(result), dict):
                for key, inner in fields(result):
                    self._add(f"{name}.{key}", inner, "config", value.lineno)
            if is_scalar(result) and (isinstance(value, ast.IfExp) or self._is_used(name, value)):
                self._add(name, result, "scalar", value.lineno)

    def _is_used(self, name: str, value: ast.expr) -> bool:
        """Whether a computed value is an input: handed on to a call, and not a result, a time or a constant."""
        if isinstance(value, ast.Constant) or (is_metric_name(name) and name not in ("lr", "learning_rate")):
            return False
        if not any(line > value.lineno for line in self._uses.get(name, ())):
            return False
        inside = by_kind(value)
        return not (inside[ast.Await] or any(_last(call.func) in _CLOCKS | _PROCESSES for call in inside[ast.Call]))

    @cached_property
    def _uses(self) -> dict[str, list[int]]:
        """The lines on which a name is handed on to a call that does not merely show it."""
        found: dict[str, list[int]] = {}
        for call in self.kinds[ast.Call]:
            if _last(call.func) not in _SHOWING:
                for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
                    if isinstance(argument, ast.Name):
                        found.setdefault(argument.id, []).append(call.lineno)
        return found

    def _keywords(self, call: ast.Call) -> None:
        called = dotted(call.func)
        last = called.rsplit(".", 1)[-1] if called else getattr(call.func, "attr", "")
        if not last or not self._takes_params(call, called, last):
            return
        for keyword in call.keywords:
            known, value = self._argument(keyword.value)
            if (
                keyword.arg is None
                or keyword.arg in _TALK
                or not known
                or not (is_scalar(value) or isinstance(value, list))
            ):
                continue
            if not any(
                param.value == value and name.rsplit(".", 1)[-1] == keyword.arg for name, param in self.params.items()
            ):
                self._add(self._free(f"{last}.{keyword.arg}"), value, "kwarg", keyword.value.lineno)

    def _takes_params(self, call: ast.Call, called: str | None, last: str) -> bool:
        start = root(call.func)
        if start in _DRAWING or _draws(self.namespace.get(start or "")):
            return False
        if called is not None and "." not in called:
            value = self.namespace.get(called)
            is_ours = isinstance(value, FunctionType) and value.__globals__ is self.namespace
            if called in self.functions or is_ours:
                return True
            if isinstance(value, type) and issubclass(value, BaseException):
                return False
        if last in _NO_MODELS:
            return False
        is_class = last[:1].isupper() and (not last.isupper() or (len(last) <= 6 and last.isalnum()))  # SGD, A2C
        return is_class or last in _VERBS or last.startswith("make_")

    def _argument(self, node: ast.expr) -> tuple[bool, Json]:
        known, value = literal(node)
        if known:
            return not (isinstance(value, list) and not value), value
        if isinstance(node, ast.Name) and node.id not in self.loops:
            value = self.namespace.get(node.id, ...)
            return is_scalar(value) and value is not None, value
        return False, None

    def _free(self, name: str) -> str:
        if name not in self.params:
            return name
        owner, _, field = name.partition(".")
        return next(free for n in range(2, 10_000) if (free := f"{owner}{n}.{field}") not in self.params)


def hold(run: Run, found: Found) -> None:
    """These are the parameters of this run's execution."""
    _found[run] = found


def has_param(run: Run, name: str, value: Json) -> bool:
    """Whether a parameter of this name, be it a field of an object, already says this value."""
    found = _found.get(run)
    return found is not None and any(
        param.value == value and known.rsplit(".", 1)[-1] == name for known, param in found.params.items()
    )


def _last(called: ast.expr) -> str:
    return (dotted(called) or "").rsplit(".", 1)[-1]


def declared(names: tuple[str, ...], namespace: Mapping[str, Any]) -> Iterator[Param]:
    """The parameters asked for by name with ``--param``: whatever dotted names exist.

    >>> [param.value for param in declared(("a.real", "b"), {"a": 2.0})]
    [2.0]
    """
    for name in names:
        first, *rest = name.split(".")
        value = namespace.get(first, ...)
        for part in rest:
            value = value.get(part, ...) if isinstance(value, dict) else getattr(value, part, ...)
        if is_scalar(value):
            yield Param(name, value, "declared")
        elif value is not ...:
            for key, inner in fields(value):
                yield Param(f"{name}.{key}", inner, "declared")


def without(params: Mapping[str, Param], unwanted: tuple[str, ...]) -> dict[str, Param]:
    """The parameters but those named by ``--no-param``, or inside an object so named."""
    return {
        name: param
        for name, param in params.items()
        if not any(name == other or name.startswith(f"{other}.") for other in unwanted)
    }


def _draws(value: object) -> bool:
    module = value.__name__ if isinstance(value, ModuleType) else type(value).__module__
    return module.split(".", 1)[0] in ("matplotlib", "seaborn", "altair", "plotly", "bokeh", "plotnine")
