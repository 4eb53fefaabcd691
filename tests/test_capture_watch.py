"""Watching in a real kernel: functions of earlier cells and of modules, attributes, how often, and what is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from celltrail.model import RunRecord
from celltrail.query import find
from celltrail.store import Store
from kernels import SETTLE, Kernel, Reply


class Notebook:
    """A recording kernel in a folder with a module of its own."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / ".celltrail")
        (folder / "training.py").write_text(MODULE)
        self.kernel = Kernel(folder, {"CELLTRAIL_STORE": str(self.store.root), "XDG_CACHE_HOME": str(folder / "cache")})
        assert self.kernel.run(ON).status == "ok"

    def run(self, cell: str) -> tuple[Reply, RunRecord]:
        reply = self.kernel.run(cell)
        self.kernel.run(SETTLE)
        return reply, self.store.records()[0]

    def values(self, record: RunRecord) -> dict[str, list[float]]:
        return {name: series.value.tolist() for name, series in self.store.series(record.id).items()}


ON = """
from celltrail.capture import Recorder
recorder = Recorder(get_ipython())
recorder.on()
import functools
"""
MODULE = """
from __future__ import annotations
import functools

def logged(f):
    @functools.wraps(f)
    def inner(*a, **kw):
        return f(*a, **kw)
    return inner

@logged
def fit(n):
    for i in range(n):
        loss = 1 / (i + 1)
    return loss

class Trainer:
    def __init__(self):
        self.loss = None

    def run(self, n):
        for i in range(n):
            self.loss = self._step(i)

    def _step(self, i):
        acc = i / 10
        return -i
"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    notebook = Notebook(tmp_path_factory.mktemp("watch"))
    yield notebook
    notebook.kernel.stop()


CELLS = {
    "function of an earlier cell": (
        "def train(n):\n    for i in range(n):\n        loss = i * 2\n    return loss",
        "%%track\nprint(train(3))", {"loss": [0, 2, 4]},
    ),
    "through another function": (
        "def epoch(n):\n    for i in range(n):\n        val_loss = i\ndef main():\n    epoch(2)\n    epoch(1)",
        "%%track\nmain()", {"val_loss": [0, 1, 0]},
    ),
    "closure": (
        "def make():\n    scale = 10\n    def train(n):\n        for i in range(n):\n            loss = i * scale\n"
        "    return train\nclosed = make()",
        "%%track\nclosed(3)", {"loss": [0, 10, 20]},
    ),
    "method and attribute": (
        "class Net:\n    def fit(self, n=3):\n        for i in range(n):\n            self.loss = i / 2\nnet = Net()",
        "%%track --watch self.loss\nnet.fit()", {"self.loss": [0, 0.5, 1]},
    ),
    "static method, default and keyword": (
        "class Tool:\n    @staticmethod\n    def fit(n=2, *, k=1):\n        for i in range(n):\n"
        "            loss = i + k",
        "%%track\nTool.fit(k=5)", {"loss": [5, 6]},
    ),
    "module, decorated": ("import training", "%%track\ntraining.fit(2)", {"loss": [1, 0.5]}),
    "imported from a module": ("from training import fit", "%%track\nfit(2)", {"loss": [1, 0.5]}),
    "object of a module": (
        "from training import Trainer\ntrainer = Trainer()",
        "%%track --watch self.loss acc\ntrainer.run(3)", {"self.loss": [0, -1, -2], "acc": [0, 0.1, 0.2]},
    ),
    "generator": (
        "def losses(n):\n    for i in range(n):\n        loss = i\n        yield loss",
        "%%track\nlist(losses(3))", {"loss": [0, 1, 2]},
    ),
    "async function": (
        "import asyncio\nasync def afit(n):\n    for i in range(n):\n        await asyncio.sleep(0)\n        loss = i",
        "%%track\nawait afit(3)", {"loss": [0, 1, 2]},
    ),
    "function that logs itself": (
        "import celltrail as ct\ndef own(n):\n    for i in range(n):\n        loss = i\n        ct.log({'mine': i})",
        "%%track --no-chart\nown(2)", {"mine": [0, 1]},
    ),
    "a loss of the cell and one of a function": (
        "def judge(n):\n    for i in range(n):\n        loss = -i\n    return loss",
        "%%track --watch loss\nfor i in range(3):\n    loss = i\n    judge(2)", {"loss": [0, 1, 2]},
    ),
    "the same, without being asked": (
        "", "%%track\nfor i in range(3):\n    loss = i\n    judge(2)", {"loss": [0, 1, 2]},
    ),
    "a function of the cell itself": (
        "",
        "%%track\ndef once(n):\n    for j in range(n): loss = -j\nfor i in range(2):\n    loss = i\n    once(2)",
        {"loss": [0, 1]},
    ),
    "a loss of the training and one of its evaluation": (
        "def fit(n):\n    for i in range(n): loss = i\n"
        "def test_loop(n):\n    for i in range(n): loss = -i\n    return -n",
        "%%track\nfor epoch in range(2):\n    fit(2)\n    test_loss = test_loop(3)",
        {"loss": [0, 1, 0, 1], "test_loss": [-3, -3], "epoch": [0, 1]},
    ),
    "two trainings with a loss each": (
        "def critic(n):\n    for i in range(n): loss = i\ndef actor(n):\n    for i in range(n): loss = -i",
        "%%track\nfor epoch in range(1):\n    critic(2)\n    actor(3)",
        {"critic/loss": [0, 1], "actor/loss": [0, -1, -2], "epoch": [0]},
    ),
    "each second value": ("", "%%track --watch loss --every 2\nfor i in range(5): loss = i", {"loss": [0, 2, 4]}),
    "no watching at all": ("", "%%track --no-watch\nfor i in range(5): loss = i", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CELLS)
def test_values_bound_elsewhere_are_seen(notebook: Notebook, name: str) -> None:
    """What is watched is recorded wherever the cell's code binds it: in functions, methods, closures and modules."""
    earlier, cell, expected = CELLS[name]
    assert notebook.kernel.run(earlier).status == "ok"
    reply, record = notebook.run(cell)
    assert reply.status == "ok", reply.content
    assert notebook.values(record) == expected
    assert record.problems == ()


EPOCHS = """%%track
def validate():
    return 1.0
for epoch in range(1, 4):
    for batch in range(5):
        loss = 1 / (epoch * 5 + batch)
    val_loss = validate()
    if epoch > 1:
        val_acc = epoch / 3
"""


def test_what_comes_once_an_epoch_stands_beside_what_comes_with_each_batch(notebook: Notebook) -> None:
    """At the batch it came after; and all of it can be drawn over the epochs, which are points of their own."""
    _, record = notebook.run(EPOCHS)
    run = find(record.id, notebook.store)
    assert run.series("loss")[0].tolist() == list(range(15))
    assert run.series("val_loss")[0].tolist() == [4, 9, 14]
    assert run.series("val_acc")[0].tolist() == [9, 14]
    assert run.series("epoch")[1].tolist() == [1, 2, 3]
    assert run.series("epoch")[0].tolist() == [0, 5, 10]  # with the first batch of each
    assert run.series("loss", x="epoch")[0].tolist() == [epoch for epoch in (1, 2, 3) for _ in range(5)]
    assert run.series("val_loss", x="axis")[0].tolist() == [1, 2, 3]
    assert {name: metric.axis for name, metric in record.metrics.items()} == {
        "epoch": None, "loss": "epoch", "val_loss": "epoch", "val_acc": "epoch"
    }  # fmt: skip
    event = next(event for event in notebook.store.events(record.id) if event["kind"] == "watch")
    assert (sorted(event["names"]), event["axes"]) == (["loss", "val_acc", "val_loss"], ["epoch"])


def test_epochs_of_a_cell_that_only_calls_its_functions(notebook: Notebook) -> None:
    """The values come from elsewhere, the epochs from the cell; without any metric there are none."""
    notebook.kernel.run("def one(n):\n    for i in range(3):\n        loss = n + i / 3\n    return loss")
    _, record = notebook.run("%%track\nfor ep in range(2):\n    one(ep)")
    run = find(record.id, notebook.store)
    assert run.series("loss", x="ep")[0].tolist() == [0, 0, 0, 1, 1, 1]
    _, record = notebook.run("%%track\nfor epoch in range(2):\n    one(epoch)\n    run_id = epoch")
    assert find(record.id, notebook.store).series("loss", x="epoch")[0].tolist() == [0, 0, 0, 1, 1, 1]
    _, record = notebook.run("%%track\nfor epoch in range(4):\n    loss = 1 / (1 + epoch)")
    run = find(record.id, notebook.store)
    assert run.series("epoch")[0].tolist() == run.series("loss", x="epoch")[0].tolist() == [0, 1, 2, 3]
    assert record.metrics["epoch"].last_step == record.metrics["loss"].last_step == 3
    _, record = notebook.run("%%track\nfor epoch in range(2):\n    table = epoch")
    assert record.metrics == {}


def test_functions_get_their_own_code_back(notebook: Notebook) -> None:
    """After the cell a function is the same object with the very code it had, also when the cell failed."""
    notebook.kernel.run(
        "def f(n):\n    for i in range(n):\n        loss = 1 / (2 - i)\n    return loss\ncode, same = f.__code__, f"
    )
    reply, record = notebook.run("%%track\nf(9)")
    assert (reply.content["ename"], record.metrics["loss"].count) == ("ZeroDivisionError", 2)
    traceback = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(reply.content["traceback"]))
    assert "loss = " in traceback
    assert "celltrail" not in traceback
    assert notebook.kernel.run("print(f.__code__ is code, same is f, f(2))").text == "True True 1.0\n"
    event = next(event for event in notebook.store.events(record.id) if event["kind"] == "watch")
    assert (event["names"], event["functions"]) == (["loss"], ["f"])
    assert event["why"] == "loop variables with the name of a metric"


def test_a_source_that_changed_is_left_alone(notebook: Notebook, tmp_path: Path) -> None:
    """A module edited after its import runs as it was imported: no other code is put into its functions."""
    folder = notebook.store.root.parent
    (folder / "edited.py").write_text("def fit(n):\n    for i in range(n):\n        loss = i\n    return 'old'\n")
    notebook.kernel.run("import edited")
    (folder / "edited.py").write_text("def fit(n):\n    for i in range(n):\n        loss = -i\n    return 'new!'\n")
    reply, record = notebook.run("%%track\nprint(edited.fit(2))")
    assert reply.text == "old\n"
    assert record.metrics == {}


def test_time_between_values(notebook: Notebook) -> None:
    """--every 0.1s writes about ten a second, and steps stay those of the loop."""
    _, record = notebook.run(
        "%%track --watch loss --every 0.1s\nimport time\nfor i in range(60):\n    loss = i\n    time.sleep(0.01)"
    )
    series = notebook.store.series(record.id)["loss"]
    assert 4 <= len(series.step) <= 30
    assert series.value.tolist() == series.step.tolist()


UNSEEN = {
    "a slip": ("%%track --watch lss\nfor i in range(3):\n    loss = i", "lss was not found", "did you mean 'loss'?"),
    "only at the top": (
        "%%track --watch loss acc\nloss = acc = 3",
        "loss and acc were not found",
        "--watch takes names",
    ),
    "one of two": ("%%track --watch loss acc\nfor i in range(3):\n    loss = i", "celltrail: acc was not found", ""),
    "under a magic": ("%%track --watch lss\n%%time\nfor i in range(3):\n    loss = i", "lss was not found", "'loss'?"),
    "and the cell fails": ("%%track --watch lss\nfor i in range(3):\n    loss = 1 / 0", "lss was not found", "'loss'?"),
}


@pytest.mark.parametrize("name", UNSEEN)
def test_a_name_that_is_bound_nowhere_is_told(notebook: Notebook, name: str) -> None:
    """A slip in --watch costs a curve: it is said under the cell, with the nearest name, and kept on the run."""
    cell, start, end = UNSEEN[name]
    reply, record = notebook.run(cell)
    assert start in reply.complaints
    assert end in reply.complaints
    assert reply.complaints.count("found in a loop or function that can be looked into") == 1
    (problem,) = record.problems
    assert start.removeprefix("celltrail: ") in problem


@pytest.mark.parametrize(
    "cell",
    [
        "%%track --watch loss\nfor i in range(3):\n    loss = i",
        "%%track --watch loss\n%%time\nfor i in range(3):\n    loss = i",
        "%%track --watch loss\nfor i in range(3:\n    loss = i",
        "%%track --watch loss\ntraining.fit(3)",
        "%%track --watch self.loss\nclass A:\n    def f(self):\n        self.loss = 1\nA().f()",
        "%%track\nfor i in range(3):\n    x = i",
        "%%track --watch loss\n%%bash\necho",
    ],
)
def test_nothing_is_told_where_nothing_is_missing(notebook: Notebook, cell: str) -> None:
    """Neither where the name is bound, nor where no code could be looked at."""
    notebook.kernel.run("import training")
    reply, record = notebook.run(cell)
    assert "looked into" not in reply.complaints
    assert record.problems == ()
