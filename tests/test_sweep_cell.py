"""``%%track --sweep``: one cell as many runs, in real kernels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import celltrail as ct
from celltrail.capture.arguments import parse
from celltrail.errors import BadValue, NoRun
from celltrail.query import StoredRun
from celltrail.query.detail import tables
from celltrail.store import Store
from kernels import Kernel

MLP = """%%track mlp --sweep lr=0.1,0.5 seed=0..2 --tag wide
lr = 0.01  # what it is without a sweep
w = np.random.rand(3)
for step in range(5):
    w = w - lr * 2 * X.T @ (X @ w - y) / len(X)
    loss = float(((X @ w - y) ** 2).mean())
print("lr is", lr)"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel with the extension, and a trail that all tests of this file share."""
    folder = tmp_path_factory.mktemp("sweep") / "project"
    (folder / ".celltrail").mkdir(parents=True)
    kernel = Kernel(folder, {"CELLTRAIL_STORE": str(folder / ".celltrail"), "OMP_NUM_THREADS": "1"})
    for cell in ("%load_ext celltrail", "import numpy as np\nX = np.random.rand(50, 3)\ny = X @ np.array([1.0, 2, 3])"):
        assert kernel.run(cell).status == "ok"
    kernel.folder = folder  # pyright: ignore[reportAttributeAccessIssue]
    yield kernel
    kernel.stop()


@pytest.fixture
def store(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> Store:
    folder: Path = kernel.folder  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.chdir(folder)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return Store(folder / ".celltrail")


def filed(kernel: Kernel) -> None:
    """Whoever asks in the kernel waits for what the last trial showed to be written down."""
    assert kernel.run("import celltrail\nlen(celltrail.runs())").status == "ok"


def trials(store: Store, name: str) -> list[StoredRun]:
    found = ct.runs(f"group == {json.dumps(name)}", store=store).sort("created")
    return list(found)


def test_each_point_is_a_run_of_the_cell_with_its_values(kernel: Kernel, store: Store) -> None:
    """Named by the point, below the sweep, with its own output; repeats differ by their seeds; one is replayed."""
    reply = kernel.run(MLP, timeout=120)
    assert reply.status == "ok", reply.content
    filed(kernel)
    found = trials(store, "mlp")
    names = [f"lr={lr} seed={seed}" for lr in (0.1, 0.5) for seed in range(3)]
    assert [run.name for run in found] == names
    assert [run.params["lr"] for run in found] == [0.1] * 3 + [0.5] * 3
    assert {(run.record.parent, run.status, *run.tags) for run in found} == {
        (ct.run("mlp", store).id, "finished", "wide")
    }
    assert [run.shown()[0].text for run in found] == [f"lr is {run.params['lr']}\n" for run in found]
    first = [run.series("loss")[1][0] for run in found]
    assert len(set(first)) == 6
    assert "lr = 0.5  # what it is without a sweep" in found[-1].code
    summary = reply.text.splitlines()
    assert summary[-4:-2] == ["sweep mlp: 6 trials", "lr   n  loss"]
    assert all("±" in line and line.split()[1] == "3" for line in summary[-2:])
    shown = [each["data"] for each in reply.of("display_data")]
    assert shown[0]["application/vnd.celltrail.panel+json"]["title"] == "sweep mlp"
    last = [each["data"] for each in reply.of("update_display_data") if "sweep mlp" in each["data"]["text/plain"]]
    assert len(last[-1]["application/vnd.celltrail.panel+json"]["rows"]) == 6
    told = ct.replay(found[1], store=store)
    assert told.verdict == "reproduced", str(told)
    parent = ct.run("mlp", store)
    assert parent.params == {"space.lr": "0.1, 0.5", "space.seed": "0, 1, 2"}
    below = next(each for each in tables(parent) if each.title == "runs below it")
    assert list(below.heads) == ["name", "status", "took", "best loss"]
    assert [(row[0], row[3]) for row in below.rows] == [(run.name, run.series("loss")[1].min()) for run in found]
    with pytest.raises(NoRun, match=f"'mlp' is a sweep of 6 trials, .* replay one .* by ct.replay.\"{found[0].id}\""):
        ct.replay(parent, store=store)


def test_a_cell_that_is_run_again_tries_what_is_missing(kernel: Kernel, store: Store) -> None:
    """Points that have finished are kept; a cell that was edited is another one."""
    more = MLP.replace("mlp", "more").replace("seed=0..2", "seed=0,1")
    kernel.run(more.replace("lr=0.1,0.5", "lr=0.1"))
    reply = kernel.run(more)
    assert "2 of 4 trials of 'more' have run already, and are kept" in reply.text
    assert [run.name for run in trials(store, "more")] == [
        f"lr={lr} seed={seed}" for lr in (0.1, 0.5) for seed in (0, 1)
    ]
    assert "have run already" not in kernel.run(more.replace("range(5)", "range(6)")).text
    assert len(trials(store, "more")) == 8


def test_all_trials_begin_alike(kernel: Kernel, store: Store) -> None:
    """The same names and the same random numbers; without seeds nothing but the value differs."""
    kernel.run("before = 1")
    cell = "%%track alike --sweep k=1,2,3\nk = 0\nnew = 'fresh' not in dir()\nfresh = before\nbefore = 99\nloss = float(np.random.rand())\nprint(new, fresh, loss)"  # noqa: E501
    assert kernel.run(cell).status == "ok"
    filed(kernel)
    said = {run.shown()[0].text for run in trials(store, "alike")}
    assert len(said) == 1
    assert said.pop().startswith("True 1 ")
    assert kernel.run("print(k, before, fresh)").text == "3 99 1\n", "what the last trial left stays"


def test_an_error_ends_a_trial_and_all_of_them_end_the_cell(kernel: Kernel, store: Store) -> None:
    """So that "run all" stops where nothing worked; an interrupt ends it at once."""
    reply = kernel.run("%%track some --sweep x=0,1\nx = 5\nloss = 1 / x")
    assert (reply.status, [run.status for run in trials(store, "some")]) == ("ok", ["failed", "finished"])
    assert [each["ename"] for each in reply.of("error")] == ["ZeroDivisionError"]
    assert kernel.run("%%track none --sweep x=0,False\nx = 5\nloss = 1 / x").status == "error"
    reply = kernel.run("%%track cut --sweep x=1,2,3\nx = 5\nif x == 2:\n    raise KeyboardInterrupt")
    assert (reply.status, reply.content["ename"]) == ("error", "KeyboardInterrupt")
    assert [run.status for run in trials(store, "cut")] == ["finished", "interrupted"]
    assert ct.run("cut", store).status == "interrupted"


def test_objects_of_earlier_cells_are_not_trained_on(kernel: Kernel, store: Store) -> None:
    """What a trial changes in place would be there for the next one: the sweep ends, unless that is meant."""
    kernel.run("model = [1.0]")
    cell = "%%track NAME --sweep x=1,2,3\nx = 5\nmodel.append(x)\nloss = sum(model)"
    reply = kernel.run(cell.replace("NAME", "stained"))
    assert reply.status == "error"
    assert "the trial x=1 changed `model`, made by an earlier cell" in reply.complaints
    assert len(trials(store, "stained")) == 1
    assert kernel.run(cell.replace("NAME", "meant --continues")).status == "ok"
    assert len(trials(store, "meant")) == 3


def test_it_stops_by_rule_and_awaits(kernel: Kernel, store: Store) -> None:
    """After the first trial for which the rule holds; in cells with a top-level await too."""
    cell = "%%track rule --sweep x=1,2,3,4 --stop \"max('loss') > 3\"\nimport asyncio\nx = 5\nawait asyncio.sleep(0.01)\nfor i in range(3):\n    loss = x * i"  # noqa: E501
    assert kernel.run(cell).status == "ok"
    assert [run.params["x"] for run in trials(store, "rule")] == [1, 2]


def test_a_rule_holds_of_each_trial(kernel: Kernel, store: Store) -> None:
    """It tells of those that come to it, and ends them; one that was stopped has not failed, and the next one runs."""
    cell = "%%track ruled --sweep x=1,2,3,4 --alert 'm > 2' --stop-if 'm > 5'\nx = 5\nfor i in range(4):\n    ct.log(m=x * i)"  # noqa: E501
    kernel.run("import celltrail as ct")
    reply = kernel.run(cell)
    found = trials(store, "ruled")
    assert (reply.status, ct.run("ruled", store).status) == ("ok", "finished")
    assert [(run.status, len(run.series("m")[0]), len(run.alerts)) for run in found] == [
        ("finished", 4, 1), ("finished", 4, 2), ("finished", 3, 2), ("finished", 3, 2),
    ]  # fmt: skip
    assert "x=3 was stopped at step 2 by the rule m > 5" in reply.of("error")[1]["evalue"]


@pytest.mark.parametrize(
    ("line", "body", "words"),
    [
        ("--sweep lrr=1,2", "lr = 1", "it sets no lrr; did you mean 'lr'? it sets lr = 1"),
        ("--sweep lr=1,2", "%%time\nlr = 1", "goes with no other %% line"),
        ("--sweep lr=1 --stop 'best('", "lr = 1", "opened here and never closed"),
        ("--sweep seed=1,2", "seed = len('ab')", "it sets no seed"),
        ("--sweep a=0..999 b=0..999", "a = b = 1", "comes to 1,000,000 trials"),
    ],
)
def test_what_cannot_be_swept_is_said_before_it_runs(
    kernel: Kernel, store: Store, line: str, body: str, words: str
) -> None:
    """In one line under the cell, and no run begins."""
    count = len(ct.runs(store=store))
    reply = kernel.run(f"%%track {line}\n{body}\nran = True")
    assert reply.status == "error"
    assert words in reply.complaints, reply.complaints
    assert kernel.run("'ran' in dir()").of("execute_result")[0]["data"]["text/plain"] == "False"
    assert len(ct.runs(store=store)) == count


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--sweep 0.1,0.2", "is not what to vary"),
        ("--sweep lr=", "lr has 0 values"),
        ("--sweep lr=0.1..0.5", "0.1..0.5 is no span of whole numbers, such as 0..4; list the values"),
        ("--sweep seed=4..0", "4..0 is no span of whole numbers"),
        ("--sweep seed=0..5000", "0..5000 has 5,001 values to try; give 1 to 1,000"),
        ("--sweep lr=1 lr=2", "names lr twice"),
        ("--sweep lr=1 --fork a@3", "--fork does not go with --sweep"),
        ("--sweep seed=1,2 --seed 3", "--seed does not go with the seeds"),
        ("--stop x", "--stop goes with --sweep"),
        ("--sweep lr=1,2 name", "a name before --sweep"),
    ],
)
def test_a_line_that_cannot_be_read(line: str, words: str) -> None:
    """What is wrong with it, and what is allowed."""
    with pytest.raises(BadValue, match=words):
        parse(line)
