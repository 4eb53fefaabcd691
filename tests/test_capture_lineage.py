"""Which earlier executions a cell depends on."""

from __future__ import annotations

import ast
import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celltrail.capture.analyze.walk import effects
from celltrail.capture.lineage import History, Slice

SCALARS = (int, float, str, bytes, bool, type(None), tuple, range)


def ids(namespace: dict[str, Any]) -> dict[str, int]:
    found = {name: value for name, value in namespace.items() if not name.startswith("_")}
    return {name: -id(value) if isinstance(value, SCALARS) else id(value) for name, value in found.items()}


def execute(code: str, namespace: dict[str, Any]) -> str:
    try:
        exec(compile(code, "<cell>", "exec"), namespace)
    except Exception:  # noqa: BLE001
        return "error"
    return "ok"


class Session:
    """Cells that really ran, and their history."""

    def __init__(self, *cells: str) -> None:
        self.namespace: dict[str, Any] = {}
        self.history = History()
        self.cells: list[str] = []
        self.statuses: list[str] = []
        self.bound: set[str] = set()  # by the last cell
        for cell in cells:
            self.run(cell)

    def run(self, cell: str) -> None:
        before = ids(self.namespace)
        status = execute(cell, self.namespace)
        self.bound = {name for name, _ in before.items() ^ ids(self.namespace).items()}
        self.history.add(
            str(len(self.cells)),
            effects(ast.parse(cell)),
            status=status,  # pyright: ignore[reportArgumentType]
            before=before,
            after=ids(self.namespace),
            immutable={name for name, value in self.namespace.items() if isinstance(value, SCALARS)},
        )
        self.cells.append(cell)
        self.statuses.append(status)

    def slice(self) -> Slice:
        """Of the last cell."""
        at = len(self.cells) - 1
        what = self.history.steps[at].touched
        return self.history.slice(what.reads, what.pours, at)

    @property
    def needed(self) -> list[int]:
        return [kept.index for kept in self.slice().kept]


SLICES = {
    "junk is left out": (["x = 1", "junk = 2", "y = x"], [0]),
    "the newest binding counts": (["x = 1", "x = 2", "y = x"], [1]),
    "an old value that goes on": (["x = 1", "x = x + 1", "y = x"], [0, 1]),
    "a change in place": (["x = []", "x.append(1)", "y = x"], [0, 1]),
    "a change through another name": (["x = []", "z = x", "z.append(1)", "y = x"], [0, 1, 2]),
    "another name that is gone": (["x = []", "z = x", "z.append(1)", "del z", "y = x"], [0, 1, 2]),
    "another name within one cell": (["x = []", "z = x; z.append(1); del z", "y = x"], [0, 1]),
    "an equal number is no object": (["x = 7", "z = 7", "z += 1", "y = x"], [0]),
    "a global of a function at the time of the call": (
        ["scale = 1", "def f(v): return v * scale", "scale = 5", "y = f(2)"],
        [1, 2],
    ),
    "a function that calls a function": (
        ["k = 2", "def g(): return k", "def f(): return g()", "k = 3", "y = f()"],
        [1, 2, 3],
    ),
    "a function that changes a global": (["rows = []", "def f(): rows.append(1)", "f()", "y = rows"], [0, 1, 2]),
    "a function that binds a global": (["def f():\n    global n\n    n = 3", "f()", "y = n"], [0, 1]),
    "a function that is not used is not what it reads": (["big = 1", "def f(): return big", "y = 1"], []),
    "a function that changes what it is given": (
        ["def f(v): v.append(1)", "def g(v): return len(v)", "x = []", "n = g(x)", "f(x)", "y = x"],
        [0, 2, 4],
    ),
    "a failed cell that did something": (["x = 1; 1 / 0", "y = x"], [0]),
    "a failed cell before it did anything": (["x = 1", "1 / 0; x = 2", "y = x"], [0, 1]),
    "only one branch": (["x = 1", "if False: x = 2", "y = x"], [0, 1]),
    "the other branch": (["x = 1", "if True: x = 2", "y = x"], [1]),
    "a loop that prints what it bound": (["loss = 9", "for i in [1, 2]:\n    loss = i\nprint(loss)"], []),
    "a loop without turns": (["loss = 9", "for i in []:\n    loss = i\nprint(loss)"], [0]),
    "a list that results are put in": (
        ["results = []", "results.append(1)", "results.append(2)"],
        [0],
    ),
    "the same list when it is looked at": (
        ["results = []", "results.append(1)", "y = sum(results)"],
        [0, 1],
    ),
    "elements of a list": (["ms = [[], []]", "for m in ms: m.append(1)", "y = ms"], [0, 1]),
    "an element with a name of its own": (["ms = [[], []]", "m = ms[0]", "m.append(1)", "y = ms"], [0, 1, 2]),
    "a part of what was changed": (["ms = [[], []]", "m = ms[0]", "ms[0].append(1)", "y = m"], [0, 1, 2]),
    "what an object holds": (
        ["class Opt:\n    def __init__(s, m): s.m = m\n    def step(s): s.m.append(1)", "m = []", "o = Opt(m)",
         "o.step()", "y = m"],
        [0, 1, 2, 3],
    ),
    "a deleted name": (["x = 1", "del x", "x = 2", "y = x"], [2]),
    "a method of a class that reads a global": (
        ["class N:\n    def go(s): return k", "n = N()", "k = 1", "k = 2", "y = n.go()"],
        [0, 1, 3],
    ),
    "plots change nothing": (
        ["import numpy as np", "x = np.ones(3)", "np.mean(x); x.sum()", "np.random.shuffle(x)", "y = x"],
        [0, 1, 3],
    ),
    "fitting does not change the data": (
        ["class M:\n    def fit(s, X, y): s.w = 1", "X = [1]", "m = M()", "m.fit(X, X)", "y = X"],
        [1],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SLICES)
def test_a_slice_is_exactly_what_is_needed(case: str) -> None:
    """Every execution in it is needed, and none that is needed is missing."""
    cells, needed = SLICES[case]
    assert Session(*cells).needed == needed


def test_eleven_executions_with_junk_give_the_seven_needed() -> None:
    """A failing cell, a redefined name and an execution out of order among them."""
    session = Session(
        "import random",  # 0
        "X = [1.0, 2.0, 3.0]",  # 1
        "lr = 0.1",  # 2: redefined before anything used it
        "junk = [i for i in range(3)]",  # 3
        "def step(w, x): return w - lr * x",  # 4
        "lr = 0.5",  # 5
        "w = 0.0; undefined_name",  # 6: fails after its assignment
        "print('nothing')",  # 7
        "X[:] = [x * 1.5 for x in X]",  # 8: out of order
        "for x in X: w = step(w, x)",  # 9
        "final = w",  # 10
    )
    assert session.needed == [1, 4, 5, 6, 8, 9]
    assert session.statuses[6] == "error"


NAMES = st.sampled_from("abcd")
FUNCTIONS = st.sampled_from("fg")
STATEMENT = st.builds(
    lambda text, x, y, f, n: text.format(x=x, y=y, f=f, n=n),
    st.sampled_from(
        [
            "{x} = {n}", "{x} = [{n}]", "{x} = {y}", "{x} = [{y}]", "{x} = {y}[0]", "{x} = list({y})",
            "{x}.append({n})", "{x}.append({y})", "{x}[0] = {n}", "{x}[0] = {y}", "{x} += [{n}]", "{x} += {n}",
            "{x} = {y} + {y}", "del {x}", "raise ValueError", "{x}, {y} = {y}, {x}",
            "def {f}():\n    return {y}", "def {f}():\n    {y}.append(9)", "def {f}():\n    global {x}\n    {x} = {y}",
            "def {f}(p=None):\n    q = {y}\n    q.append(5)\n    return q", "{f}()", "{x} = {f}()", "{x} = {f}",
            "if {y}:\n    {x} = {n}", "if {y}:\n    {x}.append({n})\nelse:\n    {x} = {y}",
            "try:\n    {x} = {y}[0]\nexcept Exception:\n    {x} = {n}",
            "for e in {y}:\n    e.append({n})", "for {x} in [{n}, {n}]:\n    {y}.append({x})",
            "{x} = [v for v in {y}]", "{x} = (lambda: {y})()", "{x} = dict(k={y})", "{x} = {{'k': {y}}}",
            "while {x}:\n    {x} = {y}[1:]\n    break", "print({x})", "{x} = {n} if {y} else {x}",
            "with open('/dev/null') as h:\n    {x} = {y}",
        ]
    ),
    NAMES, NAMES, FUNCTIONS, st.integers(0, 3),
)  # fmt: skip
CELL = st.lists(STATEMENT, min_size=1, max_size=3).map("\n".join)


def shape(value: Any) -> str:
    return re.sub(r"0x\w+", "", repr(value))


@settings(max_examples=400, deadline=None)
@given(st.lists(CELL, min_size=2, max_size=9))
def test_the_slice_alone_gives_what_the_whole_session_gave(cells: list[str]) -> None:
    """The oracle: executed in an empty namespace, the slice leaves the target the same values and the same end."""
    session = Session(*cells)
    alone: dict[str, Any] = {}
    for index in session.needed:
        execute(cells[index], alone)
    assert execute(cells[-1], alone) == session.statuses[-1]
    for name in session.bound:
        assert (name in alone) == (name in session.namespace), name
        if name in alone:
            assert shape(alone[name]) == shape(session.namespace[name]), name


def test_a_slice_over_a_thousand_executions_takes_ten_milliseconds_at_most() -> None:
    """Also when every one of them is needed."""
    history = History()
    for number in range(1000):
        code = f"x{number % 50} = x{(number + 1) % 50} + total\ntotal = total + 1" if number else "total = 0"
        history.add(str(number), effects(ast.parse(code)))
    started = time.process_time()
    kept = history.slice(["total", "x3"]).kept
    assert len(kept) == 1000
    assert time.process_time() - started < 0.05  # 3-6 ms on a quiet machine


def test_what_cannot_be_seen_makes_the_slice_a_lower_bound() -> None:
    """A star import, exec, %run and a shell command, each before the target."""
    for code, hole in {
        "from math import *": "star import",
        "exec('x = 1')": "exec",
        "get_ipython().run_line_magic('run', 'a.py')": "%run",
        "get_ipython().system('ls')": "!command",
    }.items():
        history = History()
        history.add("0", effects(ast.parse(code)))
        history.add("1", effects(ast.parse("y = 1")))
        found = history.slice([], before=1)
        assert found.is_lower_bound
        assert found.holes == {0: {hole}}
    assert not Session("x = 1", "y = x").slice().is_lower_bound
