"""Where a file is, so that it is found on another machine too, and which files are nobody's data."""

from __future__ import annotations

import functools
import os
import re
import site
import sys
import sysconfig
from pathlib import Path
from typing import Literal

from celltrail.model import OWN_SCRATCH
from celltrail.store.files.network import caches

Base = Literal["project", "home", "abs"]

_SYSTEM = ("/proc", "/sys", "/dev", "/etc", "/run", "/usr/lib", "/usr/share", "/usr/lib64", "/var/lib", "/var/cache")
_ENDINGS = (".ttf", ".otf", ".ttc", ".woff", ".woff2", ".pfb", ".afm", ".pyc", ".pyo", ".so", ".pyd", ".dll")
_INSTALLED = re.compile(
    r"[\\/](?:site-packages|dist-packages|__pycache__|\.git|\.ipynb_checkpoints|\.celltrail)(?:[\\/]|$)"
)
_SECRET_FILE = re.compile(
    r"(?:^|[\\/])(?:\.env(?:\.[\w.]+)?|\.netrc|\.pgpass|\.pypirc|id_(?:rsa|dsa|ecdsa|ed25519)|[^\\/]*\.(?:pem|key|p12|pfx|kdbx)"
    r"|[^\\/]*(?:credential|secret|password|passwd)s?[^\\/]*\.(?:json|ya?ml|toml|ini|cfg|txt|env)"
    r"|\.aws[\\/]credentials|kaggle\.json)$",
    re.IGNORECASE,
)


def project(trail: Path, folder: str) -> str:
    """The folder that paths of a run are kept relative to: where the trail is, if the code works inside it.

    Args:
        trail: the trail.
        folder: the working folder.

    >>> project(Path("/data/p/.celltrail"), "/data/p/nb"), project(Path("/trails/all"), "/data/p/nb")
    ('/data/p', '/data/p/nb')
    """
    around = real(str(trail.parent))
    if is_within(real(folder), around):
        return str(trail.parent)
    here = Path(folder)
    return str(next((place for place in (here, *here.parents) if (place / ".git").exists()), here))


def placed(path: str, project: str) -> tuple[Base, str]:
    """A path by what it is relative to: the project, the home folder, or nothing.

    >>> placed("/data/p/in/a.csv", "/data/p"), placed("/srv/b.csv", "/data/p")
    (('project', 'in/a.csv'), ('abs', '/srv/b.csv'))
    """
    for base, folder in (("project", project), ("home", os.path.expanduser("~"))):
        if folder in ("", "/", "~"):
            continue
        for root, inner in ((folder, path), (real(folder), os.path.realpath(path))):
            if is_within(inner, root):
                return ("project" if base == "project" else "home"), Path(os.path.relpath(inner, root)).as_posix()
    return "abs", Path(path).as_posix()


def is_within(path: str, folder: str) -> bool:
    """Whether a path is this folder or below it.

    >>> is_within("/a/bc", "/a/b"), is_within("/a/b/c", "/a/b")
    (False, True)
    """
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def is_data(path: str, trail: Path) -> bool:
    """Whether a file may be something that a run worked with: not Python's own, the system's or celltrail's.

    >>> is_data("/proc/cpuinfo", Path("/t")), is_data("/data/a.csv", Path("/t")), is_data(os.__file__, Path("/t"))
    (False, True, False)
    """
    if path.endswith(_ENDINGS) or _INSTALLED.search(path) or f"{os.sep}{OWN_SCRATCH}" in path:
        return False
    foreign, within = _foreign()
    if path in foreign or path.startswith(within):
        return False
    return not (is_within(path, str(trail)) or is_within(path, real(str(trail))))


@functools.lru_cache(maxsize=64)
def real(folder: str) -> str:
    """Where a folder really is, one of the few that all paths of a session are compared with: asked once."""
    return os.path.realpath(folder)


@functools.cache
def _foreign() -> tuple[frozenset[str], tuple[str, ...]]:
    """The folders of Python, its packages, the system, Jupyter and celltrail itself; and how what is in them begins."""
    found = {*_SYSTEM, *sysconfig.get_paths().values(), *site.getsitepackages(), site.getusersitepackages()}
    if sys.prefix != sys.base_prefix:
        found.add(sys.prefix)
    found |= {str(place) for place in caches()}
    home = os.path.expanduser("~")
    if home not in ("/", "~"):
        # not the whole cache folder: there the hubs keep models and data sets
        inner = (
            ".ipython .jupyter .local/share/jupyter .cache/matplotlib .cache/fontconfig .cache/pip .config/matplotlib"
        )
        found |= {os.path.join(home, name) for name in inner.split()}
    found |= {
        os.environ[name] for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR") if os.environ.get(name)
    }
    found.add(str(Path(__file__).resolve().parents[2]))
    # an installation into the root folder must not hide everything
    data = {sys.prefix, sysconfig.get_paths().get("data", "")} if sys.prefix == sys.base_prefix else set()
    folders = frozenset(folder for folder in found - data if folder.strip(os.sep))
    return folders, tuple(folder.rstrip(os.sep) + os.sep for folder in sorted(folders))


def is_secret(path: str) -> bool:
    """Whether a file by its name holds secrets: not even a digest of such a one is kept.

    >>> is_secret("conf/.env"), is_secret("keys/server.pem"), is_secret("data/monkey.csv")
    (True, True, False)
    """
    return _SECRET_FILE.search(path) is not None
