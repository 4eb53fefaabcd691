"""Watched values, parameters, generator states and surroundings: what is read out of code and memory."""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import pickle
import random
import subprocess
import traceback
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from celltrail.capture import environment, rng, watch
from celltrail.capture.analyze import analyze, by_kind
from celltrail.capture.environment import repository
from celltrail.capture.params import Found, declared, without
from celltrail.capture.watch.points import Watcher, pass_through
from celltrail.model import Param
from celltrail.run import start
from celltrail.store import Store


def execute(tree: ast.AST, namespace: dict[str, Any]) -> None:
    ast.fix_missing_locations(tree)
    code = compile(tree, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)  # pyright: ignore[reportArgumentType]
    result = eval(code, namespace)
    if inspect.iscoroutine(result):
        asyncio.run(result)


class Watched:
    """Code run with its names watched, and the series that came of it."""

    def __init__(self, code: str, names: str = "", store: Store | None = None) -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        self.watcher, self.run = Watcher(), start("watched", store=store)
        self.points = self.watcher.open(self.run)
        self.namespace |= self.watcher.names
        tree = ast.parse(dedent(code))
        found = tuple(names.split()) or watch.names.metric_names(by_kind(tree))
        watch.insert(tree, found, self.watcher.plan, self.points.sink, by_name=not names)
        try:
            execute(tree, self.namespace)
        finally:
            self.watcher.close(self.points)
            self.run.finish()

    def series(self) -> dict[str, list[float]]:
        found = self.run.store.series(self.run.id)
        assert all((np.diff(found[name].step) > 0).all() for name in found)
        if found:  # what comes most often counts by itself
            busiest = max((found[name].step for name in found), key=len)
            assert busiest.tolist() == list(range(len(busiest)))
        return {name: found[name].value.tolist() for name in found}


WATCH = {
    "for": ("for i in range(3):\n    loss = i * 2", "loss", {"loss": [0, 2, 4]}),
    "while": ("n = 3\nwhile n:\n    n -= 1\n    loss = n", "loss", {"loss": [2, 1, 0]}),
    "loop target": ("for loss in (3, 2, 1):\n    pass", "loss", {"loss": [3, 2, 1]}),
    "tuple": (
        "for i in range(2):\n    loss, (acc, *_) = i, (i + 10, 0, 0)",
        "loss acc",
        {"loss": [0, 1], "acc": [10, 11]},
    ),
    "chained": ("for i in range(2):\n    loss = best = i", "loss best", {"loss": [0, 1], "best": [0, 1]}),
    "augmented": ("loss = 0\nfor i in range(3):\n    loss += i", "loss", {"loss": [0, 1, 3]}),
    "annotated": ("for i in range(2):\n    loss: float = i", "loss", {"loss": [0, 1]}),
    "walrus in while": ("n = 3\nwhile (loss := n - 1) > 0:\n    n -= 1", "loss", {"loss": [2, 1, 0]}),
    "walrus in a comprehension": ("x = [(loss := n) for n in range(3)]", "loss", {"loss": [0, 1, 2]}),
    "continue": ("for i in range(4):\n    if i % 2:\n        continue\n    loss = i", "loss", {"loss": [0, 2]}),
    "try": (
        "for i in range(3):\n    try:\n        loss = 1 / i\n    except ZeroDivisionError:\n"
        "        loss = -1\n    finally:\n"
        "        acc = i",
        "loss acc",
        {"loss": [-1, 1, 0.5], "acc": [0, 1, 2]},
    ),
    "with": (
        "import contextlib\nfor i in range(2):\n    with contextlib.nullcontext(i) as loss:\n        pass",
        "loss",
        {"loss": [0, 1]},
    ),
    "match": (
        "for d in ({'loss': 1}, {'loss': 2}):\n    match d:\n        case {'loss': loss}:\n            pass",
        "loss",
        {"loss": [1, 2]},
    ),
    "if else": (
        "for i in range(2):\n    if i:\n        loss = 1\n    else:\n        loss = 2",
        "loss",
        {"loss": [2, 1]},
    ),
    "function": (
        "def f(i):\n    loss = i\n    return loss\nfor i in range(2):\n    f(i + 5)",
        "loss",
        {"loss": [5, 6]},
    ),
    "global": ("def f(i):\n    global loss\n    loss = i\nf(1)\nf(2)", "loss", {"loss": [1, 2]}),
    "closure": (
        "def f():\n    loss = 0\n    def g():\n        nonlocal loss\n        loss = 4\n    g()\nf()",
        "loss",
        {"loss": [0, 4]},
    ),
    "generator": (
        "def g():\n    for i in range(3):\n        loss = i\n        yield loss\nlist(g())",
        "loss",
        {"loss": [0, 1, 2]},
    ),
    "method": (
        "class T:\n    def fit(self):\n        for i in range(3):\n            self.loss = i / 2\nT().fit()",
        "self.loss",
        {"self.loss": [0, 0.5, 1]},
    ),
    "deep attribute": (
        "from types import SimpleNamespace as S\ns = S(m=S())\nfor i in range(2):\n    s.m.loss = i",
        "s.m.loss",
        {"s.m.loss": [0, 1]},
    ),
    "slots": (
        "class T:\n    __slots__ = ('loss',)\nt = T()\nfor i in range(2):\n    t.loss = i",
        "t.loss",
        {"t.loss": [0, 1]},
    ),
    "mangled": (
        "class T:\n    def f(self):\n        for i in range(2):\n            self.__loss = i\nT().f()",
        "self.__loss",
        {},
    ),
    "async for": (
        "async def g():\n    for i in range(3):\n        yield i\nasync for loss in g():\n    acc = loss + 1",
        "loss acc",
        {"loss": [0, 1, 2], "acc": [1, 2, 3]},
    ),
    "await": ("import asyncio\nfor i in range(2):\n    await asyncio.sleep(0)\n    loss = i", "loss", {"loss": [0, 1]}),
    "class body": (
        "class T:\n    for i in range(2):\n        loss = i\n        x = [j for j in range(2)]",
        "loss",
        {"loss": [0, 1]},
    ),
    "not a number": ("for v in ('a', None, [1], 2, 1j):\n    loss = v", "loss", {"loss": [2]}),
    "truth": ("for v in (True, False):\n    acc = v", "acc", {"acc": [1, 0]}),
    "numpy": (
        "import numpy as np\nfor i in range(3):\n    loss = np.float32(i)\n"
        "    acc = np.array(i)\n    acc += 1\n    w = np.array([i])",
        "loss acc w",
        {"loss": [0, 1, 2], "acc": [0, 1, 1, 2, 2, 3], "w": [0, 1, 2]},
    ),
    "top level only": ("loss = 3", "loss", {}),
    # by name alone
    "guessed": (
        "for i in range(2):\n    loss = i\n    val_acc = i\n    x = i\n    lost = i",
        "",
        {"loss": [0, 1], "val_acc": [0, 1]},
    ),
    "guessed constants are no results": (
        "for i in range(2):\n    loss = 0\n    best_score = None\n    acc = i",
        "",
        {"acc": [0, 1]},
    ),
    "guessed sum is taken once it is complete": (
        "for e in range(2):\n    loss = 0\n    for i in range(3):\n        loss += i + e\n    loss /= 3",
        "",
        {"loss": [1, 2]},
    ),
    "guessed sum over all loops is no metric": ("total_loss = 0\nfor i in range(3):\n    total_loss += i", "", {}),
    "guessed decay": ("lr = 1.0\nfor i in range(2):\n    lr *= 0.5", "", {"lr": [0.5, 0.25]}),
    "guessed not in functions without a loop": ("def f():\n    loss = 1\nf()", "", {}),
}


@pytest.mark.parametrize("name", WATCH)
def test_each_binding_is_one_value(name: str) -> None:
    """Each binding of a watched name in a loop or function is one point, in order, its step above the one before."""
    code, names, expected = WATCH[name]
    assert Watched(code, names).series() == expected


def test_names_of_one_iteration_share_a_row() -> None:
    """loss and acc of one iteration are one record."""
    watched = Watched(
        "for epoch in range(2):\n    for i, x in enumerate('abc'):\n        loss = i\n        acc = i", "loss acc"
    )
    series = watched.run.store.series(watched.run.id)
    assert list(series["loss"].t_us) == list(series["acc"].t_us)


def test_tracebacks_keep_lines_and_columns() -> None:
    """An exception in watched code shows the same lines and columns as in the code itself."""
    code = "for i in range(3):\n    loss = i\n    acc = (1 /\n           (i - 1)); lr = 2\n"
    shown = []
    for watched in (False, True):
        try:
            if watched:
                Watched(code, "loss acc lr")
            else:
                execute(ast.parse(code), {})
        except ZeroDivisionError as error:
            frame = next(f for f in traceback.extract_tb(error.__traceback__) if f.filename == "<cell>")
            shown.append((frame.lineno, frame.end_lineno, frame.colno, frame.end_colno))
    assert shown[0] == shown[1]


def test_a_function_of_an_earlier_cell_reports_to_the_later_run(store: Store) -> None:
    """After its run has ended an instrumented function keeps working, and a later run gets its values."""
    watched = Watched("def f(n):\n    for i in range(n):\n        loss = i\n    return n", "loss", store)
    assert watched.namespace["f"](3) == 3
    later = start("later", store=store)
    points = watched.watcher.open(later)
    assert watched.namespace["f"](2) == 2
    watched.watcher.close(points)
    later.finish()
    assert store.series(later.id)["loss"].value.tolist() == [0, 1]
    assert watched.series() == {}


def test_a_hook_sent_to_another_process_is_deaf() -> None:
    """Pickled with a function, the hook becomes one that hands its value back."""
    names = Watcher().names
    assert pickle.loads(pickle.dumps(names[watch.HOOK])) is pass_through
    assert pass_through(3, "value") == "value"
    there = pickle.loads(pickle.dumps(names))
    there[watch.SINKS][3].extend((1, 2.0))
    assert there[watch.NOW]() > 0


def test_logging_cells_are_not_watched_by_name() -> None:
    """A cell that calls a tracker's log needs no guessing; logarithms are no trackers."""
    for code, namespace, logs in [
        ("run.log({'loss': 1})", {}, True),
        ("import celltrail as ct\nct.log(loss=1)", {}, True),
        ("np.log(x)", {"np": np}, False),
        ("import math\nmath.log(3)", {}, False),
        ("import wandb\nwandb.log({})", {}, True),
        ("print(loss)", {}, False),
    ]:
        assert watch.names.logs_itself(by_kind(ast.parse(code)), namespace) is logs, code


def params(code: str, earlier: str = "") -> dict[str, tuple[Any, str, int | None]]:
    """The parameters of a cell that ran after another."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(dedent(earlier), namespace)
    tree = ast.parse(dedent(code))
    found = Found(tree, analyze(tree), namespace)
    found.before()
    execute(tree, namespace)
    found.after()
    return {name: (param.value, param.rule, param.line) for name, param in found.params.items()}


def test_nodes_by_kind_are_those_of_the_tree_alone() -> None:
    """A traceback shown by IPython leaves a "parent" on operators that all trees share: it is no part of this one."""
    tree = ast.parse("a == b")
    equals = tree.body[0].value.ops[0]  # pyright: ignore[reportAttributeAccessIssue]
    equals.parent = tree
    try:
        found = by_kind(tree)
    finally:
        del equals.parent
    assert sum(map(len, found.values())) == 6


CONFIG = (
    "from dataclasses import dataclass\n@dataclass\nclass Config:\n    lr: float = 0.1\n    layers: tuple = (64, 10)\n"
)
PARAMS: dict[str, tuple[str, str, dict[str, tuple[Any, str, int | None]]]] = {
    "literals": (
        "lr = 1e-3\nname = 'adam'\nbatch, width = 32, 2**7\nhidden: list = [64, -1]\nflag = True\nnothing = None",
        "",
        {
            "lr": (1e-3, "assign", 1),
            "name": ("adam", "assign", 2),
            "batch": (32, "assign", 3),
            "width": (128, "assign", 3),
            "hidden": ([64, -1], "assign", 4),
            "flag": (True, "assign", 5),
            "nothing": (None, "assign", 6),
        },
    ),
    "state is no parameter": (
        "total = 0\nitems = []\nbest = None\n_x = 3\nfor i in range(3):\n    total += i\nbest = total",
        "",
        {},
    ),
    "deleted": ("x = 1\ndel x", "", {}),
    "rebound by a walrus": ("x = 1\nif (x := 2): pass", "", {}),
    "dict": (
        "cfg = {'lr': 0.1, 'net': {'layers': [8, 8]}, 'fn': len}\nopt = dict(momentum=0.9)",
        "",
        {"cfg.lr": (0.1, "config", 1), "cfg.net.layers": ([8, 8], "config", 1), "opt.momentum": (0.9, "config", 2)},
    ),
    "dataclass": (
        "cfg = Config(lr=0.2)",
        CONFIG,
        {"cfg.lr": (0.2, "config", 1), "cfg.layers": ([64, 10], "config", 1)},
    ),
    "namespaces": (
        "import argparse\nargs = argparse.Namespace(lr=1, deep=argparse.Namespace(k=2))",
        "",
        {"args.lr": (1, "config", 2), "args.deep.k": (2, "config", 2)},
    ),
    "read": (
        "y = x * lr\nprint(unused_name if False else 1)",
        "x = [1]*3\nlr = 3\nunused_name = 'u'",
        {"lr": (3, "read", None), "unused_name": ("u", "read", None)},
    ),
    "read config": (
        "z = cfg['lr'] + args.k",
        "import types\ncfg = {'lr': 2}\nargs = types.SimpleNamespace(k=1)\nhistory = {'a': [0] * 99}",
        {"cfg.lr": (2, "config", None), "args.k": (1, "config", None)},
    ),
    "read through a function": (
        "train()",
        "lr = 0.1\nother = 5\ndef train():\n    return step()\ndef step():\n    return lr",
        {"lr": (0.1, "read", None)},
    ),
    "read and rewritten is state": ("step = step + 1", "step = 4", {}),
    "results read are no config": ("print(history)", "history = {'loss': [0.1] * 50, 'model': object()}", {}),
    "keywords": (
        "class Ridge:\n    def __init__(self, **kw): pass\n    def fit(self, x, **kw): return self\n"
        "alpha = 0.5\nm = Ridge(alpha=alpha, tol=1e-4, solver='svd').fit([1], epochs=3)",
        "",
        {
            "alpha": (0.5, "assign", 4),
            "Ridge.tol": (1e-4, "kwarg", 5),
            "Ridge.solver": ("svd", "kwarg", 5),
            "fit.epochs": (3, "kwarg", 5),
        },
    ),
    "two of a kind": (
        "class Linear:\n    def __init__(self, **kw): pass\na, b = Linear(n=1), Linear(n=2)",
        "",
        {"Linear.n": (1, "kwarg", 3), "Linear2.n": (2, "kwarg", 3)},
    ),
    "notebook function": ("train(epochs=5, data=[])", "def train(**kw): pass", {"train.epochs": (5, "kwarg", 1)}),
    "llm call": (
        "client.chat.completions.create(model='gpt', temperature=0.2, messages=[{'role': 'user'}])",
        "from types import SimpleNamespace as S\nclient = S(chat=S(completions=S(create=lambda **kw: None)))",
        {"create.model": ("gpt", "kwarg", 1), "create.temperature": (0.2, "kwarg", 1)},
    ),
    "plots": (
        "plt.Figure(width=3)\nax.create(color='red')\nprint('x', end='')",
        "class X:\n    def Figure(self, **k): pass\n    create = Figure\nplt = ax = X()",
        {},
    ),
    "loop variables": (
        "class Ridge:\n    def __init__(self, **kw): pass\nfor a in (1, 2):\n    Ridge(alpha=a)",
        "",
        {},
    ),
    "conditional": (
        "lr = 0.1 if fast else 0.01",
        "fast = True",
        {"fast": (True, "read", None), "lr": (0.1, "scalar", 1)},
    ),
    "computed and used": (
        "n = len(data)\nmodel(n)\nseconds = time.time()\n"
        "model(seconds)\nacc = score()\nprint(acc)\nm = max(data)\nprint(m)",
        "import time\ndata = [1, 2]\nmodel = int\ndef score(): return 0.5",
        {"n": (2, "scalar", 1)},
    ),
    "the number of a process": ("me = os.getpid()\nos.kill(me, 0)", "import os", {}),
    "exceptions": ("try:\n    raise ValueError('x')\nexcept ValueError: pass", "", {}),
}


@pytest.mark.parametrize("name", PARAMS)
def test_parameters_by_rule_and_line(name: str) -> None:
    """Each of the five rules finds what it is for, says which rule and line, and nothing else."""
    code, earlier, expected = PARAMS[name]
    assert params(code, earlier) == expected


def test_parameters_asked_for_and_refused() -> None:
    """--param takes dotted names that exist; --no-param takes a name or all fields of an object away."""
    namespace = {"a": 1.5, "cfg": {"lr": 0.1, "deep": {"k": 2}}, "args": SimpleNamespace(n=3)}
    found = {param.name: param.value for param in declared(("a", "cfg", "args.n", "missing", "cfg.nope"), namespace)}
    assert found == {"a": 1.5, "cfg.lr": 0.1, "cfg.deep.k": 2, "args.n": 3}
    kept = without({name: Param(name, 1) for name in ("a", "cfg.lr", "cfgs")}, ("a", "cfg"))
    assert list(kept) == ["cfgs"]


def test_a_literal_is_never_computed_at_any_cost() -> None:
    """A power that would take for ever is left to the cell."""
    tree = ast.parse("big = 9 ** 9 ** 9")
    assert Found(tree, analyze(tree), {}).before() == {}


@pytest.mark.parametrize("draws", [0, 1, 700])
def test_generator_states_come_back_exactly(draws: int) -> None:
    """A state packed and unpacked gives the same numbers, the cached normal value included."""
    random.seed(3)
    np.random.seed(3)
    for _ in range(draws):
        random.gauss()
        np.random.normal()
    states = rng.take()
    packed = [rng.pack(library, state) for library, state in states.items()]
    expected = (random.gauss(), random.random(), np.random.normal(), np.random.rand())
    rng.restore(dict(map(rng.unpack, packed)))
    assert (random.gauss(), random.random(), np.random.normal(), np.random.rand()) == expected
    assert not any(data.startswith(b"\x80") for data in packed)  # the first byte of a pickle


def test_taking_states_changes_nothing() -> None:
    """Reading a state twice gives the same state."""
    first, second = rng.take(), rng.take()
    assert {library: rng.pack(library, state) for library, state in first.items()} == {
        library: rng.pack(library, state) for library, state in second.items()
    }


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=folder, check=True, capture_output=True
    )


def test_git_facts(tmp_path: Path, store: Store) -> None:
    """Commit, branch and the redacted diff of a repository; nothing outside of one; nothing is written to it."""
    assert repository.git(str(tmp_path), store.blobs.put, str) == {}
    git(tmp_path, "init", "-b", "main")
    (tmp_path / "a.py").write_text("x = 1\n")
    git(tmp_path, "add", "a.py")
    assert repository.git(str(tmp_path), store.blobs.put, str)["commit"] is None
    git(tmp_path, "commit", "-m", "first")
    clean = repository.git(str(tmp_path), store.blobs.put, str)
    assert (clean["branch"], clean["dirty"], len(clean["commit"])) == ("main", False, 40)
    (tmp_path / "a.py").write_text("x = 2\n")
    index = (tmp_path / ".git" / "index").stat().st_mtime_ns
    dirty = repository.git(str(tmp_path), store.blobs.put, lambda text: text.replace("x = 2", "[redacted]"))
    assert dirty["dirty"] is True
    assert "[redacted]" in store.blobs.text(dirty["diff"])
    assert (tmp_path / ".git" / "index").stat().st_mtime_ns == index


def test_surroundings_hold_no_secret_and_no_home(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only allowed variables are kept, and a path of theirs is not absolute."""
    monkeypatch.setenv("MY_TOKEN", "s3cr3t")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("VIRTUAL_ENV", str(Path.home() / "envs" / "ml"))
    facts = environment.software(store.blobs.put)
    assert "MY_TOKEN" not in facts
    assert (facts["OMP_NUM_THREADS"], facts["VIRTUAL_ENV"]) == ("2", "~/envs/ml")
    assert facts["numpy"] == np.__version__
    assert b"numpy" in store.blobs.get(facts["packages"])
    assert environment.hardware()["threads"] == os.cpu_count()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/data/p/nb/a.ipynb", "nb/a.ipynb"),
        (str(Path.home() / "x" / "a.ipynb"), "~/x/a.ipynb"),
        ("/srv/elsewhere/a.ipynb", "a.ipynb"),
        ("nb/a.ipynb", "nb/a.ipynb"),
        ("Untitled console", None),
    ],
)
def test_the_notebooks_path_is_never_absolute(monkeypatch: pytest.MonkeyPatch, path: str, expected: str | None) -> None:
    """The path a server gives is kept relative to the trail's folder, else to home, else the name alone."""
    monkeypatch.setenv("JPY_SESSION_NAME", path)
    assert environment.notebook({}, Path("/data/p")) == expected


TERMINAL = """
from IPython.core.interactiveshell import InteractiveShell
from celltrail.capture import Recorder
shell = InteractiveShell.instance()
recorder = Recorder(shell)
recorder.on()
import sys
before = sys.stdout.write
named = "%%track\\n# In a terminal\\nlr = 0.1\\nfor i in range(3): loss = i\\nprint('shown')\\nloss"
shell.run_cell(named, store_history=True)
shell.run_cell("%%track broken\\nprint('so far')\\n1/0", store_history=True)
shell.run_cell("%%track outer\\nget_ipython().run_cell('x = 1')\\nprint('after')", store_history=True)
shell.run_cell("%%track waits\\nimport asyncio\\nawait asyncio.sleep(0)\\nprint('slept')", store_history=True)
shell.run_cell("%%track --nope\\nprint('never')", store_history=True)
assert sys.stdout.write == before
"""


def test_terminal_shell(tmp_path: Path, store: Store) -> None:
    """Without a kernel: same transformer and events, outputs by the streams themselves."""
    environ = {**os.environ, "CELLTRAIL_STORE": str(store.root), "IPYTHONDIR": str(tmp_path)}
    python: Callable[..., Any] = subprocess.run
    import sys

    done = python(
        [sys.executable, "-c", TERMINAL], env=environ, capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "no option '--nope'" in done.stdout + done.stderr
    assert "never\n" not in done.stdout
    records = {record.name: record for record in store.records()}
    assert {name: record.status for name, record in records.items()} == {
        "In a terminal": "finished", "broken": "failed", "outer": "finished", "waits": "finished",
    }  # fmt: skip
    first = records["In a terminal"]
    assert (first.metrics["loss"].count, first.params["lr"].line) == (3, 3)
    texts = {
        name: store.blobs.text(record.executions[0].outputs[0].data["text/plain"]) for name, record in records.items()
    }
    assert "shown\n" in texts["In a terminal"]
    assert texts["outer"] == "after\n"
    assert texts["broken"].startswith("so far\n")
