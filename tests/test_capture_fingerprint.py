"""Fingerprints: equal values have equal prints in every process, changed ones another; looking changes nothing."""

import collections
import copy
import datetime
import decimal
import enum
import fractions
import functools
import pathlib
import random
import subprocess
import sys
import threading
import time
import types
import typing
import uuid
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from celltrail.capture.values.fingerprint import Budget, fingerprint


def digest(value):
    return fingerprint(value, Budget(5)).digest


def quality(value):
    return fingerprint(value, Budget(5)).quality


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@dataclass
class Config:
    lr: float
    layers: list


class Point(typing.NamedTuple):
    x: int
    y: int = 0


class Slotted:
    __slots__ = ("x", "y")

    def __init__(self, x):
        self.x = x


# each line: two equal values made apart, and a third that differs in one place
def frame(last=3.0, name="b"):
    return pd.DataFrame({"a": [1.0, 2.0, last], name: ["x", "y", None]})


def masked(last):
    return np.ma.array([1, 2, 3], mask=[0, 0, last])


def structured(last):
    found = np.empty(2, np.dtype([("a", "i1"), ("b", "f8")], align=True))
    found.view("u1")[:] = random.randrange(256)  # what lies between the fields means nothing
    found["a"], found["b"] = 1, [2, last]
    return found


def generator(draws):
    found = np.random.default_rng(7)
    found.random(draws)
    return found


def python_generator(draws):
    found = random.Random(7)
    for _ in range(draws):
        found.random()
    return found


def legacy(draws):
    found = np.random.RandomState(7)
    found.rand(draws)
    return found


def closing(constant):
    def inner(x, y=2):
        return x + y + constant

    return inner


def function(code):
    space = {"__name__": "__main__"}
    exec(code, space)
    return space["f"]


def fitted(depth):
    from sklearn.ensemble import RandomForestClassifier

    data = np.random.default_rng(0).random((50, 3))
    return RandomForestClassifier(5, max_depth=depth, random_state=0).fit(data, data[:, 0] > 0.5)


def neighbours(count):
    from sklearn.neighbors import KNeighborsClassifier

    data = np.random.default_rng(0).random((50, 3))
    return KNeighborsClassifier(count).fit(data, data[:, 0] > 0.5)


def text_column(last):
    return pd.Series(["one", "two", last])


def sparse(last):
    return scipy.sparse.csr_array(np.array([[0, 1.0], [last, 0]]))


CASES = {
    "none": (lambda: None, lambda: False),
    "bool": (lambda: True, lambda: 1),
    "int": (lambda: 10**30, lambda: 10**30 + 1),
    "float": (lambda: 0.0, lambda: -0.0),
    "int and float": (lambda: 1, lambda: 1.0),
    "nan": (lambda: float("nan"), lambda: float("inf")),
    "complex": (lambda: 1 + 2j, lambda: 1 - 2j),
    "str": (lambda: "abc" * 1000, lambda: "abc" * 999 + "abd"),
    "surrogate": (lambda: "\ud800", lambda: "\ud801"),
    "bytes": (lambda: b"abc", lambda: b"abd"),
    "bytes and bytearray": (lambda: b"abc", lambda: bytearray(b"abc")),
    "list": (lambda: [1, [2, 3]], lambda: [1, [2, 4]]),
    "list and tuple": (lambda: [1, 2], lambda: (1, 2)),
    "nesting": (lambda: [[1], 2], lambda: [[1, 2]]),
    "joined texts": (lambda: ["ab", "c"], lambda: ["a", "bc"]),
    "dict": (lambda: {"a": [1], "b": 2}, lambda: {"a": [1], "b": 3}),
    "dict order": (lambda: {"a": 1, "b": 2}, lambda: {"b": 2, "a": 1}),
    "set": (lambda: set("abcdef"), lambda: set("abcdeg")),
    "set of tuples": (lambda: {(1, "a"), (2, "b")}, lambda: {(1, "a"), (2, "c")}),
    "frozenset": (lambda: frozenset([1]), lambda: frozenset([2])),
    "ordered": (lambda: collections.OrderedDict(a=1), lambda: {"a": 1}),
    "counter": (lambda: collections.Counter("aab"), lambda: collections.Counter("abb")),
    "defaultdict": (lambda: collections.defaultdict(list, a=[1]), lambda: collections.defaultdict(set, a=[1])),
    "deque": (lambda: collections.deque([1, 2], 3), lambda: collections.deque([1, 2], 4)),
    "range": (lambda: range(3), lambda: range(4)),
    "slice": (lambda: slice(1, 2), lambda: slice(1, 3)),
    "enum": (lambda: Colour.RED, lambda: Colour.BLUE),
    "decimal": (lambda: decimal.Decimal("1.0"), lambda: decimal.Decimal("1.00")),
    "fraction": (lambda: fractions.Fraction(1, 3), lambda: fractions.Fraction(1, 4)),
    "datetime": (lambda: datetime.datetime(2020, 1, 1), lambda: datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)),
    "date": (lambda: datetime.date(2020, 1, 1), lambda: datetime.date(2020, 1, 2)),
    "path": (lambda: pathlib.Path("a/b"), lambda: pathlib.Path("a/c")),
    "uuid": (lambda: uuid.UUID(int=1), lambda: uuid.UUID(int=2)),
    "dataclass": (lambda: Config(0.1, [1]), lambda: Config(0.1, [2])),
    "named tuple": (lambda: Point(1, 2), lambda: Point(1, 3)),
    "named tuples": (lambda: collections.namedtuple("P", "a b"), lambda: collections.namedtuple("P", "b a")),
    "type of a list": (lambda: list[int], lambda: list[str]),
    "union": (lambda: int | None, lambda: str | None),
    "slots": (lambda: Slotted(1), lambda: Slotted(2)),
    "namespace": (lambda: types.SimpleNamespace(a=1), lambda: types.SimpleNamespace(a=2)),
    "partial": (lambda: functools.partial(int, base=2), lambda: functools.partial(int, base=3)),
    "array": (lambda: np.arange(6.0).reshape(2, 3), lambda: np.arange(6.0).reshape(3, 2)),
    "array dtype": (lambda: np.zeros(3, "f4"), lambda: np.zeros(3, "i4")),
    "array layout": (lambda: np.asfortranarray(np.eye(3)), lambda: np.eye(3)[:, ::-1]),
    "array of objects": (lambda: np.array(["a", 1, None, np.nan], object), lambda: np.array(["a", 2, None], object)),
    "array of texts": (lambda: np.array(["a", "b"]), lambda: np.array(["a", "c"])),
    "array of dates": (lambda: np.array(["2020-01-01"], "M8[D]"), lambda: np.array(["2020-01-01"], "M8[s]")),
    "array of structs": (lambda: structured(3), lambda: structured(4)),
    "array of no dimension": (lambda: np.array(1.0), lambda: np.array([1.0])),
    "empty array": (lambda: np.empty((0, 3)), lambda: np.empty((3, 0))),
    "long double": (lambda: np.array([1, 2], np.longdouble), lambda: np.array([1, 3], np.longdouble)),
    "masked": (lambda: masked(0), lambda: masked(1)),
    "numpy number": (lambda: np.float32(1), lambda: np.float64(1)),
    "frame": (frame, lambda: frame(4.0)),
    "frame column": (frame, lambda: frame(name="c")),
    "frame index": (frame, lambda: frame().set_index(pd.Index([5, 6, 7]))),
    "series": (lambda: text_column("three"), lambda: text_column("four")),
    "series name": (lambda: pd.Series([1], name="a"), lambda: pd.Series([1], name="b")),
    "categories": (lambda: pd.Categorical(["a", "b"]), lambda: pd.Categorical(["a", "b"], ["b", "a"])),
    "nullable": (lambda: pd.array([1, None, 3]), lambda: pd.array([1, None, 4])),
    "dates": (lambda: pd.date_range("2020", periods=3), lambda: pd.date_range("2020", periods=3, tz="UTC")),
    "period": (lambda: pd.period_range("2020", periods=3), lambda: pd.period_range("2021", periods=3)),
    "intervals": (lambda: pd.interval_range(0, 3), lambda: pd.interval_range(0, 4)),
    "sparse column": (lambda: pd.arrays.SparseArray([0, 1]), lambda: pd.arrays.SparseArray([0, 2])),
    "index": (lambda: pd.Index(["a", "b"]), lambda: pd.Index(["a", "c"])),
    "two levels": (lambda: frame().set_index(["a", "b"]), lambda: frame(4.0).set_index(["a", "b"])),
    "timestamp": (lambda: pd.Timestamp("2020"), lambda: pd.Timestamp("2021")),
    "sparse": (lambda: sparse(2), lambda: sparse(3)),
    "dok": (lambda: sparse(2).todok(), lambda: sparse(3).todok()),
    "forest": (lambda: fitted(2), lambda: fitted(3)),
    "neighbours": (lambda: neighbours(2), lambda: neighbours(3)),
    "numpy generator": (lambda: generator(3), lambda: generator(4)),
    "python generator": (lambda: python_generator(3), lambda: python_generator(4)),
    "legacy generator": (lambda: legacy(3), lambda: legacy(4)),
    "closure": (lambda: closing(1), lambda: closing(2)),
    "comment": (
        lambda: function("def f(x):\n    return x + 1"),
        lambda: function("def f(x):\n    return x + 2"),
    ),
    "names": (lambda: function("def f(x): return g(x)"), lambda: function("def f(x): return h(x)")),
    "defaults": (lambda: function("def f(x=1): return x"), lambda: function("def f(x=2): return x")),
    "class": (lambda: function("class f:\n a = 1"), lambda: function("class f:\n a = 2")),
    "method": (
        lambda: function("class f:\n def go(self): return 1"),
        lambda: function("class f:\n def go(self): return 2"),
    ),
    "builtin": (lambda: len, lambda: sum),
    "module": (lambda: np, lambda: pd),
    "library class": (lambda: pd.DataFrame, lambda: pd.Series),
    "ufunc": (lambda: np.add, lambda: np.subtract),
    "error": (lambda: ValueError("a"), lambda: ValueError("b")),
}


@pytest.mark.parametrize("name", CASES)
def test_equal_values_have_equal_prints_and_changed_ones_another(name):
    """The rule of all fingerprints, for each kind of value; each of these is seen whole."""
    make, other = CASES[name]
    assert digest(make()) == digest(make()) != digest(other())
    assert quality(make()) == "full"


PROGRAM = """
import sys; sys.path[:0] = {path!r}
import test_capture_fingerprint as cases
for name, (make, other) in cases.CASES.items():
    print(name, cases.digest(make()), cases.digest(other()))
"""


def test_prints_are_the_same_in_every_process():
    """Neither the seed of hashes nor addresses are part of a print: replay and comparison go over processes."""
    program = PROGRAM.format(path=[str(pathlib.Path(__file__).parent)])
    printed = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
    assert next(iter(printed)).count("\n") == len(CASES)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=30,
)


@given(plain, plain)
@settings(max_examples=200, deadline=None)
def test_a_copy_has_the_same_print_and_another_value_another(value, other):
    """For values of Python: as equal as their repr is, which tells -0.0 and 1.0 from 0.0 and 1."""
    assert digest(value) == digest(eval(repr(value), {"inf": float("inf")}))
    assert (digest(value) == digest(other)) == (repr(value) == repr(other))


@given(st.integers(1, 3000), st.data())
@settings(max_examples=50, deadline=None)
def test_one_changed_element_gives_another_print(size, data):
    """In an array, a frame and a list, wherever the element stands."""
    place = data.draw(st.integers(0, size - 1))
    array = np.arange(size, dtype=float)
    frame = pd.DataFrame({"a": array.copy(), "b": array.astype(str)})
    numbers = array.tolist()
    before = digest(array), digest(frame), digest(numbers)
    array[place] = -1.5
    frame.loc[place, "b"] = "changed"
    numbers[place] = -1.5
    after = digest(array), digest(frame), digest(numbers)
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_a_changed_column_of_a_frame_is_seen():
    """The trap that made a prototype blind: the address of a column that is gone comes back for the next."""
    frame = pd.DataFrame({f"c{n}": np.full(100, 1.0) for n in range(20)})
    prints = {digest(frame)}
    for name in frame:
        changed = frame.copy()
        changed.loc[50, name] = 2.0
        prints.add(digest(changed))
    assert len(prints) == 21


def test_large_values_are_sampled_and_say_so():
    """Above 8 MB ten windows are read; a change of everything, of the shape or the ends is seen."""
    array = np.zeros(10_000_000, "u1")
    assert quality(array) == "sampled"
    assert len({digest(array), digest(array + 1), digest(array.reshape(2, -1)), digest(array[:-1])}) == 4
    array[-1] = 1
    assert digest(array) != digest(np.zeros(10_000_000, "u1"))
    wide = np.broadcast_to(np.zeros(1), (2**28,))  # 2 GB that do not exist
    begun = time.thread_time()
    assert quality(wide) == "sampled"
    assert time.thread_time() - begun < 0.2
    assert quality(list(range(1_000_000))) == "sampled"
    assert quality([[n] for n in range(20_000)]) == "sampled"
    assert quality("x" * 20_000_000) == "sampled"
    assert quality(pd.DataFrame(np.zeros((1_000_000, 3)))) == "sampled"


def test_time_over_makes_the_rest_opaque():
    """A cell's values together may take so long and no longer; what was not seen gives the same print each time."""
    value = [[str(n)] for n in range(4000)]
    spent = Budget(0.0005)
    first = fingerprint(value, spent)
    assert first.quality == "opaque"
    assert spent.spent < 0.1
    assert fingerprint([1], spent).quality == "opaque"
    assert fingerprint(value, Budget(0.0005)) == first


def test_cycles_end():
    """A value that contains itself has a print, and one with another cycle another."""

    def cyclic(number):
        value = [number]
        value.append({"self": value})
        return value

    assert digest(cyclic(1)) == digest(cyclic(1)) != digest(cyclic(2))
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert quality(deep) == "sampled"


def test_two_names_for_one_list_are_not_two_lists():
    """What happens to one then happens to both, so a program sees the difference."""
    one = [1]
    assert digest([one, one]) != digest([[1], [1]])
    assert digest([one, one]) == digest([[1]] * 2)


class Hostile:
    """Everything that could run when looked at does raise."""

    armed = False

    def __init__(self):
        self.value = 1

    def __getattribute__(self, name):
        if Hostile.armed:
            raise RuntimeError(f"asked for {name}")
        return object.__getattribute__(self, name)

    def _raise(self, *args):
        raise RuntimeError("was run")

    __len__ = __iter__ = __eq__ = __hash__ = __bool__ = __repr__ = __str__ = __getstate__ = __reduce_ex__ = _raise
    __getitem__ = __array__ = __copy__ = __deepcopy__ = __contains__ = __index__ = __float__ = __dir__ = _raise
    __class__ = property(_raise)
    __dict__ = property(_raise)


class HostileKind(type):
    def _raise(cls, *args):
        raise RuntimeError("was run")

    __hash__ = __eq__ = __instancecheck__ = __subclasscheck__ = __repr__ = __getattribute__ = _raise


class HostileList(list):
    def _raise(self, *args):
        raise RuntimeError("was run")

    __len__ = __iter__ = __eq__ = __getitem__ = __bool__ = __repr__ = __reduce_ex__ = _raise


class HostileArray(np.ndarray):
    def _raise(self, *args, **kw):
        raise RuntimeError("was run")

    __len__ = __iter__ = __eq__ = __getitem__ = __array_ufunc__ = __array_function__ = tobytes = view = _raise
    shape = dtype = nbytes = flags = property(_raise)


def test_nothing_of_the_author_of_a_value_runs():
    """Properties, lengths, comparisons, hashes and metaclasses raise here, and nobody notices."""
    hostile = Hostile()
    kind = HostileKind("Odd", (), {})
    array = np.arange(3).view(HostileArray)
    values = [hostile, {"a": hostile}, [hostile] * 2, kind, [kind, 1], type.__call__(kind), HostileList([1]), array]
    Hostile.armed = True
    try:
        prints = [fingerprint(value, Budget(5)) for value in values]
    finally:
        Hostile.armed = False
    assert len({found.digest for found in prints}) == len(values)
    assert digest(HostileList([1])) != digest(HostileList([2]))


def test_what_loads_itself_is_not_woken():
    """A proxy that imports or connects when asked for anything stays asleep."""
    woken = []

    class Lazy(types.ModuleType):
        def __getattr__(self, name):
            woken.append(name)
            raise AttributeError(name)

    class Proxy:
        def __getattr__(self, name):
            woken.append(name)
            return 1

        @property
        def __class__(self):
            woken.append("class")
            return dict

        @functools.cached_property
        def data(self):
            woken.append("data")

    assert quality([Lazy("lazy"), Proxy()]) == "full"
    assert woken == []


def test_what_a_property_caches_is_no_change():
    """A model whose size was asked for is the same model."""

    class Net:
        def __init__(self):
            self.width = 3

        @functools.cached_property
        def size(self):
            return self.width**2

    net = Net()
    before = digest(net)
    assert net.size == 9
    assert digest(net) == before
    net.width = 4
    assert digest(net) != before


def test_opaque_is_what_cannot_be_seen():
    """An iterator, an open file or a thread is not taken for seen."""
    with open(__file__) as file:
        for value in (iter([1]), (n for n in [1]), file, zip([1], [2], strict=True), [iter([])]):
            assert quality(value) == "opaque", value
    assert quality({"lock": threading.Lock()}) == "full"  # no part of a value


def test_looking_changes_nothing():
    """Neither the value, nor who refers to it, nor the numbers it will draw."""
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    rng = np.random.default_rng(3)
    twin = copy.deepcopy(rng)
    value = {"frame": frame, "rng": rng, "list": [1, 2]}
    before = {name: sys.getrefcount(inner) for name, inner in value.items()}
    fingerprint(value, Budget(5))
    assert {name: sys.getrefcount(inner) for name, inner in value.items()} == before
    assert rng.random() == twin.random()
    assert frame.equals(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))


def test_what_is_inside_is_told():
    """Arrays, models and containers in a value are named by address, so that a checkpoint's model is found."""
    weights, history = np.zeros(3), [1]
    found = fingerprint({"model": {"w": weights}, "history": history})
    assert {id(weights), id(history)} <= found.inside
    assert len(fingerprint([[n] for n in range(1000)], Budget(5)).inside) <= 200


def test_a_secret_is_only_set():
    """The print of a configuration must not confirm a guessed password."""
    assert digest({"user": "ada", "password": "one"}) == digest({"user": "ada", "password": "two"})
    assert digest(types.SimpleNamespace(api_key="one")) == digest(types.SimpleNamespace(api_key="two"))
    assert digest({"max_tokens": 1}) != digest({"max_tokens": 2})


def test_values_may_change_in_another_thread_meanwhile():
    """A dict or list that another thread changes gives some print, and no error."""
    value = {"a": {n: n for n in range(100)}, "b": list(range(100))}
    stop = threading.Event()

    def change():
        number = 100
        while not stop.is_set():
            value["a"][number] = number
            value["a"].pop(number - 100, None)
            value["b"].append(number)
            del value["b"][0]
            number += 1

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(200):
            assert fingerprint(value, Budget(5)).quality in ("full", "opaque")
    finally:
        stop.set()
        thread.join()


def test_polars_frames_are_read_without_pandas():
    """Equal whatever their chunks; one changed text is seen."""
    polars = pytest.importorskip("polars")

    def make(last):
        return polars.DataFrame({"a": [1, 2, None], "b": ["a long text of more than twelve", "b", last]})

    assert digest(make("c")) == digest(make("c")) != digest(make("d"))
    assert quality(make("c")) == "full"
    assert digest(make("c")["b"]) == digest(polars.concat([make("c")[:1], make("c")[1:]], rechunk=False)["b"])
    assert quality(make("c").lazy()) == "opaque"  # never computed for this


def test_arrow_tables_are_read_whatever_their_chunks():
    """A slice equals the table made of the same rows."""
    import pyarrow as pa

    table = pa.table({"a": [1, 2, 3], "b": ["x", None, "z"]})
    assert digest(table.slice(1)) == digest(pa.table({"a": [2, 3], "b": [None, "z"]})) != digest(table)
    assert digest(pa.concat_tables([table.slice(0, 1), table.slice(1)])) == digest(table)
    assert digest(table["b"].dictionary_encode()) != digest(table["b"])


@pytest.fixture
def torch():
    found = pytest.importorskip("torch")
    found.manual_seed(0)
    return found


def test_tensors_in_memory_are_read(torch):
    """Each type of number, dense and sparse; equal whatever their order in memory, another when one element is."""
    for dtype in (torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.bool, torch.complex64):
        one, other = torch.ones(3, 2, dtype=dtype), torch.ones(3, 2, dtype=dtype)
        assert digest(one) == digest(other) == digest(torch.ones(2, 3, dtype=dtype).T)
        other[1, 1] = 0
        assert digest(one) != digest(other)
        assert quality(one) == "full"
    assert digest(torch.eye(3).to_sparse()) != digest(torch.eye(4).to_sparse())
    assert digest(torch.ones(2, dtype=torch.complex64) * 1j) != digest(
        (torch.ones(2, dtype=torch.complex64) * 1j).conj()
    )
    assert quality(torch.zeros(5_000_000)) == "sampled"
    assert quality(torch.zeros(3, device="meta")) == "full"


def test_models_are_read_without_their_gradients(torch):
    """Weights, buffers and mode count, at any depth; a backward pass and hooks do not; the graph is not kept."""

    def make():
        torch.manual_seed(1)
        deep = torch.nn.Linear(2, 2)
        for _ in range(30):
            deep = torch.nn.Sequential(deep)
        return torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.Dropout(0.5), deep)

    model = make()
    before = digest(model)
    assert before == digest(make())
    assert quality(model) == "full"
    model(torch.ones(3, 4)).sum().backward()
    hook = model.register_forward_hook(lambda *args: None)
    assert digest(model) == before
    hook.remove()
    assert digest(model.eval()) != before
    model.train()
    assert {id(model[0]), id(model[0].weight)} <= fingerprint(model).inside
    with torch.no_grad():
        list(model.parameters())[-1][0] += 1
    assert digest(model) != before


def test_optimizers_and_loaders_are_read(torch):
    """A step changes an optimizer; a loader is its dataset."""
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(model.parameters())
    before = digest(optimizer)
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert digest(optimizer) != before
    data = torch.utils.data.TensorDataset
    first, second = (torch.utils.data.DataLoader(data(torch.full((4, 1), value))) for value in (0.0, 1.0))
    assert digest(first) != digest(second)


def test_a_tensor_of_another_class_runs_nothing(torch):
    """A class derived from Tensor answers each question with code of its own; lazy parameters stay lazy."""

    class Loud(torch.Tensor):
        @classmethod
        def __torch_function__(cls, *args, **kw):
            raise RuntimeError("was run")

    assert quality(torch.ones(3).as_subclass(Loud)) == "opaque"
    lazy = torch.nn.LazyLinear(3)
    assert quality(lazy) == "opaque"
    assert lazy.has_uninitialized_params()


def test_reading_a_tensor_moves_no_generator_and_no_version(torch):
    """Neither the random numbers nor autograd's count of changes."""
    state, weight = torch.get_rng_state(), torch.nn.Parameter(torch.ones(3))
    version = weight._version
    fingerprint({"w": weight, "g": torch.default_generator})
    assert torch.equal(torch.get_rng_state(), state)
    assert weight._version == version


def test_arrays_of_jax_are_read():
    """Those in memory, keys of random numbers, and functions that were compiled."""
    jax = pytest.importorskip("jax")
    array = jax.numpy.ones(3)
    assert digest(array) == digest(jax.numpy.ones(3)) != digest(array.at[1].set(2))
    assert digest(jax.random.key(1)) == digest(jax.random.key(1)) != digest(jax.random.key(2))
    assert digest(jax.jit(closing(1))) == digest(jax.jit(closing(1))) != digest(jax.jit(closing(2)))
    assert {quality(each) for each in (array, jax.random.key(1), jax.jit(closing(1)))} == {"full"}
