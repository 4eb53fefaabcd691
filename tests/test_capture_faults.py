"""Every hook of celltrail's made to raise in turn: the user's cell does not notice.

The faults are put in from outside, by a cell, into the functions of a real kernel; each also counts how often it
was met, so that no line of the table tests nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from celltrail.store import Store
from kernels import SETTLE, Kernel

INJECT = """
def inject(module, dotted, stays=False):
    import importlib, inspect
    owner = importlib.import_module("celltrail." + module)
    *way, last = dotted.split(".")
    for name in way:
        owner = getattr(owner, name)
    before = inspect.getattr_static(owner, last)
    hits = []
    def broken(*args, **kw):
        hits.append(1)
        raise RuntimeError("injected into " + dotted)
    setattr(owner, last, staticmethod(broken) if isinstance(before, staticmethod) else broken)
    return hits, lambda: setattr(owner, last, before)
"""
# module, function, and whether its run can keep the problem (there is one, and its own keeping is not what is broken)
FAULTS: list[tuple[str, str, bool]] = [
    ("capture.recorder", "read", False),
    ("capture.recorder", "expand", False),
    ("capture.recorder", "locate", False),
    ("capture.recorder", "Store", False),
    ("capture.recorder", "start", False),
    ("capture.recorder", "Recorder._is_run", False),
    ("capture.recorder", "Recorder._begin", False),
    ("capture.recorder", "Recorder._listen", False),
    ("capture.recorder", "Recorder._after_tracked", False),
    ("capture.recorder", "Tracked.examine", True),
    ("capture.recorder", "Tracked.end", True),
    ("capture.recorder", "Tracked.close", False),
    ("capture.recorder", "Tracked.describe_start", True),
    ("capture.recorder", "Watcher.open", True),
    ("capture.recorder", "Watcher.close", True),
    ("capture.recorder", "Watcher.drain", False),
    ("capture.recorder", "unframe", False),
    ("capture.recorder", "environment.notebook", False),
    ("capture.recorder", "rng.take", False),
    ("capture.session.executions", "Session.begin", False),
    ("capture.session.executions", "Session.end", False),
    ("capture.session.executions", "Session.track", False),
    ("capture.tracked", "analyze", True),
    ("capture.tracked", "watch.insert", True),
    ("capture.tracked", "watch.metric_names", True),
    ("capture.tracked", "swap", True),
    ("capture.tracked", "Found.before", True),
    ("capture.tracked", "Found.after", True),
    ("capture.tracked", "environment.software", True),
    ("capture.tracked", "environment.hardware", True),
    ("capture.tracked", "rng.pack", True),
    ("capture.already", "Already.meet", True),
    ("capture.analyze.keys", "recipe", False),
    ("capture.watch.points", "keep", True),
    ("capture.watch.points", "Points._write", True),
    ("capture.watch.columns", "rows", True),
    ("capture.outputs", "Outputs.stream", True),
    ("capture.outputs", "Outputs.message", True),
    ("capture.outputs", "Outputs.records", True),
    ("capture.redact", "Redactor.text", False),
    ("capture.redact", "Redactor.value", True),
    ("capture.redact", "Redactor.learn_environment", False),
    ("capture.threads", "Carried.__init__", False),
    ("capture.files", "Files.opened", False),
    ("capture.files.openings", "Openings.begin", False),
    ("capture.files.openings", "Openings.end", False),
    ("store.blobs", "Blobs.put", False),
    ("store.files.disk", "write_new", False),
    ("run.recording", "Run.finish", False),
    ("run.recording", "Run.describe", False),
    ("magic", "Extension._place_chart", False),
    ("panels.live", "Live.show", False),
    ("panels.live", "Live._retire", False),
    ("panels.chart", "LiveChart.show", False),
]
CELL = """
import threading
x = 0
def step(n):
    return n * 2
with open("kept.txt", "w") as file:
    file.write("text")
thread = threading.Thread(target=step, args=(3,))
thread.start()
thread.join()
for i in range(3):
    loss = step(i)
    acc = str(i)
print("fine", loss)
x
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kernel, Store]]:
    folder = tmp_path_factory.mktemp("faults")
    environment = {
        "CELLTRAIL_STORE": str(folder / ".celltrail"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "CELLTRAIL_QUIET": "1",
    }
    kernel = Kernel(folder, environment)
    kernel.run(INJECT, silent=True)
    assert kernel.run("%load_ext celltrail").status == "ok"
    kernel.run("from celltrail.magic import _loaded\nrecorder = next(iter(_loaded.values())).recorder", silent=True)
    yield kernel, Store(folder / ".celltrail")
    kernel.stop()


@pytest.mark.parametrize(("module", "name", "keeps"), FAULTS, ids=[f"{m}:{n}" for m, n, _ in FAULTS])
def test_a_fault_anywhere_leaves_the_cell_as_it_is(
    kernel: tuple[Kernel, Store], module: str, name: str, keeps: bool
) -> None:
    """Result, outputs, reply and exception of the cell stay; one warning; the next cell is recorded as ever."""
    shell, store = kernel
    known = {record.id for record in store.records()}
    setup = f"recorder._complained = False\nhits, mend = inject('{module}', '{name}')"
    reply = shell.run(setup, silent=True)
    assert reply.status == "ok", reply.content
    try:
        good = shell.run("%%track broken" + CELL)
        bad = shell.run("%%track broken" + CELL + "\n1 / 0")
        shell.run(SETTLE, silent=True)
    finally:
        hits = shell.run("mend()\nprint(len(hits))", silent=True).text
    assert good.status == "ok", good.content
    assert good.text == "fine 4\n"
    assert good.of("execute_result")[0]["data"]["text/plain"] == "0"
    assert (bad.status, bad.content["ename"], bad.text) == ("error", "ZeroDivisionError", "fine 4\n"), bad.content
    assert not any("celltrail" in line for line in bad.content["traceback"])
    assert int(hits) > 0, "the fault was never met: it is in nobody's way"
    warnings = (good.complaints + bad.complaints).count("celltrail: ")
    assert warnings <= 1, good.complaints + bad.complaints
    assert (good.complaints + bad.complaints).strip().count("\n") <= 2, good.complaints + bad.complaints
    new = [record for record in store.records() if record.id not in known]
    if keeps:
        assert any("injected" in problem for record in new for problem in record.problems), name
    after = shell.run("%%track after" + CELL)
    shell.run(SETTLE, silent=True)
    assert (after.status, after.complaints) == ("ok", "")
    newest = store.records()[0]
    assert (newest.name, newest.status, newest.problems) == ("after", "finished", ())
    assert newest.metrics["loss"].count == 3
