"""Where a run ran: Python and its packages, allowed variables, hardware, git, the notebook's name.

All of it is gathered on the recorder's thread or in subprocesses; nothing here waits in the user's cell.
"""

from __future__ import annotations

import functools
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath

import orjson

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
_GIT_LIMIT_S = 5
_MAX_DIFF = 5_000_000


def packages() -> dict[str, str]:
    """Installed distributions and versions, by the names of their metadata folders: under a millisecond.

    >>> "celltrail" in packages() or "pytest" in packages()
    True
    """
    found: dict[str, str] = {}
    for folder in dict.fromkeys(sys.path):
        if folder.endswith(("site-packages", "dist-packages")):
            for name, version in _listing(folder, _changed(folder)):
                found.setdefault(name, version)
    return found


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


def software(put: Put) -> Facts:
    """Python, the system, the packages (whole list as a blob) and the allowed variables."""
    listing = packages()
    facts: Facts = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "os": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "packages": put(orjson.dumps(listing, option=orjson.OPT_SORT_KEYS)),
    }
    facts.update({name: listing[name] for name in _KEY_PACKAGES if name in listing})
    facts.update({name: _homeless(value) for name, value in os.environ.items() if _ALLOWED.fullmatch(name)})
    return facts


@functools.cache
def hardware() -> Facts:
    """Processor, cores, memory, and the GPUs where nvidia-smi is present; asked once per process."""
    import psutil

    facts: Facts = {
        "cpu": _processor(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "threads": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
    }
    if shutil.which("nvidia-smi"):
        answer = _output(["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"])
        gpus = [[part.strip() for part in line.split(",")] for line in answer.splitlines() if line.count(",") == 2]
        if gpus:
            names = [f"{name} ({memory})" for name, memory, _ in gpus]
            facts |= {"gpu": ", ".join(sorted(set(names))), "gpus": len(gpus), "driver": gpus[0][2]}
    return facts


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def git(folder: str, put: Put, clean: Callable[[str], str]) -> Facts:
    """Commit, branch, whether there are changes, and the diff; nothing where there is no repository.

    Args:
        folder: where to ask.
        put: keeps the diff.
        clean: takes secrets out of the diff before it is kept.
    """
    status = _output(["git", "status", "--porcelain=v2", "--branch", "--untracked-files=normal"], folder)
    heads = dict(re.findall(r"^# branch\.(oid|head) (.+)$", status, re.MULTILINE))
    if "oid" not in heads:
        return {}
    changes = [line for line in status.splitlines() if not line.startswith("#")]
    facts: Facts = {
        "commit": None if heads["oid"] == "(initial)" else heads["oid"],
        "branch": heads.get("head"),
        "dirty": any(not line.startswith("?") for line in changes),
        "untracked": sum(line.startswith("?") for line in changes),
    }
    if facts["dirty"] and facts["commit"]:
        diff = _output(["git", "diff", "HEAD", "--no-color", "--no-ext-diff"], folder)
        if diff:
            facts["diff"] = put(clean(diff[:_MAX_DIFF]))
            facts["diff_truncated"] = len(diff) > _MAX_DIFF
    return facts


def _output(command: list[str], folder: str | None = None) -> str:
    # no optional locks: a status of ours must not get in the way of the user's own git
    environ = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environ,
            capture_output=True,
            timeout=_GIT_LIMIT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


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
