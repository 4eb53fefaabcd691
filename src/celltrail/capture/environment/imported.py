"""Which packages a kernel works with: those that something imported, but for what every kernel runs on."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Collection
from contextlib import suppress

# a kernel, a notebook and celltrail itself import these whatever the cells do
_PLUMBING_NAMES = (
    "IPython anywidget asttokens blake3 celltrail comm dateutil debugpy decorator executing ipykernel"
    " ipykernel_launcher ipywidgets jedi jupyter_client jupyter_core matplotlib_inline nest_asyncio orjson"
    " parso pexpect platformdirs prompt_toolkit psutil psygnal ptyprocess pure_eval pydevd pygments six"
    " stack_data tinydb tornado traitlets typing_extensions wcwidth xxhash zmq"
)
_PLUMBING = frozenset(_PLUMBING_NAMES.split())


def imported() -> list[str]:
    """The top names of all that is imported and no part of Python, sorted.

    >>> "pytest" in imported(), "re" in imported(), "celltrail" in imported()
    (True, False, False)
    """
    return list(_imported(mark()))


def mark() -> tuple[int, str]:
    """Is another one as soon as something new is imported: new names come last."""
    return len(sys.modules), next(reversed(sys.modules), "")


@functools.lru_cache(maxsize=1)
def _imported(_: tuple[int, str]) -> tuple[str, ...]:
    names = {name for name in sys.modules.copy() if "." not in name}
    return tuple(sorted(name for name in names - sys.stdlib_module_names - _PLUMBING if name[:1] != "_"))


def is_among(package: str, names: Collection[str]) -> bool:
    """Whether a package, by the name it is installed under, has one of these top names.

    >>> is_among("scikit-learn", ["sklearn"]), is_among("no-such-thing", ["no_such_thing"]), is_among("pytest", [])
    (True, True, False)
    """
    return not _tops(package).isdisjoint(names)


@functools.lru_cache(maxsize=4096)
def _tops(package: str) -> frozenset[str]:
    from importlib import metadata

    with suppress(metadata.PackageNotFoundError, OSError, UnicodeDecodeError):
        found = metadata.distribution(package)
        if told := found.read_text("top_level.txt"):
            return frozenset(told.split())
        heads = {file.parts[0].partition(".")[0] for file in found.files or () if file.suffix in (".py", ".so", ".pyd")}
        if heads:
            return frozenset(heads)
    return frozenset([re.sub(r"[-.]", "_", package)])  # it is gone: most have the name of what they install
