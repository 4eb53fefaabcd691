"""celltrail: the experiment tracker that lives inside the notebook.

``%load_ext celltrail``, then ``%%track`` on a cell: that execution becomes a run. The same without magics:

>>> import celltrail as ct
>>> with ct.start("demo", params={"lr": 1e-3}) as run:
...     run.log({"train/loss": 0.3}, step=10)
>>> ct.run("demo").status
'finished'

Then ``ct.runs()`` is a table of all runs, ``ct.compare(...)`` what differs between some, ``ct.replay(...)`` one of them
executed again. Everything is loaded when it is first used: importing celltrail loads no pandas, altair, anywidget,
pyarrow or IPython.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from celltrail import data as data
    from celltrail.alerts import alert as alert
    from celltrail.alerts.rule import rule as rule
    from celltrail.bench import bench as bench
    from celltrail.capture.autolog import autolog as autolog
    from celltrail.compare import compare as compare
    from celltrail.errors import BadValue as BadValue
    from celltrail.errors import CelltrailError as CelltrailError
    from celltrail.errors import NoRun as NoRun
    from celltrail.errors import QueryError as QueryError
    from celltrail.errors import StopTraining as StopTraining
    from celltrail.query import find as run
    from celltrail.query import runs as runs
    from celltrail.query.executions import executions as executions
    from celltrail.query.search import search as search
    from celltrail.query.tables import sql as sql
    from celltrail.query.template import template as template
    from celltrail.registry import registry as registry
    from celltrail.replay import replay as replay
    from celltrail.replay import slice_of as slice
    from celltrail.report import report as report
    from celltrail.run import Run as Run
    from celltrail.run import current as current
    from celltrail.run import knob as knob
    from celltrail.run import log as log
    from celltrail.run import start as start
    from celltrail.run import watch as watch
    from celltrail.stats.explanation import explain as explain
    from celltrail.stats.fairness import fairness as fairness
    from celltrail.store import Store as Store
    from celltrail.sweep import sweep as sweep

_ROOMS = {
    "start": "run:start",
    "log": "run:log",
    "current": "run:current",
    "knob": "run:knob",
    "watch": "run:watch",
    "alert": "alerts:alert",
    "explain": "stats.explanation:explain",
    "fairness": "stats.fairness:fairness",
    "rule": "alerts.rule:rule",
    "Run": "run:Run",
    "runs": "query:runs",
    "run": "query:find",
    "executions": "query.executions:executions",
    "search": "query.search:search",
    "sql": "query.tables:sql",
    "template": "query.template:template",
    "compare": "compare:compare",
    "data": "data:",
    "bench": "bench:bench",
    "autolog": "capture.autolog:autolog",
    "slice": "replay:slice_of",
    "replay": "replay:replay",
    "report": "report:report",
    "sweep": "sweep:sweep",
    "registry": "registry:registry",
    "Store": "store:Store",
    "CelltrailError": "errors:CelltrailError",
    "NoRun": "errors:NoRun",
    "BadValue": "errors:BadValue",
    "QueryError": "errors:QueryError",
    "StopTraining": "errors:StopTraining",
}

__all__ = [
    "BadValue", "CelltrailError", "NoRun", "QueryError", "Run", "StopTraining", "Store",
    "alert", "autolog", "bench", "compare", "current", "data", "executions", "explain", "fairness", "knob", "log",
    "registry", "replay", "report", "rule", "run", "runs", "search", "slice", "sql", "start", "sweep", "template",
    "watch",
]  # fmt: skip


class _Door(ModuleType):
    """The package itself. A room may bear the name of a verb (``celltrail.run`` and ``ct.run()``): importing
    the room sets it as an attribute of the package, where the verb must stay.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in _ROOMS):
            super().__setattr__(name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        """By its name, as cloudpickle sends modules with the functions that joblib's workers are to call."""
        return import_module, (__name__,)

    def __getattr__(self, name: str) -> Any:
        if name == "__version__":
            return _version()
        if name == "_jupyter_server_extension_points":
            return import_module("celltrail.server").extension_points
        if name not in _ROOMS:
            raise AttributeError(_no_verb(name))
        room, _, verb = _ROOMS[name].partition(":")
        found = import_module(f"celltrail.{room}")
        value = getattr(found, verb) if verb else found
        if name in ("start", "sweep"):  # what begins runs
            import_module("celltrail.capture.script").describe_runs()
            import_module("celltrail.alerts").stand()
        if room.startswith(("query", "registry")):
            import_module("celltrail.query.standing").told_by(_standing, otherwise=True)
            import_module("celltrail.query.reporting").written_by(_report)
        _show_in_notebook()
        self.__dict__[name] = value
        return value

    def __dir__(self) -> list[str]:
        """What a user may type: neither the rooms nor what this file imports."""
        return sorted({*__all__, "__version__", *(name for name in self.__dict__ if name[:2] == "__")})


sys.modules[__name__].__class__ = _Door


def _no_verb(name: str) -> str:
    """What to say of a name that the door has not; some are those of a run."""
    from celltrail.errors import nearest

    if not name.startswith("_") and hasattr(import_module("celltrail.run").Run, name):
        return f"celltrail has no {name!r}, a run has: ct.current().{name}"
    return f"celltrail has no {name!r}{nearest(name, __all__) or ';'} it has {', '.join(__all__)}"


def _version() -> str:
    from importlib.metadata import version

    return version("celltrail")


def _standing(run: Any) -> Any:
    return import_module("celltrail.capture.stale.holding").holds(run)


def _report(run: Any, kind: str) -> Any:
    return import_module("celltrail.report").report(run, kind)


def _show_in_notebook() -> None:
    """In a notebook tables and charts are panels, also before ``%load_ext``; elsewhere nothing is loaded."""
    shell_of = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = shell_of() if shell_of else None
    if shell is not None and hasattr(shell, "kernel"):
        import_module("celltrail.panels").install(shell)


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext celltrail``."""
    import_module("celltrail.magic").load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext celltrail``."""
    import_module("celltrail.magic").unload(shell)
