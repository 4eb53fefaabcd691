"""Where a run ran: Python and its packages, allowed variables, hardware, git, the notebook's name.

All of it is gathered on the recorder's thread or in subprocesses; nothing here waits in the user's cell.
"""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import orjson

from celltrail.capture.environment.repository import output
from celltrail.model import Json

Facts = dict[str, Json]
Put = Callable[[bytes | str], str]

_ALLOWED = re.compile(
    r"CUDA_VISIBLE_DEVICES|OMP_\w+|MKL_\w+|OPENBLAS_NUM_THREADS|NUMEXPR_\w+|PYTHONHASHSEED|CONDA_(?:DEFAULT_ENV|PREFIX)|"
    r"VIRTUAL_ENV|SLURM_(?:JOB_ID|JOB_NAME|NTASKS|NNODES|PROCID|CPUS_PER_TASK)|CUBLAS_WORKSPACE_CONFIG|"
    r"TOKENIZERS_PARALLELISM|WORLD_SIZE|RANK|LOCAL_RANK|JAX_PLATFORMS|XLA_FLAGS"
)
# shown by name in tables and comparisons; all others are in the listing
_KEY_PACKAGES = tuple(
    "numpy pandas scipy scikit-learn torch torchvision tensorflow keras jax jaxlib flax lightning transformers"  # noqa: SIM905
    " datasets xgboost lightgbm catboost polars pyarrow statsmodels ipython ipykernel openai anthropic"
    " langchain".split()
)
_USER = re.compile(r"(?<=://)[^/@\s]+@")


class Installed(NamedTuple):
    """Installed distributions: versions by name, and the listing as runs keep it."""

    versions: Mapping[str, str]
    listing: bytes


def packages() -> Mapping[str, str]:
    """Installed distributions and versions, by the names of their metadata folders: under a millisecond.

    >>> "celltrail" in packages() or "pytest" in packages()
    True
    """
    return installed().versions


def installed() -> Installed:
    """What is installed; the same object as long as nothing comes or goes."""
    folders = (each for each in dict.fromkeys(sys.path) if each.endswith(("site-packages", "dist-packages")))
    return _installed(tuple((folder, _changed(folder)) for folder in folders))


@functools.lru_cache(maxsize=4)
def _installed(folders: tuple[tuple[str, int], ...]) -> Installed:
    found: dict[str, str] = {}
    for folder, changed in folders:
        for name, version in _listing(folder, changed):
            found.setdefault(name, version)
    return Installed(found, orjson.dumps(found, option=orjson.OPT_SORT_KEYS))


def _changed(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0


@functools.lru_cache(maxsize=16)
def _listing(folder: str, changed: int) -> tuple[tuple[str, str], ...]:
    try:
        names = sorted(os.listdir(folder)) if changed else []
    except OSError:
        names = []
    heads = (name.removesuffix(".dist-info").rpartition("-") for name in names if name.endswith(".dist-info"))
    return tuple((re.sub(r"[-_.]+", "-", name).lower(), version) for name, _, version in heads if name)


def origins() -> dict[str, str]:
    """Of the packages that did not come from an index: whether editable, and the place or repository and commit.

    Format: https://packaging.python.org/en/latest/specifications/direct-url/
    """
    found: dict[str, str] = {}
    for folder in dict.fromkeys(sys.path):
        if folder.endswith(("site-packages", "dist-packages")):
            for name, origin in _direct(folder, _changed(folder)):
                found.setdefault(name, origin)
    return found


@functools.lru_cache(maxsize=16)
def _direct(folder: str, changed: int) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for path in sorted(Path(folder).glob("*.dist-info/direct_url.json")) if changed else []:
        try:
            told = orjson.loads(path.read_bytes())
            origin = _origin(told["url"], told)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # whoever wrote it knew another format
            continue
        name = path.parent.name.removesuffix(".dist-info").rpartition("-")[0]
        found.append((re.sub(r"[-_.]+", "-", name).lower(), origin))
    return tuple(found)


def _origin(url: str, told: Mapping[str, Json]) -> str:
    if url.startswith("file://"):
        place = relative(unquote(urlsplit(url).path), Path.cwd())
        return f"{'editable ' if told.get('dir_info', {}).get('editable') else ''}{place}"
    repository = told.get("vcs_info", {})
    commit = f"@{repository['commit_id']}" if "commit_id" in repository else ""
    system = f"{repository['vcs']}+" if "vcs" in repository else ""
    return system + _USER.sub("", url.split("?")[0]) + commit


def _threads() -> Facts:
    """How many threads the imported libraries compute with: sums depend on it."""
    torch = sys.modules.get("torch")
    count = getattr(torch, "get_num_threads", None)
    facts: Facts = {"torch_threads": count()} if callable(count) else {}
    cuda = getattr(getattr(torch, "version", None), "cuda", None)
    return facts | ({"cuda": cuda} if isinstance(cuda, str) else {})


class Outset(NamedTuple):
    """What a cell may change as soon as it begins, as it was before; all else is asked in the background."""

    installed: Installed
    variables: Mapping[str, str]


def outset() -> Outset:
    """As it is now: a few microseconds where nothing has changed since the last time."""
    return Outset(installed(), _variables())


_seen: tuple[dict[Any, Any], Mapping[str, str]] = {}, {}  # the environment, and what of it is kept


def _variables() -> Mapping[str, str]:
    global _seen
    held = getattr(os.environ, "_data", None)  # asked by name it decodes each one
    if held is None or held != _seen[0]:
        allowed = {name: os.environ.get(name) for name in os.environ if _ALLOWED.fullmatch(name)}
        _seen = dict(held or ()), {name: value for name, value in allowed.items() if value is not None}
    return _seen[1]


def software(put: Put, before: Outset | None = None) -> Facts:
    """Python, the system, the packages (whole list as a blob) and the allowed variables.

    Args:
        put: keeps the list.
        before: what was asked earlier.
    """
    listing, variables = before or outset()
    facts: Facts = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "os": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "prefix": prefix(),
        "packages": put(listing.listing),
    }
    facts.update({name: listing.versions[name] for name in _KEY_PACKAGES if name in listing.versions})
    if direct := origins():
        facts["origins"] = direct
    facts |= _threads()
    facts.update({name: _homeless(value) for name, value in variables.items()})
    return facts


@functools.cache
def prefix() -> str:
    """Which environment this Python belongs to: the name of its folder, and what tells it from others of that name."""
    from blake3 import blake3

    return f"{Path(sys.prefix).name} {blake3(os.path.realpath(sys.prefix).encode('utf-8', 'replace')).hexdigest()[:8]}"


@functools.cache
def hardware() -> Facts:
    """Processor, cores, memory, and the GPUs where nvidia-smi is present; asked once per process."""
    import shutil

    facts: Facts = {
        "cpu": _processor(),
        "cores": _cores() or os.cpu_count(),
        "threads": os.cpu_count(),
        "memory_gb": round(_memory() / 1e9, 1),
    }
    if shutil.which("nvidia-smi"):
        answer = output(["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"])
        gpus = [[part.strip() for part in line.split(",")] for line in answer.splitlines() if line.count(",") == 2]
        if gpus:
            names = [f"{name} ({memory})" for name, memory, _ in gpus]
            facts |= {"gpu": ", ".join(sorted(set(names))), "gpus": len(gpus), "driver": gpus[0][2]}
    return facts


def _cores() -> int | None:
    # psutil costs a short script more than all else that is told of it
    siblings = Path("/sys/devices/system/cpu").glob("cpu[0-9]*/topology/thread_siblings_list")
    with contextlib.suppress(OSError):
        if found := {each.read_text() for each in siblings}:
            return len(found)
    import psutil

    return psutil.cpu_count(logical=False)


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        import psutil

        return psutil.virtual_memory().total


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def notebook(namespace: Mapping[str, object], root: Path) -> str | None:
    """The notebook this kernel belongs to, as far as the front end said so; never an absolute path.

    Args:
        namespace: the user's variables; VS Code puts the path there.
        root: the folder that paths are made relative to, where the trail is.
    """
    path = namespace.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    # consoles and older servers give a session's name, which is no path
    if not isinstance(path, str) or not path.endswith((".ipynb", ".py", ".md", ".qmd", ".Rmd")):
        return None
    return relative(path, root)


def relative(path: str, root: Path) -> str:
    """A path relative to the project, else to the home folder, else the bare file name.

    >>> relative("/data/nb/a.ipynb", Path("/data")), relative("/srv/a.ipynb", Path("/data"))
    ('nb/a.ipynb', 'a.ipynb')
    """
    pure = PurePath(path)
    if not pure.is_absolute():
        return pure.as_posix()
    for base, prefix in ((root, ""), (Path.cwd(), ""), (Path.home(), "~/")):
        if pure.is_relative_to(base) and base != Path(base.anchor):
            return prefix + pure.relative_to(base).as_posix()
    return pure.name


def _homeless(value: str) -> str:
    pure = PurePath(value)
    return relative(value, Path.cwd()) if pure.is_absolute() else value
