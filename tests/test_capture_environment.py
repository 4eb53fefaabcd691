"""Modules of the user's own, packages and the repository: what a run's code needed beside its cell."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from celltrail.capture import environment
from celltrail.capture.environment import repository
from celltrail.capture.environment.modules import Modules
from celltrail.compare import compare
from celltrail.query import StoredRun
from celltrail.store import Store
from kernels import SETTLE, Kernel

ON = """
from celltrail.capture import Recorder
recorder = Recorder(get_ipython())
recorder.on()
"""


class Project:
    """A folder with modules and a trail, and a kernel that records in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, Store(folder / ".celltrail")
        (folder / ".celltrail").mkdir()
        self.site = folder.parent / "site-packages"
        self.site.mkdir()
        paths = os.pathsep.join([str(self.site), str(Path(__file__).parents[1] / "src")])
        environ = {"XDG_CACHE_HOME": str(folder.parent / "cache"), "CELLTRAIL_STORE": "", "PYTHONPATH": paths}
        environ["PYTHONDONTWRITEBYTECODE"] = ""
        self.kernel = Kernel(folder, environ)
        assert self.kernel.run(ON).status == "ok"

    def package(self, name: str, version: str, direct: dict[str, Any] | None = None) -> None:
        for old in self.site.glob(f"{name}-*"):
            for path in old.iterdir():
                path.unlink()
            old.rmdir()
        place = self.site / f"{name}-{version}.dist-info"
        place.mkdir()
        (place / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
        if direct is not None:
            (place / "direct_url.json").write_bytes(orjson.dumps(direct))

    def track(self, body: str) -> StoredRun:
        before = {record.id for record in self.store.records()}
        assert self.kernel.run(f"%%track\n{body}").status == "ok"
        self.kernel.run(SETTLE)
        (record,) = [record for record in self.store.records() if record.id not in before]
        assert record.problems == ()
        return StoredRun(record, self.store)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("environment") / "project"
    folder.mkdir()
    made = Project(folder)
    yield made
    made.kernel.stop()


def test_local_modules_are_kept_with_their_source(project: Project) -> None:
    """A module beside the notebook is in the run as text, secrets taken out; those of packages are not."""
    (project.folder / "features.py").write_text("api_key = 'tr0ub4dor&3horse'\n\ndef double(x):\n    return 2 * x\n")
    run = project.track("import features, json, numpy\nfeatures.double(2)")
    (module,) = run.needs["modules"]
    assert (module["name"], module["path"], module["changed"]) == ("features", "features.py", False)
    text = project.store.blobs.text(module["code"])
    assert "return 2 * x" in text
    assert "tr0ub4dor" not in text
    assert not any(name in str(run.needs["modules"]) for name in ("numpy", "celltrail", "ipykernel"))


def test_a_module_edited_after_its_import_is_marked(project: Project) -> None:
    """An edit without a reload is marked: the text is not what ran; after a reload it is not."""
    path = project.folder / "edited.py"
    path.write_text("n = 1\n")
    assert not _module(project.track("import edited"), "edited")["changed"]
    path.write_text("n = 1 + 1\n")
    assert _module(project.track("edited.n"), "edited")["changed"]
    project.kernel.run("import importlib\nimportlib.reload(edited)")
    assert not _module(project.track("edited.n"), "edited")["changed"]


def test_a_module_edited_before_the_first_run_is_marked(project: Project) -> None:
    """Also where no run has seen it before: its compiled form says what it was imported from."""
    path = project.folder / "early.py"
    path.write_text("n = 1\n")
    project.kernel.run("import early")
    path.write_text("n = 1 + 1 + 1\n")
    assert _module(project.track("early.n"), "early")["changed"]


def test_strange_modules_do_no_harm(project: Project) -> None:
    """What somebody puts among the modules may be anything; a huge, a missing and an unreadable file are left out."""
    (project.folder / "huge.py").write_text("x = 1\n#" + "x" * 1_100_000)
    (project.folder / "gone.py").write_text("x = 1\n")
    run = project.track(
        "import sys, huge, gone, os\nos.remove('gone.py')\nsys.modules['odd'] = 3\nsys.modules['none'] = None\n"
        "class Lazy:\n    def __getattr__(self, name): raise RuntimeError(name)\nsys.modules['lazy'] = Lazy()"
    )
    assert {module["name"] for module in run.needs["modules"]}.isdisjoint({"huge", "gone", "odd", "none", "lazy"})
    project.kernel.run("for name in ('odd', 'none', 'lazy'): del sys.modules[name]")


def _module(run: StoredRun, name: str) -> dict[str, Any]:
    return next(module for module in run.needs["modules"] if module["name"] == name)


def test_packages_installed_between_cells_are_seen(project: Project) -> None:
    """What was installed, upgraded or removed between two runs of a kernel is what their comparison names."""
    project.package("steady", "1.0")
    project.package("moving_part", "1.0")
    first = project.track("x = 1")
    project.package("moving_part", "2.0")
    project.package("newcomer", "0.1")
    second = project.track("x = 2")
    found = compare(first, second, store=project.store).environment
    assert list(found.loc["packages.moving-part"]) == ["1.0", "2.0"]
    assert list(found.loc["packages.newcomer"]) == [None, "0.1"]
    assert "packages.steady" not in found.index


def test_where_packages_came_from(project: Project) -> None:
    """Editable installs and those of a repository say so, with the commit and without anybody's password."""
    home = Path.home() / "work" / "mine"
    project.package("mine", "0.1", {"url": f"file://{home}", "dir_info": {"editable": True}})
    project.package(
        "forked",
        "2.0",
        {
            "url": "https://ada:s3cr3tword@example.org/forked.git?token=abc",
            "vcs_info": {"vcs": "git", "commit_id": "c0ffee"},
        },
    )
    project.package("broken", "1.0", {"nothing": 1})
    origins = project.track("pass").environment["origins"]
    assert origins["mine"] == "editable ~/work/mine"
    assert origins["forked"] == "git+https://example.org/forked.git@c0ffee"
    assert "broken" not in origins


def test_threads_of_torch(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where torch is imported the number of its threads is kept; it is never imported for that."""
    torch = pytest.importorskip("torch")
    assert environment.software(store.blobs.put)["torch_threads"] == torch.get_num_threads()
    monkeypatch.delitem(sys.modules, "torch")
    assert "torch_threads" not in environment.software(store.blobs.put)


# the repository


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-b", "main")
    (folder / "a.py").write_text("x = 1\n")
    git(folder, "add", "a.py")
    git(folder, "commit", "-m", "first")
    return folder


def facts(folder: Path, store: Store, clean: Any = str) -> dict[str, Any]:
    return repository.git(str(folder), store.blobs.put, clean)


def test_sources_git_does_not_know(checkout: Path, store: Store) -> None:
    """Untracked .py and .ipynb files up to 1 MB are kept, secrets taken out; data, links and ignored ones are not."""
    (checkout / "new.py").write_text("password = 'tr0ub4dor'\n")
    (checkout / "sub").mkdir()
    (checkout / "sub" / "n.ipynb").write_text("{}")
    (checkout / "data.csv").write_text("1")
    (checkout / "big.py").write_text("#" * 1_100_000)
    (checkout / "ignored.py").write_text("x")
    (checkout / ".gitignore").write_text("ignored.py\n")
    (checkout / "link.py").symlink_to(checkout / "a.py")
    found = facts(checkout, store, lambda text: text.replace("tr0ub4dor", "[redacted]"))
    sources = orjson.loads(store.blobs.get(found["sources"]))
    assert set(sources) == {"new.py", "sub/n.ipynb"}
    assert store.blobs.text(sources["new.py"]) == "password = '[redacted]'\n"


def test_a_detached_head(checkout: Path, store: Store) -> None:
    """On no branch there is a commit and the fact that it is on none."""
    commit = git(checkout, "rev-parse", "HEAD")
    git(checkout, "checkout", "--detach")
    found = facts(checkout, store)
    assert (found["commit"], found["branch"], found["detached"]) == (commit, None, True)


def test_submodules(checkout: Path, tmp_path: Path, store: Store) -> None:
    """Each submodule is named with its commit, and whether that is another than the repository says."""
    inner = tmp_path / "inner"
    inner.mkdir()
    git(inner, "init", "-b", "main")
    (inner / "b.py").write_text("y = 1\n")
    git(inner, "add", ".")
    git(inner, "commit", "-m", "inner")
    git(checkout, "submodule", "add", str(inner), "lib")
    git(checkout, "commit", "-m", "with a submodule")
    commit = git(checkout / "lib", "rev-parse", "HEAD")
    assert facts(checkout, store)["submodules"] == {"lib": commit}
    git(checkout / "lib", "commit", "--allow-empty", "-m", "moved")
    moved = git(checkout / "lib", "rev-parse", "HEAD")
    found = facts(checkout, store)
    assert found["submodules"] == {"lib": f"{moved} (moved)"}
    assert found["dirty"]


def test_worktrees_and_bare_repositories(checkout: Path, tmp_path: Path, store: Store) -> None:
    """A second worktree has a branch of its own; a bare repository holds no code, so it says nothing."""
    git(checkout, "worktree", "add", "-b", "side", str(tmp_path / "side"))
    assert facts(tmp_path / "side", store)["branch"] == "side"
    git(tmp_path, "clone", "--bare", str(checkout), "bare.git")
    assert facts(tmp_path / "bare.git", store) == {}


def test_without_git(checkout: Path, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where git is not installed, or the folder is gone, there is nothing to say and nothing is raised."""
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert facts(checkout, store) == {}
    monkeypatch.undo()
    assert facts(tmp_path / "gone", store) == {}


def test_a_repository_that_takes_too_long(
    checkout: Path, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the status is not there within the limit, commit and branch still are, the rest is unknown."""
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    slow = tmp_path / "bin"
    slow.mkdir()
    (slow / "git").write_text(f'#!/bin/sh\n[ "$1" = status ] && exec sleep 30\nexec {real} "$@"\n')
    (slow / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(repository, "LIMIT_S", 0.5)
    found = facts(checkout, store)
    assert (found["commit"], found["branch"]) == (git(checkout, "rev-parse", "HEAD"), "main")
    assert found["dirty"] is None


def test_modules_outside_the_project_are_not_its_own(tmp_path: Path, store: Store) -> None:
    """Tests' own process: modules of packages and of Python are nobody's local code."""
    found = Modules().told(store, str(tmp_path), str)
    assert not any("site-packages" in module["path"] for module in found)


def test_a_run_has_the_environment_as_it_was_before_its_cell(tmp_path: Path) -> None:
    """What the cell itself sets and installs is the next one's, however short the cell is."""
    store, site = Store(tmp_path / ".celltrail"), tmp_path / "site-packages"
    (site / "quux-1.0.dist-info").mkdir(parents=True)
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(store.root), "OMP_NUM_THREADS": "3", "PYTHONPATH": str(site)})
    assert kernel.run("%load_ext celltrail\nimport os").status == "ok"
    move = f"os.rename({str(site / 'quux-1.0.dist-info')!r}, {str(site / 'quux-2.0.dist-info')!r})"
    assert kernel.run(f"%%track first\nos.environ['OMP_NUM_THREADS'] = '5'\n{move}").status == "ok"
    assert kernel.run("%%track second\npass").status == "ok"
    kernel.run("%unload_ext celltrail")
    kernel.stop()
    told = [store.find(name).environment["env"] for name in ("first", "second")]
    assert [each["OMP_NUM_THREADS"] for each in told] == ["3", "5"]
    assert ['"quux":"1.0"' in store.blobs.text(each["packages"]) for each in told] == [True, False]
