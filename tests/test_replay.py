"""A run from its record alone: what its slice holds, and what a fresh kernel makes of it."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import celltrail as ct
from celltrail.cli import main
from celltrail.contract import Replay, Replaying
from celltrail.errors import BadValue, CelltrailError, NoRun
from celltrail.panels.detail import Details
from celltrail.query import StoredRun
from celltrail.query.detail import detail
from celltrail.replay import Replay as Replayed
from celltrail.replay import replaying
from celltrail.store import Store
from kernels import Kernel

NUMPY = (
    "import numpy as np",
    "X = np.random.rand(60, 4)\ny = X @ np.array([1.0, 2.0, 3.0, 4.0])",
    "w = np.random.rand(4)",
    """%%track sgd
lr = 0.1
for i in range(15):
    j = np.random.randint(len(X))
    w = w - lr * (X[j] @ w - y[j]) * X[j]
    loss = float(((X @ w - y) ** 2).mean())
print(round(loss, 6))""",
)


class Notebook:
    """A folder with a trail, and a kernel that ran cells in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder / ".celltrail")
        self._cache = folder.parent / "cache"

    def run(self, *cells: str, **environment: str) -> None:
        """The cells, in a kernel that starts and ends with them; one that fails is no error."""
        variables = {
            "CELLTRAIL_STORE": str(self.store.root),
            "XDG_CACHE_HOME": str(self._cache),
            "OMP_NUM_THREADS": "1",
            **environment,
        }
        kernel = Kernel(self.folder, variables)
        try:
            assert kernel.run("%load_ext celltrail").status == "ok"
            self.status = [kernel.run(cell, timeout=120).status for cell in cells]
            kernel.run("%unload_ext celltrail")
        finally:
            kernel.stop()

    def replay(self, name: str, **options: object) -> Replayed:
        return ct.replay(name, store=self.store, **options)  # pyright: ignore[reportArgumentType]

    def named(self, name: str) -> StoredRun:
        return ct.run(name, self.store)


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / ".celltrail").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return Notebook(folder)


def test_unseeded_training_is_reproduced(notebook: Notebook) -> None:
    """No seed was ever set: the states that were kept give every point again, and junk cells stay out."""
    junk = ("a = np.random.rand(1000)", "1 / 0", "lr = 5")
    notebook.run(NUMPY[0], junk[0], NUMPY[1], junk[1], NUMPY[2], junk[2], NUMPY[3])
    told = notebook.replay("sgd")
    assert (told.verdict, told.mode, told.first) == ("reproduced", "minimal", None), str(told)
    assert [step.code for step in told.plan] == list(NUMPY)
    (series,) = told.series
    assert (series.name, series.n, series.n_replayed, series.n_diff) == ("loss", 15, 15, 0)
    assert told.outputs_same is True
    assert bool(told) is True


def nothing(*_: object) -> None:
    """Restores no state."""


def test_states_withheld_make_it_drift_at_the_first_step(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """That the states do it is seen by leaving them out: then the first value differs already, and is named."""
    notebook.run(*NUMPY)
    monkeypatch.setattr(import_module("celltrail.replay.attempt"), "restore", nothing)
    told = notebook.replay("sgd")
    assert (told.verdict, bool(told)) == ("drifted", False)
    assert told.series[0].first_step == 0
    assert told.series[0].max_rel > 0.01
    assert told.first is not None
    cells = {step.execution: step.code for step in told.plan}
    assert cells[told.first.execution] in NUMPY[1:3], "an input was another already, and its cell is named"


def test_scikit_learn_forest_is_reproduced(notebook: Notebook) -> None:
    """A forest and a split that nobody seeded."""
    notebook.run(
        "import numpy as np\nfrom sklearn.datasets import load_digits\n"
        "from sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import train_test_split",
        "X, y = load_digits(return_X_y=True)\nX, Xv, y, yv = train_test_split(X[:400], y[:400])",
        "%%track forest\nfor n in (3, 9):\n    model = RandomForestClassifier(n_estimators=n).fit(X, y)\n"
        "    acc = model.score(Xv, yv)\nacc",
    )
    told = notebook.replay("forest")
    assert told.verdict == "reproduced", str(told)
    assert [(each.name, each.n) for each in told.series] == [("acc", 2)]


def test_an_unseeded_generator_is_foretold(notebook: Notebook) -> None:
    """A generator that is made within the cell draws its seed from the system, and nothing kept can give it back."""
    notebook.run(
        "import numpy as np",
        "%%track chance\ng = np.random.default_rng()\nfor i in range(4):\n    loss = float(g.random())",
    )
    told = notebook.replay("chance")
    assert (told.verdict, told.series[0].first_step) == ("drifted", 0)
    assert any("a generator without a seed" in cause for cause in told.causes), told.causes


def test_a_generator_that_an_object_holds_is_set_back(notebook: Notebook) -> None:
    """Made without a seed in an earlier cell, by an object that the run draws with."""
    notebook.run(
        "import numpy as np\nclass Sampler:\n    def __init__(self):\n        self.rng = np.random.default_rng()\n"
        "sampler = Sampler()",
        "%%track held\nfor i in range(4):\n    loss = float(sampler.rng.random())",
    )
    told = notebook.replay("held")
    assert told.verdict == "reproduced", str(told)


def test_the_order_of_a_set_is_foretold_and_fixed_hashes_hold(notebook: Notebook) -> None:
    """Strings hash differently in each process, unless PYTHONHASHSEED says otherwise."""
    words = "w" + "ords = set('the quick brown fox jumps over a lazy dog and runs far away from it'.split())"
    cell = "%%track order\nloss = 0.0\nfor n, word in enumerate(words):\n    loss = loss * 0.5 + len(word) * (n + 1)"
    notebook.run(words, cell)
    told = notebook.replay("order")
    assert told.verdict == "drifted", str(told)
    assert any("order of a set" in cause for cause in told.causes)
    notebook.run(words, cell.replace("order", "fixed"), PYTHONHASHSEED="0")
    told = notebook.replay("fixed")
    assert (told.verdict, told.causes) == ("reproduced", []), str(told)


def test_a_changed_file_is_the_explanation(notebook: Notebook) -> None:
    """The digest says before any computing that the data are others; the drift that follows has its cause."""
    (notebook.folder / "data.csv").write_text("x\n1.0\n2.0\n")
    notebook.run(
        "import pandas as pd",
        "frame = pd.read_csv('data.csv')",
        "%%track means\nfor i in range(3):\n    loss = float(frame.x.mean() + i)",
    )
    assert notebook.replay("means").verdict == "reproduced"
    (notebook.folder / "data.csv").write_text("x\n1.0\n2.5\n")
    told = notebook.replay("means")
    assert told.verdict == "drifted"
    assert "data.csv has changed" in told.causes[0]
    assert told.first is not None
    assert "`frame` was another already" in str(told.first)


def test_a_file_that_is_gone_stops_it_before_it_runs(notebook: Notebook) -> None:
    """What cannot work is not tried."""
    (notebook.folder / "data.csv").write_text("x\n1.0\n")
    notebook.run("import pandas as pd", "%%track gone\nloss = pd.read_csv('data.csv').x.mean()\nprint(loss)")
    (notebook.folder / "data.csv").unlink()
    told = notebook.replay("gone")
    assert (told.verdict, told.reason, told.series) == ("cannot-run", "missing-data", [])
    assert "data.csv that it read is gone" in told.causes[0]


def test_a_package_that_is_gone_stops_it(notebook: Notebook) -> None:
    """A module of nobody's, that was there and is not any more."""
    place = notebook.folder.parent / "site"
    place.mkdir()
    (place / "celltrail_gone_package.py").write_text("value = 3.0\n")
    notebook.run(
        "%%track needs\nimport celltrail_gone_package as p\nfor i in range(2):\n    loss = p.value + i",
        PYTHONPATH=str(place),
    )
    told = notebook.replay("needs")
    assert (told.verdict, told.reason) == ("cannot-run", "environment-differs"), str(told)
    assert "celltrail_gone_package is not installed" in told.causes[0]


def test_cells_that_write_work_in_a_copy(notebook: Notebook) -> None:
    """The user's files are as they were, also the one that the run itself appends to."""
    notebook.run(
        "%%track writes\nopen('log.txt', 'a').write('once\\n')\nn = len(open('log.txt').readlines())\n"
        "for i in range(2):\n    loss = float(i)"
    )
    assert (notebook.folder / "log.txt").read_text() == "once\n"
    before = sorted(os.listdir(notebook.folder))
    told = notebook.replay("writes")
    assert (notebook.folder / "log.txt").read_text() == "once\n"
    assert sorted(os.listdir(notebook.folder)) == before
    assert told.verdict == "reproduced", str(told)


def test_a_file_outside_the_project_is_never_written(notebook: Notebook) -> None:
    """A cell of no run wrote there, and nothing had recorded that: the replay stops before it does so again."""
    place = notebook.folder.parent / "outside.txt"
    notebook.run(
        f"with open({str(place)!r}, 'w') as file:\n    n = file.write('mine')", "%%track counts\ntotal = n + 1"
    )
    place.write_text("edited since")
    told = notebook.replay("counts")
    assert place.read_text() == "edited since"
    assert (told.verdict, told.reason) == ("cannot-run", "not-replayable"), str(told)
    assert "writes outside.txt, outside the project" in told.causes[0]
    assert str(notebook.folder.parent) not in str(told)


@pytest.mark.parametrize(
    "change",
    [
        "os.mkdir(place)",
        "os.symlink('here.txt', place)",
        "os.link('here.txt', place)",
        "sqlite3.connect(place).execute('create table t (a)')",
    ],
)
def test_nothing_new_comes_up_outside_the_project(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Folders, links and databases count as well as files."""
    (notebook.folder / "here.txt").write_text("here")
    (tmp_path / "outside").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))  # where new files are let through
    place = f"place = os.path.join({str(tmp_path / 'outside')!r}, 'ne' + 'w')"
    notebook.run(f"import os, sqlite3\n{place}\n{change}\nn = 1", "%%track counts\ntotal = n + 1")
    assert notebook.status == ["ok", "ok"]
    made = tmp_path / "outside" / "new"
    made.rmdir() if made.is_dir() else made.unlink()
    told = notebook.replay("counts")
    assert not os.path.lexists(made)
    assert (told.verdict, told.reason) == ("cannot-run", "not-replayable"), str(told)
    assert "writes new, outside the project" in told.causes[0]


def test_programs_that_cannot_be_watched_are_named(notebook: Notebook) -> None:
    """They work in the copy, as all that writes, and the verdict says that nothing holds them back elsewhere."""
    notebook.run(
        "%%track builds\nimport subprocess\nsubprocess.run(['touch', 'made.txt'], check=True)\n"
        "for i in range(2):\n    loss = i * 0.5"
    )
    made = notebook.folder / "made.txt"
    made.unlink()
    told = notebook.replay("builds")
    assert (told.verdict, made.exists()) == ("reproduced", False), str(told)
    assert "not held back from writing outside the folder: subprocess.run(), in the run's own cell" in told.notes


def test_a_small_difference_is_within_tolerance_or_not(notebook: Notebook) -> None:
    """The same replay stands or falls with ``rtol``, and says how large the difference is."""
    data = notebook.folder / "scale.txt"
    data.write_text("1.0")
    notebook.run("%%track scaled\nscale = float(open('scale.txt').read())\nfor i in range(1, 4):\n    loss = scale / i")
    data.write_text("1.0000002")
    near = notebook.replay("scaled")
    assert (near.verdict, bool(near), near.series[0].n_diff) == ("within-tolerance", True, 3), str(near)
    assert "largest relative difference 2e-07" in near.headline
    far = notebook.replay("scaled", rtol=1e-8)
    assert (far.verdict, bool(far), far.series[0].first_step) == ("drifted", False, 0), str(far)


def test_it_is_replayed_from_another_folder(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files of a run are where its trail is, and not where somebody happens to ask."""
    (notebook.folder / "scale.txt").write_text("2.5")
    notebook.run("%%track scaled\nscale = float(open('scale.txt').read())\nfor i in range(3):\n    loss = scale * i")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    told = notebook.replay("scaled")
    assert told.verdict == "reproduced", str(told)
    assert list(elsewhere.iterdir()) == []


def test_what_was_typed_in_and_what_was_secret_cannot_be_replayed(notebook: Notebook) -> None:
    """A redacted literal and a scratch are gone for good, and nobody types; all is said with its place."""
    key = "sk-" + "proj-" + "A1b2C3d4E5f6G7h8I9j0K1l2"
    notebook.run(
        f"key = {key!r}",
        "%%track secret\nlength = len(key)\nfor i in range(2):\n    loss = length + i",
        "%%scratch\nscale = 3.0",
        "%%track scaled\nfor i in range(2):\n    loss = scale * i",
        "%%track typed\nif False:\n    scale = input('scale? ')\nfor i in range(2):\n    loss = i",
    )
    told = notebook.replay("scaled")
    assert (told.verdict, told.reason) == ("cannot-run", "not-replayable")
    assert told.causes[0] == "the code of [4] was not kept (a %%scratch, or a lost blob), which made scale"
    told = notebook.replay("typed")
    assert (told.verdict, told.reason) == ("cannot-run", "not-replayable")
    assert "the run's own cell waits for what is typed in" in told.causes[0]
    told = notebook.replay("secret")
    assert (told.verdict, told.reason) == ("cannot-run", "not-replayable")
    assert "line 1 of" in told.causes[0]
    assert "secret that was never written down" in told.causes[0]
    assert key not in str(told)


def test_a_cell_that_failed_then_fails_again(notebook: Notebook) -> None:
    """The error is part of what is reproduced, and the points before it too."""
    notebook.run(
        "import numpy as np", "%%track bad\nfor i in range(3):\n    loss = np.random.rand()\nraise ValueError('x')"
    )
    told = notebook.replay("bad")
    assert told.verdict == "reproduced", str(told)
    assert told.series[0].n == 3


def test_a_second_run_goes_on_with_what_the_first_left(notebook: Notebook) -> None:
    """The slice of the second holds the first as it ran, with its own random numbers."""
    again = NUMPY[3].replace("%%track sgd", "%%track more --continues")
    notebook.run(*NUMPY, "w = w * 1.0\nspare = np.random.rand(7)", again)
    told = notebook.replay("more")
    assert told.verdict == "reproduced", str(told)
    assert [step.run is not None for step in told.plan] == [False, False, False, True, False, True]


def test_hidden_state_needs_all_that_ran(notebook: Notebook) -> None:
    """What `exec` binds cannot be seen in code: the slice alone fails, the whole session is tried, and that is said."""
    notebook.run("exec('step' + ' = 2.5')", "%%track hidden\nfor i in range(2):\n    loss = globals()['step'] * i")
    told = notebook.replay("hidden")
    assert (told.verdict, told.mode) == ("reproduced", "full"), str(told)
    assert "so all that ran before it were run too" in told.notes[0]


def test_a_run_without_series_is_judged_by_what_it_left(notebook: Notebook) -> None:
    """Values and printed text, where there are no metrics."""
    notebook.run("import numpy as np", "%%track plain\nvalue = np.random.rand(3)\nprint(value)")
    told = notebook.replay("plain")
    assert (told.verdict, told.series, told.outputs_same) == ("reproduced", [], True)
    assert "values it left" in told.headline


def test_measured_times_are_not_compared(notebook: Notebook) -> None:
    """No two runs take the same time, and that is no drift."""
    notebook.run(
        "%%track timed --watch loss epoch_time\nimport time\n"
        "for i in range(3):\n    loss = i * 0.5\n    epoch_time = time.perf_counter()"
    )
    told = notebook.replay("timed")
    assert ([each.name for each in told.series], told.verdict) == (["loss"], "reproduced"), str(told)
    assert told.measured == ["epoch_time"]
    said = "not compared, because measured rather than computed: epoch_time"
    assert said in str(told)
    assert said in told._repr_html_()
    assert notebook.named("timed").replays[-1]["measured"] == ["epoch_time"]


def test_a_cell_that_takes_too_long_is_stopped(notebook: Notebook) -> None:
    """The limit is for one cell; one that ends its kernel is told from one that failed."""
    body = "if os.path.exists('wait'):\n    time.sleep(60)\nif os.path.exists('end'):\n    os._exit(1)"
    notebook.run("import os, time", f"%%track slow\nloss = 1\n{body}")
    (notebook.folder / "end").touch()
    told = notebook.replay("slow")
    assert (told.verdict, told.reason) == ("cannot-run", "failed")
    assert told.causes[0] == "the run's own cell ended the kernel"
    (notebook.folder / "wait").touch()
    told = notebook.replay("slow", timeout=1.5)
    assert (told.verdict, told.reason) == ("cannot-run", "failed")
    assert "longer than it was given" in told.causes[0]


def test_the_verdict_is_kept_on_the_run(notebook: Notebook) -> None:
    """Every replay leaves its verdict, as a change of the run that the audit has too."""
    notebook.run(*NUMPY)
    notebook.replay("sgd")
    (kept,) = notebook.named("sgd").replays
    assert (kept["verdict"], kept["points"], kept["differing"]) == ("reproduced", 15, 0)
    assert len(list(ct.runs(store=notebook.store))) == 1, "the replay's own run is not among the user's"


def test_a_slice_as_notebook_and_as_script(notebook: Notebook) -> None:
    """Both start with where they come from, and the script runs by itself."""
    notebook.run(NUMPY[0], "junk = 1", *NUMPY[1:])
    part = ct.slice("sgd", store=notebook.store)
    written = json.loads(part.write("again.ipynb").read_text())
    assert [cell["cell_type"] for cell in written["cells"]] == ["markdown", *["code"] * 5]
    assert written["cells"][1]["source"] == ["%load_ext celltrail"]
    assert "Run 'sgd'" in written["cells"][0]["source"][0]
    assert "".join(written["cells"][-1]["source"]) == NUMPY[3]
    script = part.write("again.py").read_text()
    names: dict[str, object] = {}
    exec(compile(script, "again.py", "exec"), names)
    assert names["i"] == 14
    with pytest.raises(BadValue, match="nothing is overwritten"):
        part.write("again.py")
    with pytest.raises(BadValue, match="ipynb or"):
        part.write("again.txt")
    assert len(ct.slice("sgd", "full", store=notebook.store)) == 5


def test_a_slice_that_logs_runs_as_notebook_and_as_script(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """What speaks to celltrail finds a run in either: another one, with the same points."""
    monkeypatch.setenv("CELLTRAIL_STORE", str(notebook.store.root))
    cell = "%%track logged --tag again\nfor i in range(scale):\n    ct.log(loss=1 / (i + 1))"
    notebook.run("scale = 4", "import celltrail as ct", cell)
    part = ct.slice("logged", store=notebook.store)
    shell = nbformat.read(part.write("again.ipynb"), as_version=4)
    NotebookClient(shell, kernel_name="python3", resources={"metadata": {"path": notebook.folder}}).execute()
    exec(compile(part.write("again.py").read_text(), "again.py", "exec"), {})
    runs = ct.runs("'again' in tags", store=notebook.store)
    assert [run.series("loss")[1].tolist() for run in runs] == [[1.0, 1 / 2, 1 / 3, 1 / 4]] * 3


def test_what_cannot_be_asked(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each refusal says what is allowed."""
    notebook.run(*NUMPY)
    with pytest.raises(BadValue, match="auto, minimal or full"):
        notebook.replay("sgd", mode="all")
    with pytest.raises(BadValue, match="rtol"):
        notebook.replay("sgd", rtol=-1)
    with pytest.raises(NoRun, match="did you mean"):
        notebook.replay("sgdd")
    with ct.start("by-hand", store=notebook.store) as run:
        run.log(loss=1.0)
    with pytest.raises(NoRun, match="mark a cell with %%track"):
        notebook.replay("by-hand")
    monkeypatch.setattr(replaying, "_user", lambda: "somebody-else")
    with pytest.raises(BadValue, match="trust=True"):
        notebook.replay("sgd")


def test_in_a_terminal(notebook: Notebook, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0 where the run stands, 1 where it drifted, 2 where it cannot be run; the words are those of Python."""
    notebook.run(
        *NUMPY, "%%track chance\ng = np.random.default_rng()\nfor i in range(2):\n    loss = float(g.random())"
    )
    where = ["--store", str(notebook.store.root)]
    assert main(["replay", "sgd", *where]) == 0
    assert capsys.readouterr().out.startswith("replay of run 'sgd': reproduced: every point is identical\n")
    assert main(["replay", "chance", "--json", *where]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["series"][0]["name"], told["differing"]) == ("drifted", "loss", 2)
    assert main(["slice", "sgd", "-o", "cells.ipynb", *where]) == 0
    assert capsys.readouterr().out == "4 executions in cells.ipynb\n"
    assert main(["slice", "sgd", *where]) == 0
    assert "the run itself" in capsys.readouterr().out
    (notebook.folder / "data.csv").touch()
    notebook.run("%%track file\nlines = open('data.csv').readlines()")
    (notebook.folder / "data.csv").unlink()
    assert main(["replay", "file", *where]) == 2
    assert main(["replay", "nobody", *where]) == 1
    history = [each for each in detail(notebook.named("chance"))["sections"] if each["title"] == "replays"]
    assert history[0]["rows"][0][1] == "drifted"


def test_from_the_notebook(notebook: Notebook) -> None:
    """``%track replay`` in the kernel that trained: its own names and its generators stay as they are."""
    kernel = Kernel(notebook.folder, {"CELLTRAIL_STORE": str(notebook.store.root), "OMP_NUM_THREADS": "1"})
    for cell in ("%load_ext celltrail", *NUMPY):
        assert kernel.run(cell).status == "ok"
    kernel.run("before = np.random.get_state()[2], w.tolist()")
    reply = kernel.run("%track replay sgd", timeout=120)
    assert "reproduced: every point is identical" in reply.text, reply.content
    assert kernel.run("print(before == (np.random.get_state()[2], w.tolist()))").text == "True\n"
    reply = kernel.run("import celltrail as ct\nct.replay('sgd')", timeout=120)
    html = reply.of("execute_result")[0]["data"]["text/html"]
    assert "every point is identical" in html
    kernel.stop()


def test_a_long_messy_session(notebook: Notebook) -> None:
    """Thirty executions with junk, errors, redefinitions, out of order: the slice holds what counts, and runs."""
    junk = [f"scratch_{n} = [np.random.rand() for _ in range({n})]" for n in range(12)]
    cells = [
        NUMPY[0], *junk[:3], "lr = 9", "def grad(w, j): return (X[j] @ w - y[j]) * X[j]", "1 / 0", NUMPY[1], *junk[3:6],
        "def grad(w, j): return 2 * (X[j] @ w - y[j]) * X[j]", "w = None", "undefined_name", "lr = 0.02", NUMPY[2],
        *junk[6:9], "X[0] = 0", "scale = 3", "y = y * scale", "scale = 50", *junk[9:], "import json",
        "print(json.dumps({'junk': 1}))", "for k in range(3): pass", "lr = lr * 2", "unused = X.copy()",
        "%%track messy\nfor i in range(12):\n    w = w - lr * grad(w, np.random.randint(len(X)))\n"
        "    loss = float(((X @ w - y) ** 2).mean())",
    ]  # fmt: skip
    assert len(cells) >= 30
    notebook.run(*cells)
    told = notebook.replay("messy")
    assert (told.verdict, told.mode) == ("reproduced", "minimal"), str(told)
    kept = [step.code for step in told.plan]
    wanted = [NUMPY[0], NUMPY[1], cells[cells.index(NUMPY[1]) + 4], "lr = 0.02", NUMPY[2], "X[0] = 0", "scale = 3",
              "y = y * scale", "lr = lr * 2", cells[-1]]  # fmt: skip
    assert kept == wanted


def test_a_resumed_run_and_a_fork_are_replayed_from_where_they_began(notebook: Notebook) -> None:
    """The last process of a resumed run, the points of a fork beyond those it shares; also steps are the same."""
    loop = "for step in range({}, {}):\n    w += random.random()\n    ct.log({{'loss': w}}, step=step)"
    imports = "import random\nimport celltrail as ct"
    save = "open('w.txt', 'w').write(str(w))\nraise RuntimeError('power cut')"
    notebook.run(imports, f"%%track base\nw = 0.0\n{loop.format(0, 6)}\n{save}")
    notebook.run(
        imports,
        f"%%track --resume base\nw = float(open('w.txt').read())\n{loop.format(6, 12)}",
        f"%%track forked --fork=base@3\nw = 0.5\n{loop.format(4, 9)}",
    )
    assert notebook.status == ["ok", "ok", "ok"]
    told = notebook.replay("base")
    assert (told.verdict, told.series[0].n, len(told.plan)) == ("reproduced", 12, 2), str(told)
    assert "its points up to step 5 are taken as recorded" in str(told)
    told = notebook.replay("forked")
    assert (told.verdict, told.series[0].n) == ("reproduced", 9), str(told)
    (notebook.folder / "w.txt").write_text("1.0")
    told = notebook.replay("base")
    assert (told.verdict, told.series[0].first_step, told.series[0].n_diff) == ("drifted", 6, 6), str(told)


def test_the_panel_of_a_run_replays_it_in_a_process_of_its_own(notebook: Notebook) -> None:
    """It says how far it is, can be stopped, and shows the verdict as soon as there is one."""
    notebook.run("import time", "%%track slow\nfor i in range(4):\n    loss = i * 0.5\n    time.sleep(0.1)")
    panel: Any = Details(notebook.named("slow"))
    told: list[Replaying] = []
    panel._replayer._send = told.append
    ask: Replay = {"kind": "replay", "id": "1", "run": panel._run.id, "do": "start"}
    assert panel.answers["replay"](ask)["said"] == "run 'slow' is being replayed"
    until(lambda: told[-1]["total"] == 2)
    panel.answers["replay"]({**ask, "do": "stop"})
    until(lambda: told[-1]["over"])
    assert told[-1]["text"] == "the replay was stopped"
    assert panel.state["detail"]["replay"] is None
    with pytest.raises(CelltrailError, match="no replay of run 'slow' is going on"):
        panel.answers["replay"]({**ask, "do": "stop"})
    panel.answers["replay"](ask)
    until(lambda: told[-1]["over"])
    assert {(each["done"], each["code"]) for each in told} >= {(0, "import time"), (1, "for i in range(4):")}
    assert panel.state["detail"]["replay"]["text"] == "reproduced: every point is identical"
    assert panel.state["view"] == panel.model_id


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something that happens on another thread."""
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_a_run_of_an_earlier_celltrail_is_replayed(notebook: Notebook) -> None:
    """Recorded by one whose runs still listed all that ran before them, in the format of then: every point again."""
    frozen = Path(__file__).parent / "frozen" / "replayed-1"
    shutil.copytree(frozen / "trail", notebook.store.root, dirs_exist_ok=True)
    shutil.copy(frozen / "scale.csv", notebook.folder)
    with pytest.raises(BadValue, match="recorded by 'frozen', and a replay runs its code"):
        notebook.replay("yesterday")
    part = ct.slice("yesterday", store=notebook.store)
    assert [step.code.splitlines()[0] for step in part][:3] == [
        "import random", "scales = [float(line) for line in open('scale.csv').read().split()[1:]]",
        "start = random.random()",
    ]  # fmt: skip
    assert (len(part), len(ct.slice("yesterday", "full", store=notebook.store))) == (5, 7)
    told = notebook.replay("yesterday", trust=True)
    assert (told.verdict, told.series[0].n, told.series[0].n_diff) == ("reproduced", 8, 0), str(told)
