"""``ct.bench``: how fast a function answers, how much it can take, and what memory it needs.

>>> import celltrail as ct
>>> found = ct.bench(sorted, [[3, 1, 2]], seconds=0.05)
>>> found.values["p50"] < 0.01, found.errors
(True, {})
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from celltrail.bench.figures import LATENCIES, Figure, latency_figures, rate_figure
from celltrail.bench.loops import MOST_CALLS, Calls, closed, opened
from celltrail.bench.memory import peak_of
from celltrail.errors import BadValue
from celltrail.model import Json
from celltrail.run import Run, current
from celltrail.store.registry import ModelDocuments

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Bench", "bench"]

_UNITS = {"throughput": "1/s", "rows_per_s": "1/s", "memory_peak": "By", "error_rate": "1"}


@dataclass(frozen=True, repr=False)
class Bench:
    """What was measured; ``str()`` is a table.

    Attributes:
        figures: each with its 95 % interval: latencies in s, throughput in calls and rows a second, memory in bytes.
        errors: how many calls raised, by the name of the exception; they are in no other figure.
        method: how it was measured: warm-up, calls, seconds, threads, closed or open loop, how memory was found.
        model: the version that was timed, as in ``churn@v3``; None where none was named.
    """

    figures: tuple[Figure, ...]
    errors: Mapping[str, int]
    method: Mapping[str, Json]
    model: str | None = None

    @property
    def latency(self) -> pd.DataFrame:
        """``mean p50 p90 p95 p99 cold_start``: columns ``value ci_low ci_high ci_method n``, in seconds."""
        return self.df().loc[[name for name in LATENCIES if name in self.values]]

    @property
    def values(self) -> dict[str, float]:
        """Every figure by name."""
        return {figure.name: figure.value for figure in self.figures}

    def df(self) -> pd.DataFrame:
        """A row for each figure."""
        import pandas as pd

        columns = ["metric", "value", "ci_low", "ci_high", "ci_method", "n"]
        return pd.DataFrame(self.figures, columns=pd.Index(columns)).set_index("metric")

    def __repr__(self) -> str:
        width = max(len(figure.name) for figure in self.figures)
        lines = [f"{figure.name:<{width}}  {figure}" for figure in self.figures]
        raised = [f"{count:,} calls raised {name}" for name, count in self.errors.items()]
        told = [f"{name} {value}" for name, value in self.method.items() if value is not None]
        return "\n".join([*lines, *raised, ", ".join(told)])


def bench(
    fn: Callable[[Any], Any],
    inputs: Iterable[Any],
    *,
    warmup: int = 5,
    seconds: float = 5.0,
    calls: int | None = None,
    concurrency: int = 1,
    rate: float | None = None,
    model: Any = None,
    split: str = "infer",
) -> Bench:
    """Time ``fn(input)``: cold start, latency as mean and percentiles, throughput, memory, with 95 % intervals.

    Inside a run the figures become its metrics (``infer/latency_p50``, ``infer/throughput``, ...), with the method in
    its table ``bench/infer``, so that ``ct.compare`` can compare them. The first call is the cold start; it and the
    warm-up count in no other figure. On a GPU, let ``fn`` wait for its result.

    Args:
        fn: the function to time.
        inputs: what to call it with, in turn and then again from the first; batches count as rows.
        warmup: calls before anything counts, the cold one included.
        seconds: how long to measure.
        calls: stop after so many calls; a million at most.
        concurrency: how many threads call at the same time.
        rate: so many requests a second, arriving at random and waiting while all threads are busy (an open loop).
            Without it each thread calls again as soon as it is done (a closed loop, which hides waiting).
        model: the version of a model that is timed: ``"churn@v3"``, or what `log_model` or the registry returned.
        split: the first part of the metrics' names.

    Returns:
        The measurement: ``.latency`` in seconds, ``.values``, ``.errors``, ``.df()``; ``print`` shows a table.

    Raises:
        BadValue: there is no input, or a number is out of range.
        NoRun: there is no such model.
        Exception: whatever ``fn`` raises in the warm-up; later such calls are counted.

    >>> found = bench(sorted, [[3, 1, 2]], seconds=0.05, calls=100)
    >>> bool(0 < found.latency.value["p50"] < 1)
    True
    """
    given = list(inputs)
    if not given:
        raise BadValue("there is nothing to call it with: inputs=[...] needs one or more")
    _check("warmup", warmup, 1, 1e6)
    _check("seconds", seconds, 1e-3, 86_400)
    _check("concurrency", concurrency, 1, 1024)
    _check("rate", 1.0 if rate is None else rate, 1e-3, 1e6)
    _check("calls", 1 if calls is None else calls, 1, MOST_CALLS)
    run = current()
    run = run if run is not None and run.is_running else None
    ref = None if model is None else _ref(model, run)
    began = time.perf_counter()
    fn(given[0])
    cold_s = time.perf_counter() - began
    for turn in range(1, warmup):
        fn(given[turn % len(given)])
    memory, how = peak_of(lambda: fn(given[0]))
    most = calls or MOST_CALLS
    if rate is None:
        found = closed(fn, given, seconds, most, concurrency)
    else:
        found = opened(fn, given, seconds, most, concurrency, rate, seed=0)
    if not found.latency:
        raise BadValue(f"not one call came back: {', '.join(found.errors) or 'seconds is too short for one'}")
    method: dict[str, Json] = {
        "loop": "closed" if rate is None else "open", "threads": concurrency, "rate": rate, "warmup": warmup,
        "calls": len(found.latency), "seconds": round(found.seconds, 3), "memory": how,
    }  # fmt: skip
    result = Bench(_figures(found, cold_s, memory), dict(found.errors), method, ref)
    if run is not None:
        _keep(run, result, split)
    return result


def _figures(found: Calls, cold_s: float, memory: int | None) -> tuple[Figure, ...]:
    count, failed = len(found.latency), sum(found.errors.values())
    figures = [
        *latency_figures(found.latency),
        Figure("cold_start", cold_s, n=1),
        rate_figure("throughput", found, count),
        rate_figure("rows_per_s", found, found.rows),
        Figure("error_rate", failed / (count + failed), n=count + failed),
    ]
    return (*figures, *([Figure("memory_peak", float(memory), n=1)] if memory is not None else []))


def _keep(run: Run, result: Bench, split: str) -> None:
    """The figures as metrics of the run, the method beside them, and the model that was timed."""
    for name in result.values:
        full = f"{split}/{_metric(name)}"
        goal = "max" if name in ("throughput", "rows_per_s") else "min"
        run.define_metric(full, goal=goal, unit=_UNITS.get(name, "s"))
    run.log_results({f"{split}/{_metric(name)}": value for name, value in result.values.items()})
    told = ", ".join(f"{name} {value}" for name, value in result.method.items() if value is not None)
    run.log_table(f"bench/{split}", result.df().reset_index().assign(method=told, model=result.model or ""))
    if result.model is not None and result.model not in run.record().models:
        documents = ModelDocuments(run.store.root)
        digest = documents.version(*documents.find(result.model))["digest"]
        run.say_model(result.model, {"how": "timed", "digest": digest})


def _metric(name: str) -> str:
    return name if name in _UNITS or name == "cold_start" else f"latency_{name}"


def _ref(model: Any, run: Run | None) -> str:
    if not isinstance(model, str):
        ref = getattr(model, "ref", None)
        if not isinstance(ref, str):
            raise BadValue(f"a {type(model).__name__} is no version of a model; name it as in 'churn@v3'")
        return ref
    from celltrail.store import Store

    name, number = ModelDocuments((run.store if run is not None else Store()).root).find(model)
    return f"{name}@v{number}"


def _check(name: str, value: Any, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise BadValue(f"{name}={value!r} is no number from {low:g} to {high:g}")
