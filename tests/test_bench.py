"""How fast a function answers: percentiles with intervals, both loops, memory, errors apart, kept on the run."""

from __future__ import annotations

import math
import threading
import time
from array import array

import numpy as np
import pytest
from sklearn import datasets
from sklearn.linear_model import LogisticRegression

import celltrail as ct
from celltrail.bench.figures import latency_figures
from celltrail.compare import compare
from celltrail.errors import BadValue, NoRun
from celltrail.query import find
from celltrail.query.detail import tables
from celltrail.run import start


def test_percentiles_hold_what_they_say():
    """Of 300 samples of known latencies about 95 % of the intervals hold the true percentile, none is averaged."""
    rng = np.random.default_rng(0)
    true = {f"p{p}": -math.log(1 - p / 100) for p in (50, 90, 95)}
    held = dict.fromkeys(true, 0)
    for _ in range(300):
        for figure in latency_figures(array("d", rng.exponential(1.0, 400).tolist())):
            if figure.name in true:
                held[figure.name] += figure.low <= true[figure.name] <= figure.high
    assert all(count >= 0.92 * 300 for count in held.values()), held
    values = rng.exponential(1.0, 1000)
    named = {figure.name: figure.value for figure in latency_figures(array("d", values.tolist()))}
    assert named["p99"] == pytest.approx(np.quantile(values, 0.99))
    assert named["mean"] == pytest.approx(values.mean())


def test_a_model_is_timed_and_the_run_keeps_it(store):
    """A classifier of digits: figures are metrics of the run with unit and goal, the method stands beside them."""
    x, y = datasets.load_digits(return_X_y=True)
    model = LogisticRegression(max_iter=300).fit(x / 16, y)
    with start("train", store=store) as run:
        run.log_model(model, "digits")
    served = ct.registry.of(store)["digits"].load()
    for name, rows in (("small", 1), ("large", 500)):
        with start(name, store=store):
            found = ct.bench(served.predict, [x[:rows], x[-rows:]], seconds=0.2, warmup=3, model="digits@v1")
        assert found.values["rows_per_s"] == pytest.approx(rows * found.values["throughput"], rel=1e-9)
    small = find("small", store)
    assert small.metrics["infer/latency_p50"].unit == "s"
    assert {name: small.metrics[f"infer/{name}"].goal for name in ("latency_p99", "throughput", "memory_peak")} == {
        "latency_p99": "min", "throughput": "max", "memory_peak": "min",
    }  # fmt: skip
    assert find("large", store).summary["infer/latency_p50"] == found.values["p50"]
    low, value, high = found.latency.loc["p50", ["ci_low", "value", "ci_high"]]
    assert 0 < low <= value <= high
    table = find("large", store).items("bench/infer")[0].value
    assert "loop closed, threads 1, warmup 3" in table["method"][0]
    assert table["model"][0] == "digits@v1"
    assert find("large", store).record.models["digits@v1"]["how"] == "timed"
    assert [run.name for run in ct.registry.of(store)["digits"].lineage.used_by] == ["small", "large"]
    names = [line.name for line in compare("small", "large", store=store).lines()["metrics"]]
    assert "infer/latency_p50" in names
    assert "infer/rows_per_s" in names
    assert any(table.title == "models" and [*table.rows] for table in tables(find("large", store)))
    assert "p50" in str(found)
    assert "loop closed" in str(found)


def test_waiting_is_seen_by_the_open_loop_alone():
    """M10.2: A function that takes 4 ms asked 500 times a second: requests queue up, and its own time does not tell."""

    def slow(_):
        time.sleep(0.004)

    closed = ct.bench(slow, [0], seconds=0.6, warmup=1)
    opened = ct.bench(slow, [0], seconds=0.6, warmup=1, rate=500)
    assert closed.values["p50"] >= 0.004
    assert opened.values["p99"] > 20 * 0.004
    assert opened.values["p99"] > 5 * closed.values["p50"]
    assert opened.method["loop"] == "open"
    assert opened.method["calls"] == 300
    calm = ct.bench(slow, [0], seconds=0.6, warmup=1, rate=20)
    assert calm.values["p50"] < opened.values["p50"]


def test_threads_call_side_by_side():
    """Four at a time are in the function, and every call is counted once."""
    inside, most, lock, total = 0, 0, threading.Lock(), 0

    def fn(_):
        nonlocal inside, most, total
        with lock:
            inside, total = inside + 1, total + 1
            most = max(most, inside)
        time.sleep(0.01)
        with lock:
            inside -= 1

    found = ct.bench(fn, [0], seconds=30, calls=40, warmup=2, concurrency=4)
    assert most == 4
    assert found.method["calls"] == 40
    assert total == 40 + 2 + 1  # the warm-up, and the call whose memory is measured


def test_errors_are_counted_apart_and_memory_is_measured():
    """M10.3: Every fifth call raises; one that holds 100 MB for a moment reads so."""
    count = 0

    def shaky(_):
        nonlocal count
        count += 1
        if count > 10 and count % 5 == 0:
            raise ConnectionError("gone")

    found = ct.bench(shaky, [0], calls=100, seconds=30)
    assert found.errors == {"ConnectionError": 19}  # calls 7 to 106: warm-up and memory came before
    assert found.method["calls"] == 81
    assert found.values["error_rate"] == 0.19
    hungry = ct.bench(lambda _: np.ones(100_000_000 // 8).sum(), [0], calls=3, seconds=30, warmup=2)
    assert 95e6 < hungry.values["memory_peak"] < 115e6
    assert hungry.method["memory"] == "VmHWM"


def test_what_cannot_be_timed_is_said(store):
    """No input, numbers out of range, a model that is not there, a function that fails at once or always."""
    for wrong, said in (
        ({"inputs": []}, "there is nothing to call it with"),
        ({"inputs": [1], "seconds": 0}, "seconds=0 is no number from 0.001 to 86400"),
        ({"inputs": [1], "concurrency": True}, "concurrency=True is no number"),
        ({"inputs": [1], "rate": -1}, "rate=-1 is no number"),
        ({"inputs": [1], "model": 7}, "a int is no version of a model"),
    ):
        with pytest.raises(BadValue, match=said):
            ct.bench(abs, **wrong)
    with pytest.raises(NoRun, match="no model 'gone'"):
        ct.bench(abs, [1], model="gone@v1")
    with pytest.raises(ZeroDivisionError):
        ct.bench(lambda n: 1 / n, [0])
    turns = iter(range(6))

    def later(_):
        if next(turns, None) is None:
            raise OSError

    with pytest.raises(BadValue, match="not one call came back: OSError"):
        ct.bench(later, [0], calls=5, warmup=5)
