"""Where a cell's result may come from besides its inputs: clocks, the network, the shell, generators seeded by chance.

Told from the code. What is not sure counts as chance: then a run is called a repeat, quietly, not a duplicate.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from celltrail.capture.analyze import Kinds, dotted

_UNSEEDED = frozenset(["default_rng", "RandomState", "Random", "SeedSequence", "PCG64", "MT19937", "Philox", "seed"])
_CLOCK = frozenset(["now", "utcnow", "today", "ctime", "localtime", "gmtime", "time_ns"])
_OTHERS = {
    "the system's generator": "SystemRandom urandom uuid1 uuid4 token_bytes token_hex token_urlsafe randbelow",
    "the network": "urlopen urlretrieve load_dataset fetch_openml read_html snapshot_download hf_hub_download",
    "a database": "connect create_engine read_sql read_sql_query read_sql_table read_gbq",
    "what is typed in": "input getpass",
    "the shell": "system popen getoutput run_cell_magic check_output Popen",
    "the environment's variables": "getenv",
    "what is in a folder": "listdir scandir glob iglob rglob iterdir walk exists is_file isfile is_dir isdir stat",
    "this process": "getpid id hash",
}
_CALLS = {name: what for what, names in _OTHERS.items() for name in names.split()}
_NETWORK = frozenset(
    "aiohttp anthropic boto3 cohere google.generativeai groq httpx huggingface_hub langchain litellm mistralai ollama"  # noqa: SIM905
    " openai paramiko pymongo redis requests socket urllib urllib3 websockets".split()
)
_PROCESSES = frozenset(["subprocess", "multiprocessing"])
_ADDRESSES = ("http://", "https://", "s3://", "gs://", "hf://", "ftp://")
# of one name, but only the first of them tells the time of day
_MEASURES = frozenset(["perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns", "process_time", "sleep"])
_SEEDS = {
    "random.seed": ("random",),
    "np.random.seed": ("numpy",),
    "numpy.random.seed": ("numpy",),
    "torch.manual_seed": ("torch", "torch.cuda"),
    "torch.random.manual_seed": ("torch", "torch.cuda"),
}


def sources(kinds: Kinds, namespace: Mapping[str, Any], reached: Iterable[str]) -> tuple[str, ...]:
    """The kinds of chance in a cell, in words, each once.

    Args:
        kinds: the nodes of its code.
        namespace: the user's variables.
        reached: the names it reads, also those that its functions read.

    >>> from celltrail.capture.analyze import by_kind
    >>> sources(by_kind(ast.parse("t = time.time(); n = uuid.uuid4()")), {}, [])
    ('the clock', "the system's generator")
    >>> sources(by_kind(ast.parse("t = time.time(); f(); print(time.time() - t)")), {}, [])
    ()
    """
    found: dict[str, None] = {}
    timed = _measured(kinds)
    for call in kinds[ast.Call]:
        if what := _of_call(call, timed, namespace):
            found[what] = None
    for constant in kinds[ast.Constant]:
        if isinstance(constant.value, str) and constant.value.startswith(_ADDRESSES):
            found["the network"] = None
    if any(attribute.attr == "environ" for attribute in kinds[ast.Attribute]):
        found["the environment's variables"] = None
    for name in reached:
        for code in _codes(namespace.get(name), namespace):
            found.update(dict.fromkeys(_of_code(code)))
        if _comes_from(namespace.get(name), _NETWORK):
            found["the network"] = None
    return tuple(found)


def seeded(tree: ast.Module) -> frozenset[str]:
    """The libraries that the code seeds before it calls anything else.

    >>> sorted(seeded(ast.parse("import numpy as np\\nn = 3\\nnp.random.seed(0)\\nx = np.random.rand(n)")))
    ['numpy']
    >>> seeded(ast.parse("x = f()\\nnp.random.seed(0)"))
    frozenset()
    """
    found: set[str] = set()
    for statement in tree.body:
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Call):
            libraries = _SEEDS.get(dotted(call.func) or "")
            if libraries is None or not call.args or _is_none(call.args[0]) or _calls(call.args[0]):
                break
            found.update(libraries)
        elif not isinstance(statement, ast.Import | ast.ImportFrom) and _calls(statement):
            break
    return frozenset(found)


def _of_call(call: ast.Call, timed: set[int], namespace: Mapping[str, Any]) -> str:
    called = call.func
    last = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    if last in _UNSEEDED:
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        return "" if given and not _is_none(given[0]) else "a generator without a seed"
    if id(call) in timed:
        return ""
    if last == "time" or (last in _CLOCK and isinstance(called, ast.Attribute)):
        return "the clock"
    if last in _CALLS:
        return _CALLS[last]
    start = (dotted(called) or "").split(".")[0]
    value = namespace.get(start)
    if start in _NETWORK or _comes_from(value, _NETWORK):
        return "the network"
    return "the shell" if start in _PROCESSES or _comes_from(value, _PROCESSES) else ""


def _comes_from(value: object, packages: frozenset[str]) -> bool:
    """Whether a module, or what it made, is of one of these packages."""
    if value is None:
        return False
    module = value.__name__ if isinstance(value, ModuleType) else type(value).__module__
    if isinstance(value, FunctionType):
        module = value.__module__ or ""
    return isinstance(module, str) and module.split(".", 1)[0] in packages


def _measured(kinds: Kinds) -> set[int]:
    """The calls of a clock whose value is only ever subtracted: how long something took is no result."""
    sides = {id(side) for node in kinds[ast.BinOp] if isinstance(node.op, ast.Sub) for side in (node.left, node.right)}
    loads = [name for name in kinds[ast.Name] if isinstance(name.ctx, ast.Load)]
    loose = {name.id for name in loads if id(name) not in sides}
    subtracted = {name.id for name in loads} - loose
    found = sides.copy()
    for statement in kinds[ast.Assign]:
        if all(isinstance(target, ast.Name) and target.id in subtracted for target in statement.targets):
            found.add(id(statement.value))
    return found


def _of_code(code: CodeType) -> Iterable[str]:
    names = set(code.co_names)
    if names & _UNSEEDED - {"seed"}:
        yield "a generator without a seed"
    if names & _CLOCK or ("time" in names and not names & _MEASURES):
        yield "the clock"
    for name in names & _CALLS.keys():
        yield _CALLS[name]
    if names & _NETWORK:
        yield "the network"
    if names & _PROCESSES:
        yield "the shell"
    if "environ" in names:
        yield "the environment's variables"


def _codes(value: object, namespace: Mapping[str, Any]) -> Iterable[CodeType]:
    """The code of a notebook's function, and of the methods of its class."""
    functions = [value]
    if not isinstance(value, FunctionType | ModuleType) and value is not None:
        kind = value if isinstance(value, type) else type(value)
        if getattr(kind, "__module__", "") == "__main__":
            functions = list(vars(kind).values())
    # what a library wrote does not count, such as the methods of a data class
    own = [each.__code__ for each in functions if isinstance(each, FunctionType) and each.__globals__ is namespace]
    waiting = [code for code in own if code.co_filename != "<string>"]
    while waiting:
        code = waiting.pop()
        yield code
        waiting.extend(constant for constant in code.co_consts if isinstance(constant, CodeType))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _calls(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Call | ast.Await) for inner in ast.walk(node))
