"""Where a replay works that must leave the run's own folder as it is: in a copy of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_LEFT_OUT = frozenset(
    ".celltrail .git .hg .svn .venv venv .tox .nox node_modules __pycache__ .ipynb_checkpoints .mypy_cache "  # noqa: SIM905
    ".pytest_cache .ruff_cache wandb mlruns".split()
)
_WHOLE = 64 << 20  # bytes of a file that is copied; a larger one is only pointed to


@contextmanager
def copied(project: Path) -> Generator[Path]:
    """A copy of a folder for as long as a replay runs.

    Large files are links, and read-only to whoever goes by their mode; version control, environments and trails
    stay where they are.
    """
    with TemporaryDirectory(prefix="celltrail-replay-", ignore_cleanup_errors=True) as scratch:
        copy = Path(scratch) / (project.name or "project")
        shutil.copytree(project, copy, symlinks=True, ignore=_ignored, copy_function=_copy, dirs_exist_ok=True,
                        ignore_dangling_symlinks=True)  # fmt: skip
        yield copy


def _ignored(folder: str, names: list[str]) -> set[str]:
    # a named pipe or a socket cannot be copied, and an open would wait for ever
    return {name for name in names if name in _LEFT_OUT or not _is_plain(os.path.join(folder, name))}


def _is_plain(path: str) -> bool:
    return os.path.islink(path) or os.path.isdir(path) or os.path.isfile(path)


def _copy(source: str, target: str) -> None:
    if os.path.getsize(source) > _WHOLE:
        os.symlink(os.path.realpath(source), target)
    else:
        shutil.copy2(source, target)
