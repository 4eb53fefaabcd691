"""Objects that raise or never end whatever they are asked: a cell that handles them is recorded, and none is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from celltrail.store import Store
from kernels import SETTLE, Kernel

OBJECTS = """
from unittest.mock import MagicMock

asked = []

def no(*args, **kw):
    asked.append(1)
    raise RuntimeError("hands off")

class Endless:
    def __iter__(self):
        while True:
            yield 1
    def keys(self): return self
    def items(self): return self
    def __len__(self): return 2 ** 62

class Disguised:
    __class__ = property(no)

class Locked:
    __getattr__ = __getattribute__ = no

class EndlessDict(dict):
    def __iter__(self): return iter(Endless())
    def items(self): return Endless()
    keys = values = items

class EndlessList(list):
    def __iter__(self): return iter(Endless())
    def __len__(self): return 2 ** 62

class Text(str):
    __eq__ = __len__ = __hash__ = __str__ = __repr__ = __fspath__ = no

class Number(float):
    __float__ = __eq__ = __repr__ = __bool__ = no

class Whole(int):
    __index__ = __int__ = __float__ = __eq__ = __repr__ = __bool__ = no

METHODS = ("__eq__ __ne__ __lt__ __len__ __repr__ __str__ __format__ __hash__ __bool__ __iter__ __contains__ "
           "__getitem__ __getattr__ __dir__ __array__ __fspath__ __index__ __int__ __float__ "
           "__sizeof__ __reduce_ex__ __getstate__")
PROPERTIES = "__dict__ __name__ __module__ __array_interface__ shape dtype state_dict items"
def hostile():
    yield "disguised", Disguised()
    yield "locked", Locked()
    yield "endless", Endless()
    yield "endless_dict", EndlessDict(a=1)
    yield "endless_list", EndlessList([1])
    yield "text", Text("a")
    yield "number", Number(1.5)
    yield "whole", Whole(2)
    yield "mock", MagicMock(name="model")
    for name in METHODS.split():
        yield name.strip("_"), type("Hostile", (), {name: no})()
    for name in PROPERTIES.split():
        yield "p_" + name.strip("_"), type("Hostile", (), {name: property(no)})()
for name, thing in hostile():
    globals()["h_" + name] = thing
"""
NAMES = [
    "disguised", "locked", "endless", "endless_dict", "endless_list", "text", "number", "whole", "mock",
    "eq", "ne", "lt", "len", "repr", "str", "format", "hash", "bool", "iter", "contains", "getitem",
    "getattr", "dir", "array", "fspath", "index", "int", "float", "sizeof", "reduce_ex", "getstate",
    "p_dict", "p_name", "p_module", "p_array_interface", "p_shape", "p_dtype", "p_state_dict", "p_items",
]  # fmt: skip
CELL = """%%track {name}
kept = h_{name}
held = [h_{name}]
for i in range(2):
    loss = h_{name}
def f():
    return h_{name}
f() is kept and print("fine")
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kernel, Store]]:
    folder = tmp_path_factory.mktemp("hostile")
    kernel = Kernel(folder, {"CELLTRAIL_STORE": str(folder / ".celltrail"), "XDG_CACHE_HOME": str(folder / "cache")})
    assert kernel.run(OBJECTS, silent=True).status == "ok"
    on = "from celltrail.capture import Recorder\nrecorder = Recorder(get_ipython())\nrecorder.on()"
    assert kernel.run(on, silent=True).status == "ok"
    yield kernel, Store(folder / ".celltrail")
    kernel.stop()


@pytest.mark.parametrize("name", NAMES)
def test_an_object_that_answers_nothing_is_no_trouble(kernel: tuple[Kernel, Store], name: str) -> None:
    """Read, kept, put in a list, bound in a loop and used by a function: no warning, nothing on the run, no change."""
    shell, store = kernel
    shell.run("recorder._complained = False", silent=True)
    reply = shell.run(CELL.format(name=name))
    shell.run(SETTLE, silent=True)
    assert (reply.status, reply.text, reply.complaints) == ("ok", "fine\n", "")
    record = store.records()[0]
    assert (record.name, record.status, record.problems) == (name, "finished", ())
