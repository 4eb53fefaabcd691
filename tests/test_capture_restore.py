"""Versions of cells that are gone come back, as new cells or new notebooks, byte for byte."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import celltrail as ct
from celltrail.cli import main
from celltrail.errors import BadValue, NoRun
from celltrail.query.executions import execution, executions
from celltrail.store import Store
from kernels import Kernel, Reply

VERSIONS = [
    "%%track fit\nlr = 0.1\nloss = lr * 3  # première",
    "%%track fit\nlr = 0.2\n\ntext = '''a\u2028\x0cb\\r'''\t\nloss = 1\n\n",
    "%%track fit\nlr = 0.3\nloss = lr",
]
GONE = "helper = [\n    1,  # тест\n    2,\n]\n"


def opened(folder: Path) -> Kernel:
    places = {"CELLTRAIL_STORE": str(folder / ".celltrail"), "XDG_CACHE_HOME": str(folder / "cache")}
    kernel = Kernel(folder, {**places, "JPY_SESSION_NAME": str(folder / "work.ipynb"), "CELLTRAIL_QUIET": "1"})
    assert kernel.run("%load_ext celltrail").status == "ok"
    return kernel


def in_cell(kernel: Kernel, cell: str, code: str) -> Reply:
    """Run a cell as a notebook does, with its id."""
    content: dict[str, Any] = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
    message = kernel.client.session.msg("execute_request", content, metadata={"cellId": cell})
    kernel.client.shell_channel.send(message)
    return kernel.collect(message["header"]["msg_id"])


def save(folder: Path, cells: dict[str, str]) -> None:
    rows = [{"cell_type": "code", "id": cell, "source": source, "metadata": {}, "outputs": [], "execution_count": None}
            for cell, source in cells.items()]  # fmt: skip
    (folder / "work.ipynb").write_text(json.dumps({"cells": rows, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


def set_next(reply: Reply) -> list[str]:
    return [each["text"] for each in reply.content["payload"] if each["source"] == "set_next_input"]


@pytest.fixture
def worked(tmp_path: Path) -> Iterator[tuple[Kernel, list[str]]]:
    """A kernel in which a cell ran in three versions and another one was deleted; the ids of its executions."""
    kernel = opened(tmp_path)
    in_cell(kernel, "load", "1")
    in_cell(kernel, "gone", GONE)
    for source in VERSIONS:
        assert in_cell(kernel, "fit", source).status == "ok"
    save(tmp_path, {"load": "1", "fit": VERSIONS[-1]})
    found = executions(store=tmp_path / ".celltrail")
    deadline = time.monotonic() + 20
    while [each.status for each in found] != ["ok"] * 5 and time.monotonic() < deadline:
        time.sleep(0.1)
        found = executions(store=tmp_path / ".celltrail")
    yield kernel, [each.id for each in found]
    kernel.stop()


def test_three_versions_and_a_deleted_cell_come_back_byte_for_byte(
    worked: tuple[Kernel, list[str]], tmp_path: Path
) -> None:
    """In the session that ran them, in a later one, and from Python; as a cell and as a notebook."""
    kernel, ids = worked
    wanted = dict(zip(ids[1:], [GONE, *VERSIONS], strict=True))
    for id_, source in wanted.items():
        assert set_next(in_cell(kernel, "other", f"%track restore {id_[-8:].lower()}")) == [source]
        assert execution(id_, store=tmp_path / ".celltrail").source == source
    later = opened(tmp_path)
    for id_, source in wanted.items():
        assert set_next(later.run(f"%track restore {id_}")) == [source]
    both = later.run(f"%track restore {ids[1]} {ids[2]}")
    assert set_next(both) == [f"{GONE}\n\n# %%\n{VERSIONS[0]}"]
    later.run(f"%track restore {' '.join(wanted)} --to back.ipynb")
    cells = json.loads((tmp_path / "back.ipynb").read_text())["cells"]
    assert ["".join(cell["source"]) for cell in cells] == list(wanted.values())
    assert [cell["metadata"]["celltrail"]["restored_from"] for cell in cells] == list(wanted)
    later.stop()


def test_no_file_is_ever_overwritten(worked: tuple[Kernel, list[str]], tmp_path: Path) -> None:
    """A named one is refused, an unnamed one gets another name."""
    kernel, ids = worked
    before = (tmp_path / "work.ipynb").read_bytes()
    reply = kernel.run(f"%track restore {ids[1]} --to work.ipynb")
    assert reply.status == "error"
    assert "nothing is overwritten" in reply.complaints
    first = kernel.run(f"%track restore {ids[1]} --as notebook").text
    second = kernel.run(f"%track restore {ids[1]} --as notebook").text
    assert first != second
    assert (tmp_path / "work.ipynb").read_bytes() == before
    assert len(list(tmp_path.glob("restored-*.ipynb"))) == 2


def test_deleted_cells_are_those_the_saved_notebook_lacks(worked: tuple[Kernel, list[str]], tmp_path: Path) -> None:
    """Also in a later session; a cell that ran since the notebook was saved is not one of them."""
    kernel, ids = worked
    in_cell(kernel, "unsaved", "new = 1")
    text = in_cell(kernel, "asks", "%track deleted").text
    assert ids[1] in text
    assert "helper = [" in text
    assert not any(id_ in text for id_ in (ids[0], *ids[2:]))
    assert "new = 1" not in text
    kernel.stop()
    later = opened(tmp_path)
    assert ids[1] in later.run("%track deleted").text
    save(tmp_path, {"load": "1", "fit": VERSIONS[-1], "gone": GONE})
    os.utime(tmp_path / "work.ipynb", (time.time() - 3600,) * 2)
    assert "no cell is missing" in later.run("%track deleted").text
    (tmp_path / "work.ipynb").write_text("{}")
    text = later.run("%track deleted").text
    assert "cannot be read" in text
    assert all(id_ in text for id_ in ids[2:4])
    assert ids[4] not in text
    later.stop()


def test_the_notebook_as_it_was_at_a_run(worked: tuple[Kernel, list[str]], tmp_path: Path) -> None:
    """Each cell that had run by then, a deleted one among them, as it ran last; in the order of the notebook."""
    kernel, _ = worked
    newest, middle, _ = Store(tmp_path / ".celltrail").records()
    for run, version in ((newest, VERSIONS[2]), (middle, VERSIONS[1])):
        said = kernel.run(f"%track restore {run.id} --as notebook --to {run.id}.ipynb").text
        assert said == f"the notebook as it was at run 'fit' is in {run.id}.ipynb\n"
        cells = json.loads((tmp_path / f"{run.id}.ipynb").read_text())["cells"]
        assert ["".join(cell["source"]) for cell in cells[1:]] == ["%load_ext celltrail", "1", GONE, version]
        assert "The notebook of run 'fit' as it was at" in cells[0]["source"][0]
    with ct.start("by hand", store=Store(tmp_path / ".celltrail")):
        pass
    assert "'by hand' is not in the trail" in kernel.run("%track restore 'by hand' --as notebook").complaints


def test_restore_by_number_and_by_run(worked: tuple[Kernel, list[str]], tmp_path: Path) -> None:
    """``[3]`` is this session's; a run by its name is the newest one of it."""
    kernel, _ = worked
    assert set_next(kernel.run("%track restore [3]")) == [GONE]
    assert set_next(kernel.run("%track restore 4")) == [VERSIONS[0]]
    (newest, *_) = Store(tmp_path / ".celltrail").records()
    assert set_next(kernel.run("%track restore fit")) == [VERSIONS[2]]
    assert set_next(kernel.run(f"%track restore {newest.id}")) == [VERSIONS[2]]
    count = kernel.run("%%scratch\nhidden = 'marker-5513'").content["execution_count"]
    assert "nothing of it was kept" in kernel.run(f"%track restore {count}").complaints


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("restore", "say what to restore"),
        ("restore nonsense", "no execution or run 'nonsense'"),
        ("restore 900", "nothing ran as [900]"),
        ("restore 1 --as cake", "--as takes cell or notebook"),
        ("restore 1 --over", "no option --over"),
        ("restore 'a", "close the quote"),
        ("restore 1 --to a.py", "ends in .ipynb"),
        ("restor", "did you mean 'restore'"),
        ("deleted now", "takes nothing"),
        ("config nothing on", "no setting 'nothing'"),
        ("config sessions perhaps", "takes True or False"),
        ("config a b c", "3 words"),
    ],
)
def test_a_line_that_asks_for_nothing_sensible_says_why(asking: Kernel, line: str, why: str) -> None:
    """One sentence, no traceback."""
    reply = asking.run(f"%track {line}")
    assert why in reply.text + reply.complaints
    assert "Traceback" not in reply.text + reply.complaints


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    kernel = opened(tmp_path_factory.mktemp("asking"))
    yield kernel
    kernel.stop()


def test_settings_and_status_are_shown_and_changed(asking: Kernel) -> None:
    """``config sessions off`` is the trail's setting ``sessions.kept``."""
    assert "kept in memory" in asking.run("%track").text
    assert "sessions.kept" in asking.run("%track config").text
    assert asking.run("%track config sessions off").text.splitlines()[1].split()[1] == "False"
    assert "sessions.kept is off" in asking.run("%track status").text
    assert asking.run("%track config sessions.kept on").text.splitlines()[1].split()[1] == "True"
    assert "restore EXECUTION" in asking.run("print(get_ipython().find_line_magic('track').__doc__)").text


def test_executions_are_read_from_python(worked: tuple[Kernel, list[str]], tmp_path: Path) -> None:
    """By cell and by session; a wrong id is answered with what there is."""
    _, ids = worked
    store = Store(tmp_path / ".celltrail")
    assert [each.id for each in executions("fit", store=store)] == ids[2:]
    assert [each.status for each in executions(store=store)] == ["ok"] * 5
    (session,) = {each.record.session for each in executions(store=store)}
    assert len(executions(session=session, store=store)) == 5
    assert repr(executions("gone", store=store)[0]) == f"<execution {ids[1]} [3] ok: helper = [>"
    with pytest.raises(NoRun, match=r"ct\.executions\(\) lists them"):
        execution("zzzz", store=store)
    with pytest.raises(BadValue, match="part of the ids of 5 executions"):
        execution(ids[0][:6], store=store)
    assert ct.executions(store=store)[0].source == "1"


def test_the_command_line_lists_and_prints_them(
    worked: tuple[Kernel, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The text as it was; no for one that is not there."""
    _, ids = worked
    place = ["--store", str(tmp_path / ".celltrail")]
    assert main(["restore", *place]) == 0
    listed = capsys.readouterr().out
    assert [line.split()[0] for line in listed.splitlines()[1:]] == ids
    assert main(["restore", ids[1], *place]) == 0
    assert capsys.readouterr().out == GONE
    assert main(["restore", ids[3].lower()[-10:], "--json", *place]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["source"], told["cell"], told["status"]) == (VERSIONS[1], "fit", "ok")
    assert main(["restore", "--cell", "gone", "--json", *place]) == 0
    assert [each["id"] for each in json.loads(capsys.readouterr().out)] == [ids[1]]
    assert main(["restore", "zzzzzz", *place]) == 1
    assert main(["restore", "--cell", "none", *place]) == 1
