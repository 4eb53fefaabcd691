"""The wheel, built and installed as a user gets it: no Node.js on the machine, no development packages."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUILT = ("src/celltrail/static", "src/celltrail/labextension")
PANELS = ("chart", "table", "compare", "detail", "media", "evaluation")
HEAVY = {"pandas", "altair", "anywidget", "ipywidgets", "pyarrow", "IPython", "numpy", "tinydb"}

pytestmark = [pytest.mark.package, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Built:
    """What `python -m build` made."""

    wheel: Path
    sdist: Path

    @property
    def wheel_names(self) -> list[str]:
        """Paths inside the wheel."""
        with zipfile.ZipFile(self.wheel) as archive:
            return archive.namelist()

    @property
    def packed(self) -> dict[str, int]:
        """What each file takes of the wheel, in bytes."""
        with zipfile.ZipFile(self.wheel) as archive:
            return {each.filename: each.compress_size for each in archive.infolist()}

    def read(self, ending: str) -> str:
        """The one file of the wheel whose path ends so."""
        with zipfile.ZipFile(self.wheel) as archive:
            (name,) = [name for name in archive.namelist() if name.endswith(ending)]
            return archive.read(name).decode()

    @property
    def sdist_names(self) -> list[str]:
        """Paths inside the sdist, below its one folder."""
        with tarfile.open(self.sdist) as archive:
            return [member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()]


def run(*command: str | Path, cwd: Path, path: str) -> str:
    """The output of a command that must succeed, with this PATH and nothing of ours in the environment."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("CELLTRAIL", "JUPYTER", "PYTHON"))
    }
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**kept, "PATH": path, "JUPYTER_CONFIG_DIR": str(cwd), "JUPYTER_DATA_DIR": str(cwd)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Sdist and, from the sdist, the wheel; built in a copy, where no Node.js is found."""
    missing = [folder for folder in BUILT if not (ROOT / folder).is_dir()]
    assert not missing, f"not built: {missing}; run make setup"
    tree = tmp_path_factory.mktemp("tree")
    listed = run(
        "git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT, path=os.environ["PATH"]
    ).splitlines()
    for name in listed:
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    for folder in BUILT:
        shutil.copytree(ROOT / folder, tree / folder, dirs_exist_ok=True)
    without_node = str(Path(sys.executable).parent)
    run(sys.executable, "-m", "build", "--no-isolation", ".", cwd=tree, path=without_node)
    (wheel,), (sdist,) = (tree / "dist").glob("*.whl"), (tree / "dist").glob("*.tar.gz")
    return Built(wheel, sdist)


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a fresh environment with the wheel, its own dependencies and JupyterLab."""
    home = tmp_path_factory.mktemp("fresh")
    venv.create(home / "env", with_pip=True)
    commands = home / "env" / "bin"
    run(
        commands / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check",
        str(built.wheel), "jupyterlab>=4.2", cwd=home, path=str(commands),
    )  # fmt: skip
    return commands


def test_the_lock_file_is_whole() -> None:
    """`npm ci` refuses a lock file that lacks an optional package of another platform, as npm itself may write it."""
    packages = json.loads((ROOT / "js/package-lock.json").read_text())["packages"]
    missing = [
        name
        for path, package in packages.items()
        for name in package.get("optionalDependencies", {})
        if f"node_modules/{name}" not in packages and f"{path}/node_modules/{name}" not in packages
    ]
    assert missing == []


def test_one_name_and_one_version(built: Built) -> None:
    """Package, wheel, extension and install.json bear one name; version is said once, in package.json."""
    package = json.loads((ROOT / "js/package.json").read_text())
    extension = json.loads(built.read("labextensions/celltrail/package.json"))
    install = json.loads(built.read("labextensions/celltrail/install.json"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {package["name"], extension["name"], install["packageName"], project["name"]} == {"celltrail"}
    assert built.wheel.name == f"celltrail-{package['version']}-py3-none-any.whl"
    assert extension["version"] == package["version"]
    assert f"Version: {package['version']}\n" in built.read(".dist-info/METADATA")


def test_every_built_file_is_in_the_wheel(built: Built) -> None:
    """Panels and extension are complete, with the entry that the extension loads; js/build.mjs bounds each panel."""
    names = built.wheel_names
    for panel in PANELS:
        assert f"celltrail/static/{panel}.js" in names
    extension = json.loads(built.read("labextensions/celltrail/package.json"))
    entry = extension["jupyterlab"]["_build"]["load"]
    assert any(name.endswith(f"share/jupyter/labextensions/celltrail/{entry}") for name in names)
    here = {path.relative_to(ROOT / "src/celltrail/labextension") for path in files("src/celltrail/labextension")}
    there = {
        Path(name.partition("labextensions/celltrail/")[2]) for name in names if "labextensions/celltrail/" in name
    }
    assert here <= there
    page = sum(size for name, size in built.packed.items() if "labextensions/" in name or "celltrail/static/" in name)
    assert page <= 600_000  # what pages load, 285 kB of it the Vega chunk
    assert built.wheel.stat().st_size <= 1_800_000  # the rest is Python, by now with data, models, alerts and sweeps
    assert not [name for name in names if "node_modules" in name or name.endswith(".ts")]
    assert any(name.endswith("licenses/LICENSE") for name in names)


def files(folder: str) -> list[Path]:
    """All files below a folder of the project."""
    return [path for path in (ROOT / folder).rglob("*") if path.is_file()]


def test_the_sdist_carries_the_built_files(built: Built) -> None:
    """Who installs from the sdist needs no Node.js either; sources of the front end are there too."""
    names = built.sdist_names
    for panel in PANELS:
        assert f"src/celltrail/static/{panel}.js" in names
    assert "src/celltrail/labextension/package.json" in names
    assert "js/package-lock.json" in names
    assert not [name for name in names if "node_modules" in name or ".celltrail/" in name]


def test_it_imports_alone_and_lightly(installed: Path, tmp_path: Path) -> None:
    """`import celltrail` loads nothing heavy, and the environment has no packages but declared ones."""
    code = "import sys, celltrail; print(*sorted(name for name in sys.modules if '.' not in name))"
    loaded = run(installed / "python", "-c", code, cwd=tmp_path, path=str(installed)).split()
    assert "celltrail" in loaded
    assert HEAVY.isdisjoint(loaded)
    packages = json.loads(
        run(installed / "python", "-m", "pip", "list", "--format=json", cwd=tmp_path, path=str(installed))
    )
    assert {"pytest", "scikit-learn", "hatchling", "playwright"}.isdisjoint(package["name"] for package in packages)


def test_it_keeps_and_lists_a_run(installed: Path, tmp_path: Path) -> None:
    """A run begun in a script is listed by the command line, with nothing but declared packages."""
    (tmp_path / "train.py").write_text(
        "import celltrail as ct\n"
        "with ct.start('first', params={'lr': 0.1}) as run:\n"
        "    for i in range(10):\n"
        "        run.log({'train/loss': 1 / (1 + i)})\n"
    )
    run(installed / "python", "train.py", cwd=tmp_path, path=str(installed))
    assert (tmp_path / ".celltrail").is_dir()
    listed = run(installed / "celltrail", "ls", cwd=tmp_path, path=str(installed))
    assert "first" in listed
    assert "finished" in listed


def test_jupyter_server_lists_the_extension(installed: Path, tmp_path: Path) -> None:
    """`jupyter server extension list` names it enabled: the wheel brings the file that switches it on."""
    listed = run(installed / "jupyter", "server", "extension", "list", cwd=tmp_path, path=str(installed))
    assert any("celltrail" in line and "enabled" in line for line in listed.splitlines())
    code = "import celltrail as ct; ct._jupyter_server_extension_points(); import celltrail.server.routes"
    run(installed / "python", "-c", code, cwd=tmp_path, path=str(installed))


def test_jupyterlab_lists_the_extension(installed: Path, tmp_path: Path) -> None:
    """`jupyter labextension list` names it enabled and OK."""
    listed = run(installed / "jupyter", "labextension", "list", cwd=tmp_path, path=str(installed))
    version = json.loads((ROOT / "js/package.json").read_text())["version"]
    (line,) = [line for line in listed.splitlines() if line.split()[:1] == ["celltrail"]]
    assert f"v{version}" in line
    assert "enabled" in line
    assert "OK" in line
