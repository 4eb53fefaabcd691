"""What can be seen of a kernel from inside, as plain data; works in any kernel, with and without celltrail."""

from __future__ import annotations

import builtins
import decimal
import gc
import hashlib
import io
import json
import locale
import logging
import os
import random
import re
import signal
import sys
import threading
import traceback
import types
import warnings

DEPTH = 6
NOT_ENTERED = ("asyncio", "_asyncio", "matplotlib", "multiprocessing", "logging", "IPython", "ipykernel", "ipywidgets")
NOISY = {"JPY_PARENT_PID", "SSH_CLIENT", "PWD", "OLDPWD", "_", "SHLVL", "COLUMNS", "LINES"}
PACKAGES = [
    "torch",
    "jax",
    "tensorflow",
    "sklearn",
    "scipy",
    "matplotlib",
    "PIL",
    "polars",
    "h5py",
    "duckdb",
    "cv2",
    "statsmodels",
    "seaborn",
    "plotly",
    "requests",
    "pandas",
    "pyarrow",
    "numpy",
    "IPython.lib.pretty",
    "cloudpickle",
    "dill",
    "joblib",
    "transformers",
    "datasets",
]
_start: dict[str, object] = {}


def settings(shell):
    """Things a tracker may be tempted to replace, by name."""
    import IPython.core.interactiveshell as interactive

    return {
        "open": builtins.open,
        "io.open": io.open,
        "os.open": os.open,
        "user_ns open": shell.user_ns.get("open"),
        "io_open": getattr(interactive, "io_open", None),
        "print": builtins.print,
        "input": builtins.input,
        "import": builtins.__import__,
        "compile": builtins.compile,
        "exec": builtins.exec,
        "stdout": sys.stdout,
        "stderr": sys.stderr,
        "displayhook": sys.displayhook,
        "excepthook": sys.excepthook,
        "unraisablehook": sys.unraisablehook,
        "threading.excepthook": threading.excepthook,
        "stdout.write": vars(sys.stdout).get("write"),
        "display_pub.publish": vars(shell.display_pub).get("publish"),
        "run_cell": getattr(shell.run_cell, "__func__", None),
        "showwarning": warnings.showwarning,
        "SIGINT": signal.getsignal(signal.SIGINT),
        "SIGTERM": signal.getsignal(signal.SIGTERM),
        "random": random.random,
    }


def begin(shell):
    """Remember what there is; later looks compare with it. Both begin with NumPy: celltrail brings it along."""
    __import__("numpy")
    _start.update(settings(shell))
    _start["environ"] = dict(os.environ)
    _start["filters"] = list(warnings.filters)
    _start["cwd"] = os.getcwd()
    _start["path"] = list(sys.path)


def reset(shell):
    """An empty notebook again, between two entries."""
    shell.reset(new_session=False)
    builtins.open, sys.stdout = _start["open"], _start["stdout"]
    os.environ.clear()
    os.environ.update(_start["environ"])
    warnings.filters[:] = _start["filters"]
    warnings._filters_mutated()
    os.chdir(_start["cwd"])
    sys.path[:] = _start["path"]
    for name in os.listdir("."):
        os.path.isdir(name) or os.remove(name)
    logging.getLogger().handlers.clear()
    random.seed(11)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(12)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(13)
    gc.collect()


def look(shell):
    """Everything as JSON."""
    names = {
        name: describe(value)
        for name, value in shell.user_ns.items()
        if name not in shell.user_ns_hidden and not name.startswith("_")
    }
    history = {name: shell.user_ns.get(name) for name in ("_i", "_ii", "_iii")}
    facts = {
        "names": names,
        "last": [describe(shell.user_ns.get(name)) for name in ("_", "__", "___")],
        "Out": {str(key): describe(value) for key, value in shell.user_ns.get("_oh", {}).items()},
        "In": shell.user_ns.get("_ih", [])[-3:],
        "raw": history,
        "history": list(shell.history_manager.get_range(raw=True))[-2:],
        "count": shell.execution_count,
        "success": shell.last_execution_succeeded,
        "generators": generators(),
        "settings": {name: thing is _start.get(name) for name, thing in settings(shell).items()},
        "environ": {name: value for name, value in os.environ.items() if name not in NOISY},
        "cwd": os.path.relpath(os.getcwd(), _start["cwd"]),
        "path": [entry for entry in sys.path if entry not in _start["path"]],
        "files": files(),
        "filters": [repr(entry) for entry in warnings.filters],
        "threads": threads(),
        "handlers": [repr(handler) for handler in logging.getLogger().handlers],
        "level": logging.getLogger().level,
        "tracing": [sys.gettrace() is None, sys.getprofile() is None, sys.getrecursionlimit(), sys.getswitchinterval()],
        "gc": [gc.isenabled(), gc.get_threshold(), len(gc.callbacks)],
        "decimal": repr(decimal.getcontext()),
        "locale": locale.setlocale(locale.LC_ALL),
        "transformers": [len(shell.ast_transformers), len(shell.custom_exceptions)],
        "last error": [getattr(getattr(sys, "last_type", None), "__name__", None), lines(sys)],
        "packages": [name for name in PACKAGES if name in sys.modules],
    }
    return json.dumps(facts, default=repr)


def lines(sys):
    """Where the last exception passed, by function and line."""
    found = traceback.extract_tb(getattr(sys, "last_traceback", None))
    return [f"{frame.name}:{frame.lineno}" for frame in found]


def threads():
    """Threads that are at work; pyzmq has one of its own as soon as a large message was sent, by whomever."""
    kinds = [(plain(thread.name), type(thread).__qualname__) for thread in threading.enumerate()]
    return sorted(name for name, kind in kinds if "celltrail" not in name and kind != "GarbageCollectorThread")


def files():
    """Files of the working folder by what is in them."""
    found = {}
    for folder, _, names in os.walk("."):
        for name in names:
            path = os.path.join(folder, name)
            if ".ipynb_checkpoints" not in path and "__pycache__" not in path:
                with open(path, "rb") as file:
                    found[path] = digest(file.read())
    return found


def generators():
    """The states of the global random generators."""
    found = {"random": digest(repr(random.getstate()).encode())}
    if "numpy" in sys.modules:
        state = sys.modules["numpy"].random.get_state(legacy=False)
        found["numpy"] = digest(repr((state["state"]["key"].tolist(), state["state"]["pos"], state["gauss"])).encode())
    if "torch" in sys.modules:
        found["torch"] = digest(sys.modules["torch"].get_rng_state().numpy().tobytes())
    return found


def digest(data):
    """A short name for bytes."""
    return hashlib.sha256(data).hexdigest()[:16]


def plain(text):
    """The text without what differs from process to process."""
    return re.sub(
        r"0x[0-9a-fA-F]+|(?<= at )[0-9a-fA-F]{8,}|\b\d{6,}\b|(?<=\bThread-)\d+|(?<=\bTask-)\d+|ipykernel_\d+", "-", text
    )


def describe(value, depth=DEPTH):
    """The type and the value, as far as it can be told apart."""
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes, range, slice)):
        return [kind, plain(repr(value))[:2000]]
    if depth == 0:
        return [kind]
    if isinstance(value, dict):
        return [kind, [[plain(repr(key)), describe(item, depth - 1)] for key, item in list(value.items())[:200]]]
    if isinstance(value, (list, tuple)):
        return [kind, len(value), [describe(item, depth - 1) for item in value[:200]]]
    if isinstance(value, (set, frozenset)):
        return [kind, sorted(plain(repr(item)) for item in value)]
    if isinstance(value, types.ModuleType):
        return [kind, value.__name__]
    if isinstance(value, types.FunctionType):
        code = value.__code__  # a watched function's code holds more: what it does is compared by calling it
        names = [name for name in code.co_varnames if not name.startswith("__ct")]
        return [kind, code.co_name, code.co_firstlineno, names, value.__doc__, describe(value.__defaults__, depth - 1)]
    if kind.startswith(("numpy.", "torch.")) and hasattr(value, "dtype") and hasattr(value, "shape"):
        return [kind, str(value.dtype), str(value.shape), numbers(value)]
    if kind.startswith("pandas."):
        return [kind, plain(value.to_csv() if hasattr(value, "to_csv") else repr(value))[:5000]]
    if isinstance(value, type):
        return [kind, value.__qualname__, [base.__name__ for base in value.__mro__], sorted(vars(value))]
    if isinstance(value, threading.Thread):
        return [kind, value.is_alive(), sorted(vars(value))]
    inner = getattr(value, "__dict__", None)
    if isinstance(inner, dict) and not kind.startswith(NOT_ENTERED):
        return [kind, {name: describe(item, depth - 2 if depth > 1 else 0) for name, item in list(inner.items())[:100]}]
    return [kind, plain(repr(value))[:500]]


def numbers(array):
    """The numbers of an array or a tensor."""
    if hasattr(array, "detach"):
        array = array.detach().cpu().numpy()
    return digest(repr(array.tolist()).encode())
