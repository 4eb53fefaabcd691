"""Replays in the environment that a run had: built from its record by uv, and used again."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import orjson
import pytest

import celltrail as ct
from celltrail.cli import main
from celltrail.errors import CelltrailError
from celltrail.replay import Progress, building
from celltrail.run import start
from celltrail.store import Store
from kernels import Kernel

OLD = "4.66.1"  # of tqdm, which needs nothing; here there is a later one
CELL = """%%track versions
import tqdm
for i in range(3):
    loss = float(tqdm.__version__.split(".")[1]) + i"""


def needed(name: str = "celltrail") -> set[str]:
    """The packages that celltrail takes to run, with all that these take."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for each in metadata.requires(waiting.pop()) or ():
            own, _, marker = each.partition(";")
            other = re.split(r"[^\w.-]", own)[0]
            if "extra" not in marker and other not in found and _is_here(other):
                found.add(other)
                waiting.append(other)
    return found


def _is_here(name: str) -> bool:
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a kernel of another, smaller environment has recorded a run."""
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if uv is None:
        pytest.skip("uv is not installed")
    place = tmp_path_factory.mktemp("isolated")
    (place / "project" / ".celltrail").mkdir(parents=True)
    then = place / "then"
    pins = [f"{name}=={metadata.version(name)}" for name in sorted(needed() - {"tqdm"})]
    environment = {**os.environ, **building._places_of_pip()}
    subprocess.run([uv, "venv", "-q", "--no-project", "--python", sys.executable, str(then)], check=True)
    made = subprocess.run(
        [uv, "pip", "install", "-q", "--no-deps", "--python", str(then / "bin" / "python"), f"tqdm=={OLD}", *pins],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"no index of packages is reached: {made.stderr[-300:]}")
    variables = {
        "CELLTRAIL_STORE": str(place / "project" / ".celltrail"),
        "PYTHONPATH": str(building._importable(place)),
        "XDG_CACHE_HOME": str(place / "cache"),
    }
    kernel = Kernel(place / "project", variables, str(then / "bin" / "python"))
    try:
        for cell in ("%load_ext celltrail", CELL, "%unload_ext celltrail"):
            reply = kernel.run(cell)
            assert reply.status == "ok", reply.content
    finally:
        kernel.stop()
    return place / "project"


@pytest.fixture
def store(project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.chdir(project)
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.parent / "cache"))  # environments are kept there
    return Store(project / ".celltrail")


def test_a_run_is_reproduced_in_its_own_environment_only(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Here another version gives another number; in what is built from the record every point is identical."""
    here = ct.replay("versions", store=store)
    assert here.verdict == "drifted", str(here)
    assert any(cause.startswith(f"tqdm {OLD}, now ") for cause in here.causes), here.causes
    said: list[Progress] = []
    told = ct.replay("versions", isolated=True, store=store, tell=said.append)
    assert (told.verdict, told.causes) == ("reproduced", []), str(told)
    assert str(said[0]).startswith("building its environment: Python 3.")
    assert said[-1].code == "import tqdm"
    assert any("built from its record" in note for note in told.notes)
    assert ct.run("versions", store).replays[-1]["isolated"] is True
    said.clear()
    assert main(["replay", "versions", "--isolated", "--store", str(store.root)]) == 0
    assert "reproduced: every point is identical" in capsys.readouterr().out
    assert len(list((store.root.parent.parent / "cache" / "celltrail" / "environments").iterdir())) == 1


def with_package(store: Store, name: str) -> str:
    """A run like the first that says it had a package in a version that nobody has."""
    recorded = ct.run("versions", store)
    listed = orjson.loads(store.blobs.get(recorded.environment["packages"]))
    changed = store.blobs.put(orjson.dumps({**listed, name: "99.9"}))
    facts = {**recorded.record.environment["env"], "packages": changed}
    with start(f"with {name}", store=store, environment={"env": facts}) as run:
        run.describe(executions=recorded.record.executions)
    return run.id


def test_a_package_that_cannot_be_had_is_named(store: Store) -> None:
    """With its version; one that the run did not import is left out, and that is said."""
    told = ct.replay(with_package(store, "tqdm"), isolated=True, store=store)
    assert (told.verdict, told.reason) == ("cannot-run", "environment-differs"), str(told)
    assert told.causes[0].startswith("the package tqdm 99.9, which it used, cannot be had: ")
    assert str(store.root.parent.parent) not in str(told)
    built = building.build(ct.run(with_package(store, "celltrail-no-such-package"), store), lambda text: None)
    assert built.stops == []
    assert any(note.startswith("left out celltrail-no-such-package 99.9") for note in built.notes), built.notes


def test_without_uv_it_says_how_to_get_it(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Before anything runs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(CelltrailError, match="pip install uv"):
        ct.replay("versions", isolated=True, store=store)
