"""Calls that train or score, put through us in the code: whatever they do, the code must not notice."""

from __future__ import annotations

import ast
import asyncio
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle
import pytest

import celltrail as ct
from celltrail.capture import calls

LIBRARY = """
class Model:
    def __init__(self, fails=False): self.fails = fails
    def fit(self, x=0, *, callbacks=None):
        if self.fails: raise ValueError("no")
        return [x, callbacks]
    def score(self, x): return x / 2
def train(x, callbacks=None):
    return [x, callbacks]
"""


@pytest.fixture
def library() -> dict[str, Any]:
    """A library called ``cheap``, as a namespace."""
    module = ModuleType("cheap")
    exec(compile(LIBRARY, "cheap.py", "exec"), module.__dict__)
    return module.__dict__


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[list[Any]]:
    """What a plug-in for ``cheap`` hears while a run is there: it adds a callback to each fit and train."""
    said: list[Any] = []

    def around(call: calls.Call) -> Any:
        said.append((call.name, call.target, call.args))
        if call.accepts("callbacks"):
            call.kwargs["callbacks"] = [*(call.argument("callbacks") or ()), "ours"]
        return lambda result: said.append((call.name, result))

    stop = calls.hear("cheap", around)
    with ct.start("a", store=ct.Store(tmp_path / ".celltrail")):
        yield said
    stop()


def run(code: str, library: dict[str, Any], *, through: bool) -> dict[str, Any]:
    namespace = {"Model": library["Model"], "train": library["train"], **calls.NAMES}
    tree = ast.parse(code)
    if through:
        assert calls.insert(tree, namespace) or "# nothing" in code
    exec(compile(tree, "cell.py", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), namespace)
    return namespace


SAME = """
out = [Model().score(x) for x in range(3) if Model().score(x) < 1]
---
class Mine(Model):
    best = Model().score(8)
    def fit(self, x): return ["mine", *super().fit(x)]
out = Mine().fit(3)[:2]
---
out = (lambda m: m.score(m.score(8)))(Model())
---
async def later(): return Model().score(4)
import asyncio; out = asyncio.run(later())
---
def gen():
    yield Model().score((yield))
g = gen(); next(g); out = g.send(6)
---
out = f"{Model().score(3):.2f}" and Model().score(x=(y := 4)) + y
---
import functools
train2 = functools.partial(Model.score, Model())
class Odd:
    def __getattr__(self, name): return train2
out = Odd().score(5)
"""
RAISING = """
Model(True).fit(
    1)
---
def inner():
    return Model().score()
inner()
---
fit = None; x = [fit(1)]
---
Model().nothing.fit(2)
---
Model().score(1, x=2)
---
Model().fit(1 / 0)
---
class Odd: score = 3
Odd().score(1)
"""


@pytest.mark.parametrize("code", SAME.split("---"))
def test_results_are_the_same(code: str, library: dict[str, Any], heard: list[Any]):
    """Whatever the place in the code."""
    assert run(code, library, through=True)["out"] == run(code, library, through=False)["out"]


@pytest.mark.parametrize("code", RAISING.split("---"))
def test_errors_are_the_same_line_for_line(code: str, library: dict[str, Any], heard: list[Any]):
    """Type, words and every frame with its line and columns: none of ours among them."""

    def raised(through: bool) -> tuple[str, list[Any]]:
        with pytest.raises(Exception) as caught:  # noqa: PT011  any, and the same
            run(code, library, through=through)
        frames = traceback.extract_tb(caught.value.__traceback__)
        own = [frame for frame in frames if frame.filename in ("cell.py", "cheap.py")]
        assert own == list(frames)[-len(own) :]
        return repr(caught.value), [(f.filename, f.name, f.lineno, f.colno, f.end_lineno, f.end_colno) for f in own]

    assert raised(True) == raised(False)
    calls.settle()


def test_a_plugin_hears_of_each_call_and_what_came_of_it(library: dict[str, Any], heard: list[Any]):
    """In order, with the variable, and the callbacks that the user gave stay first."""
    there = run('a = Model().fit(1, callbacks=["own"])\nb = train(2)\nModel().score(4)', library, through=True)
    assert (there["a"], there["b"]) == ([1, ["own", "ours"]], [2, ["ours"]])
    assert heard == [
        ("fit", "a", (1,)), ("fit", there["a"]),
        ("train", "b", (2,)), ("train", there["b"]),
        ("score", "", (4,)), ("score", 2.0),
    ]  # fmt: skip


def test_what_raised_is_closed(library: dict[str, Any], heard: list[Any]):
    """At the next call of the same object, at the end of a call around it, at the end of the cell."""
    caught = "m = Model(True)\nfor i in range(2):\n    try: m.fit(i)\n    except ValueError: pass\nModel().score(1)"
    run(caught, library, through=True)
    assert [each for each in heard if each[0] == "fit"] == [
        ("fit", "", (0,)), ("fit", None), ("fit", "", (1,)),
    ]  # fmt: skip
    calls.settle()
    assert heard[-1] == ("fit", None)


def test_other_peoples_calls_are_left_alone(library: dict[str, Any], heard: list[Any]):
    """Functions of the notebook, of modules without a plug-in, decorated ones, and calls with ``**x``."""
    code = """
import math
def train_step(x): return x
def f_score(x): return x
wrap = lambda f: f
@wrap
def compiled(): return Model().score(1)
# nothing
out = math.fsum([1]), Model().fit(**{}), compiled()
"""
    tree = ast.parse(code)
    namespace = {"f_score": lambda x: x, **library}
    assert not calls.insert(tree, namespace)
    run(code, library, through=True)
    assert heard == []


def test_without_a_run_or_a_plugin_nothing_is_told(library: dict[str, Any]):
    """Functions that were defined in a tracked cell go on as they are."""
    there = run("def go(): return Model().fit(1)\nout = go()", library, through=True)
    assert there["out"] == [1, None]
    again = cloudpickle.loads(cloudpickle.dumps(there["go"]))
    assert again() == [1, None]
    assert asyncio.run(asyncio.to_thread(there["go"])) == [1, None]
