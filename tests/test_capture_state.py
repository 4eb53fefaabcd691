"""The state a run begins with: what other runs left in it, hidden state, and the record of the slice."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from celltrail.capture.analyze.effects import Effects
from celltrail.capture.lineage import History
from celltrail.capture.lineage.edges import is_model, is_quiet
from celltrail.capture.lineage.flags import Version, flags
from celltrail.capture.lineage.state import identities
from celltrail.capture.session.document import Document, source_hash
from celltrail.capture.values.variables import Variables
from celltrail.cli import main
from celltrail.query import StoredRun, runs
from celltrail.query.executions import executions
from celltrail.run import start
from celltrail.store import Store
from kernels import SETTLE, Kernel

SETUP = """
%load_ext celltrail
import numpy as np, random
class Net:
    def __init__(self): self.w = np.zeros(2)
    def fit(self, X, lr=0.1):
        for x in X: self.w = self.w + lr * x
        return self
    def predict(self, X): return [float(self.w.sum()) * x for x in X]
class Opt:
    def __init__(self, model): self.model = model
    def step(self): self.model.w = self.model.w + 1
def train(model, X):
    for x in X: model.fit([x])
def evaluate(model, X): return sum(model.predict(X))
"""

# cells of one session; the last is the run that is asked about: name in the warning, or "" for none
CONTAMINATED = {
    "trained twice": (
        ["X = [1, 2]", "model = Net()", "%%track A\nmodel.fit(X)", "%%track B\nmodel.fit(X)"], "`model`", ["continues"],
    ),
    "changed in place": (
        ["X = np.ones(3)", "%%track A\nX *= 2\na = X.sum()", "%%track B\nb = X.sum()"], "`X`", ["continues"],
    ),
    "bound anew from itself": (
        ["df = [1, 2, 3]", "%%track A\ndf = df[1:]\na = len(df)", "%%track B\nb = len(df)"], "`df`", ["continues"],
    ),
    "by another name": (
        ["X = [1]", "model = Net()", "m2 = model", "%%track A\nm2.fit(X)", "%%track B\nmodel.fit(X)"],
        "`model`",
        ["continues"],
    ),
    "rebuilt between": (
        ["X = [1]", "model = Net()", "%%track A\nmodel.fit(X)", "model = Net()", "%%track B\nmodel.fit(X)"], "", [],
    ),
    "made by one, evaluated by the other": (
        ["X = [1]", "%%track A\nmodel = Net().fit(X)", "%%track B\nscore = evaluate(model, X)"], "", ["uses"],
    ),
    "only chance is shared": (
        ["rng = np.random.default_rng(0)", "%%track A\na = rng.normal()", "%%track B\nb = rng.normal()"], "", [],
    ),
    "one only predicts": (
        ["X = [1]", "model = Net()", "%%track A\na = model.predict(X)", "%%track B\nb = model.predict(X)"], "", [],
    ),
    "trained by a function": (
        ["X = [1]", "model = Net()", "%%track A\ntrain(model, X)", "%%track B\ntrain(model, X)"],
        "`model`",
        ["continues"],
    ),
    "what an optimizer holds": (
        ["model = Net()", "opt = Opt(model)", "%%track A\nopt.step()", "%%track B\nopt.step()\nw = model.w"],
        "`model` and `opt`",
        ["continues", "continues"],
    ),
    "changed by a run that failed": (
        ["X = np.ones(3)", "%%track A\nX += 1\n1 / 0", "%%track B\nb = X.sum()"], "`X`", ["continues"],
    ),
    "changed by a run, then by a cell": (
        ["X = [1]", "%%track A\nX.append(2)", "X.append(3)", "%%track B\nX.append(len(X))"], "`X`", ["continues"],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kernel, Store]]:
    folder = tmp_path_factory.mktemp("state")
    store = Store(folder / ".celltrail")
    kernel = Kernel(folder, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(folder / "cache")})
    kernel.run(SETUP)
    kernel.run("import celltrail.magic as _m\n_r = next(iter(_m._loaded.values())).recorder")
    yield kernel, store
    kernel.stop()


def settle(kernel: Kernel) -> None:
    kernel.run(SETTLE.replace("recorder", "_r") + "\n_r.session.wait(5)")


def newest(store: Store, name: str = "B") -> StoredRun:
    return next(run for run in runs(store=store) if run.name == name)


def test_what_is_set_between_cells_is_no_runs_doing(session: tuple[Kernel, Store]) -> None:
    """As by the callback of a widget: the run that met it first did not change it, and says where it is not from."""
    kernel, store = session
    kernel.run(
        "import threading\ndef use(): return slid * 2\nlater = threading.Timer(0.3, lambda: globals().update(slid=3))"
    )
    kernel.run("later.start()")
    time.sleep(1)
    replies = [kernel.run(f"%%track {name}\nfound = use()") for name in ("slid-first", "slid-then")]
    settle(kernel)
    assert [reply.complaints for reply in replies] == ["", ""]
    for name in ("slid-first", "slid-then"):
        needs = runs(f"name == {name!r}", store=store)[0].needs
        assert needs["edges"] == []
        assert [flag["text"] for flag in needs["flags"]] == ["no recorded cell made `slid`"]


@pytest.mark.parametrize("case", CONTAMINATED)
def test_a_run_that_starts_from_what_another_changed_is_told_so(session: tuple[Kernel, Store], case: str) -> None:
    """The object and the run by name, before the cell's own output; and nothing where nothing is wrong."""
    kernel, store = session
    cells, name, kinds = CONTAMINATED[case]
    replies = [kernel.run(cell) for cell in cells]
    settle(kernel)
    said = replies[-1].complaints
    assert all(not reply.complaints for reply in replies[:-1])
    assert (f"starts from {name} as " in said and "by run 'A';" in said) == bool(name), said
    if not name:
        assert not said
    edges = newest(store).lineage.edges
    assert [edge["kind"] for edge in edges] == kinds
    assert {edge["run"] for edge in edges} <= {newest(store, "A").id}
    assert ("run" in newest(store).record.environment["state"]["flags"].split(", ")) == ("continues" in kinds)


NEGATIVES = [
    # the same run again over what it makes itself
    ["X = [1]", "%%track A\nm = Net()\nm.fit(X)", "%%track B\nm = Net()\nm.fit(X)"],
    ["%%track A\nx = np.zeros(3)\nx += 1", "%%track B\nx = np.zeros(3)\nx += 1"],
    ["%%track A\nloss = 1.0\nfor i in range(3): loss *= 0.9", "%%track B\nloss = 1.0\nfor i in range(3): loss *= 0.9"],
    ["%%track A\nfor i in range(3): total = i", "%%track B\nfor i in range(3): total = i\nprint(total)"],
    ["%%track A\nbest = min(3, 4)", "%%track B\nbest = min(2, 3)"],
    # reading data
    ["X = np.ones(4)", "%%track A\na = X.mean()", "%%track B\nb = X.mean()"],
    ["X = np.ones(4)", "%%track A\na = np.mean(X)\nnp.sort(X)", "%%track B\nb = X * 2"],
    ["X = np.ones(4)", "%%track A\nY = X * 2\nY += 1", "%%track B\nb = X.sum()"],
    ["X = [3, 1]", "%%track A\na = sorted(X)", "%%track B\nb = sorted(X)"],
    ["X = [3, 1]", "%%track A\nfor x in X: y = x", "%%track B\nb = len(X)"],
    ["d = {'lr': 1}", "%%track A\na = d['lr']", "%%track B\nb = d.get('lr')"],
    ["import pandas as pd\ndf = pd.DataFrame(dict(a=[1]))", "%%track A\na = df.a.mean()", "%%track B\nb = df.sum()"],
    ["df = pd.DataFrame({'a': [1, 2]})", "%%track A\ng = df.assign(b=1)\ng['c'] = 2", "%%track B\nb = df.a.sum()"],
    ["df = pd.DataFrame({'a': [1, 2]})", "%%track A\nd2 = df[df.a > 1].copy()\nd2['z'] = 0", "%%track B\nb = len(df)"],
    ["X = [1]; m = Net()", "%%track A\nm2 = Net()\nm2.fit(X)", "%%track B\nm.predict(X)"],
    # data that models are given
    ["X = np.ones(2)", "%%track A\nNet().fit(X)", "%%track B\nNet().fit(X)"],
    ["X = np.ones(2)", "%%track A\ntrain(Net(), X)", "%%track B\ntrain(Net(), X)"],
    ["X = np.ones(2); m = Net().fit(X)", "%%track A\na = evaluate(m, X)", "%%track B\nb = evaluate(m, X)"],
    ["X = np.ones(2); m = Net()", "%%track A\nm.fit(X)", "%%track B\nb = m.predict(X)"],
    ["X = np.ones(2); m = Net()", "%%track A\ntrain(m, X)", "%%track B\nb = evaluate(m, X)"],
    # results gathered over runs
    ["results = []", "%%track A\nresults.append(1)", "%%track B\nresults.append(2)"],
    ["results = {}", "%%track A\nresults['a'] = 1", "%%track B\nresults['b'] = 2"],
    ["results = {}", "%%track A\nresults['a'] = 1", "%%track B\nbest = max(results.values())"],
    ["results = []", "def keep(v): results.append(v)", "%%track A\nkeep(1)", "%%track B\nkeep(2)"],
    # what changes when it is used
    ["gen = random.Random(1)", "%%track A\na = gen.random()", "%%track B\nb = gen.random()"],
    ["np.random.seed(1)", "%%track A\na = np.random.rand()", "%%track B\nb = np.random.rand()"],
    ["import logging\nlog = logging.getLogger('x')", "%%track A\nlog.info('a')", "%%track B\nlog.info('b')"],
    ["import io\nout = io.StringIO()", "%%track A\nout.write('a')", "%%track B\nout.write('b')"],
    ["import collections, math", "%%track A\nmath.sqrt(2)", "%%track B\nmath.sqrt(2)"],
    # bound anew from something else
    ["lr = 0.1", "%%track A\na = lr * 2", "%%track B\nb = lr * 2"],
    ["lr = 0.1", "%%track A\nlr = 0.5\na = lr", "lr = 0.1", "%%track B\nb = lr"],
    ["X = [1]", "%%track A\nX.append(2)", "X = [1]", "%%track B\nX.append(3)"],
    ["X = np.ones(2)", "%%track A\nX += 1", "X = np.ones(2)", "%%track B\nb = X.sum()"],
    ["def f(v): return v + 1", "%%track A\na = f(1)", "%%track B\nb = f(2)"],
    ["cfg = dict(lr=1)", "%%track A\nc = dict(cfg, lr=2)\nc['x'] = 1", "%%track B\nb = cfg['lr']"],
    ["X = [1, 2]", "%%track A\nimport copy\nZ = copy.deepcopy(X)\nZ.append(3)", "%%track B\nb = len(X)"],
]  # fmt: skip


def test_thirty_sessions_in_which_nothing_is_wrong_get_no_warning(session: tuple[Kernel, Store]) -> None:
    """A false warning is worse than a missed one."""
    kernel, _ = session
    assert len(NEGATIVES) >= 30
    wrong = [(cells, said) for cells in NEGATIVES for cell in cells if (said := kernel.run(cell).complaints)]
    assert wrong == []


LOOKED_AT = {
    "it was looked at, and is the same": (
        ["X = [1, 2]", "%%track A\na = len(X)", "h.use(X)", "%%track B\nb = len(X)"], {"X": "bound"},
    ),
    "it was looked at, and is another": (
        ["X = [1, 2]", "%%track A\na = len(X)", "h.spoil(X)", "%%track B\nb = len(X)"], {"X": "changed"},
    ),
    "nobody looked at it before": (["X = [1, 2]", "h.use(X)", "%%track B\nb = len(X)"], {"X": "maybe"}),
    "it is another object since": (
        ["X = [1, 2]", "%%track A\na = len(X)", "X = [1, 2]", "h.use(X)", "%%track B\nb = len(X)"], {"X": "maybe"},
    ),
    "two that cancel each other are both needed": (
        ["X = [1, 2]", "%%track A\na = len(X)", "h.spoil(X)", "X.pop()", "%%track B\nb = len(X)"], {"X": "changed"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LOOKED_AT)
def test_what_a_call_may_have_changed_is_decided_by_what_was_seen(session: tuple[Kernel, Store], case: str) -> None:
    """The cell between two runs hands their data to a method: what they read before and after it tells."""
    kernel, store = session
    cells, why = LOOKED_AT[case]
    kernel.run("class Holder:\n    def use(self, rows): return len(rows)\n    def spoil(self, rows): rows.append(3)")
    kernel.run("h = Holder()")
    for cell in cells:
        assert kernel.run(cell).status == "ok"
    settle(kernel)
    told = [step.why for step in newest(store).lineage.slice if "X" in step.why]
    assert told[-1] == why
    assert len(told) == (3 if case.startswith("two") else 1 if why["X"] == "bound" else 2)


def test_whoever_goes_on_on_purpose_says_so_and_is_not_warned(session: tuple[Kernel, Store]) -> None:
    """The edge and the flag are there all the same."""
    kernel, store = session
    for cell in ("X = [1]\nmodel = Net()", "%%track A\nmodel.fit(X)"):
        kernel.run(cell)
    assert not kernel.run("%%track B --continues\nmodel.fit(X)").complaints
    settle(kernel)
    edge = newest(store).lineage.edges[0]
    assert (edge["name"], edge["kind"], edge["run"]) == ("model", "continues", newest(store, "A").id)


def test_the_warning_names_the_cells_for_a_clean_start(session: tuple[Kernel, Store]) -> None:
    """Those that made the object, without the runs that changed it."""
    kernel, _ = session
    first = kernel.run("raw = [3, 1, 2]").content["execution_count"]
    kernel.run("raw = sorted(raw)")
    kernel.run("%%track A\nraw[0] = 9\na = raw[0]")
    said = kernel.run("%%track B\nb = raw[0]").complaints
    assert f"rerun [{first}] [{first + 1}] first" in said


def test_a_run_keeps_its_slice_with_its_code_and_reasons(session: tuple[Kernel, Store]) -> None:
    """Also the code of a cell that holds a secret, without the secret; and celltrail show has the state."""
    kernel, store = session
    kernel.run("api_key = 'sk-live-0123456789abcdef0123456789abcdef'\nscale = 2")
    kernel.run("junk = 1")
    kernel.run("def f(v): return v * scale")
    kernel.run("%%track C\ny = f(21)")
    settle(kernel)
    lineage = newest(store, "C").lineage
    assert [(step.why, "api_key" in step.code) for step in lineage.slice] == [
        ({"scale": "bound"}, True),
        ({"f": "bound"}, False),
    ]
    assert "0123456789abcdef" not in lineage.slice[0].code
    assert lineage.parents["scale"] == lineage.slice[0].execution
    assert len(lineage.full) > len(lineage.slice)
    assert {step.execution for step in lineage.slice} <= {step.execution for step in lineage.full}
    assert lineage.is_clean
    assert "def f(v)" in repr(lineage)
    assert newest(store, "C").id in {run.id for run in runs("state.clean == True", store=store)}


def test_the_code_of_a_slice_outlives_the_session_and_a_clean_up(tmp_path: Path) -> None:
    """Its digests stand in the run's own record, also those of the full list's chunks."""
    store = Store(tmp_path / ".celltrail")
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(tmp_path / "cache")})
    kernel.run("%load_ext celltrail\nx = 0")
    for number in range(70):
        kernel.run(f"x = x + {number}")
    kernel.run("%%track sum\ny = x")
    kernel.run("%unload_ext celltrail")
    kernel.stop()
    for path in (store.root / "kernels").rglob("*"):
        if path.is_file():
            path.unlink()
    for file in store.blobs.files():
        os.utime(file.path, (time.time() - 10 * 86_400,) * 2)
    store.gc()
    found = newest(store, "sum").lineage
    assert len(found.slice) == 71
    assert [step.code for step in found.slice[-2:]] == ["x = x + 68", "x = x + 69"]
    assert [step.code for step in found.full] == [step.code for step in found.slice]


def test_the_kinds_of_hidden_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its cell; a run with none is clean."""
    store = Store(tmp_path / ".celltrail")
    place = tmp_path / "n.ipynb"
    environment = {"CELLTRAIL_STORE": str(store.root), "JPY_SESSION_NAME": str(place)}
    kernel = Kernel(tmp_path, {**environment, "XDG_CACHE_HOME": str(tmp_path / "cache")})

    def run(code: str, cell: str = "") -> None:
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": False}
        message = kernel.client.session.msg("execute_request", {**content, "user_expressions": {}})
        message["metadata"] = {"cellId": cell} if cell else {}
        kernel.client.shell_channel.send(message)
        kernel.collect(message["header"]["msg_id"])

    def save(**cells: str) -> None:
        told = [{"cell_type": "code", "id": cell, "source": source} for cell, source in cells.items()]
        place.write_text(json.dumps({"cells": told, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))

    run("before = [1]")
    run("%load_ext celltrail")
    run("import celltrail.magic as _m\n_r = next(iter(_m._loaded.values())).recorder")
    last = "%%track r{}\ny = x"

    def kinds(number: int) -> list[tuple[str, str | None]]:
        run(SETTLE.replace("recorder", "_r"))
        return [(flag["kind"], flag.get("cell")) for flag in newest(store, f"r{number}").lineage.flags]

    run("x = 1", "a")
    save(a="x = 1", t=last.format(0))
    run(last.format(0), "t")
    assert kinds(0) == []
    save(a="x = 2", t=last.format(1))
    run(last.format(1), "t")
    assert kinds(1) == [("edited", "a")]
    save(t=last.format(2))
    run(last.format(2), "t")
    assert kinds(2) == [("deleted", "a")]
    run("x = 3", "b")
    run("z = 4", "b")
    save(b="z = 4", t=last.format(3))
    run(last.format(3), "t")
    assert kinds(3) == [("edited", "b")]
    run("x = 5", "c")
    save(t=last.format(4), c="x = 5")
    run(last.format(4), "t")
    assert kinds(4) == [("order", "c")]
    run("lr = 1", "d")
    run("x = lr + 1", "e")
    run("lr = 2", "f")
    save(d="lr = 1", e="x = lr + 1", f="lr = 2", t=last.format(5))
    run(last.format(5), "t")
    assert kinds(5) == [("redefined", "d")]
    run("x = 1; 1 / 0", "g")
    save(g="x = 1; 1 / 0", t=last.format(6))
    run(last.format(6), "t")
    assert kinds(6) == [("failed", "g")]
    run("%%track r7\ny = before")
    assert kinds(7) == [("unknown", None)]
    run("%%scratch\nx = 9", "h")
    save(h="%%scratch\nx = 9", t=last.format(8))
    run(last.format(8), "t")
    assert kinds(8) == [("scratch", "h")]
    run("x = [1]")
    run("%%track r9\nx.append(2)\nq = len(x)")
    run("%%track r10\nx.append(2)\nq = len(x)")
    assert [kind for kind, _ in kinds(10)] == ["run"]
    kernel.stop()
    unclean = {run.name for run in runs("state.clean == False", store=store)}
    assert unclean == {f"r{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 10)}
    assert "9" not in json.dumps(newest(store, "r8").needs["slice"]["minimal"][0]["code"])
    capsys.readouterr()
    assert main(["show", "r6", "--store", str(store.root)]) == 0
    assert "which failed" in capsys.readouterr().out


def test_a_slice_ends_where_its_kernel_was_started(tmp_path: Path) -> None:
    """Cells of before a restart, whose values are gone, are in no slice of after it."""
    store = Store(tmp_path / ".celltrail")
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(tmp_path / "cache")})
    for code in ("%load_ext celltrail", "x = 1\ny = 2", "%%track before\nz = x + y"):
        assert kernel.run(code).status == "ok"
    kernel.manager.restart_kernel(now=True)
    kernel.client.wait_for_ready(timeout=60)
    for code in ("%load_ext celltrail", "x = 3", "%%track after\nz = x * 2", "%unload_ext celltrail"):
        assert kernel.run(code).status == "ok"
    kernel.stop()
    found = newest(store, "after").lineage
    assert [step.code for step in found.slice] == ["x = 3"]
    assert not any("y = 2" in step.code for step in found.full)
    assert found.flags == []


def test_what_the_front_end_says_of_the_notebook_counts() -> None:
    """Its cells and the hashes of their sources, sent with the cell; anything else is passed over."""
    history = History()
    for cell in ("a", "b"):
        effects = Effects(binds={"x" if cell == "a" else "z"})
        history.add(cell, effects, cell_id=cell, count=1)
    versions = [Version("x = 1"), Version("z = 1"), Version("y = x")]
    found = history.slice(["x"])
    meta = {"celltrail": {"path": "n.ipynb", "index": 1, "cells": [["t", ""], ["a", source_hash("x = 2")]]}}
    document = Document.of_front_end(meta, 10)
    told = flags(history, found, 2, versions, document, cell="t")
    assert [(flag.kind, flag.cell) for flag in told] == [("edited", "a"), ("order", "a")]
    for strange in (None, {}, {"celltrail": 3}, {"celltrail": {"cells": 7}}, []):
        assert Document.of_front_end(strange, 10) is None
    assert Document.of_front_end({"celltrail": {"cells": [[], ["a"], [1, 2], "x"]}}, 10) == Document({}, 10)


def test_a_file_that_is_no_notebook_says_nothing(tmp_path: Path) -> None:
    """Whatever is in it."""
    for number, text in enumerate(("", "{", "[]", '{"cells": 3}', '{"cells": [{"cell_type": "code"}]}', "\0")):
        path = tmp_path / f"{number}.ipynb"
        path.write_text(text)
        assert Document.of_file(path) is None
    assert Document.of_file(tmp_path / "none.ipynb") is None


def test_identities_cost_little_however_many_names_there_are() -> None:
    """They are taken on the main thread after every cell: 0.2 us a name; a crowd is not looked at."""
    namespace = {f"name{number}": [number] for number in range(1000)}
    started = time.process_time()
    for _ in range(20):
        assert len(identities(Variables().now(namespace)) or ()) == 1000
    assert (time.process_time() - started) / 20 < 0.003
    assert identities(Variables().now(dict.fromkeys(map(str, range(6000))))) is None


def test_variables_follow_a_namespace_through_all_that_becomes_of_it() -> None:
    """What came since the last look is found however names come and go, and the texts of cells are no crowd."""
    chance = random.Random(11)
    looks, namespace = Variables(), dict[str, object]({"a": [], "_": None})
    for cell in range(7000):
        namespace[f"_i{cell}"] = ""
        for name in chance.sample("abcdefghijklmn", chance.randrange(6)):
            if chance.random() < 0.4:
                namespace.pop(name, None)
            else:
                namespace[name] = chance.choice([1, [], "text"])
        if cell == 996:  # as %reset does
            namespace.clear()
        if cell % 500 == 499:
            namespace |= {f"many{number}": [] for number in range(300)}
        if cell % 500 == 7:
            for number in range(0, 300, 2):
                namespace.pop(f"many{number}", None)
        if cell % 3:
            continue  # an execution that nobody saw
        plain = {name: value for name, value in namespace.items() if name[:1] != "_"}
        found = dict(looks.now(namespace))
        assert found == plain
        assert identities(list(found.items())) is not None
    assert len(namespace) > 6000


def test_values_whose_change_says_nothing_and_those_that_are_trained() -> None:
    """Told from their classes alone."""
    import random
    import threading

    class Net:
        def fit(self) -> None: ...

    assert is_quiet(random.Random())
    assert is_quiet(threading.Lock())
    assert not is_quiet({})
    assert is_model(Net())
    assert not is_model([])


@pytest.mark.parametrize("is_kept", [True, False])
def test_all_that_ran_before_a_run(tmp_path: Path, is_kept: bool) -> None:
    """By the record of its session, and one by one where sessions are not kept, as older records have it."""
    store = Store(tmp_path / ".celltrail")
    with start("first of the trail", store=store):
        store.settings["sessions.kept"] = is_kept
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(tmp_path / "cache")})
    cells = [f"x = {number}" for number in range(70)]
    for cell in ("%load_ext celltrail", *cells, "1 +", "%%scratch\nsecret = 1", "get_ipython().run_cell('n = 2')"):
        kernel.run(cell)
    kernel.run("%%track one\ny = x")
    kernel.run("z = 3")
    kernel.run("%%track two\ny = x + z")
    kernel.run("%unload_ext celltrail")
    kernel.stop()
    full = [step.code for step in newest(store, "one").lineage.full]
    assert [code for code in full if code in cells] == cells
    assert {*full} - {*cells} == {"%load_ext celltrail", "", "get_ipython().run_cell('n = 2')", "n = 2"}
    assert [step.code for step in newest(store, "two").lineage.full][-2:] == ["%%track one\ny = x", "z = 3"]
    told = newest(store, "two").needs["slice"]["full"]
    assert ("session" in told, "chunks" in told) == (is_kept, not is_kept)


def test_what_ran_before_a_run_travels_with_it(tmp_path: Path) -> None:
    """Into an export and from there into another trail: its session, the code in it, the states the slice needs."""
    store = Store(tmp_path / ".celltrail")
    for names in ("alone", "chosen other"):
        kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(tmp_path / "cache")})
        kernel.run(f"%load_ext celltrail\nimport random\nrandom.seed(4)\nx = {len(names)}")
        kernel.run("junk = 1")
        kernel.run("x = x + random.random()")
        for name in names.split():
            kernel.run(f"%%track {name}\ny = x")
        kernel.run("%unload_ext celltrail")
        kernel.stop()
    here = newest(store, "chosen")
    store.export([here.id], tmp_path / "small")
    target = Store(tmp_path / "target" / ".celltrail")
    target.merge(tmp_path / "small")
    for place in (Store(tmp_path / "small"), target):
        there = newest(place, "chosen")
        assert [step.code for step in there.lineage.full] == [step.code for step in here.lineage.full]
        ran = executions(store=place)
        sources = ["junk = 1", "x = x + random.random()", "%%track chosen\ny = x", "%%track other\ny = x"]
        assert [each.source for each in ran[:4]] == sources
        assert all(digest in place.blobs for digest in ran[1].record.rng.values())
        assert ran[1].record.rng
        assert [run.name for run in runs(store=place)] == ["chosen"]
        assert not place.examine(reads_all=True).findings
