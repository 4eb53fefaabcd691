"""Whether a run still holds: its cell, what it depends on, its data, modules and packages. In real kernels."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from celltrail.capture.session.document import Document
from celltrail.capture.stale import differs, source_key
from celltrail.capture.stale.holding import holds
from celltrail.contract import ExecutionMap
from celltrail.contract.shape import misfits
from celltrail.errors import NoRun
from celltrail.panels.detail import payload
from celltrail.panels.executions import executed
from celltrail.query import StoredRun, find, runs
from celltrail.query.detail import detail
from celltrail.query.standing import told_by
from celltrail.run import start
from celltrail.store import Store
from kernels import Kernel, Reply

CELLS = {
    "load": "import numpy as np\nX = np.arange(4.0) * 2",
    "clean": "Y = X + 1",
    "train": "%%track train\nimport helper\nloss = float(Y.sum()) + helper.shift()\nrows = open('data.csv').read()",
    "other": "note = 'nothing to do with it'",
}


def install(site: Path, name: str, version: str) -> None:
    """A package of one module, in place of another version of it."""
    for old in site.glob(f"{name}-*.dist-info"):
        shutil.rmtree(old)
    (site / f"{name}-{version}.dist-info").mkdir(parents=True)
    (site / f"{name}-{version}.dist-info" / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    (site / f"{name}.py").write_text(f"version = {version!r}\n")


class Notebook:
    """A notebook on disk, and the kernel it runs in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder / ".celltrail")
        self.cells = dict(CELLS)
        (folder / "data.csv").write_text("a,b\n1,2\n")
        (folder / "helper.py").write_text("def shift():\n    return 1\n")
        for name in ("quux", "unused"):
            install(folder / "site-packages", name, "2.0")
        environment = {
            "PYTHONPATH": str(folder / "site-packages"),
            "CELLTRAIL_STORE": str(self.store.root),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "CELLTRAIL_QUIET": "1",
            "JPY_SESSION_NAME": str(folder / "nb.ipynb"),
        }
        self.kernel = Kernel(folder, environment)
        assert self.kernel.run("%load_ext celltrail\nimport sys, quux; sys.path.insert(0, '')").status == "ok"
        for name in CELLS:
            assert self.run(name).status == "ok"
        self.settle()
        self.trained = find("train", self.store)

    def run(self, name: str) -> Reply:
        """One of its cells, as a front end runs it."""
        session = self.kernel.client.session
        content = {"code": self.cells[name], "silent": False, "store_history": True, "allow_stdin": False}
        message = session.msg("execute_request", content, metadata={"cellId": name})
        self.kernel.client.shell_channel.send(message)
        return self.kernel.collect(message["header"]["msg_id"])

    def settle(self) -> None:
        """Until all is written."""
        self.kernel.run(
            "from celltrail import magic\nrecorder_ = next(iter(magic._loaded.values())).recorder\n"
            "while not recorder_._worker.is_idle(): recorder_._settle()\nrecorder_.session.wait(5)"
        )

    def save(self) -> None:
        """The notebook as it stands."""
        cells = [
            {"id": name, "cell_type": "code", "source": source.splitlines(keepends=True), "metadata": {}}
            for name, source in self.cells.items()
        ]
        told = {"cells": [{"cell_type": "markdown", "source": "# title", "metadata": {}, "id": "m"}, *cells]}
        (self.folder / "nb.ipynb").write_text(json.dumps(told | {"nbformat": 4, "nbformat_minor": 5}))

    def said(self, run: StoredRun | None = None) -> list[tuple[str, str]]:
        """Why the run does not hold any more."""
        self.save()
        found = holds((run or self.trained).refresh())
        assert found.state == ("stale" if found.reasons else "fresh")
        return [(reason.kind, reason.text) for reason in found.reasons]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("stale")
        patch.chdir(folder)
        patch.syspath_prepend(str(folder / "site-packages"))
        told_by(holds)
        notebook = Notebook(folder)
        yield notebook
        notebook.kernel.stop()


@pytest.fixture
def notebook(shared: Notebook) -> Iterator[Notebook]:
    """As it was in the beginning."""
    yield shared
    shared.cells = dict(CELLS)
    (shared.folder / "data.csv").write_text("a,b\n1,2\n")
    (shared.folder / "helper.py").write_text("def shift():\n    return 1\n")


def test_a_run_is_fresh_until_something_changes(notebook: Notebook) -> None:
    """And with its notebook unknown nobody can tell."""
    assert notebook.said() == []
    (notebook.folder / "nb.ipynb").unlink()
    assert holds(notebook.trained).state == "unknown"


def test_an_edit_makes_stale_and_undoing_it_makes_fresh(notebook: Notebook) -> None:
    """Of the run's own cell."""
    notebook.cells["train"] += "\nloss += 1"
    assert notebook.said() == [("edited", "its cell has been edited")]
    notebook.cells["train"] = CELLS["train"]
    assert notebook.said() == []


def test_what_was_typed_and_run_but_not_saved_yet_is_no_edit(notebook: Notebook) -> None:
    """A notebook that was saved before a cell ran says nothing of what became of it since; the next save does."""
    notebook.save()
    notebook.cells["clean"] += " + 0.0"
    notebook.cells["again"] = "%%track again\nonce_more = float(Y.sum())"
    for text in ("once_more = float(Y.sum())", "once_more = float(Y.mean())"):  # first as a new cell, then edited
        notebook.cells["again"] = f"%%track again\n{text}"
        assert notebook.run("clean").status == notebook.run("again").status == "ok"
        notebook.settle()
        added = find("again", notebook.store)
        assert holds(added).state == "unknown"
        assert not any(entry["stale"] for entry in executed(added)["executions"])
        assert notebook.said(added) == []
    notebook.cells["clean"] = CELLS["clean"] + " + 1"
    assert [kind for kind, _ in notebook.said(added)] == ["upstream"]
    del notebook.cells["again"]
    assert ("deleted", "its cell has been deleted") in notebook.said(added)
    notebook.cells = dict(CELLS)
    assert notebook.run("clean").status == "ok"


def test_comments_blank_lines_and_our_own_line_are_no_edit(notebook: Notebook) -> None:
    """What Python does not see does not count, in its own cell and above."""
    notebook.cells["train"] = CELLS["train"].replace("%%track train", "%%track train -t new") + "\n\n# the end"
    notebook.cells["clean"] = "# one more\nY = (X + 1)"
    assert notebook.said() == []


def test_the_map_of_what_ran_for_a_run(notebook: Notebook) -> None:
    """Each execution up to the run in its order: which of them it was made from, what each handed on, what is stale."""
    notebook.cells["clean"] += "0"
    notebook.save()
    found = executed(notebook.trained)
    assert misfits(found, ExecutionMap) == []
    by_cell = {each["cell"]: each for each in found["executions"]}
    assert [each["cell"] for each in found["executions"]][-3:] == ["load", "clean", "train"]
    assert {cell: each["role"] for cell, each in by_cell.items() if cell} == {
        "load": "needed", "clean": "needed", "train": "run",
    }  # fmt: skip
    assert [(each["cell"], each["stale"]) for each in found["executions"] if each["stale"]] == [
        ("clean", "edited since")
    ]
    assert by_cell["load"]["what"] == "made X"
    assert by_cell["clean"]["got"] == [{"execution": by_cell["load"]["id"], "names": ["X"]}]
    assert by_cell["train"]["got"] == [{"execution": by_cell["clean"]["id"], "names": ["Y"]}]
    assert by_cell["clean"]["code"] == CELLS["clean"]
    with start("by hand", store=notebook.store) as run:
        pass
    with pytest.raises(NoRun, match="no cell recorded what ran before it"):
        executed(find(run.id, notebook.store))


def test_a_deleted_cell(notebook: Notebook) -> None:
    """Its own, and one it depends on; others do not matter."""
    del notebook.cells["other"]
    assert notebook.said() == []
    del notebook.cells["clean"]
    assert [kind for kind, _ in notebook.said()] == ["upstream"]
    del notebook.cells["train"]
    assert notebook.said()[0] == ("deleted", "its cell has been deleted")


def test_an_edit_above(notebook: Notebook) -> None:
    """Directly, and two steps up; a cell that it does not depend on may change."""
    notebook.cells["other"] = "note = 'changed'"
    assert notebook.said() == []
    notebook.cells["load"] = CELLS["load"].replace("* 2", "* 3")
    found = notebook.said()
    assert [kind for kind, _ in found] == ["upstream"]
    assert "edited since" in found[0][1]


def test_a_data_file_that_changed_is_gone_or_was_only_touched(notebook: Notebook) -> None:
    """By its digest, not by its time."""
    place = notebook.folder / "data.csv"
    place.write_text("a,b\n1,3\n")
    assert notebook.said() == [("data", "data.csv has changed")]
    place.write_text("a,b\n1,2\n")
    assert notebook.said() == []
    place.unlink()
    assert notebook.said() == [("data", "data.csv is gone")]


def test_a_package_that_was_upgraded(notebook: Notebook) -> None:
    """One that the kernel had imported counts; one that is new, that nobody imported, or of another environment not."""
    site = notebook.folder / "site-packages"
    notebook.save()
    assert not notebook.trained.stale
    install(site, "quux", "3.0")
    install(site, "unused", "9.0")
    install(site, "unheard-of", "1.0")
    assert [str(reason) for reason in notebook.trained.stale] == ["quux 2.0, now 3.0"]
    environment = notebook.trained.record.environment
    elsewhere = replace(
        notebook.trained.record, environment={**environment, "env": {**environment["env"], "prefix": "venv 1"}}
    )
    assert not StoredRun(elsewhere, notebook.store).stale
    install(site, "quux", "2.0")


def test_a_run_says_by_itself_why_it_is_stale(notebook: Notebook) -> None:
    """``run.stale``, a column that is asked for, and the stale ones of some runs, in the same words."""
    with start("no cell recorded this", store=notebook.store):
        pass
    notebook.save()
    assert not notebook.trained.stale
    assert notebook.trained.stale.state == "fresh"
    (notebook.folder / "data.csv").write_text("other")
    (notebook.folder / "helper.py").write_text("def shift():\n    return 2\n")
    words = "data.csv has changed; helper.py has changed"
    assert notebook.trained.stale.text == words
    assert [reason.kind for reason in notebook.trained.stale] == ["data", "module"]
    two = runs("name in ['train', 'no cell recorded this']", sort="name", store=notebook.store)
    column = two.df(["name", "stale"])["stale"]
    assert (column.isna()[0], column[1]) == (True, words)
    assert words[:20] in two.to_text(["name", "stale"])
    assert [run.name for run in two.stale()] == ["train"]
    told = detail(notebook.trained)["sections"]
    facts = dict(next(each["rows"] for each in told if each["title"] == "run"))
    assert str(facts["stale"]).startswith(f"{words} (as of ")
    (hint,) = payload(notebook.trained)["hints"]
    assert hint.startswith(f"stale: {words} (as of ")


def test_it_is_the_same_from_any_folder(notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run's own folder counts, not that of who asks."""
    (notebook.folder / "data.csv").write_text("other")
    here = notebook.said()
    monkeypatch.chdir(tmp_path)
    assert notebook.said() == here == [("data", "data.csv has changed")]


def test_show_says_why_a_run_is_stale(notebook: Notebook, capsys: pytest.CaptureFixture[str]) -> None:
    """In a terminal, among its facts; a fresh run has no such line."""
    from celltrail.cli import main

    notebook.save()
    assert main(["show", "train", "--store", str(notebook.store.root)]) == 0
    assert "stale" not in capsys.readouterr().out
    (notebook.folder / "data.csv").write_text("other")
    assert main(["show", "train", "--store", str(notebook.store.root)]) == 0
    assert "stale      data.csv has changed" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"cells": 3}', b'{"cells": [{"cell_type": "code"}]}', b"\xff\xfe", None]
)
def test_a_notebook_that_cannot_be_read_says_nothing(tmp_path: Path, content: bytes | None) -> None:
    """Broken, foreign, from before cells had ids, or not there."""
    path = tmp_path / "nb.ipynb"
    if content is not None:
        path.write_bytes(content)
    assert Document.of_file(path) is None


def test_cells_that_python_cannot_read_are_compared_too() -> None:
    """Magics, commands, other languages, half a cell; nested deeper than Python reads."""
    assert not differs("%%time\n!ls\nx = 1", "%%time\n!ls\nx = 1  # one")
    assert differs("!ls", "!ls -l")
    assert differs("%%time\nx = 1", "%%timeit\nx = 1")
    assert differs("%%bash\necho 1", "%%bash\necho 2")
    assert not differs("if x:", "if x:  \n# later")
    assert differs("files = !ls", "files = !ls -l")
    assert source_key("x = " + "(" * 500 + ")" * 500)
    assert source_key("\ud800")


# in the kernel, while one works


CHART = """%%track watched
for step in range(3):
    loss = float(table.sum()) / (step + 1)
text = open('marked.csv').read()"""


def marks(reply: Reply) -> list[str]:
    """The first lines of charts that were drawn anew."""
    updates = [*reply.of("update_display_data"), *reply.late("update_display_data")]
    return [content["data"]["text/plain"].splitlines()[0] for content in updates]


def test_a_chart_is_marked_while_what_its_run_read_is_changed(shared: Notebook) -> None:
    """By another cell or in a file; what made the same makes nothing stale, and what is put back is fresh again."""
    kernel = shared.kernel
    (shared.folder / "marked.csv").write_text("1")
    kernel.run("import time\ntable = np.arange(3.0)")
    assert kernel.run(CHART).status == "ok"
    shared.settle()

    def after(cell: str) -> list[str]:
        replies = [kernel.run(code) for code in (cell, "recorder_._worker.wait(5)", "time.sleep(0.3)")]
        assert replies[0].status == "ok"
        return [line for reply in replies for line in marks(reply)]

    assert not any(line.startswith("stale") for line in after("table = np.arange(3.0)"))
    assert after("table[1] = 7")[-1].startswith("stale: table has been changed by [")
    # the verb in this kernel says it in the same words
    told = kernel.run("import celltrail as ct\nprint(ct.run('watched').stale.text)").text.strip()
    assert told.startswith("table has been changed by [")
    assert not after("table[1] = 1")[-1].startswith("stale")
    # a global that only a function of the notebook reads
    kernel.run("scale = 2\ndef scaled(values): return values * scale")
    assert kernel.run(CHART.replace("watched", "by_function").replace("table.sum", "scaled(table).sum")).status == "ok"
    shared.settle()
    assert "stale: scale has been changed by [" in "".join(after("scale = 3"))
    assert "stale" not in after("scale = 2")[-1]
    (shared.folder / "marked.csv").write_text("2")
    assert after("pass")[-1] == "stale: marked.csv has changed"
    assert after("del table")[-1].startswith("stale: table has been deleted")
    found = runs("name == 'watched'", store=shared.store)
    assert len(found) == 1


def test_a_chart_is_marked_when_a_module_or_a_package_changes(shared: Notebook) -> None:
    """A local module on disk, whatever this kernel has imported, and a package that was upgraded."""
    kernel, helper, site = shared.kernel, shared.folder / "beside.py", shared.folder / "site-packages"
    helper.write_text("def shift():\n    return 1\n")
    code = "%%track modular\nimport beside\nfor step in range(3):\n    loss = beside.shift() / (step + 1)"
    assert kernel.run(code).status == "ok"
    shared.settle()

    def after(cell: str) -> list[str]:
        replies = [kernel.run(code) for code in (cell, "recorder_._worker.wait(5)", "time.sleep(0.3)")]
        return [line for reply in replies for line in marks(reply) if "beside" in line or "quux" in line]

    before = helper.read_text()
    helper.write_text(before + "# the end\n")
    assert after("import time") == []
    helper.write_text(before.replace("return 1", "return 2"))
    assert after("pass")[-1] == "stale: beside.py has changed"
    install(site, "quux", "3.0")
    install(site, "unused", "3.0")
    assert "quux 2.0, now 3.0" in after("pass")[-1]
    helper.write_text(before)
    install(site, "quux", "2.0")
    install(site, "unused", "2.0")
