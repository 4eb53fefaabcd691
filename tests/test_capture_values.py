"""What the names of a cell stood for, before and after: told right, bounded, and never at the cell's expense."""

from __future__ import annotations

import ast
import contextlib
import json
import time
import types
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pandas as pd
import pytest

from celltrail.capture.analyze import analyze
from celltrail.capture.redact import Redactor
from celltrail.capture.values import MOST, Values, describe
from celltrail.capture.values.reach import global_names, reach
from celltrail.cli import main
from celltrail.compare import compare
from celltrail.query import runs
from celltrail.run import start
from celltrail.store import Store
from kernels import Kernel


def looked(code: str, space: dict[str, Any], redactor: Redactor | None = None) -> Values:
    """The values around a cell that is run in this namespace."""
    space.setdefault("__name__", "__main__")
    values = Values(analyze(ast.parse(code)), space, redactor or Redactor({}))
    values.before()
    with contextlib.suppress(ZeroDivisionError):
        exec(compile(code, "<cell>", "exec"), space)
    values.after()
    return values


def made(code: str, **names: Any) -> dict[str, Any]:
    """A namespace in which this ran."""
    space: dict[str, Any] = {"__name__": "__main__", **names}
    exec(code, space)
    return space


# reach


@pytest.mark.parametrize(
    ("code", "name", "more"),
    [
        ("def f(): return scale", "f", {"scale"}),
        ("def f(): return g()\ndef g(): return scale", "f", {"g", "scale"}),
        ("def f(): return [scale for _ in range(3)]", "f", {"scale"}),
        ("f = lambda: scale", "f", {"scale"}),
        ("class Net:\n def go(self): return scale", "Net", {"scale"}),
        ("class Net:\n def go(self): return scale\nf = Net()", "f", {"scale"}),
        ("class Base:\n def go(self): return scale\nclass Net(Base): pass\nf = Net()", "f", {"scale"}),
        ("class Net:\n @property\n def go(self): return scale", "Net", {"scale"}),
        ("class Net:\n @staticmethod\n def go(): return scale", "Net", {"scale"}),
        ("import functools\ndef g(): return scale\nf = functools.partial(g)", "f", {"scale"}),
        ("import functools\n@functools.cache\ndef f(): return scale", "f", {"scale"}),
        ("import functools\nclass Net:\n @functools.cached_property\n def f(self): return scale", "Net", {"scale"}),
        ("def deco(g):\n def inner(): return g()\n return inner\n@deco\ndef f(): return scale", "f", {"scale"}),
        ("def g(): return scale\nf = [g]", "f", {"scale"}),
        ("def g(): return scale\nf = {'a': {'b': g}}", "f", {"scale"}),
        ("def g(): return scale\nclass Net: pass\nf = Net(); f.loss = g", "f", {"scale"}),
        ("class Net:\n def go(self): return scale\nf = Net().go", "f", {"scale"}),
        ("def f(x): return x.scale", "f", set()),
        ("def f(scale): return scale", "f", set()),
        ("f = 3", "f", set()),
    ],
)
def test_names_of_functions_and_classes_are_reached(code: str, name: str, more: set[str]) -> None:
    """A cell that calls `f` depends on what `f` reads, wherever `f` is hidden."""
    space = made("scale = 1\n" + code)
    assert reach([name], space) == {name} | more


def test_global_names_are_those_of_dis() -> None:
    """The quick scan of the bytecode finds what the standard library's finds, also with long arguments."""
    import argparse
    import dis
    import json.decoder
    import textwrap

    many = compile("def f():\n return " + "+".join(f"name{n}" for n in range(700)), "", "exec").co_consts[0]
    codes = [many]
    for module in (argparse, json.decoder, textwrap):
        codes += [value.__code__ for value in vars(module).values() if isinstance(value, types.FunctionType)]
    for code in codes:
        inner = [code, *(each for each in code.co_consts if isinstance(each, types.CodeType))]
        expected = {
            step.argval
            for each in inner
            for step in dis.get_instructions(each)
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
        }
        assert expected <= global_names(code)
    assert len(global_names(many)) == 700


# values


def test_what_is_said_at_a_glance() -> None:
    """Type, shape, dtype and length, as a reader would write them."""
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    assert describe(np.zeros((3, 4), "f4")) == {"type": "ndarray", "shape": [3, 4], "dtype": "float32"}
    assert describe(frame) == {"type": "DataFrame", "shape": [2, 2]}
    assert describe(frame["a"]) == {"type": "Series", "shape": [2], "dtype": "int64"}
    assert describe({"a": 1}) == {"type": "dict", "len": 1}
    assert describe("abc") == {"type": "str", "len": 3}
    assert describe(3) == {"type": "int"}
    assert describe(np) == {"type": "module"}


def test_read_before_and_bound_after() -> None:
    """What is read is told as it was before the body, what is bound as it is after."""
    values = looked("y = x + 1\nz = len(names)", {"x": np.zeros(3), "names": ["a"]})
    assert {name: facts["when"] for name, facts in values.told.items()} == {
        "x": "before", "names": "before", "y": "after", "z": "after",
    }  # fmt: skip
    assert values.told["y"]["shape"] == [3]
    assert all("after" not in facts for facts in values.told.values())


def test_a_value_changed_in_place_has_two_prints() -> None:
    """The print of what the body saw is the one before it; that it changed is told with the other."""
    x = np.zeros(3)
    values = looked("x *= 2\nx += 1", {"x": x})
    facts = values.told["x"]
    assert facts["after"]["fp"] != facts["fp"] == values.read["x"].digest
    values = looked("print(x.sum(), file=None)", {"x": x})
    assert "after" not in values.told["x"]
    assert values.left["x"] == values.read["x"]


def test_bound_anew_or_gone() -> None:
    """A name that stands for another value, and one that was deleted."""
    values = looked("x = x[1:]\ndel y", {"x": [1, 2], "y": 3})
    assert values.told["x"]["len"] == 2
    assert values.told["x"]["after"]["len"] == 1
    assert looked("del y\ny0 = 1", {"y": 3}).told.get("y", {"after": None})["after"] is None
    assert values.bound == {"x"}


def test_names_that_the_code_does_not_say() -> None:
    """`exec` and star imports bind names too; the namespace itself tells."""
    values = looked("exec('a = 1')\nfrom textwrap import *", {})
    assert values.told["a"]["type"] == "int"
    assert {"a", "dedent"} <= values.bound


def test_globals_of_functions_are_inputs() -> None:
    """The value of `scale` at the time is one of the things the cell needed."""
    space = made("scale = 1\ndef f(x): return x * scale\nscale = 5")
    assert "scale" in looked("f(2)", space).told


def test_a_failed_body_is_looked_at_too() -> None:
    """What it changed before the error is as real."""
    values = looked("x.append(1)\n1 / 0", {"x": []})
    assert values.told["x"]["after"]["len"] == 1


def test_secrets_are_only_set() -> None:
    """Neither a type nor a print of a secret, by its name or because it is known: a print would confirm a guess."""
    redactor = Redactor({"MY_TOKEN": "correct-horse"})
    space = {"api_key": "tr0ub4dor&3", "word": "correct-horse", "text": "plain"}
    values = looked("print(api_key, word, text, file=None)\npassword = word", space, redactor)
    assert values.told["api_key"] == {"set": True, "when": "before"}
    assert values.told["word"] == {"set": True, "when": "before"}
    assert values.told["password"] == {"set": True, "when": "after"}
    assert values.told["text"]["fp"]


def test_so_many_names_and_no_more() -> None:
    """Of a cell that reads a thousand names two hundred are told, and the rest counted."""
    space = {f"n{n}": n for n in range(1000)}
    values = looked("[" + ",".join(space) + "]", space)
    assert len(values.told) == MOST
    assert values.left_out == 800


def test_values_are_not_kept_alive() -> None:
    """An array bound anew is freed at once: holding it would double the memory of a training loop."""
    import weakref

    space: dict[str, Any] = {"x": np.zeros(10), "__name__": "__main__"}
    gone = weakref.ref(space["x"])
    values = Values(analyze(ast.parse("x = x + 1")), space, Redactor({}))
    values.before()
    space["x"] = space["x"] + 1
    assert gone() is None
    values.after()


def test_a_value_too_large_costs_a_bounded_time() -> None:
    """Of gigabytes a sample is read; of endless objects as much as the time allows."""
    huge = [np.broadcast_to(np.zeros(1), (2**28,)) for _ in range(50)]
    webs = {f"w{n}": [[str(i), {"a": i}] for i in range(3000)] for n in range(30)}
    values = looked("[" + ",".join(["huge", *webs]) + "]", {"huge": huge, **webs})
    assert values.spent_ns < 2e9  # on a busy machine; 50 ms of its own time
    qualities = {facts["quality"] for facts in values.told.values()}
    assert "opaque" in qualities


class Raising:
    """Raises whatever it is asked."""

    def _raise(self, *args: Any) -> Any:
        raise RuntimeError("was run")

    __getattr__ = __len__ = __iter__ = __eq__ = __hash__ = __bool__ = __repr__ = shape = property(_raise)  # type: ignore[assignment]
    __class__ = property(_raise)  # type: ignore[assignment]


def test_objects_that_raise_are_told_by_their_type() -> None:
    """No property and no length of theirs is asked."""
    values = looked("y = [x]", {"x": Raising()})
    assert values.told["x"]["type"] == "Raising"


# in a kernel


@pytest.fixture
def kernel(tmp_path: Path) -> Any:
    found = Kernel(tmp_path, {"CELLTRAIL_STORE": str(tmp_path / ".celltrail"), "MY_SECRET_KEY": "hunter-seven"})
    found.run("%load_ext celltrail")
    yield found
    found.stop()


def needs(folder: Path, name: str) -> dict[str, Any]:
    """What the run of this name needed, once all of it is written."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for run in runs(store=Store(folder / ".celltrail")):
            if run.name == name and run.needs:
                return run.needs
        time.sleep(0.1)
    raise AssertionError(f"run {name} has no needs")


def test_a_tracked_cell_says_what_it_read(kernel: Kernel, tmp_path: Path) -> None:
    """In a real kernel: inputs with shape and print, outputs with theirs, and the cell's own result untouched."""
    kernel.run(
        "import numpy as np, pandas as pd\nX = np.arange(6.0).reshape(2, 3)\nscale = 2\ndef f(x): return x * scale"
    )
    reply = kernel.run("%%track first\nY = f(X)\ndf = pd.DataFrame(Y)\nX[0, 0] = 7\nY.sum()")
    assert reply.status == "ok"
    assert reply.of("execute_result")[0]["data"]["text/plain"].endswith("30.0)")
    values = needs(tmp_path, "first")["values"]
    assert values["X"]["shape"] == [2, 3]
    assert values["X"]["dtype"] == "float64"
    assert values["X"]["quality"] == "full"
    assert values["X"]["after"]["fp"] != values["X"]["fp"]
    assert values["scale"]["when"] == "before"
    assert values["Y"]["when"] == values["df"]["when"] == "after"
    assert values["pd"]["type"] == "module"


def test_secrets_do_not_reach_the_trail_by_their_prints(kernel: Kernel, tmp_path: Path) -> None:
    """Two values of a secret's name leave the same record."""
    kernel.run("import os\nword = os.environ['MY_SECRET_KEY']\npassword = 'a-b-c-d-e'")
    kernel.run("%%track first\nprint(len(password), len(word))")
    kernel.run("password = 'f-g-h-i-j'")
    kernel.run("%%track second\nprint(len(password), len(word))")
    first, second = (needs(tmp_path, name)["values"] for name in ("first", "second"))
    assert first == second == {name: {"set": True, "when": "before"} for name in ("password", "word")}
    assert "fp" not in json.dumps(first)


def test_prints_are_stable_over_kernels(tmp_path: Path) -> None:
    """The same notebook in another kernel gives the same prints: what comparison and replay rest on."""
    prepare = dedent("""
        import numpy as np
        X = np.arange(4.0)
        words = {'b', 'a', 'c'}
        class Net:
            def __init__(self): self.w = X * 2
            def go(self, x): return x @ self.w
        net = Net()
        def step(x, lr=0.1):
            for loss in x: pass
            return net.go(x)
        """)
    found = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        kernel = Kernel(folder, {"CELLTRAIL_STORE": str(folder / ".celltrail"), "PYTHONHASHSEED": seed})
        try:
            kernel.run("%load_ext celltrail")
            kernel.run(
                ("%%track\n" if seed == "2" else "") + prepare
            )  # defined in a watched cell: hooks must not count
            kernel.run("%%track first\ny = step(X), words")
            found.append(needs(folder, "first")["values"])
        finally:
            kernel.stop()
    assert found[0] == found[1]
    assert found[0]["step"]["quality"] == found[0]["net"]["quality"] == "full"


def test_show_and_compare_tell_what_was_read(
    kernel: Kernel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`show` has the inputs at a glance; of two runs over other data, `compare` names the array that differs."""
    kernel.run("import numpy as np, random\nX = np.zeros((1797, 64)); same = [1]; lr = 0.1")
    kernel.run("def scaled(x):\n    return x\ndef once(x):\n    return x")
    kernel.run("%%track first\nloss = scaled(X.mean() * lr) + len(same)\nX += 1\nmade = once(X * 2)")
    kernel.run("def scaled(x):\n    return 2 * x")
    kernel.run("%%track second\nloss = scaled(X.mean() * lr) + len(same); random.random()")
    for name in ("first", "second"):
        needs(tmp_path, name)
    store = Store(tmp_path / ".celltrail")
    assert main(["show", "first", "--store", str(store.root)]) == 0
    text = capsys.readouterr().out
    assert "read  X  ndarray (1797, 64) float64" in text
    assert "changed  X" in text
    assert "made  made  ndarray (1797, 64) float64" in text
    assert "random numbers  none used" in text
    assert main(["show", "second", "--store", str(store.root)]) == 0
    assert "random numbers  random; without a seed: random" in capsys.readouterr().out
    both = compare("first", "second", store=store)
    assert set(both.data.index) == {"X", "same", "scaled"}, "a function that only one calls is told of by the code"
    assert [line.name for line in both.lines()["data"]] == ["X", "scaled"]
    assert "1797, 64" in repr(both)
    assert "lr" not in both.data.index  # a parameter


def test_runs_without_recorded_values_are_compared_as_before(tmp_path: Path) -> None:
    """A run of a script read nothing that is known, which is no difference."""
    store = Store(tmp_path / ".celltrail")
    for name in ("one", "two"):
        with start(name, store=store):
            pass
    assert compare("one", "two", store=store).data.empty


def test_odd_values_leave_the_cell_and_the_record_alone(kernel: Kernel, tmp_path: Path) -> None:
    """Objects that raise, grow in a thread, or are far too large: the cell is as without, and no problem is kept."""
    kernel.run(
        dedent("""
        import threading, time, numpy as np
        class Raising:
            def __getattr__(self, name): raise RuntimeError(name)
            def __len__(self): raise RuntimeError("len")
            shape = property(lambda self: 1 / 0)
        odd, huge, growing, stop = Raising(), np.broadcast_to(np.zeros(1), (2**28,)), {}, threading.Event()
        cyclic = []; cyclic.append(cyclic)
        def grow():
            n = 0
            while not stop.is_set():
                growing[n] = [n]; n += 1; time.sleep(0)
                if n > 2000: growing.clear(); n = 0
        thread = threading.Thread(target=grow); thread.start()
        """)
    )
    reply = kernel.run("%%track first\nfound = [odd, huge, growing, cyclic]\nstop.set(); thread.join()\n41 + 1")
    assert reply.status == "ok"
    assert reply.of("execute_result")[0]["data"]["text/plain"] == "42"
    assert reply.complaints == ""
    values = needs(tmp_path, "first")["values"]
    assert values["huge"]["quality"] == "sampled"
    assert {"odd", "growing", "cyclic", "thread"} <= set(values)
    run = next(run for run in runs(store=Store(tmp_path / ".celltrail")) if run.name == "first")
    assert run.record.problems == ()
