"""The session knows every execution of its kernel, tracked or not."""

from __future__ import annotations

import ast
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from celltrail.capture import rng
from celltrail.model import new_id
from celltrail.run import start
from celltrail.store import Store
from celltrail.store.kernels import KernelSession, sessions
from celltrail.store.kernels.writing import SessionLog
from kernels import Kernel

ON = """
import json, sys
from celltrail.capture import Recorder
recorder = Recorder(get_ipython())
recorder.on()
"""
LIST = """
recorder.session.wait(20)
print(json.dumps([{
    "count": p.count, "status": p.status, "source": p.source, "kind": p.kind, "run": bool(p.run), "error": p.error,
    "scratch": p.is_scratch, "code": p.code, "rng": p.rng, "id": p.id, "took": (p.ended_us or 0) - p.started_us,
    "names": p.names and {"reads": sorted(p.names.reads), "writes": sorted(p.names.writes)}, "cell": p.cell_id}
    for p in recorder.session]))
"""


def started(folder: Path, **environment: str) -> Kernel:
    places = {"CELLTRAIL_STORE": str(folder / ".celltrail"), "XDG_CACHE_HOME": str(folder / "cache")}
    kernel = Kernel(folder, {**places, **environment})
    assert kernel.run(ON).status == "ok"
    return kernel


def listed(kernel: Kernel) -> list[dict[str, Any]]:
    """The executions so far; those that ask are left out."""
    return [past for past in json.loads(kernel.run(LIST).text) if past["source"] != LIST]


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    kernel = started(tmp_path)
    yield kernel
    kernel.stop()


def test_every_execution_is_known_in_order(kernel: Kernel) -> None:
    """Under a magic, with an error, that is no Python, that awaits, that runs another cell, that is a run."""
    cells = {
        "x = 1\ny = x + z if False else x": "ok",
        "%%time\nw = x": "ok",
        "1 / 0": "error",
        "def broken(:": "error",
        "import asyncio\nawait asyncio.sleep(0)\na = 1": "ok",
        "get_ipython().run_cell('inner = x')": "ok",
        "%%track base\ntotal = x": "ok",
        "raise KeyboardInterrupt": "interrupted",
        "%%track --wrong\nbad = 1": "error",
        "!true": "ok",
    }
    for cell in cells:
        kernel.run(cell)
    found = listed(kernel)
    outer = [past for past in found if past["kind"] == "cell"]
    assert [(past["source"], past["status"]) for past in outer] == list(cells.items())
    assert [past["source"] for past in found if past["kind"] == "nested"] == ["inner = x"]
    assert [past["error"] for past in outer] == [
        "", "", "ZeroDivisionError", "SyntaxError", "", "", "", "KeyboardInterrupt", "UsageError", "",
    ]  # fmt: skip
    assert [past["run"] for past in outer] == [cell.startswith("%%track base") for cell in cells]
    assert outer[0]["names"] == {"reads": ["x"], "writes": ["x", "y"]} or outer[0]["names"]["writes"] == ["x", "y"]
    assert outer[1]["names"]["writes"] == ["w"]
    assert "x" in outer[1]["names"]["reads"]
    assert outer[6]["names"] == {"reads": ["x"], "writes": ["total"]}
    assert outer[3]["names"] == {"reads": [], "writes": []}
    counts = [past["count"] for past in outer]
    assert counts == list(range(counts[0], counts[0] + len(cells)))
    assert all(past["took"] > 0 and len(past["code"]) == 64 for past in outer)
    assert [past["id"] for past in found] == sorted(past["id"] for past in found)


def test_a_tracked_execution_is_the_one_of_its_run(kernel: Kernel, tmp_path: Path) -> None:
    """One id, one text, one state of the generators, in the session and in the run's record."""
    kernel.run("import numpy as np\nnp.random.seed(4)")
    kernel.run("%%track one\nvalue = np.random.rand()")
    past = next(past for past in listed(kernel) if past["run"])
    kernel.run("recorder.off()")
    (record,) = Store(tmp_path / ".celltrail").records()
    assert (record.executions[0].id, record.executions[0].code) == (past["id"], past["code"])
    assert record.environment["rng"] == past["rng"]
    assert set(past["rng"]) == {"random", "numpy"}


def test_generators_are_looked_at_before_each_cell(kernel: Kernel) -> None:
    """Equal states have one digest; a cell that drew changes that of the next."""
    kernel.run("import random")
    for cell in ("1", "random.random()", "2", "3"):
        kernel.run(cell)
    one, drew, two, three = (past["rng"]["random"] for past in listed(kernel)[1:5])
    assert one == drew != two == three


def test_an_empty_cell_inside_a_cell_ends_nothing(kernel: Kernel, tmp_path: Path) -> None:
    """IPython tells of the end of an empty cell whose beginning it did not tell of."""
    kernel.run("%%track outer\nget_ipython().run_cell('  ')\nget_ipython().run_cell('inside = 1')\nloss = 0.5")
    kernel.run("recorder.off()")
    (record,) = Store(tmp_path / ".celltrail").records()
    assert "loss" in record.params
    found = [(past["source"], past["status"], past["kind"]) for past in listed(kernel)]
    assert [each for each in found if each[2] == "nested"] == [("inside = 1", "ok", "nested")]


def test_a_scratch_leaves_a_tombstone(kernel: Kernel, tmp_path: Path) -> None:
    """Its names are known, its text and its random state are not; cells that it runs are scratch too."""
    kernel.run("%%scratch\nsecret_plan = 'marker-9f2'\nget_ipython().run_cell('%%track inner\\ndeeper = 3')")
    outer, inner = (past for past in listed(kernel) if past["scratch"])
    assert outer["names"]["writes"] == ["secret_plan"]
    assert (outer["source"], outer["rng"], outer["code"]) == (None, {}, "")
    assert (inner["source"], inner["run"], inner["names"]["writes"]) == (None, False, ["deeper"])
    assert not (tmp_path / ".celltrail").exists()


def test_names_of_earlier_cells_are_there_when_asked_for(kernel: Kernel) -> None:
    """`settle` does not wait for the background: it may have much to do."""
    kernel.run("recorder.session._worker.put(lambda: __import__('time').sleep(3))")
    kernel.run("quick = 1")
    reply = kernel.run(
        "import time\nbegan = time.perf_counter()\nsettled = recorder.session.settle(0.5)\n"
        "print(settled, time.perf_counter() - began < 1, [sorted(p.names.writes) for p in recorder.session][-2])"
    )
    assert reply.text.split() == ["True", "True", "['quick']"]


def on_disk(folder: Path) -> list[KernelSession]:
    return list(sessions(folder / ".celltrail"))


def texts(folder: Path, session: KernelSession) -> list[str]:
    blobs = Store(folder / ".celltrail").blobs
    return [blobs.text(each.code) for each in session.executions]


def test_nothing_is_written_before_the_first_run_and_then_all_of_it(kernel: Kernel, tmp_path: Path) -> None:
    """Loading the extension and running cells makes no trail; a run brings what came before it and comes after."""
    kernel.run("import random; before = random.random()")
    kernel.run("recorder.session.wait(20)")
    assert not (tmp_path / ".celltrail").exists()
    kernel.run("%%track base\nscore = before")
    kernel.run("after = score\nafter / 0")
    kernel.run("recorder.off()")
    (session,) = on_disk(tmp_path)
    assert texts(tmp_path, session) == [
        "import random; before = random.random()", "recorder.session.wait(20)", "%%track base\nscore = before",
        "after = score\nafter / 0", "recorder.off()",
    ]  # fmt: skip
    assert [each.status for each in session.executions] == ["ok", "ok", "ok", "error", "ok"]
    assert session.executions[3].error == "ZeroDivisionError"
    assert session.executions[3].names["reads"] == ["score"]
    (record,) = Store(tmp_path / ".celltrail").records()
    assert [each.run for each in session.executions] == [None, None, record.id, None, None]
    assert session.executions[2].id == record.executions[0].id
    assert session.executions[2].code == record.executions[0].code
    assert not session.is_open
    blobs = Store(tmp_path / ".celltrail").blobs
    for each in session.executions:
        assert {library: rng.unpack(blobs.get(digest))[0] for library, digest in each.rng.items()} == {
            "random": "random"
        }


def test_a_run_begun_by_code_brings_its_session_too(kernel: Kernel, tmp_path: Path) -> None:
    """`ct.start()` in a cell without a mark."""
    kernel.run("import celltrail as ct\nwith ct.start('coded') as run:\n    run.log(loss=1)")
    kernel.run("recorder.off()")
    (session,) = on_disk(tmp_path)
    assert [text.splitlines()[0] for text in texts(tmp_path, session)] == ["import celltrail as ct", "recorder.off()"]


def test_secrets_and_scratches_never_reach_the_disk(kernel: Kernel, tmp_path: Path) -> None:
    """Neither the text of a scratch, nor what it prints, nor a key in an untracked cell, before or after a run."""
    key = "sk-proj-abcdefghij0123456789ABCDEFGHIJ"
    kernel.run(f"client = dict(api_key='{key}')")
    kernel.run("%%scratch\nplan = 'marker-77aa'\nprint(plan)\n1/0 if plan == '' else plan")
    kernel.run("%%track one\nloss = 1")
    kernel.run("%%scratch\nplan = 'marker-77aa' * 2")
    kernel.run(f"other = '{key}'")
    kernel.run("recorder.off()")
    found = b"".join(path.read_bytes() for path in (tmp_path / ".celltrail").rglob("*") if path.is_file())
    assert b"marker-77aa" not in found
    assert key.encode() not in found
    (session,) = on_disk(tmp_path)
    assert len(session.executions) == 4


def test_what_ran_before_a_kill_is_there_afterwards(kernel: Kernel, tmp_path: Path) -> None:
    """Cells that were over and the one that ran, a quarter of a second after they began."""
    kernel.run("%%track one\nloss = 1")
    for number in range(5):
        kernel.run(f"x = {number}")
    kernel.client.execute("import time\ntime.sleep(60)")
    time.sleep(1.0)
    kernel.manager.provisioner.process.kill()
    kernel.manager.provisioner.process.wait()
    (session,) = on_disk(tmp_path)
    assert texts(tmp_path, session)[1:] == [*(f"x = {number}" for number in range(5)), "import time\ntime.sleep(60)"]
    assert [each.status for each in session.executions] == ["ok"] * 6 + ["killed"]
    assert not session.is_open


def test_a_forked_child_writes_nothing(kernel: Kernel, tmp_path: Path) -> None:
    """Not even when it runs cells."""
    kernel.run("%%track one\nloss = 1")
    kernel.run(
        "import os, time\npid = os.fork()\nif not pid:\n    get_ipython().run_cell('child = 1')\n    os._exit(0)\n"
        "_ = os.waitpid(pid, 0)"
    )
    kernel.run("parent = 1")
    kernel.run("recorder.off()")
    (session,) = on_disk(tmp_path)
    assert [text.splitlines()[0] for text in texts(tmp_path, session)] == [
        "%%track one", "import os, time", "parent = 1", "recorder.off()",
    ]  # fmt: skip
    assert len(list((tmp_path / ".celltrail" / "kernels" / session.id / "m").iterdir())) == 1


def test_a_trail_that_cannot_be_written_is_one_warning(kernel: Kernel, tmp_path: Path) -> None:
    """The cells are as always, and what waited is written once it can be."""
    kernel.run("%%track one\nloss = 1")
    kernel.run("recorder.session.wait(20)")
    break_it = "recorder.session._keeping._log._log.append = lambda data: (_ for _ in ()).throw(OSError(28, 'full'))"
    replies = [kernel.run("recorder.session.wait(20); real = recorder.session._keeping._log._log.append\n" + break_it)]
    replies += [kernel.run(f"print({number})\nrecorder.session.wait(20)") for number in range(3)]
    assert [reply.status for reply in replies] == ["ok"] * 4
    replies.append(kernel.run("recorder.session._keeping._log._log.append = real"))
    warned = "".join(reply.complaints + "".join(each["text"] for each in reply.late("stream")) for reply in replies)
    assert warned.count("recording had a problem") == 1
    kernel.run("import time; time.sleep(1.1)")
    kernel.run("later = 1")
    kernel.run("recorder.off()")
    (session,) = on_disk(tmp_path)
    found = texts(tmp_path, session)
    assert [text for text in found if text.startswith("print(")] == [
        f"print({number})\nrecorder.session.wait(20)" for number in range(3)
    ]
    assert all(each.status == "ok" for each in session.executions)


def test_a_trail_that_was_deleted_does_not_come_back_by_itself(kernel: Kernel, tmp_path: Path) -> None:
    """Only the next run makes it again, with all that is at hand."""
    kernel.run("%%track one\nloss = 1")
    kernel.run("recorder._settle(); recorder.session.wait(20)")
    shutil.rmtree(tmp_path / ".celltrail")
    kernel.run("x = 1")
    kernel.run("recorder.session.wait(20)")
    assert not (tmp_path / ".celltrail").exists()
    kernel.run("%%track two\nloss = 2")
    kernel.run("recorder.off()")
    (session,) = on_disk(tmp_path)
    assert [text.splitlines()[0] for text in texts(tmp_path, session)] == [
        "%%track one", "recorder._settle(); recorder.session.wait(20)", "x = 1", "recorder.session.wait(20)",
        "%%track two", "recorder.off()",
    ]  # fmt: skip


def test_light_records_can_be_switched_off(kernel: Kernel, tmp_path: Path) -> None:
    """By the trail's setting and by the environment; the session at hand is known all the same."""
    store = Store(tmp_path / ".celltrail")
    store.settings["sessions.kept"] = False
    kernel.run("hidden = 1")
    kernel.run("%%track one\nloss = 1")
    kernel.run("recorder.session.wait(20)")
    store.settings["sessions.kept"] = True
    kernel.run("shown = 1")
    kernel.run("import os; os.environ['CELLTRAIL_OFF'] = '1'")
    kernel.run("off = 1")
    kernel.run("del os.environ['CELLTRAIL_OFF']")
    assert {"hidden = 1", "off = 1"} <= {past["source"] for past in listed(kernel)}
    kernel.run("recorder.off()")
    (session,) = on_disk(tmp_path)
    found = texts(tmp_path, session)
    assert "shown = 1" in found
    assert not {"hidden = 1", "off = 1"} & set(found)


def test_a_thousand_cells_do_not_grow_without_end(kernel: Kernel, tmp_path: Path) -> None:
    """The same cell again costs its two events; memory holds the newest only."""
    kernel.run("%%track one\nloss = 1")
    kernel.run("from celltrail.capture.session import executions as room\nfrom collections import deque")
    kernel.run("recorder.session._executions = deque(recorder.session, maxlen=100)")
    kernel.run("for number in range(1000):\n    get_ipython().run_cell('again = 1')")
    kernel.run("again = 2")
    reply = kernel.run("recorder.session.wait(60); print(len(recorder.session), len(recorder.session._unread))")
    assert reply.text.split() in (["100", "0"], ["100", "1"])
    kernel.run("recorder.off()")
    (session,) = on_disk(tmp_path)
    assert len(session.executions) == 1007
    size = sum(path.stat().st_size for path in (tmp_path / ".celltrail").rglob("*") if path.is_file())
    assert size < 1_500_000


def test_unloading_ends_the_session_and_loading_begins_another(tmp_path: Path) -> None:
    """Nothing is told of what runs in between, and nothing of the session is left in the shell."""
    places = {"CELLTRAIL_STORE": str(tmp_path / ".celltrail"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    kernel = Kernel(tmp_path, places)
    for cell in ("%load_ext celltrail", "%%track one\nloss = 1", "%unload_ext celltrail", "between = 1"):
        assert kernel.run(cell).status == "ok"
    names = "import threading\nprint([each.name for each in threading.enumerate()])"
    assert not {"celltrail-recorder", "celltrail-session"} & set(ast.literal_eval(kernel.run(names).text))
    for cell in ("%load_ext celltrail", "%%track two\nloss = 2"):
        assert kernel.run(cell).status == "ok"
    kernel.run("%unload_ext celltrail")
    kernel.stop()
    later, earlier = on_disk(tmp_path)
    assert texts(tmp_path, earlier) == ["%%track one\nloss = 1", "%unload_ext celltrail"]
    assert texts(tmp_path, later) == ["%%track two\nloss = 2", "%unload_ext celltrail"]
    assert {each.status for each in (*earlier.executions, *later.executions)} == {"ok"}


def test_a_trail_deleted_just_before_a_run_has_the_session_again(kernel: Kernel, tmp_path: Path) -> None:
    """The run that makes the trail anew brings it, without a cell in between."""
    kernel.run("%%track one\nloss = 1")
    kernel.run("recorder._settle(); recorder.session.wait(20)")
    shutil.rmtree(tmp_path / ".celltrail")
    kernel.run("%%track two\nloss = 2")
    kernel.run("recorder.off()")
    (session,) = on_disk(tmp_path)
    assert [text.splitlines()[0] for text in texts(tmp_path, session)] == [
        "%%track one", "recorder._settle(); recorder.session.wait(20)", "%%track two", "recorder.off()",
    ]  # fmt: skip


def test_a_session_follows_its_runs_into_another_trail(kernel: Kernel, tmp_path: Path) -> None:
    """Each trail that has a run of it has all of it, as far as it went; nothing twice."""
    kernel.run("import os; first = os.environ['CELLTRAIL_STORE']")
    for name in ("one", "two", "three"):
        place = "first" if name != "two" else "first + '/../other/.celltrail'"
        kernel.run(f"os.environ['CELLTRAIL_STORE'] = {place}")
        kernel.run(f"%%track {name}\nloss = 1")
    kernel.run("recorder.off()")
    (here,), (there,) = on_disk(tmp_path), list(sessions(tmp_path / "other" / ".celltrail"))
    assert here.id == there.id
    assert len({each.id for each in here.executions}) == len(here.executions) == 8
    assert [each.run is not None for each in there.executions].count(True) == 2
    assert {each.status for each in here.executions} == {"ok"}


def test_cells_of_every_shape_are_kept_as_they_are(kernel: Kernel, tmp_path: Path) -> None:
    """Any script, line ends, a lone surrogate, a null byte, a megabyte, deep nesting."""
    cells = [
        "x = '日本語 🎉'  # ü", "y = 1\r\nz = 2\r\n", "\n\n   \n", "s = 'a\\ud800b'", "bad = '\x00'",
        "big = '" + "x" * 1_500_000 + "'", "deep = " + "(" * 150 + "1" + ")" * 150, "%%html\n<b>x</b>", "?print",
    ]  # fmt: skip
    kernel.run("%%track one\nloss = 1")
    for cell in cells:
        kernel.run(cell)
    assert kernel.run("recorder.session.wait(30); print(recorder._complained)").text == "False\n"
    kernel.run("recorder.off()")
    (session,) = on_disk(tmp_path)
    found = texts(tmp_path, session)
    assert found[1:-2] == [cell for cell in cells if cell.strip()]


def test_cells_on_another_thread_have_their_own_place(kernel: Kernel) -> None:
    """A cell that runs beside another one, as in a subshell, is not nested in it."""
    kernel.run(
        "import threading, time\n"
        "def beside(): get_ipython().run_cell('time.sleep(0.1); aside = 1')\n"
        "thread = threading.Thread(target=beside); thread.start(); time.sleep(0.05)\n"
        "get_ipython().run_cell('inner = 1'); thread.join()"
    )
    found = {past["source"].splitlines()[0]: past["kind"] for past in listed(kernel)}
    assert found["time.sleep(0.1); aside = 1"] == "cell"
    assert found["inner = 1"] == "nested"


def test_a_log_of_others_is_read_without_harm(tmp_path: Path) -> None:
    """Events that tell nothing of use are passed over, damage costs what it touches, other folders are no sessions."""
    store = Store(tmp_path / ".celltrail")
    with start("one", store=store):
        pass
    id_ = new_id()
    log = SessionLog(store.root, id_, 5)
    good: dict[str, Any] = {
        "id": new_id(), "n": 1, "cell": None, "notebook": None, "nested": False, "started": 7, "code": "", "run": None,
        "rng": {},
    }  # fmt: skip
    wrongs: list[dict[str, Any]] = [{}, {**good, "id": 7}, {**good, "id": "../../x"}, {**good, "started": "soon"}]
    for wrong in wrongs:
        log.event("execution", **wrong)
    log.event("executed", id="unknown", status="ok")
    log.event("execution", **good)
    log.event("executed", id=good["id"], status="ok", ended=9, error="", names={"reads": 3})
    log.event("something", other=1)
    log.close("finished")
    (store.root / "kernels" / "foreign").mkdir()
    with open(next((store.root / "kernels" / id_ / "m").iterdir()), "ab") as file:
        file.write(b"\x00" * 50)
    (session,) = sessions(store.root)
    assert [each.id for each in session.executions] == [good["id"]]
    assert (session.id, session.started_us, session.executions[0].status) == (id_, 5, "killed")
