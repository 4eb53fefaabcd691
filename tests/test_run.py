"""A run while it happens: what is logged is kept, bad values are named, the ending is truthful."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from celltrail.errors import BadValue, CelltrailError
from celltrail.model import Metric
from celltrail.query import find, runs
from celltrail.run import Ended, Logged, Started, current, listen, log, start
from celltrail.store import Store
from counting import calls, opened


def values(store: Store, run_id: str, name: str) -> list[tuple[int, float]]:
    series = store.series(run_id)[name]
    return list(zip(series.step.tolist(), series.value.tolist(), strict=True))


def test_points_come_back_as_logged(store: Store):
    """Steps may repeat, go back and be left out; NaN and infinity stay what they are."""
    with start("a", store=store) as run:
        run.log({"loss": 0.5}, step=10)
        run.log({"loss": 0.25}, step=10)
        run.log({"loss": math.inf}, step=3)
        run.log(loss=math.nan)
    points = values(store, run.id, "loss")
    assert points[:3] == [(10, 0.5), (10, 0.25), (3, math.inf)]
    assert points[3][0] == 4
    assert math.isnan(points[3][1])


def test_step_counts_by_itself(store: Store):
    """Without a step the first is 0 and each next one more than the last."""
    with start(store=store) as run:
        for value in (1, 2, 3):
            run.log(x=value)
    assert values(store, run.id, "x") == [(0, 1.0), (1, 2.0), (2, 3.0)]


@pytest.mark.parametrize(
    "value", [np.float32(0.5), np.float64(0.5), np.array(0.5), np.array([0.5]), np.int64(1) / 2, True / 2]
)
def test_numbers_of_many_kinds(store: Store, value: object):
    """A number is a number whoever made it."""
    with start(store=store) as run:
        run.log({"x": value})
        run.log({"x": value})
    assert [point for _, point in values(store, run.id, "x")] == [0.5, 0.5]


@pytest.mark.parametrize("value", ["0.5", b"1", 1j, [1.0], {"a": 1}, np.zeros(3), object()])
def test_a_bad_value_is_named_and_loses_no_other(store: Store, value: object):
    """What is no number is refused with its key, and the rest of the call is on disk."""
    with start(store=store) as run, pytest.raises(BadValue, match="'bad'"):
        run.log({"good": 1.0, "bad": value, "also good": 2.0})
    assert values(store, run.id, "good") == [(0, 1.0)]
    assert values(store, run.id, "also good") == [(0, 2.0)]


def test_a_tag_alone_needs_no_list(store: Store):
    """And is not taken for its letters."""
    with start("a", tags="mlp", store=store) as run:
        pass
    assert store.record(run.id).tags == ("mlp",)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: start("a", param={"lr": 1}), r"takes no 'param'; did you mean 'params'\? it takes name, params"),
        (lambda: start("a", config={"lr": 1}), r"takes no 'config'; did you mean 'params'\?"),
        (lambda: start("a", id="b"), r"takes no 'id'; did you mean 'name'\?"),
        (lambda: start("a", "lr"), r"params was given a str 'lr'; params are name -> value"),
        (
            lambda: start("a").log("loss", 0.3),
            r"given a str 'loss'; it takes name -> number: run.log\(\{'loss': 0.3\}\)",
        ),
        (lambda: start("a").log(0.3), r"log was given a float 0.3; it takes name -> number"),
        (lambda: start("a").log({"loss": [1, 2]}), r"run.log_histogram\('loss', ...\)"),
        (lambda: start("a").log({"loss": {"val": 1}}), r"run.log\(\{'loss/val': ...\}\)"),
        (lambda: start("a").log_artifact(np.zeros(3), "zeros"), r"an ndarray of shape \(3,\) is no file: save it"),
        (lambda: find(3), r"a run is meant by its name, its id or the beginning of its id, and not by 3"),
        (lambda: runs(["a", "b"]), r"by an expression, and not by \['a', 'b'\]; by their names it is"),
    ],
)
def test_a_wrong_argument_is_answered_by_a_sentence(wrong: Callable[[], object], sentence: str):
    """What is natural to try, and other trackers take, says what to write instead."""
    with pytest.raises(BadValue, match=sentence):
        wrong()


class Foreign:
    """A 0-d array of a library that NumPy does not know, as jax has them; counts how often it is waited for."""

    shape = ()

    def __init__(self, value: float) -> None:
        self.value, self.waited = value, 0

    def item(self) -> float:
        self.waited += 1
        return self.value


@pytest.mark.parametrize("value", [Decimal("0.5"), Fraction(1, 2), Foreign(0.5), np.float16(0.5), np.longdouble(0.5)])
def test_numbers_of_other_libraries(store: Store, value: object):
    """Whatever has a float is a number; a device is waited for once a call, as by float()."""
    with start(store=store) as run:
        run.log({"x": value})
        run.log({"x": value, "y": 1})
    assert values(store, run.id, "x") == [(0, 0.5), (1, 0.5)]
    assert not isinstance(value, Foreign) or value.waited == 2


def test_torch_tensors_of_one_element(store: Store):
    """0-d and one-element tensors are numbers, also while they want gradients; larger ones are refused by name."""
    torch = pytest.importorskip("torch")
    with start(store=store) as run:
        for _ in range(2):
            run.log({"a": torch.tensor(0.5, requires_grad=True), "b": torch.tensor([[0.25]]), "c": torch.tensor(3)})
        with pytest.raises(BadValue, match=r"'d' was given a Tensor of shape \(2,\)"):
            run.log({"a": torch.tensor(0.5), "d": torch.zeros(2)})
    assert [values(store, run.id, name) for name in "abc"] == [
        [(0, 0.5), (1, 0.5), (2, 0.5)], [(0, 0.25), (1, 0.25)], [(0, 3.0), (1, 3.0)],
    ]  # fmt: skip


@pytest.mark.parametrize("number", [2**53 + 1, -(2**60) - 1, np.int64(2**53 + 1), np.uint64(2**64 - 1), 10**30])
def test_a_whole_number_too_big_for_a_float_is_kept_exactly_too(store: Store, number: int):
    """The series has the nearest float, an item beside it the number itself; what fits a float has no item."""
    with start(store=store) as run:
        run.log(tokens=2**53)
        run.log(tokens=number, loss=0.5)
    assert values(store, run.id, "tokens") == [(0, 2.0**53), (1, float(number))]
    items = [event for event in store.events(run.id) if event["kind"] == "item"]
    assert [(item["name"], item["step"], item["value"]) for item in items] == [("tokens", 1, int(number))]


def test_one_name_in_two_spellings_is_refused_once(store: Store):
    """Two ways to write the same letters are one name: the second of a call is named, the first kept."""
    with start(store=store) as run, pytest.raises(BadValue, match="given twice"):
        run.log({"caf\N{LATIN SMALL LETTER E WITH ACUTE}": 1.0, "cafe\N{COMBINING ACUTE ACCENT}": 2.0})
    assert values(store, run.id, "caf\N{LATIN SMALL LETTER E WITH ACUTE}") == [(0, 1.0)]


def test_axes_are_numbers_of_the_same_call(store: Store):
    """epoch= and tokens= land in the row of the values: same step, same moment."""
    with start(store=store) as run:
        run.log({"train/loss": 0.5}, step=7, epoch=0.25, tokens=1e6)
    series = store.series(run.id)
    assert {name: (points.step.tolist(), points.value.tolist()) for name, points in series.items()} == {
        "train/loss": ([7], [0.5]), "epoch": ([7], [0.25]), "tokens": ([7], [1e6]),
    }  # fmt: skip
    assert len({int(points.t_us[0]) for points in series.values()}) == 1


def test_what_is_declared_of_metrics_holds_for_those_that_come_later(store: Store):
    """By name or pattern, before or after the first point; a name counts more than a pattern, and None leaves it."""
    with start(store=store) as run:
        run.log({"val/loss": 1.0})
        run.define_metric("val/*", goal="max", axis="epoch")
        run.define_metric("val/loss", goal="min")
        run.define_metric("val/time", unit="s")
        run.log({"val/acc": 1.0, "val/time": 2.0, "train/acc": 1.0}, epoch=1)
        run.define_metric("val/loss", unit="nats")
    metrics = store.record(run.id).metrics
    assert {name: (metric.goal, metric.unit, metric.axis) for name, metric in metrics.items()} == {
        "val/loss": ("min", "nats", "epoch"),
        "val/acc": ("max", "", "epoch"),
        "val/time": ("max", "s", "epoch"),
        "train/acc": ("max", "", None),
        "epoch": ("none", "", None),
    }
    with pytest.raises(BadValue, match="goal 'best'"):
        run.define_metric("x", goal="best")  # pyright: ignore


def test_what_was_declared_outlives_the_process(store: Store):
    """A killed run's metrics have the axis that was declared, also those the document had not seen."""
    program = """
    import os, celltrail as ct
    run = ct.start()
    run.define_metric("val/*", goal="max", axis="epoch", unit="%")
    run.log({"val/x": 1.0}, epoch=1)
    print(run.id, flush=True)
    os.kill(os.getpid(), 9)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True)
    metric = store.record(done.stdout.strip()).metrics["val/x"]
    assert (metric.goal, metric.unit, metric.axis, metric.last) == ("max", "%", "epoch", 1.0)


def test_listeners_need_not_hear_points(store: Store):
    """Who asks only for starts and ends costs log() nothing."""
    heard: list[object] = []
    stop = listen(heard.append, points=False)
    with start(store=store) as run:
        run.log(x=1)
    stop()
    assert [type(event) for event in heard] == [Started, Ended]


def test_a_log_call_is_one_write(store: Store):
    """Whatever the number of metrics: one os.write a call, and no file is opened, synced or looked at for it."""
    with start(store=store) as run:
        for size in (1, 50):
            numbers = {f"train/metric_{i}": 0.1234567 * i for i in range(size)}
            run.log(numbers, 0)
            with run.writer.lock, opened() as paths, calls("write", "stat", "fstat", "lstat") as counted:
                for step in range(400):
                    run.log(numbers, step)
            assert counted == Counter(write=400)
            assert [path for path in paths if path.startswith(f"{store.root}/runs")] == []


def test_none_is_no_point(store: Store):
    """None means that there is no value at this step."""
    with start(store=store) as run:
        run.log({"train/loss": 1.0, "val/loss": None}, step=5)
    assert set(store.series(run.id)) == {"train/loss"}


@pytest.mark.parametrize("name", ["", " loss", "$step", "a\nb", "x" * 257, 3])
def test_bad_names(store: Store, name: object):
    """A name that could not be found again is refused."""
    with start(store=store) as run, pytest.raises(BadValue, match="name"):
        run.log({name: 1.0})  # pyright: ignore


def test_strange_but_good_names(store: Store):
    """Slashes, spaces, dots, quotes and any script are fine; the same letters in another form are the same name."""
    names = ["train/loss", "top 5", "a.b", 'it\'s "x"', "потери", "損失", "café"]
    with start(store=store) as run:
        run.log(dict.fromkeys(names, 1.0))
        run.log({"cafe\N{COMBINING ACUTE ACCENT}": 2.0})
    assert set(store.series(run.id)) == set(names)
    assert len(values(store, run.id, "café")) == 2


@pytest.mark.parametrize("step", [0.5, "x", 2**70, math.nan])
def test_bad_steps(store: Store, step: object):
    """A step is a whole number; the sentence says where a fraction belongs."""
    with start(store=store) as run, pytest.raises(BadValue, match="step"):
        run.log({"x": 1.0}, step=step)  # pyright: ignore


def test_summaries_follow(store: Store):
    """first, last, min, max, sum and count in the trail are those of the points, NaN counted apart."""
    numbers = [3.0, 1.0, math.nan, 2.0]
    with start(store=store) as run:
        for number in numbers:
            run.log({"val/loss": number})
    metric = store.record(run.id).metrics["val/loss"]
    assert (metric.first, metric.last, metric.min, metric.max) == (3.0, 2.0, 1.0, 3.0)
    assert (metric.best, metric.best_step, metric.count, metric.nan_count) == (1.0, 1, 4, 1)


def test_statuses(store: Store):
    """The status in the trail is what happened: finished, failed with the error, interrupted."""
    with start("ok", store=store) as ok:
        pass
    with pytest.raises(ZeroDivisionError), start("bad", store=store) as bad:
        1 / 0  # noqa: B018
    with pytest.raises(KeyboardInterrupt), start("stopped", store=store) as stopped:
        raise KeyboardInterrupt
    records = [store.record(run.id) for run in (ok, bad, stopped)]
    assert [record.status for record in records] == ["finished", "failed", "interrupted"]
    assert str(records[1].error) == "ZeroDivisionError: division by zero"
    assert all(record.duration_s is not None for record in records)


def test_nothing_after_the_end(store: Store):
    """A finished run says so instead of dropping points without a word."""
    run = start("done", store=store)
    run.finish()
    run.finish("failed")
    assert run.status == "finished"
    with pytest.raises(CelltrailError, match="already finished"):
        run.log(x=1)


def test_current_run(store: Store):
    """log() finds the run by itself: the innermost block, then the newest one left open."""
    assert current() is None
    with pytest.raises(CelltrailError, match="no run is active"):
        log(x=1)
    with start("outer", store=store) as outer:
        assert current() is outer
        with start("inner", store=store) as inner:
            log(x=1)
        assert current() is outer
    assert current() is None
    assert values(store, inner.id, "x") == [(0, 1.0)]
    assert store.record(inner.id).parent == outer.id


def test_threads_find_the_run(store: Store):
    """A worker thread of the program logs to the run that is open; no call is lost."""
    with start(store=store) as run:
        workers = [threading.Thread(target=lambda: [log(x=1.0) for _ in range(500)]) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert sorted(step for step, _ in values(store, run.id, "x")) == list(range(2000))


def test_facts(store: Store):
    """Parameters, summary, tags and notes are in the trail at once and stay after the end."""
    with start("a", {"lr": 0.1, "layers": (64, 10)}, tags=["first"], notes="why", store=store) as run:
        run.params["momentum"] = np.float32(0.5)
        run.summary["test/acc"] = 0.9
        run.tags.add("second")
        run.tags.discard("first")
        run.note("later")
    record = store.record(run.id)
    assert {name: param.value for name, param in record.params.items()} == {
        "lr": 0.1, "layers": [64, 10], "momentum": 0.5,
    }  # fmt: skip
    assert record.summary == {"test/acc": 0.9}
    assert record.tags == ("second",)
    assert set(record.notes) == {"why", "later"}
    with pytest.raises(BadValue, match="stays"):
        del run.params["lr"]


def test_listeners_hear_and_cannot_break_a_loop(store: Store):
    """Everything that happens is told in order; a listener that raises is dropped with one warning."""
    heard: list[object] = []
    stop = listen(heard.append)

    def broken(_: object) -> None:
        raise RuntimeError("no")

    stop_broken = listen(broken)
    try:
        with pytest.warns(RuntimeWarning, match="a listener of celltrail's runs failed"):
            run = start(store=store)
        run.log({"x": 1.5}, step=7)
        run.finish()
    finally:
        stop()
        stop_broken()
    assert [type(event) for event in heard] == [Started, Logged, Ended]
    assert (heard[1].names, heard[1].step, heard[1].values) == (("x",), 7, [1.5])


def test_seed_is_set_only_on_request(store: Store):
    """Without seed= no generator moves; with it, the numbers are those of that seed."""
    import random

    before = random.getstate()
    start(store=store).finish()
    assert random.getstate() == before
    with start(store=store, seed=7) as run:
        first = random.random()
    assert first == random.Random(7).random()
    assert store.record(run.id).environment["seeds"]["random"] == 7


SCRIPT = """
import sys, celltrail as ct
run = ct.start("script")
for i in range(100):
    ct.log({"x": i}, step=i)
print(run.id, flush=True)
"""


def script(tail: str) -> tuple[str, int]:
    """Run a plain script to its end; returns the run's id and the exit status."""
    done = subprocess.run([sys.executable, "-c", SCRIPT + textwrap.dedent(tail)], capture_output=True, text=True)
    return done.stdout.split()[0], done.returncode


def test_a_script_that_runs_through_has_finished(store: Store):
    """Without finish() the end of the program is the end of the run."""
    run, code = script("")
    assert (store.record(run).status, code) == ("finished", 0)


def test_a_script_that_raises_has_failed(store: Store):
    """An exception nobody caught is the run's error."""
    run, code = script("raise ValueError('bad luck')")
    record = store.record(run)
    assert (record.status, str(record.error), code) == ("failed", "ValueError: bad luck", 1)


def test_a_killed_process_loses_nothing(store: Store):
    """kill -9: every point whose log() had returned is there, and the run reads killed."""
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT + "import time; time.sleep(60)"], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    run = child.stdout.readline().strip()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    record = store.record(run)
    assert record.status == "killed"
    assert len(values(store, run, "x")) == 100
    assert record.metrics["x"].last == 99.0


def test_a_forked_child_writes_a_log_of_its_own(store: Store):
    """Parent and child of a fork log to one run without mixing their series."""
    run = start("forked", store=store)
    run.log(x=1.0)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            run.log(y=2.0)
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    run.log(x=3.0)
    run.finish()
    series = store.series(run.id)
    assert series["x"].value.tolist() == [1.0, 3.0]
    assert series["y"].value.tolist() == [2.0]


def test_a_forked_child_is_in_the_run_of_its_parent(store: Store):
    """What it logs without naming a run goes there, as long as its parent is in one."""
    with start("forked", store=store) as run:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                log({"y": 2.0}, step=7)
                status = 0
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        run.log(x=3.0)
    series = store.series(run.id)
    assert (series["y"].step.tolist(), series["y"].value.tolist()) == ([7], [2.0])
    assert series["x"].value.tolist() == [3.0]


def test_the_document_follows_while_running(store: Store):
    """Another process sees the last value within about a second, not only at the end."""
    with start(store=store) as run:
        run.log(loss=0.5)
        deadline = time.monotonic() + 20
        while "loss" not in Store(store.root).record(run.id).metrics and time.monotonic() < deadline:
            time.sleep(0.05)
        assert Store(store.root).record(run.id).metrics["loss"].last == 0.5


def test_a_short_run_loads_no_numpy(tmp_path: Path):
    """Logging a few numbers costs neither the time nor the memory that NumPy takes to load."""
    code = (
        "import sys, time, celltrail as ct\n"
        f"with ct.start('short', store=ct.Store({str(tmp_path / '.celltrail')!r})) as run:\n"
        "    for step in range(100): run.log({'train/loss': 1 / (step + 1), 'val/loss': 2.0}, step)\n"
        "    time.sleep(0.6)\n"
        "assert 'numpy' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    (record,) = Store(tmp_path / ".celltrail").records()
    assert (record.metrics["train/loss"].min, record.metrics["train/loss"].count) == (0.01, 100)


def test_numpy_is_loaded_once_it_is_worth_it(tmp_path: Path):
    """Some ten thousand numbers are summed up sooner than NumPy is loaded; with many more it is, and all count."""
    code = (
        "import sys, celltrail as ct\n"
        f"with ct.start('long', store=ct.Store({str(tmp_path / '.celltrail')!r})) as run:\n"
        "    for step in range(40_000): run.log({'train/loss': 1 / (step + 1)}, step)\n"
        "    run.record()\n"
        "    assert 'numpy' not in sys.modules\n"
        "    for step in range(40_000, 170_000): run.log({'train/loss': 1 / (step + 1)}, step)\n"
        "    run.record()\n"
        "    assert 'numpy' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    (record,) = Store(tmp_path / ".celltrail").records()
    metric = record.metrics["train/loss"]
    assert (metric.min, metric.min_step, metric.max_step, metric.count) == (1 / 170_000, 169_999, 0, 170_000)
    assert metric.sum == pytest.approx(sum(1 / (step + 1) for step in range(170_000)), rel=1e-12)


AT_THE_END = """
import atexit, threading
import celltrail as ct

def late(name):
    run = ct.start(name)
    run.log({"loss": 0.5}, step=3)
    run.finish()

def work():
    threading.main_thread().join()
    late("in a thread")

atexit.register(late, "at exit")
threading.Thread(target=work).start()
"""


def test_a_run_when_the_main_thread_has_ended(store: Store, tmp_path: Path):
    """Then no thread can be begun any more, or nobody waits for one: the run is whole all the same."""
    program = tmp_path / "late.py"
    program.write_text(AT_THE_END)
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    records = {record.name: record for record in store.records()}
    assert set(records) == {"in a thread", "at exit"}
    for record in records.values():
        assert (record.status, record.metrics["loss"].last, record.problems) == ("finished", 0.5, ())
        assert record.environment["env"]["python"]
        assert [writer.has_ended for writer in store.writers(record.id)] == [True]


def test_a_fault_in_the_background_is_said_and_the_run_kept_on(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Not a failing disk but a fault of celltrail's own: the thread that keeps the runs outlives it."""
    from celltrail.store.files import disk

    def broken(*args: object, **named: object) -> None:
        raise RuntimeError("injected")

    with start(store=store) as run:
        with monkeypatch.context() as patch:
            patch.setattr(disk, "write_new", broken)
            run.log(loss=0.5)
            wait_until(lambda: bool(run.writer.problems))
        run.log(loss=0.25)
        wait_until(lambda: store.document(run.id).metrics.get("loss", Metric("loss")).last == 0.25)
    record = store.record(run.id)
    assert record.status == "finished"
    assert record.problems == ("the run could not be kept up for a moment (RuntimeError: injected)",)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert is_so()
