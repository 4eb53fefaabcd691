"""The environment of a run, built anew from its record by uv, in a folder that later replays use again."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from importlib.machinery import ModuleSpec
from pathlib import Path

from celltrail.capture.environment.imported import is_among
from celltrail.errors import CelltrailError
from celltrail.query.stored import StoredRun
from celltrail.replay.surroundings import Surroundings, surroundings
from celltrail.store.files.network import caches

_OURS = "celltrail"
_COMPLETE = "celltrail.json"  # written last: what was left out
_MOST_TRIES = 12  # packages that cannot be had are found one after the other
_DRAWN = " \N{MULTIPLICATION SIGN}╰─▶├│·"  # around the lines that uv prints
_NO_NETWORK = re.compile(r"failed to fetch|error sending request|dns error|network is unreachable", re.IGNORECASE)
# what pip is told of places for packages, and how uv hears it
_OF_PIP = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}


@dataclass(slots=True)
class Built:
    """An environment for a kernel, or the sentences that say why there is none."""

    folder: Path | None = None
    stops: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what is otherwise than it was
    beside: list[str] = field(default_factory=list)  # folders to import from: packages that came from no index

    @property
    def python(self) -> str:
        """Its interpreter."""
        assert self.folder is not None
        return str(_python_in(self.folder))

    def variables(self, place: Path) -> dict[str, str | None]:
        """What its kernel must have among its variables.

        Args:
            place: a folder of the replay's own, in which the celltrail that runs here is put to be imported there.
        """
        assert self.folder is not None
        paths = [str(_importable(place)), *self.beside, os.environ.get("PYTHONPATH", "")]
        return {
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "PATH": os.pathsep.join([str(_python_in(self.folder).parent), os.environ.get("PATH", "")]),
            "VIRTUAL_ENV": str(self.folder),
            "PYTHONHOME": None,
        }


def uv_here() -> str:
    """Where uv is: on the PATH, or beside this Python.

    Raises:
        CelltrailError: it is not installed.
    """
    name = "uv.exe" if os.name == "nt" else "uv"
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        raise CelltrailError(
            "a replay in the environment of then builds it with uv, which is not installed: pip install uv, "
            "or replay in this environment, without isolated"
        )
    return found


def build(run: StoredRun, tell: Callable[[str], object]) -> Built:
    """The environment that a run had: its Python where uv has it, its packages in their versions.

    Args:
        run: the run.
        tell: is told what takes time.

    Raises:
        NoRun: its environment was not recorded.
        CelltrailError: there is no uv.
    """
    uv, then = uv_here(), surroundings(run)
    wanted, local = _locked(then)
    found = Built()
    for name, origin in local.items():
        _from_folder(found, name, then.packages[name], origin, is_among(name, then.imported))
    lock = "\n".join([f"python {then.python}", *wanted.values(), *_missing_of_ours(wanted)])
    place = _environments() / _digest(lock)
    if found.stops:
        return found
    if not (place / _COMPLETE).is_file():
        tell(f"building its environment: Python {then.python} and {len(wanted)} packages")
        _Building(uv, then, wanted, found).at(place)
    if not found.stops:
        found.folder = place
        found.notes += json.loads((place / _COMPLETE).read_text(encoding="utf-8"))["notes"]
        found.notes.insert(0, f"in an environment built from its record: Python {then.python}, {len(wanted)} packages")
    return found


class _Building:
    """One environment in the making."""

    def __init__(self, uv: str, then: Surroundings, wanted: Mapping[str, str], found: Built) -> None:
        self._uv, self._then, self._found = uv, then, found
        self._wanted = dict(wanted)
        self._notes: list[str] = []
        self._variables = {**os.environ, **_places_of_pip(), "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
        self._variables.pop("VIRTUAL_ENV", None)

    def at(self, place: Path) -> None:
        """Build it there, whole or not at all."""
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".building-", dir=place.parent, ignore_cleanup_errors=True) as scratch:
            folder = Path(scratch) / "environment"
            if self._made_python(folder) and self._installed(folder):
                (folder / _COMPLETE).write_text(json.dumps({"notes": self._notes}), encoding="utf-8")
                try:
                    folder.rename(place)
                except OSError:
                    if not (place / _COMPLETE).is_file():  # else another replay was quicker
                        raise

    def _made_python(self, folder: Path) -> bool:
        """An empty environment with the Python of then, or with another one of its minor version."""
        version = self._then.python
        exact = getattr(sys, "_base_executable", sys.executable) if version == platform.python_version() else version
        for python in (exact, ".".join(version.split(".")[:2])):
            answer = self._ask("venv", "--relocatable", "--no-project", "--python", python, str(folder))
            if not answer.returncode:
                if python != exact:
                    self._notes.append(f"Python {version} cannot be had; it ran with {_version_in(folder)}")
                return True
        self._found.stops.append(f"Python {version} cannot be had: {_reason(answer.stderr)}")
        return False

    def _installed(self, folder: Path) -> bool:
        """All packages; of those that cannot be had the ones that the run did not import are left out."""
        lock, said = folder / "requirements.txt", ""
        for left in reversed(range(_MOST_TRIES)):
            lock.write_text("\n".join(self._wanted.values()) + "\n", encoding="utf-8")
            said = self._install(folder, "--no-deps", "-r", str(lock))
            if not said or not left or not self._leave_out(said):
                break
        missing = _missing_of_ours(self._wanted)
        if not said and not self._found.stops and missing:
            said = self._install(folder, "-c", str(lock), *missing)
        if said and not self._found.stops:
            self._found.stops.append(f"uv could not install its packages: {_reason(said)}")
        return not self._found.stops

    def _leave_out(self, said: str) -> bool:
        """Take what uv names out of the list; whether there was something, and another try is worth it."""
        if _NO_NETWORK.search(said):
            self._found.stops.append(f"uv reaches no index of packages: {_reason(said)}")
            return False
        named = [name for name in self._wanted if _names(said, name)]
        for name in named:
            what = f"{name} {self._then.packages[name]}"
            del self._wanted[name]
            if is_among(name, self._then.imported):
                self._found.stops.append(f"the package {what}, which it used, cannot be had: {_reason(said)}")
            else:
                self._notes.append(f"left out {what}, which cannot be had and which it did not import")
        return bool(named)

    def _install(self, folder: Path, *words: str) -> str:
        """What uv complains of; "" where all is well."""
        answer = self._ask("pip", "install", "--python", str(_python_in(folder)), *words)
        return (answer.stderr.strip() or "it did not say why") if answer.returncode else ""

    def _ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._uv, "--quiet", *words],
            env=self._variables,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )


def _locked(then: Surroundings) -> tuple[dict[str, str], dict[str, str]]:
    """The requirement of each package, and the origins of those that came from a folder."""
    wanted: dict[str, str] = {}
    local: dict[str, str] = {}
    for name, version in sorted(then.packages.items()):
        origin = then.origins.get(name, "")
        if name == _OURS:
            continue
        if "+" in origin.partition("://")[0]:
            wanted[name] = f"{name} @ {origin}"
        elif origin and "://" not in origin:
            local[name] = origin
        else:
            wanted[name] = f"{name}=={version}"
    return wanted, local


def _from_folder(found: Built, name: str, version: str, origin: str, is_used: bool) -> None:
    """A package that was installed from a folder is imported from where it is now."""
    tops = [top for top, owners in metadata.packages_distributions().items() if name in map(_normal, owners)]
    specs = [spec for top in tops or [name.replace("-", "_")] if (spec := _spec(top)) is not None]
    folders = {str(Path(spec.origin).parent.parent if spec.submodule_search_locations else Path(spec.origin).parent)
               for spec in specs if spec.origin}  # fmt: skip
    folders = {folder for folder in folders if Path(folder).name not in ("site-packages", "dist-packages")}
    if folders:
        found.beside += sorted(folders)
        found.notes.append(f"{name} {version} came from {origin}, and is imported from there as it is now")
    elif is_used:
        found.stops.append(f"the package {name} {version}, which it used, came from {origin}, and no index has it")
    else:
        found.notes.append(f"left out {name} {version}, which came from {origin}")


def _spec(top: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return None


def _missing_of_ours(wanted: Mapping[str, str]) -> list[str]:
    """What this celltrail needs and the run did not have."""
    try:
        needed = metadata.requires(_OURS) or []
    except metadata.PackageNotFoundError:
        return []
    return [each for each in needed if "extra ==" not in each and _normal(re.split(r"[^\w.-]", each)[0]) not in wanted]


def _importable(place: Path) -> Path:
    """A folder from which celltrail, and nothing else, is imported."""
    folder = place / "importable"
    folder.mkdir()
    package = Path(__file__).parent.parent
    try:
        (folder / _OURS).symlink_to(package, target_is_directory=True)
    except OSError:  # Windows without the right to make links
        shutil.copytree(package, folder / _OURS)
    for about in _metadata():
        shutil.copytree(about, folder / about.name)  # its plug-ins are found by it
    return folder


def _metadata() -> Iterator[Path]:
    try:
        told = metadata.distribution(_OURS)
    except metadata.PackageNotFoundError:
        return
    for file in told.files or ():
        if file.name == "METADATA":
            yield Path(str(told.locate_file(file))).parent


def _places_of_pip() -> dict[str, str]:
    """Where pip looks for packages, in the words of uv; nothing where uv was told so itself."""
    if any(name in os.environ for name in (*_OF_PIP.values(), "UV_INDEX_URL", "UV_EXTRA_INDEX_URL") if "UV" in name):
        return {}
    asked = [sys.executable, "-m", "pip", "config", "list"]
    answer = subprocess.run(asked, capture_output=True, text=True, errors="replace", check=False)
    found: dict[str, str] = {}
    for line in answer.stdout.splitlines():
        key, _, value = line.partition("=")
        name = _OF_PIP.get(key.rpartition(".")[2])
        if name is not None:
            separator = "," if name == "UV_FIND_LINKS" else " "
            found[name] = separator.join(str(ast.literal_eval(value)).split())
    found.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")  # the newest of all places, as pip has it
    return {name: value for name, value in found.items() if name not in os.environ}


def _environments() -> Path:
    places = caches()
    if not places:
        raise CelltrailError("there is no folder on a local disk to build an environment in; set XDG_CACHE_HOME to one")
    return places[0] / "environments"


def _digest(text: str) -> str:
    from blake3 import blake3

    return blake3(text.encode()).hexdigest()[:24]


def _python_in(folder: Path) -> Path:
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def _version_in(folder: Path) -> str:
    told = (folder / "pyvenv.cfg").read_text(encoding="utf-8")
    found = re.search(r"^version(?:_info)? *= *(\S+)", told, re.MULTILINE)
    return found[1] if found else "another one"


def _names(said: str, package: str) -> bool:
    """Whether uv speaks of a package.

    >>> _names("Because six-more was not found", "six"), _names("there is no version of six==99", "six")
    (False, True)
    """
    return re.search(rf"(?<![\w.-]){re.escape(package)}(?![\w-]|\.\w)", _normal(said)) is not None


def _normal(name: str) -> str:
    return re.sub(r"[-_]+", "-", name).lower()


def _reason(said: str) -> str:
    """What uv said, as one line without its drawing."""
    lines = [line.strip(_DRAWN) for line in said.splitlines()]
    text = " ".join(line for line in lines if line).removeprefix("error: ").replace("cause: ", "")
    return text if len(text) <= 300 else f"{text[:299]}…"
