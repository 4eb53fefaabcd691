"""Generators of random numbers: read without moving them, kept readable, told whether a run used them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from celltrail.capture import rng
from celltrail.capture.rng import randomness
from celltrail.capture.rng.seeds import seeded_in
from celltrail.capture.session.past import Past
from celltrail.query import StoredRun, runs
from celltrail.query.executions import executions
from celltrail.store import Store
from kernels import Kernel

BITS = ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"]


def taken(name: str, value: Any) -> tuple[str, bytes]:
    """The one state of a variable, packed as it is in a trail."""
    ((library, state),) = rng.take_named([name], {name: value}).items()
    return library, rng.pack(library, state)


def draws(generator: np.random.Generator) -> list[Any]:
    """Numbers of several kinds; a 32-bit one leaves half of a word behind in the state."""
    return [
        generator.random(3).tolist(),
        generator.integers(0, 100, 3, dtype=np.uint32).tolist(),
        generator.normal(size=3).tolist(),
    ]


@pytest.mark.parametrize("algorithm", BITS)
def test_a_generator_of_numpy_is_restored(algorithm: str) -> None:
    """Numbers drawn from the restored state equal those drawn from the first one, for each algorithm."""
    generator = np.random.Generator(getattr(np.random, algorithm)(7))
    generator.integers(0, 10, 1, dtype=np.uint32)
    library, packed = taken("gen", generator)
    assert library == "numpy.Generator:gen"
    first = draws(generator)
    rng.restore(dict([rng.unpack(packed)]), space := {"gen": generator})
    assert space["gen"] is generator  # others may hold it
    assert draws(generator) == first
    rng.restore(dict([rng.unpack(packed)]), elsewhere := {})  # type: ignore[var-annotated]
    assert draws(elsewhere["gen"]) == first


@pytest.mark.parametrize("algorithm", BITS)
def test_a_legacy_generator_is_restored(algorithm: str) -> None:
    """Its half of a pair of normal numbers included."""
    generator = np.random.RandomState(getattr(np.random, algorithm)(7))
    generator.normal()
    library, packed = taken("gen", generator)
    assert library == "numpy.RandomState:gen"
    first = generator.normal(size=3).tolist(), generator.randint(0, 9, 5).tolist()
    rng.restore(dict([rng.unpack(packed)]), {"gen": generator})
    assert (generator.normal(size=3).tolist(), generator.randint(0, 9, 5).tolist()) == first


def test_the_global_generators_are_restored() -> None:
    """Also where somebody put another algorithm behind numpy's functions."""
    before = np.random.get_state(legacy=False)
    try:
        for _ in range(2):
            states = rng.take()
            packed = [rng.pack(library, state) for library, state in states.items() if library in ("random", "numpy")]
            first = random.random(), np.random.random(), np.random.normal()
            np.random.set_bit_generator(np.random.SFC64(1))
            rng.restore(dict(map(rng.unpack, packed)))
            assert (random.random(), np.random.random(), np.random.normal()) == first
            np.random.set_bit_generator(np.random.PCG64(3))
    finally:
        np.random.set_bit_generator(np.random.MT19937())
        np.random.set_state(before)


def test_a_state_as_first_trails_have_it_is_still_read() -> None:
    """The header had each field by its name, and the key behind it."""
    import orjson

    state = np.random.RandomState(3).get_state(legacy=False)
    header = {
        "library": "numpy", "algorithm": "MT19937", "version": "2.0.0", "order": "little",
        "state": {"pos": str(state["state"]["pos"])}, "has_gauss": 0, "gauss": (0.0).hex(),
    }  # fmt: skip
    _, found = rng.unpack(orjson.dumps(header) + b"\n" + state["state"]["key"].tobytes())
    twin = np.random.RandomState()
    twin.set_state(found)
    assert twin.random(3).tolist() == np.random.RandomState(3).random(3).tolist()


def test_a_generator_of_python_is_restored() -> None:
    """`random.Random` objects of the notebook."""
    dice = random.Random(7)
    dice.gauss(0, 1)
    library, packed = taken("dice", dice)
    assert library == "random.Random:dice"
    first = [dice.gauss(0, 1), dice.random()]
    rng.restore(dict([rng.unpack(packed)]), {"dice": dice})
    assert [dice.gauss(0, 1), dice.random()] == first


def test_reading_moves_nothing() -> None:
    """A user's numbers are the same with celltrail as without."""
    generator, dice = np.random.default_rng(1), random.Random(1)
    space = {"generator": generator, "dice": dice, "x": 3}
    for _ in range(3):
        assert sorted(rng.take_named(space, space)) == ["numpy.Generator:generator", "random.Random:dice"]
    assert generator.random() == np.random.default_rng(1).random()
    assert dice.random() == random.Random(1).random()


def test_a_generator_that_an_object_holds() -> None:
    """By the way to it: an attribute, a key, a place in a list, two steps deep; found once, set back where it is."""

    class Sampler:
        def __init__(self) -> None:
            self.rng = np.random.default_rng(1)
            self.again = self.rng
            self.options = {"dice": random.Random(2)}

        @property
        def hidden(self) -> None:
            raise AssertionError("the user's code was run")

    space: dict[str, Any] = {"sampler": Sampler(), "parts": [1, np.random.RandomState(3)], "np": np}
    states = rng.take_named(space, space)
    assert sorted(states) == [
        "numpy.Generator:sampler.again", "numpy.RandomState:parts[1]", "random.Random:sampler.options['dice']",
    ]  # fmt: skip
    sampler = space["sampler"]
    drawn = [sampler.rng.random(), sampler.options["dice"].random(), space["parts"][1].rand()]
    assert rng.take_named([key.partition(":")[2] for key in states], space).keys() == states.keys()
    rng.restore({key: rng.unpack(rng.pack(key, state))[1] for key, state in states.items()}, space)
    assert [sampler.rng.random(), sampler.options["dice"].random(), space["parts"][1].rand()] == drawn
    space["sampler"] = None
    rng.restore(states, space)
    assert space["sampler"] is None


def test_classes_derived_from_generators_are_left_alone() -> None:
    """Their methods are the user's code."""

    class Loaded(random.Random):
        def getstate(self) -> Any:
            raise RuntimeError("was run")

    assert rng.take_named(["dice", "system"], {"dice": Loaded(1), "system": random.SystemRandom()}) == {}


def test_generators_of_torch_are_restored() -> None:
    """The global one and one of the notebook."""
    torch = pytest.importorskip("torch")
    generator = torch.Generator().manual_seed(3)
    library, packed = taken("g", generator)
    assert library == "torch.Generator:g"
    everything = {"torch": rng.take()["torch"]}
    first = torch.rand(3, generator=generator).tolist(), torch.rand(3).tolist()
    rng.restore(dict([rng.unpack(packed)]), space := {"g": generator})
    rng.restore(dict([rng.unpack(rng.pack("torch", everything["torch"]))]))
    assert (torch.rand(3, generator=generator).tolist(), torch.rand(3).tolist()) == first
    assert space["g"] is generator


def test_keys_of_jax_are_restored() -> None:
    """Typed keys, and plain ones by their name."""
    jax = pytest.importorskip("jax")
    for key in (jax.random.key(3), jax.random.PRNGKey(3)):
        library, packed = taken("key", key)
        assert library == "jax.key:key"
        rng.restore(dict([rng.unpack(packed)]), space := {"key": None})
        assert jax.random.uniform(space["key"]).item() == jax.random.uniform(key).item()


@pytest.mark.parametrize(
    ("code", "seeded"),
    [
        ("np.random.seed(0)", {"numpy"}),
        ("random.seed(SEED)", {"random"}),
        ("torch.manual_seed(args.seed)", {"torch", "torch.cuda", "torch.Generator"}),
        ("rng = np.random.default_rng(42)", {"numpy.Generator"}),
        ("rng = np.random.default_rng()", set()),
        ("np.random.seed(None)", set()),
        ("r = np.random.RandomState( 3 )", {"numpy.RandomState"}),
        ("x = np.random.rand(3)", set()),
    ],
)
def test_seeds_are_told_from_the_code(code: str, seeded: set[str]) -> None:
    """Each library by the calls that seed it, and only with a seed."""
    assert seeded_in(code) == seeded


def test_one_call_that_seeds_everything() -> None:
    """As Lightning and transformers have it."""
    for code in ("seed_everything(1)", "set_seed(42)", "%%track --seed 3\nx = 1"):
        assert {"numpy", "torch", "random", "numpy.Generator"} <= seeded_in(code)


def test_what_moved_and_was_not_seeded() -> None:
    """Compared state by state; an earlier cell of the session may have seeded it."""
    start = {"random": random.Random(1).getstate(), "numpy": np.random.RandomState(1).get_state(legacy=False)}
    end = {**start, "random": random.Random(2).getstate()}
    kept: list[bytes] = []
    told = randomness.ends(start, end, lambda data: kept.append(data) or "digest")
    assert told == {"random": "digest", "numpy": "same"}
    assert rng.unpack(kept[0]) == ("random", end["random"])
    assert randomness.randomness(start, told, ()) == {"moved": ["random"], "unseeded": ["random"]}
    assert randomness.randomness(start, told, {"random"})["unseeded"] == []


def test_what_a_session_seeded_is_looked_up_once() -> None:
    """Execution by execution; one that left no text is passed over."""
    session = [Past(str(at), at, None, 0, text, at=at) for at, text in enumerate(("random.random()", None))]
    seeded = randomness.Seeded(lambda count: session[count:])
    assert seeded.kinds() == frozenset()
    session.append(Past("2", 2, None, 0, "random.seed(3)", at=2))
    assert seeded.kinds() == {"random"}
    session[2].source = "np.random.seed(3)"
    assert seeded.kinds() == {"random"}


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel whose trail is in the test's folder."""
    found = Kernel(tmp_path, {"CELLTRAIL_STORE": str(tmp_path / ".celltrail"), "PYTHONHASHSEED": "7"})
    found.run("%load_ext celltrail\nimport random, numpy as np")
    yield found
    found.stop()


def stored(folder: Path, name: str) -> StoredRun:
    """The run of this name, once all of it is written."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for run in runs(store=Store(folder / ".celltrail")):
            if run.name == name and run.needs:
                return run
        time.sleep(0.1)
    raise AssertionError(f"run {name} has no needs")


def test_a_run_can_be_repeated_from_its_trail(kernel: Kernel, tmp_path: Path) -> None:
    """The numbers of an unseeded cell come again from the states that its run kept, its own generator included."""
    kernel.run("gen = np.random.default_rng()\ndice = random.Random()")
    drawn = "print(gen.random(), dice.random(), random.random(), np.random.random())"
    printed = kernel.run(f"%%track first\n{drawn}").text
    run = stored(tmp_path, "first")
    states = run.record.environment["rng"]
    assert {"numpy.Generator:gen", "random.Random:dice", "numpy", "random"} == set(states)
    packed = [run.store.blobs.get(str(digest)) for digest in states.values()]
    space: dict[str, Any] = {"random": random, "np": np}
    before = rng.take()
    try:
        rng.restore(dict(map(rng.unpack, packed)), space)
        again = f"{space['gen'].random()} {space['dice'].random()} {random.random()} {np.random.random()}\n"
    finally:
        rng.restore({library: before[library] for library in ("random", "numpy")})
    assert again == printed.replace("np.float64(", "").replace(")", "")
    assert run.needs["randomness"]["unseeded"] == ["numpy", "numpy.Generator:gen", "random", "random.Random:dice"]
    assert run.environment["PYTHONHASHSEED"] == "7"


def test_a_run_says_whether_it_used_randomness(kernel: Kernel, tmp_path: Path) -> None:
    """No state moved: none was used. Moved after a seed: used, and not unseeded."""
    kernel.run("%%track quiet\nx = sum(range(10))")
    kernel.run("np.random.seed(3)")
    kernel.run("%%track noisy\ny = np.random.random()")
    quiet, noisy = stored(tmp_path, "quiet").needs, stored(tmp_path, "noisy").needs
    assert set(quiet["rng_end"].values()) == {"same"}
    assert quiet["randomness"] == {"moved": [], "unseeded": []}
    assert noisy["randomness"] == {"moved": ["numpy"], "unseeded": []}
    library, state = rng.unpack(stored(tmp_path, "noisy").store.blobs.get(noisy["rng_end"]["numpy"]))
    twin = np.random.RandomState(3)
    twin.random()
    assert library == "numpy"
    assert np.array_equal(state["state"]["key"], twin.get_state(legacy=False)["state"]["key"])


def test_a_generator_that_comes_into_being_in_a_cell(kernel: Kernel, tmp_path: Path) -> None:
    """NumPy loads its generators with their first use; the state they then have gives the cell's numbers again."""
    drawn = kernel.run("drawn = np.random.rand(3)\nprint(drawn.tolist())").text
    loader = "import numpy.random as r\nprint(r.__spec__.loader is r.__loader__, type(r.__loader__).__name__)"
    assert kernel.run(loader).text == "True SourceFileLoader\n"
    kernel.run("%%track after\nx = drawn.sum()")
    store = stored(tmp_path, "after").store
    (made,) = [each for each in executions(store=store) if each.source.startswith("drawn")]
    library, state = rng.unpack(store.blobs.get(made.record.rng["numpy"]))
    before = rng.take()
    try:
        rng.restore({library: state})
        assert f"{np.random.rand(3).tolist()}\n" == drawn
    finally:
        rng.restore({"numpy": before["numpy"]})


def test_the_import_system_is_left_as_it_was_found(tmp_path: Path) -> None:
    """Whatever was imported or not meanwhile."""
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(tmp_path / ".celltrail"), "XDG_CACHE_HOME": str(tmp_path / "c")})
    kernel.run("import sys\nfound = list(sys.meta_path)")
    kernel.run("%load_ext celltrail")
    kernel.run("%unload_ext celltrail")
    assert kernel.run("print(sys.meta_path == found)").text == "True\n"
    kernel.run("%load_ext celltrail")
    kernel.run("import numpy.random")
    kernel.run("%unload_ext celltrail")
    assert kernel.run("print(sys.meta_path == found)").text == "True\n"
    kernel.stop()
