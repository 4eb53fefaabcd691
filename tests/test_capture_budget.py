"""What recording gives up when it costs more than its budget, in which order, and that it says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from celltrail.capture.allowance import Allowance, Limit, Step
from celltrail.capture.arguments import parse
from celltrail.capture.watch import points
from celltrail.capture.watch.points import Watcher
from celltrail.cli import main
from celltrail.query import StoredRun, find, runs
from celltrail.run import start
from celltrail.store import Store
from kernels import SETTLE, Kernel, Reply


class Notebook:
    """A kernel that records, with a function of an earlier cell."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / ".celltrail")
        self.kernel = Kernel(folder, {"CELLTRAIL_STORE": str(self.store.root), "XDG_CACHE_HOME": str(folder / "cache")})
        self.kernel.run("from celltrail.capture import Recorder\nrecorder = Recorder(get_ipython())\nrecorder.on()")
        self.kernel.run(
            "import time, sys, celltrail as ct\ndef train(seconds):\n    until, i = time.monotonic() + seconds, 0\n"
            "    while time.monotonic() < until:\n        loss = i * 0.5\n        i += 1\n    return i\n"
            "def keep(i):\n    ct.log(kept=i)\nown = train.__code__"
        )

    def run(self, cell: str) -> tuple[Reply, StoredRun]:
        reply = self.kernel.run(cell)
        self.kernel.run(SETTLE)
        return reply, find(runs(store=self.store)[0].id, self.store)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    notebook = Notebook(tmp_path_factory.mktemp("budget"))
    yield notebook
    notebook.kernel.stop()


def test_an_ordinary_cell_gives_up_nothing(notebook: Notebook) -> None:
    """Within the budget all is recorded, and nothing is said."""
    _, run = notebook.run("%%track\nfor i in range(200):\n    time.sleep(0.001)\n    loss = i\nprint('done')")
    assert run.overhead["degraded"] == []
    assert run.metrics["loss"].count == 200


def test_a_function_that_costs_too_much_gets_its_code_back(notebook: Notebook) -> None:
    """A hot loop in a function of an earlier cell is watched until the budget is spent; what the cell logs stays."""
    cell = (
        "%%track hot --budget 0.1%\nturns = sum(train(0.1) for _ in range(15))\n"
        "during = train.__code__ is own\nfor i in range(50):\n    keep(i)\nprint(turns, during)"
    )
    reply, run = notebook.run(cell)
    turns, during = reply.text.split()
    assert during == "True"
    assert "functions of earlier cells no longer watched" in run.overhead["degraded"]
    assert 0 < run.metrics["loss"].count < int(turns)
    assert run.metrics["kept"].count == 50
    assert run.status == "finished"


def test_a_curve_that_ends_in_the_middle_is_told(notebook: Notebook) -> None:
    """Unasked a function is given up where recording it takes more than a quarter of the time, and a line says so."""
    reply, run = notebook.run("%%track hotter\nturns = sum(train(0.1) for _ in range(25))\nprint(turns)")
    count = run.metrics["loss"].count
    assert "functions of earlier cells no longer watched" in run.overhead["degraded"]
    assert count < int(reply.text.split()[0])
    assert f"what train() binds was recorded for its first {run.overhead['values']:,} values only" in reply.complaints
    assert "%%track --watch loss records all of it" in reply.complaints


def test_what_was_asked_for_is_not_given_up_unasked(notebook: Notebook) -> None:
    """Names of --watch stay watched, however hot the loop, unless a budget was asked for as well."""
    reply, run = notebook.run("%%track --watch loss\nprint(sum(train(0.1) for _ in range(5)))")
    assert run.overhead["degraded"] == []
    assert run.overhead["values"] == int(reply.text)


def test_values_are_looked_at_for_no_longer_than_allowed(notebook: Notebook) -> None:
    """Over the budget what is left of the values stays opaque; without one asked for they have their own time."""
    notebook.kernel.run("deep = [{'a': [str(i)] * 3, 'b': (i, float(i))} for i in range(4000)]")
    _, run = notebook.run("%%track --budget 0.2ms\nn = len(deep)")
    assert run.overhead["degraded"] == ["fingerprints cut short"]
    _, run = notebook.run("%%track\nlr = 0.1\nm = lr * 2")
    assert run.overhead["degraded"] == []


def test_outputs_are_only_counted(notebook: Notebook, capsys: pytest.CaptureFixture[str]) -> None:
    """A flood of displays over the budget is counted from then on, and celltrail show says what was left out."""
    cell = (
        "%%track flood --no-watch --budget 0.001ms\nfor i in range(30):\n    time.sleep(0.02)\n"
        "    for j in range(20):\n        display({'text/plain': 'x'}, raw=True)"
    )
    _, run = notebook.run(cell)
    assert run.overhead["degraded"] == ["fingerprints cut short", "outputs only counted"]
    assert len(run.outputs) == 600
    kept = [not output.truncated for output in run.outputs]
    assert kept[0]
    assert not any(kept[-100:])
    assert main(["show", "flood", "--store", str(notebook.store.root)]) == 0
    assert "left out   fingerprints cut short; outputs only counted" in capsys.readouterr().out


def test_thinned_on_a_budget(notebook: Notebook) -> None:
    """Over a budget that was asked for, fewer and fewer of the values are written; the last one always."""
    cell = (
        "%%track --budget 1ms --watch loss\nuntil, i = time.monotonic() + 1.5, 0\n"
        "while time.monotonic() < until:\n    loss = i\n    i += 1"
    )
    _, run = notebook.run(cell)
    assert run.overhead["degraded"][-1] == "watched values thinned"
    step, value = run.series("loss")
    assert len(step) < run.overhead["values"] * 0.95
    assert value.tolist() == step.tolist()
    assert step[0] == 0
    assert step[-1] == run.overhead["values"] - 1


def test_very_many_values_are_thinned(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a million values of a name the stride doubles with their number; first, last and extremes stay."""
    monkeypatch.setattr(points, "MANY", 1000)
    watcher = Watcher()
    watcher.plan.targets.append("loss")
    index = len(watcher.plan.targets) - 1
    generator = np.random.default_rng(7)
    values = generator.normal(size=64_000)
    with start("long", store=store) as run:
        taken = watcher.open(run)
        watcher.plan.sinks.append(taken.sink(index))
        for part in np.split(values, 64):
            for value in part:
                taken.sink(index).extend((time.perf_counter_ns(), float(value)))
            watcher.drain()
        watcher.close(taken)
    step, value = find(run.id, store).series("loss")
    assert len(step) == pytest.approx(1000 + 500 * 6, rel=0.1)
    assert (value == values[step]).all()
    assert (step[0], step[-1]) == (0, 63_999)
    assert (value.min(), value.max()) == (values.min(), values.max())
    assert (np.diff(step) > 0).all()
    assert step[:999].tolist() == list(range(999))


def test_steps_come_one_at_a_time_and_only_where_they_save() -> None:
    """The first step that saves something is taken; the next one only if the cost goes on after it."""
    allowance = Allowance(Limit(share=0.01, least_ns=1000, is_asked=True))
    cheap, dear, last = Step("cheap", 1, True), Step("dear", 10**9, True), Step("last", 10**9, True)
    assert allowance.next_step(500, [cheap, dear, last]) is None
    assert allowance.next_step(10**9, [cheap, dear, last]) is dear
    assert allowance.next_step(10**9, [cheap, last]) is None
    time.sleep(0.01)
    assert allowance.next_step(10**9 + 50_000, [cheap, last]) is None
    assert allowance.next_step(2 * 10**9, [cheap, last]) is last
    assert allowance.degraded == ["dear", "last"]


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("1%", Limit(0.01, 10_000_000, True)),
        ("0.5%", Limit(0.005, 10_000_000, True)),
        ("20ms", Limit(0.0, 20_000_000, True)),
        ("1.5s", Limit(0.0, 1_500_000_000, True)),
        ("'5 %'", Limit(0.05, 10_000_000, True)),
    ],
)
def test_budgets_as_they_are_written(text: str, limit: Limit) -> None:
    """A share of the cell, which always has ten milliseconds, or so much in all."""
    assert parse(f"--budget {text}").budget == limit
    assert parse("").budget is None
