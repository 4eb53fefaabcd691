"""Every hook of celltrail's made to raise in turn: the user's cell does not notice.

The faults are put in from outside, by a cell, into the functions of a real kernel; each also counts how often it
was met, so that no line of the table tests nothing. What the shield guards is found in the source, so that a part
added later cannot be forgotten.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import celltrail
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

def unguard(module, first, end):
    import importlib, sys
    owner = importlib.import_module("celltrail." + module)
    before = owner.shield
    hits = []
    def broken():
        hits.append(1)
        raise RuntimeError(f"injected into {module}:{first}")
    def shield(function, /, *args, **kw):
        if first <= sys._getframe(1).f_lineno <= end:
            return before(broken)
        return before(function, *args, **kw)
    owner.shield = shield
    return hits, lambda: setattr(owner, "shield", before)
"""
# module, function, and whether its run can keep the problem (there is one, and its own keeping is not what is broken)
FAULTS: list[tuple[str, str, bool]] = [
    ("capture.recorder", "read", False),
    ("capture.beginning", "expand", False),
    ("capture.beginning", "locate", False),
    ("capture.beginning", "Store", False),
    ("capture.beginning", "start", False),
    ("capture.recorder", "Recorder._is_run", False),
    ("capture.recorder", "Recorder._begin", False),
    ("capture.outputs.listening", "Listening.begin", False),
    ("capture.recorder", "Recorder._after_tracked", False),
    ("capture.recorder", "Tracked.examine", True),
    ("capture.recorder", "Tracked.end", True),
    ("capture.recorder", "Tracked.close", False),
    ("capture.recorder", "Tracked.describe_start", True),
    ("capture.recorder", "Watcher.open", True),
    ("capture.recorder", "Watcher.close", True),
    ("capture.recorder", "Watcher.drain", False),
    ("capture.outputs.listening", "unframe", False),
    ("capture.beginning", "environment.notebook", False),
    ("capture.recorder", "rng.take", False),
    ("capture.session.executions", "Session.begin", False),
    ("capture.session.executions", "Session.end", False),
    ("capture.session.executions", "Session.track", False),
    ("capture.tracked", "analyze", True),
    ("capture.watching", "watch.insert", True),
    ("capture.watching", "watch_names.metric_names", True),
    ("capture.watching", "swap", True),
    ("capture.tracked", "Found.before", True),
    ("capture.tracked", "Found.after", True),
    ("capture.tracked", "environment.software", True),
    ("capture.tracked", "environment.hardware", True),
    ("capture.tracked", "rng.pack", True),
    ("capture.already", "Already.meet", True),
    ("capture.already", "_refresh", False),
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
# what a cell must do so that a fault is met; the ticking is that of the recorder's thread while a cell runs
DOING: dict[tuple[str, str], str] = {
    ("capture.recorder", "Watcher.drain"): "\ntime.sleep(3 * TICK_S)",
    ("capture.recorder", "tracked.economise"): "\ntime.sleep(3 * TICK_S)",
    ("capture.worker", "self._tick"): "\ntime.sleep(3 * TICK_S)",
    ("run.recording", "Run.describe"): "\ntime.sleep(3 * TICK_S)",  # of a run that is over nothing is told twice
    ("capture.worker", "due[1]"): "\nrecorder._worker._due = 0.0, recorder._unsynced.sync",
    ("capture.files.openings", "_tell_mentioned"): """
pq.write_table(pa.table({"a": [1]}), "kept.parquet")
pq.ParquetFile("kept.parquet").close()
""",
    ("capture.files.openings", "_tell_saved"): "\nimport joblib\njoblib.dump([1], 'kept.joblib')",
    ("capture.files.openings", "collector.moved"): "\nimport os\nos.chdir('.')",
    **dict.fromkeys(
        [("capture.files.openings", "_tell_opened"), ("capture.files", "Files.opened")],
        "\nfrom pathlib import Path\nPath('kept.txt').write_text('text')",
    ),
    ("capture.script", "_around"): "\nct.start('by hand').finish()",
    ("capture.script", "_describe"): "\nct.start('by hand').finish()",
    ("capture.threads", "Carried"): "\nwith ThreadPoolExecutor(1) as pool:\n    pool.submit(int).result()",
    ("capture.watching", "swapped.undo"): "\nearlier()",
    ("capture.watch.points", "keep"): """
while not (mse := True):
    pass
held = SimpleNamespace()
for k in range(2):
    held.loss = k == 1
""",
    ("capture.watch.points", "_stored"): "\nheld = SimpleNamespace()\nfor k in range(2):\n    held.loss = k / 2",
    ("capture.watch.points", "self._forward"): """
if "later" in globals():
    later()
def later():
    for k in range(2):
        mse = k / 2
""",
    **dict.fromkeys(
        [("capture.calls", name) for name in ("_begun", "_ended", "around", "call")],
        "\nLinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])",
    ),
    ("capture.already", "_refresh"): "\nfor trail in recorder._already._trails.values(): trail.looked = 0.0",
    ("capture.recorder", "self._end"): "\nrecorder.off()\nrecorder.on()",
    ("capture.recorder", "self._state.start"): "\nrecorder.off()\nrecorder.on()",
}
# guarded calls that no cell of this kernel reaches, and why
ELSEWHERE = {
    ("capture.autolog", "put_back"): "only when a plug-in is switched off",
    ("capture.tracked", "self.run.learn"): "only after another guarded call has raised",
    ("capture.recorder", "sweep.visit"): "only in a cell that is swept, below",
    ("capture.recorder", "stream.flush"): "only in a cell that is swept, below",
    ("capture.tracked", "self.run.describe"): "only while a large file is still being hashed",
}
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
BEFORE = """
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
import pyarrow as pa, pyarrow.parquet as pq
from sklearn.linear_model import LinearRegression
import celltrail as ct
from celltrail.capture.worker import TICK_S
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
    kernel.run(INJECT + BEFORE, silent=True)
    assert kernel.run("%load_ext celltrail").status == "ok"
    kernel.run("def earlier():\n    for j in range(3):\n        mse = j / 2")
    kernel.run("from celltrail.magic import _loaded\nrecorder = next(iter(_loaded.values())).recorder", silent=True)
    yield kernel, Store(folder / ".celltrail")
    kernel.stop()


@pytest.mark.parametrize(("module", "name", "keeps"), FAULTS, ids=[f"{m}:{n}" for m, n, _ in FAULTS])
def test_a_fault_anywhere_leaves_the_cell_as_it_is(
    kernel: tuple[Kernel, Store], module: str, name: str, keeps: bool
) -> None:
    """Result, outputs, reply and exception of the cell stay; one warning; the next cell is recorded as ever."""
    problems = _cells_with(kernel, f"inject('{module}', '{name}')", DOING.get((module, name), ""))
    if keeps:
        assert any("injected" in problem for problem in problems), name


def _guarded() -> list[tuple[str, int, int, str]]:
    """Every call that the shield guards: module, first and last line, and what is called."""
    house = Path(celltrail.__file__).parent
    found = []
    for path in sorted((house / "capture").rglob("*.py")):
        parts = path.relative_to(house).with_suffix("").parts
        module = ".".join(part for part in parts if part != "__init__")
        found += [
            (module, node.lineno, node.end_lineno or node.lineno, ast.unparse(node.args[0]))
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "shield"
        ]
    return found


def _handed_on() -> set[tuple[str, str]]:
    """The shield where it is not called but given to something that will: module, and what it will guard."""
    house = Path(celltrail.__file__).parent
    found = set()
    for path in sorted((house / "capture").rglob("*.py")):
        parts = path.relative_to(house).with_suffix("").parts
        module = ".".join(part for part in parts if part != "__init__")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                given = [*node.args, *(keyword.value for keyword in node.keywords)]
                names = [ast.unparse(each) for each in given]
                if "shield" in names:
                    guarded = given[names.index("shield") + 1]
                    found.add((module, ast.unparse(guarded.elts[0] if isinstance(guarded, ast.Tuple) else guarded)))
    return found


GUARDED = [site for site in _guarded() if (site[0], site[3]) not in ELSEWHERE]
# which line of FAULTS makes it raise
HANDED_ON = {
    ("capture.session.executions", "self._arrived"): None,  # in a kernel of its own, below
    ("capture.already", "_refresh"): ("capture.already", "_refresh"),
    ("capture.autolog", "begin"): None,  # the same
    ("capture.autolog", "function"): None,  # only a plug-in's library calls it: test_autolog.py
    ("capture.autolog", "self._begin"): None,  # only when a plug-in begins: test_autolog.py
}


@pytest.mark.parametrize(("module", "first", "end", "name"), GUARDED, ids=[f"{m}:{n}" for m, _, _, n in GUARDED])
def test_whatever_the_shield_guards_may_raise(
    kernel: tuple[Kernel, Store], module: str, first: int, end: int, name: str
) -> None:
    """Each guarded call in turn raises in place of doing its work: the cell stays as it is, one warning in all."""
    _cells_with(kernel, f"unguard('{module}', {first}, {end})", DOING.get((module, name), ""))


@pytest.mark.parametrize(("name", "others"), [("sweep.visit", "3,4"), ("stream.flush", "5,6")])
def test_a_sweep_under_a_fault(kernel: tuple[Kernel, Store], name: str, others: str) -> None:
    """The cell runs, once at least, and the next sweep goes through all of its trials."""
    shell, _ = kernel
    _, first, end, _ = next(site for site in _guarded() if (site[0], site[3]) == ("capture.recorder", name))
    swept = "%%track --no-chart --if-same off --sweep size=1,2\nsize = 1\nprint('size', size)"
    shell.run(f"recorder._complained = False\nhits, mend = unguard('capture.recorder', {first}, {end})", silent=True)
    try:
        under = shell.run(swept)
    finally:
        hits = shell.run("mend()\nprint(len(hits))", silent=True).text
    assert int(hits) > 0
    assert under.status == "ok", under.content
    assert "size 1" in under.text
    after = shell.run(swept.replace("1,2", others))  # none that ran before: what is done is not done again
    assert after.status == "ok", after.content
    assert [f"size {size}" in after.text for size in others.split(",")] == [True, True]


def test_a_generator_that_comes_into_being_under_a_fault(tmp_path: Path) -> None:
    """The import that makes it goes on, in a kernel that has not drawn from NumPy yet."""
    store = Store(tmp_path / ".celltrail")
    shell = Kernel(tmp_path, {"CELLTRAIL_STORE": str(store.root), "CELLTRAIL_QUIET": "1"})
    shell.run(INJECT + "hits, mend = inject('capture.session.executions', 'Session._arrived')", silent=True)
    assert shell.run("%load_ext celltrail\nimport sys\nassert 'numpy.random' not in sys.modules").status == "ok"
    reply = shell.run("%%track drawn\nimport numpy as np\nx = np.random.default_rng(3).integers(5)\nprint(x)")
    assert (reply.status, reply.text) == ("ok", "4\n")
    assert reply.complaints.count("celltrail: ") <= 1
    assert shell.run("print(len(hits))", silent=True).text == "1\n"
    shell.stop()
    assert [record.status for record in store.records()] == ["finished"]


def test_every_shield_that_is_handed_on_is_made_to_raise_too() -> None:
    """A new one is not forgotten, and none that is gone stays in the list."""
    assert _handed_on() == set(HANDED_ON)
    met = {(module, name) for module, name, _ in FAULTS}
    assert all(where is None or where in met for where in HANDED_ON.values())


def test_what_is_told_of_guarded_calls_is_of_some() -> None:
    """Each call left out here, or met in a way of its own, is one that the source still has."""
    guarded = {(module, name) for module, _, _, name in _guarded()}
    assert guarded >= ELSEWHERE.keys()
    assert guarded | {(module, name) for module, name, _ in FAULTS} >= DOING.keys()


def _cells_with(kernel: tuple[Kernel, Store], fault: str, doing: str = "") -> list[str]:
    """A good, a bad and an untracked cell under a fault, and one after it; the problems their runs keep."""
    shell, store = kernel
    known = {record.id for record in store.records()}
    reply = shell.run(f"recorder._complained = False\nhits, mend = {fault}", silent=True)
    assert reply.status == "ok", reply.content
    try:
        good = shell.run("%%track broken" + doing + CELL)
        bad = shell.run("%%track broken" + doing + CELL + "\n1 / 0")
        shell.run(SETTLE, silent=True)
        plain = shell.run(doing + CELL)
        shell.run(SETTLE, silent=True)
    finally:
        hits = shell.run("mend()\nprint(len(hits))", silent=True).text
    for reply in (plain, good):
        assert reply.status == "ok", reply.content
        assert reply.text == "fine 4\n"
        assert reply.of("execute_result")[0]["data"]["text/plain"] == "0"
    assert (bad.status, bad.content["ename"], bad.text) == ("error", "ZeroDivisionError", "fine 4\n"), bad.content
    assert not any("celltrail" in line for line in bad.content["traceback"])
    assert int(hits) > 0, "the fault was never met: it is in nobody's way"
    complaints = good.complaints + bad.complaints + plain.complaints
    assert complaints.count("celltrail: ") <= 1, complaints
    assert complaints.strip().count("\n") <= 2, complaints
    new = [record for record in store.records() if record.id not in known]
    after = shell.run("%%track after" + CELL)
    shell.run(SETTLE, silent=True)
    assert (after.status, after.complaints) == ("ok", "")
    newest = store.records()[0]
    assert (newest.name, newest.status, newest.problems) == ("after", "finished", ())
    assert newest.metrics["loss"].count == 3
    return [problem for record in new for problem in record.problems]
