"""Which of the objects a cell starts from were made or changed by an earlier run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from celltrail.capture.analyze.known import Sure
from celltrail.capture.analyze.touch import Touched
from celltrail.capture.lineage import History
from celltrail.model import Json

# what changes when it is used and makes no run another one: the states of generators are recorded
_QUIET = re.compile(
    r"matplotlib|logging|_?io|tqdm|celltrail|IPython|ipywidgets|_?random|numpy\.random|seaborn|plotly|altair|sqlite3"
    r"|_sqlite3|tensorboardX|builtins\.(?:function|module|type|builtin_function_or_method|generator|method)"
    r"|torch\._C\.Generator|torch\.utils\.(?:data|tensorboard)|collections\.Counter\b|threading|_thread|queue"
)


_TRAINED = ("predict", "state_dict", "transform", "forward", "fit")


@dataclass(frozen=True, slots=True)
class Edge:
    """This run starts from what another run made (``uses``) or changed (``continues``)."""

    run: str
    name: str
    kind: Literal["uses", "continues"]
    execution: str
    sure: bool  # False: the code says that it was changed, its value could not be compared
    made: tuple[int, ...] = ()  # the executions to run again for a clean start, by index
    at: int = -1  # the index of the execution

    def told(self) -> dict[str, Json]:
        """The form that is kept."""
        return {
            "run": self.run,
            "name": self.name,
            "kind": self.kind,
            "execution": self.execution,
            "sure": self.sure,
        }


def is_quiet(value: object) -> bool:
    """Whether a change of this value says nothing about the runs that use it.

    >>> import random
    >>> is_quiet(random.Random()), is_quiet(random), is_quiet([1])
    (True, True, False)
    """
    kind = type(value)
    return _QUIET.match(f"{kind.__module__}.{kind.__qualname__}") is not None


def edges(
    history: History,
    names: Iterable[str],
    at: int,
    run: str,
    value: Callable[[str], Any],
    own: Callable[[], Touched],
) -> list[Edge]:
    """The edges to other runs, sorted by name.

    Args:
        history: of the session.
        names: what the execution reads.
        at: its index.
        run: its own run.
        value: what a name stands for.
        own: what it touches itself; asked for when it matters.
    """
    found = [edge for name in sorted(set(names)) if (edge := _edge(history, name, at, run)) is not None]
    found = [edge for edge in found if not is_quiet(value(edge.name))]
    if any(edge.kind == "continues" for edge in found):
        touched = own()
        found = [_judged(edge, history, touched, value(edge.name)) for edge in found if edge.name not in touched.pours]
    return found


def _judged(edge: Edge, history: History, own: Touched, value: object) -> Edge:
    """A model that is only looked at after it was trained, or the results of runs: nothing goes on from there."""
    goes_on = edge.name in own.writes or own.changes.get(edge.name, Sure.MAY) > Sure.MAY
    if edge.kind == "uses" or goes_on:
        return edge
    is_result = edge.name in history.steps[edge.at].touched.pours
    return replace(edge, kind="uses") if is_result or is_model(value) else edge


def is_model(value: object) -> bool:
    """Whether a value is something that is trained or fitted first and used then."""
    return any(name in vars(base) for base in type(value).__mro__ for name in _TRAINED)


def _edge(history: History, name: str, at: int, run: str) -> Edge | None:
    """Back from the last execution that touched the object to the one that made it."""
    changed: Edge | None = None
    made: list[int] = []
    index = history.last(name, at, "shaped")
    while index is not None:
        step = history.steps[index]
        is_other = step.run is not None and step.run != run
        is_made = name in step.touched.kills and name not in step.touched.reads
        sure = step.touched.changes.get(name, Sure.MAY)
        is_bound = name in step.touched.writes and name in step.touched.reads
        if is_other and is_made and changed is None:
            return Edge(step.run or "", name, "uses", step.id, True, (), index)
        if is_other and not is_made and (is_bound or sure > Sure.MAY):
            made.clear()
            is_sure = is_bound or sure == Sure.PROVED
            changed = changed or Edge(step.run or "", name, "continues", step.id, is_sure, (), index)
        elif is_made or is_bound or sure > Sure.MAY:
            made.append(index)
        if is_made:
            break
        index = history.last(name, index, "shaped")
    if changed is None:
        return None
    return replace(changed, made=tuple(reversed(made)))


def warning(found: list[Edge], run_name: str, counts: list[int]) -> str:
    """One sentence about the objects that one run changed.

    >>> edge = Edge("01", "model", "continues", "02", True)
    >>> warning([edge], "first", [3])
    "this run starts from `model` as changed by run 'first'; for a clean start rerun [3] first; if that is meant, --continues"
    """  # noqa: E501
    names = [f"`{edge.name}`" for edge in found]
    some = names[0] if len(names) == 1 else f"{', '.join(names[:-1][:4])} and {names[-1]}"
    verb = "changed" if all(edge.sure for edge in found) else "most likely changed"
    which = "it" if len(names) == 1 else "them"
    cells = " ".join(f"[{count}]" for count in counts)
    again = f"rerun {cells} first" if cells else f"make {which} anew"
    how = f"for a clean start {again}; if that is meant, --continues"
    return f"this run starts from {some} as {verb} by run {run_name!r}; {how}"
